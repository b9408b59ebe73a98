#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: the sound of a video, and what is seen of it.
. "$(dirname "$0")/lib.sh"
stitch_inputs

sound_from_a_pipe() {
    ap-stitch "${small[@]}" -a sound.wav red.png blue.png -o file.mp4
    ap-decode sound.wav | ap-stitch "${small[@]}" red.png blue.png -o x.mp4
    cmp x.mp4 file.mp4
    ap-decode sound.wav | ap-stitch "${small[@]}" -a - red.png blue.png -o x.mp4
    cmp x.mp4 file.mp4
    sox sound.wav -t au - | ap-stitch "${small[@]}" red.png blue.png -o x.mp4 # of unknown length
    cmp x.mp4 file.mp4
    ap-stitch "${small[@]}" red.png blue.png -o x.mp4 <sound.wav
    cmp x.mp4 file.mp4
    fails 1 ap-stitch "${small[@]}" red.png -o y.mp4 < <(ap-decode sound.wav | head -c 50000)
    grep -q truncated stderr
    fails 1 ap-stitch "${small[@]}" red.png -o y.mp4 < <(:)
    [ ! -e y.mp4 ]
}
check sound_from_a_pipe

without_sound() {
    for audio in "</dev/null" "--no-audio <sound.wav"; do
        eval "ap-stitch ${small[*]} red.png blue.png -o x.mp4 $audio"
        [ "$(of x.mp4 v nb_read_frames)" = 60 ]
        [ -z "$(of x.mp4 a codec_name)" ]
    done
    ap-stitch "${small[@]}" --no-audio -d 0:01.5 red.png blue.png -o x.webm
    [ "$(of x.webm v nb_read_frames)" = 30 ]
}
check without_sound

# What a loop of the shell reads is no sound, and stays there: lines and names between zero bytes, from a file or a pipe.
loops_keep_their_input() {
    printf '%s\n' one two three >list
    while read -r name; do
        ap-stitch --size 160x120 --fps 10 -j 1 -d 0.5 red.png -o "$name.mp4" 2>stderr
    done <list
    for name in one two three; do
        [ "$(of "$name.mp4" v nb_read_frames)" = 5 ]
        [ -z "$(of "$name.mp4" a codec_name)" ]
    done
    printf '%s\0' four five last | (
        while read -r -d '' name && [ "$name" != last ]; do
            ap-stitch --size 160x120 --fps 10 -j 1 -d 0.5 red.png -o "$name.mp4" 2>stderr
            grep -q "standard input is text" stderr
        done
    )
    [ "$(of four.mp4 v nb_read_frames)" = 5 ]
    [ "$(of five.mp4 v nb_read_frames)" = 5 ]
    echo text | ap-stitch "${small[@]}" -d 0.5 red.png -o quiet.mp4 2>stderr
    [ ! -s stderr ]
}
check loops_keep_their_input

# Images decide: the sound is cut off, or filled up with silence.
time_of_an_image() {
    ap-stitch --size 160x120 --fps 10 -a sound.wav -d 1 red.png blue.png -o x.mp4 2>err.txt
    grep -q 'warning: the last 0.370 seconds of the sound are cut off' err.txt
    [ "$(of x.mp4 v nb_read_frames)" = 20 ]
    [ "$(of x.mp4 a duration)" = 2.000000 ]
    ap-stitch --size 160x120 --fps 10 -a sound.wav -d 2 red.png blue.png -o x.mp4 2>err.txt
    grep -q 'warning: the last 1.630 seconds are silent' err.txt
    [ "$(of x.mp4 a duration)" = 4.000000 ]
    ffmpeg -v error -i x.mp4 -ss 2.5 -f f32le - | /usr/bin/python3 -c '
import sys, numpy
assert abs(numpy.frombuffer(sys.stdin.buffer.read(), "<f4")).max() < 0.001'
    fails 1 ap-stitch "${small[@]}" -a sound.wav -r 1 red.png blue.png lime.png -o y.mp4
    grep -q "3 images cannot be shown in 2.37 seconds" stderr
}
check time_of_an_image

sound_is_in_time() {
    sox -R -n -r 48000 -c 1 click.wav synth 48000s sine 1000 pad 48000s 48000s
    for format in mp4 mkv webm; do
        ap-stitch "${small[@]}" -a click.wav red.png -o "x.$format"
        near "$(of "x.$format" v start_time)" 0 0.0005
        near "$(of "x.$format" a start_time)" 0 0.0075 # the delay of Opus, which is left out
        ffmpeg -v error -i "x.$format" -f f32le -ac 1 -ar 48000 - | /usr/bin/python3 -c '
import sys, numpy
x = abs(numpy.frombuffer(sys.stdin.buffer.read(), "<f4"))
loud = numpy.nonzero(x > 0.3)[0]
assert abs(loud[0] - 48000) < 100 and abs(loud[-1] - 96000) < 100, (loud[0], loud[-1])'
    done
}
check sound_is_in_time

tags_go_along() {
    ap-encode sound.wav --tag TITLE='Song & "Dance"' --tag ARTIST=Singer --tag ALBUM=Record --tag DATE=1999 --tag GENRE=Pop \
        --tag TRACKNUMBER=7 -o tagged.flac
    for format in mp4 mkv webm; do
        ap-stitch "${small[@]}" -a tagged.flac red.png -o "tagged.$format"
        ffprobe -v error -show_entries format_tags -of default=nk=0:nw=1 "tagged.$format" | tr '[:upper:]' '[:lower:]' >tags.txt
        for tag in 'title=song & "dance"' artist=singer album=record date=1999 genre=pop track=7; do
            grep -qF "$tag" tags.txt
        done
    done
    ap-decode tagged.mp4 >tagged.au
    head -c 400 tagged.au | grep -qa 'TITLE=Song & "Dance"'
    ap-stitch "${small[@]}" -a tagged.flac --title 'Live; 1999' red.png -o titled.mp4
    ap-stitch "${small[@]}" --no-audio --title 'Live; 1999' red.png -d 1 -o titled.mkv
    for format in mp4 mkv; do
        [ "$(ffprobe -v error -show_entries format_tags -of flat "titled.$format" | tr '[:upper:]' '[:lower:]' | grep -F .title=)" = 'format.tags.title="live; 1999"' ]
    done
    ffprobe -v error -show_entries format_tags=artist -of csv=p=0 titled.mp4 | grep -x Singer
}
check tags_go_along

# MP4 and WebM of the sound itself: where there is sound, there is something to see.
visualizes() { # KIND CODE
    sox -R -n -r 44100 -c 2 -b 16 tone.wav synth 1 sine 1000 vol 0.7 pad 0 5
    for format in mp4 webm; do
        sox tone.wav -t au - | ap-stitch --size 320x240 --fps 10 -q -j 1 --visualize "$1" -o "v.$format"
        [ "$(of "v.$format" v nb_read_frames)" = 60 ]
        [ -n "$(of "v.$format" a codec_name)" ]
    done
    python_video "$2" v.mp4
    ffmpeg -v error -y -f lavfi -i color=0xff8000:s=300x300 -frames:v 1 -q:v 1 cover.jpg
    ap-encode tone.wav -o cover.flac
    ffmpeg -v error -y -i cover.flac -i cover.jpg -map 0 -map 1 -c copy -disposition:v attached_pic covered.flac
    ap-stitch --size 320x240 --fps 10 -q -j 1 --visualize "$1" -a covered.flac -o v.mp4
    python_video 'see(videos[0][50], 160, 90, (255, 128, 0), 10); assert 60 < videos[0][50][10, 10, 0] < 200' v.mp4
    sox -n -r 44100 -c 2 empty.wav trim 0 0
    fails 1 ap-stitch "${small[@]}" --visualize "$1" -a empty.wav -o y.mp4
    [ ! -e y.mp4 ]
    fails 2 ap-stitch --visualize "$1" -a tone.wav red.png red.png -o y.mp4
    fails 2 ap-stitch --visualize "$1" -o y.mp4 </dev/null
}
# High bars while there is sound within 3 seconds, dots after that.
shows_the_level() {
    visualizes waveform '
bright = (videos[0].max(axis=3) > 120).sum(axis=(1, 2))
assert bright[5] > 3 * bright[55] > 0, bright'
}
check shows_the_level

# The highest bar is that of 1 kHz: number 34 of 64, with the room of two on both sides.
shows_the_spectrum() {
    visualizes spectrum '
bright = (videos[0].max(axis=3) > 120).sum(axis=1)
assert abs(int(bright[5].argmax()) - 320 * 36.5 / 68) < 5, bright[5]
assert bright[5].max() > 100 and bright[55].max() < 10, bright[55]'
}
check shows_the_spectrum

finish
