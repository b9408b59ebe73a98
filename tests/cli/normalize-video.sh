#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-normalize --video: other sound, and all else as it was.
. "$(dirname "$0")/lib.sh"

# A film with B-frames, two tracks of sound of which one begins later, subtitles, chapters, an attachment, a picture.
printf '1\n00:00:00,500 --> 00:00:01,500\nHello\n' >words.srt
printf ';FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n' >chapters
sox -R -n -r 48000 -c 2 -b 16 tone.wav synth 2.5 sine 440 vol 0.05
# Silence, and a burst from 1 s to 2 s.
sox -R -n -r 48000 -c 2 -b 16 burst.wav synth 1 sine 1000 vol 0.2 pad 1 1
ffmpeg -v error -f lavfi -i testsrc=s=160x120:r=25:d=3 -i burst.wav -itsoffset 0.5 -i tone.wav -i words.srt -i chapters \
    -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4 -c:v libx264 -preset veryfast -bf 2 -g 25 -threads 1 \
    -c:a aac -c:s srt -attach words.srt -metadata:s:t mimetype=text/plain -metadata:s:a:0 language=eng \
    -metadata:s:a:1 language=ger -metadata:s:a:1 title=Other -disposition:a:1 comment film.mkv
ffmpeg -v error -i film.mkv -map 0:v -map 0:a -map 0:s -c copy -c:s mov_text film.mp4

# The packets of streams (v, s...), their times and sums
packets() { ffmpeg -v error -copyts -i "$1" -map "0:$2" -c copy -f framemd5 - | grep -v '^#' | tr -d ' '; }
# entries FILE STREAMS ENTRIES
entries() { ffprobe -v error ${2:+-select_streams "$2"} -show_entries "$3" -of compact "$1"; }
loudness() { ap-decode --track "$2" "$1" | ap-measure --json | sed -n 's/.*"integrated_lufs": \([-0-9.]*\).*/\1/p'; }

copies_all_but_the_sound() {
    ap-normalize --video --lufs -30 "film.$1" -o "out.$1"
    packets "film.$1" v >want && packets "out.$1" v >got && [ -s want ] && diff want got
    packets "film.$1" s >want && packets "out.$1" s >got && [ -s want ] && diff want got
    [ "$(entries "film.$1" '' chapter=start_time,end_time:chapter_tags=title)" = "$(entries "out.$1" '' chapter=start_time,end_time:chapter_tags=title)" ]
    [ "$(entries "film.$1" '' format_tags=title)" = "$(entries "out.$1" '' format_tags=title)" ]
    [ "$(entries "film.$1" a stream_tags=language)" = "$(entries "out.$1" a stream_tags=language)" ]
    [ "$(entries "film.$1" a stream_disposition=comment,default)" = "$(entries "out.$1" a stream_disposition=comment,default)" ]
    near "$(entries "film.$1" '' format=duration | cut -d = -f 2)" "$(entries "out.$1" '' format=duration | cut -d = -f 2)" 0.03
    near "$(loudness "out.$1" 1)" -30 0.6
    near "$(loudness "out.$1" 2)" -30 0.6
}
check copies_all_but_the_sound mkv
check copies_all_but_the_sound mp4

attachments_stay() {
    ffmpeg -v error -y -dump_attachment:t:0 got.srt -i out.mkv -f null - 2>/dev/null || true
    cmp words.srt got.srt
}
check attachments_stay

# The second subtitles of an MP4 become data by the names of their handler and their sample entry.
data_track() {
    /usr/bin/python3 - "$1" <<'EOF' >"$2"
import sys
b = open('two.mp4', 'rb').read()
for old, new in (b'sbtl', b'meta'), (b'tx3g', sys.argv[1].encode()):
    at = b.rfind(old)
    b = b[:at] + new + b[at + 4:]
sys.stdout.buffer.write(b)
EOF
}
data_and_their_place() {
    local to
    ffmpeg -v error -i film.mp4 -i chapters -map 0:v -map 0:a:0 -map 0:s -map 0:s -map_chapters 1 -c copy two.mp4
    data_track gpmd gopro.mp4
    data_track mebx apple.mp4
    packets gopro.mp4 d:0 >want && [ -s want ]
    for to in mp4 mov; do
        ap-normalize --video --lufs -30 gopro.mp4 -o "gopro-out.$to" 2>stderr
        packets "gopro-out.$to" d:0 | diff want -
        [ ! -s stderr ] # the menu of chapters is no loss
    done
    ap-normalize --video apple.mp4 -o apple-out.mp4 2>stderr
    grep -Fxq "ap-normalize: warning: 'apple-out.mp4' has no place for all of 'apple.mp4', left out: stream 3 (data mebx 'SubtitleHandler')" stderr
    ffmpeg -v error -i gopro.mp4 -map 0:v -map 0:a -map 0:d:0 -c copy -map_chapters -1 no-words.mp4
    ap-normalize --video no-words.mp4 -o gopro-out.mkv 2>stderr
    grep -Fq "left out: stream 2 (data gpmd" stderr
}
check data_and_their_place

covers_stay_covers() {
    ffmpeg -v error -f lavfi -i testsrc=s=64x64 -frames:v 1 cover.jpg
    ffmpeg -v error -i film.mp4 -i cover.jpg -map 0:v -map 0:a:0 -map 1 -c copy -disposition:v:1 attached_pic cover.mp4
    ap-normalize --video cover.mp4 -o cover-out.mp4
    ffmpeg -v error -i cover-out.mp4 -map 0:v:1 -c copy -f image2pipe - | cmp cover.jpg -
    ap-normalize --video cover.mp4 -o cover-out.mkv
    ap-normalize --video cover-out.mkv -o cover-again.mkv
    [ "$(entries cover-again.mkv v:1 stream_disposition=attached_pic:stream_tags=filename,mimetype)" = \
        "stream|disposition:attached_pic=1|tag:filename=cover.jpg|tag:mimetype=image/jpeg" ]
    ffmpeg -v error -i cover-again.mkv -map 0:v:1 -c copy -f image2pipe - | cmp cover.jpg -
    ap-normalize --video cover.mp4 -o cover-out.mov 2>stderr
    grep -Fq "(cover mjpeg)" stderr
    ffmpeg -v error -i film.mkv -map 0:v -map 0:a -map 0:t -c copy attached.mkv
    ap-normalize --video attached.mkv -o attached.mp4 2>stderr
    grep -Fq "left out: stream 3 (attachment 'words.srt')" stderr
}
check covers_stay_covers

# Where a film's sound is loud for the first time, in seconds of the film, as ffmpeg plays it.
onset() {
    ffmpeg -v error -copyts -i "$1" -map "0:a:$2" -af aresample=async=1:first_pts=0 -ac 1 -ar 48000 -f f32le - |
        /usr/bin/python3 -c '
import sys, array
x = array.array("f", sys.stdin.buffer.read())
peak = max(map(abs, x))
print(next(i for i, v in enumerate(x) if abs(v) > 0.3 * peak) / 48000)'
}
sound_keeps_its_place() {
    local track
    for track in 0 1; do
        near "$(onset "film.$1" "$track")" "$(onset "out.$1" "$track")" 0.005
    done
}
check sound_keeps_its_place mkv
check sound_keeps_its_place mp4

# Fragments have no edit list that lets the sound begin later: their first packet of sound is longer instead.
fragments_and_streams() {
    local film
    ffmpeg -v error -f lavfi -i testsrc=s=160x120:r=25:d=3 -itsoffset 0.7 -i burst.wav -c:v libx264 -preset ultrafast -c:a aac \
        -movflags frag_keyframe+empty_moov frag.mp4 -c:v libx264 -preset ultrafast -c:a aac film.ts
    for film in frag.mp4 film.ts; do
        ap-normalize -q --video --lufs -30 "$film" -o "quiet-$film.mp4"
        near "$(onset "$film" 0)" "$(onset "quiet-$film.mp4" 0)" 0.005
        [ "$(packets "$film" v | wc -l)" = "$(packets "quiet-$film.mp4" v | wc -l)" ]
    done
    near "$(ap-decode frag.mp4 -t f32le | wc -c)" "$((4 * 2 * 48000 * 37 / 10))" 80000
}
check fragments_and_streams

many_films() {
    mkdir -p films/deep
    cp film.mkv films/deep/a.mkv
    cp film.mp4 films/b.mp4
    cp tone.wav films/tone.wav
    ap-normalize --video -r films -o many/ -q
    [ "$(cd many && find . -type f | sort | tr '\n' ' ')" = "./b.mp4 ./deep/a.mkv " ]
    packets film.mkv v | diff - <(packets many/deep/a.mkv v)
    ap-normalize --video -r films -o many/ --skip-existing --dry-run >plan 2>/dev/null || true
}
check many_films

nothing_is_left_of_a_failure() {
    fails 2 ap-normalize --video film.mkv -o y.wav
    fails 2 ap-normalize --video film.mkv >/dev/null
    fails 2 ap-normalize --video film.mkv -o film.mkv
    fails 2 ap-normalize --video --album film.mkv -o y
    fails 1 ap-normalize --video words.srt -o y.mkv
    fails 1 ap-normalize --video film.mkv -o y.mp4 # SubRip, which MP4 has no place for
    grep -q "mp4 cannot hold the subrip of stream 3 of 'film.mkv'" stderr
    head -c "$(($(stat -c %s film.mkv) / 2))" film.mkv >cut.mkv
    fails 1 ap-normalize --video cut.mkv -o y.mkv
    ffmpeg -v error -i film.mkv -an -c copy mute.mkv
    fails 1 ap-normalize --video mute.mkv -o y.mkv
    [ ! -e y.wav ] && [ ! -e y.mkv ] && [ ! -e y.mp4 ]
}
check nothing_is_left_of_a_failure

finish
