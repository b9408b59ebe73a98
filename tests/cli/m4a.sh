#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# M4A out: AAC of exactly the length of the music, ALAC of exactly its samples, tags, covers, chapters, layouts.
. "$(dirname "$0")/lib.sh"

sox -D -R -n -r 44100 -c 2 -b 16 tone.wav synth 3 pinknoise vol 0.2
ffmpeg -v error -f lavfi -i testsrc2=duration=1:size=64x48:rate=1 -frames:v 1 cover.png

samples() { ap-info --json "$1" | sed -n 's/.*"samples": \([0-9]*\).*/\1/p'; }

# The length by our decoder, by the edit list, and by the packets that ffprobe counts.
lengths_are_exact() {
    local frames
    for frames in 1 1023 1024 1025 44100 132300; do
        ap-trim -d "${frames}f" tone.wav -o "x$frames.m4a"
        [ "$(ap-decode "x$frames.m4a" | ap-measure --tsv | awk -F'\t' 'NR == 2 { printf "%.0f", $2 * 44100 }')" -ge $((frames - 30)) ]
        ap-decode "x$frames.m4a" >x.au
        [ "$(soxi -s x.au)" -eq "$frames" ]
        [ "$(samples "x$frames.m4a")" -eq "$frames" ]
    done
    [ "$(ffprobe -v error -show_entries stream=duration_ts,time_base -of csv=p=0 x132300.m4a)" = "1/44100,$((132300 + 1024))" ] ||
        [ "$(ffprobe -v error -show_entries stream=duration_ts,time_base -of csv=p=0 x132300.m4a)" = "1/44100,132300" ]
    [ "$(ffprobe -v error -show_entries format=duration -of csv=p=0 x132300.m4a)" = 3.000000 ]
    /usr/bin/python3 - <<'END'
data = open("x132300.m4a", "rb").read()
def find(kind, after=0):
    at = data.index(kind, after)
    return at + 4
assert data[4:12] == b"ftypM4A "
assert data.index(b"moov") < data.index(b"mdat")
mvhd, elst, stts = find(b"mvhd"), find(b"elst"), find(b"stts")
assert int.from_bytes(data[mvhd + 12:mvhd + 16], "big") == 44100 # times in samples
assert int.from_bytes(data[elst + 8:elst + 12], "big") == 132300 and int.from_bytes(data[elst + 12:elst + 16], "big") == 1024
count = int.from_bytes(data[stts + 4:stts + 8], "big")
entries = [(int.from_bytes(data[stts + 8 + 8 * i:stts + 12 + 8 * i], "big"), int.from_bytes(data[stts + 12 + 8 * i:stts + 16 + 8 * i], "big")) for i in range(count)]
assert sum(n * d for n, d in entries) == 132300 + 1024, entries
END
}
check lengths_are_exact

# What comes back is the music, in time with it.
sound_is_in_time() {
    ap-decode x132300.m4a | ffmpeg -v error -y -f au -i - -f f32le out
    ap-decode tone.wav | ffmpeg -v error -y -f au -i - -f f32le in
    /usr/bin/python3 - <<'END'
import numpy
a, b = numpy.fromfile("in", "<f4"), numpy.fromfile("out", "<f4")
error = 10 * numpy.log10((a ** 2).mean() / ((a - b) ** 2).mean())
assert error > 12, error
END
    ap-encode -b 64 tone.wav -o small.m4a
    ap-encode -b 256 tone.wav -o large.m4a
    [ "$(stat -c %s large.m4a)" -gt $((2 * $(stat -c %s small.m4a))) ]
}
check sound_is_in_time

alac_is_exact() {
    local bits
    for bits in 16 24; do
        sox -D -R -n -r 48000 -c 2 -b "$bits" "in$bits.wav" synth 1.3 whitenoise vol 0.7
        ap-encode -t alac --bits "$bits" "in$bits.wav" -o "out$bits.m4a"
        cmp <(ap-decode "in$bits.wav" | sox -t au - -t f32 -) <(ap-decode "out$bits.m4a" | sox -t au - -t f32 -)
        cmp <(ffmpeg -v error -i "in$bits.wav" -f s32le -) <(ffmpeg -v error -i "out$bits.m4a" -f s32le -)
        [ "$(ffprobe -v error -show_entries stream=codec_name,bits_per_raw_sample -of csv=p=0 "out$bits.m4a")" = "alac,$bits" ]
    done
    fails 2 ap-encode -t alac --bits float tone.wav -o f.m4a
    fails 2 ap-encode -t alac -b 100 tone.wav -o f.m4a
    fails 2 ap-encode --bits 16 tone.wav -o f.m4a
    [ ! -e f.m4a ]
}
check alac_is_exact

tags_and_chapters() {
    ap-encode tone.wav --tag TITLE=Grüße --tag ARTIST=one --tag ARTIST=two --tag MOOD=calm --tag TRACKNUMBER=3 --tag TRACKTOTAL=9 \
        --tag CHAPTER001=00:00:00.000 --tag CHAPTER001NAME=First --tag CHAPTER002=00:00:01.500 --tag CHAPTER002NAME=Second \
        --tag REPLAYGAIN_TRACK_GAIN="-3.00 dB" -o book.m4b
    ap-tag --cover cover.png book.m4b
    ap-tag book.m4b | grep -v CHAPTER | sort >tags
    printf '%s\n' ARTIST=one ARTIST=two MOOD=calm 'REPLAYGAIN_TRACK_GAIN=-3.00 dB' TITLE=Grüße TRACKNUMBER=3 TRACKTOTAL=9 | cmp - tags
    [ "$(ffprobe -v error -show_entries chapter_tags=title -of csv=p=0 book.m4b | tr '\n' ' ')" = "First Second " ]
    [ "$(ffprobe -v error -show_entries chapter=start_time -of csv=p=0 book.m4b | tr '\n' ' ')" = "0.000000 1.500000 " ]
    ap-decode book.m4b >x.au
    [ "$(soxi -s x.au)" -eq 132300 ]
    /usr/bin/python3 -c 'import mutagen; t = mutagen.File("book.m4b").tags
assert t["\xa9ART"] == ["one", "two"] and t["trkn"] == [(3, 9)] and t["----:com.apple.iTunes:MOOD"] == [b"calm"], t'
}
check tags_and_chapters

# As ID3 and many FLAC files have it.
a_total_after_the_number() {
    ap-encode -q tone.wav --tag TRACKNUMBER=3/12 --tag DISCNUMBER=1/2 -o pair.m4a
    /usr/bin/python3 -c 'import mutagen; t = mutagen.File("pair.m4a").tags
assert t["trkn"] == [(3, 12)] and t["disk"] == [(1, 2)], t'
    ap-tag -s TRACKNUMBER=4/11 -s TRACKTOTAL=9 pair.m4a
    ap-tag pair.m4a | grep -qx TRACKTOTAL=9
}
check a_total_after_the_number

rates_and_layouts() {
    local rate channels
    for rate in 8000 48000 96000 192000; do
        sox -D -n -r "$rate" -c 1 r.wav synth 0.5 sine 440 vol 0.5
        ap-encode -q r.wav -o r.m4a
        [ "$(ffprobe -v error -show_entries stream=sample_rate -of csv=p=0 r.m4a)" -eq $((rate > 96000 ? 96000 : rate)) ]
    done
    for channels in 1 2 6; do
        sox -D -n -r 48000 -c "$channels" c.wav synth 0.5 sine 440 vol 0.5
        ap-encode -q c.wav -o c.m4a
        ap-decode c.m4a >c.au
        [ "$(soxi -c c.au):$(soxi -s c.au)" = "$channels:24000" ]
        [ "$(ap-info --json c.m4a | sed -n 's/.*"layout": "\([^"]*\)".*/\1/p')" = "$(ap-info --json c.wav | sed -n 's/.*"layout": "\([^"]*\)".*/\1/p')" ]
    done
    sox -D -n -r 48000 -c 3 three.wav synth 0.5 sine 440 vol 0.5
    fails 2 ap-encode three.wav -o three.m4a
    grep -q "3 channels without positions" stderr
    [ ! -e three.m4a ]
    ap-decode --layout 3.0 three.wav | ap-encode -o three.m4a
    [ "$(ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 three.m4a)" = 3.0 ]
    ap-encode tone.wav -t m4a | cat >piped.m4a
    cmp piped.m4a <(ap-encode tone.wav -t m4a)
    sox tone.wav loud.wav vol 9 2>/dev/null
    ap-decode loud.wav | ap-encode -o loud.m4a
}
check rates_and_layouts

# What would come back as other speakers, or as channels that are not told, is refused.
speakers_stay_or_are_refused() {
    local layout want
    for layout in 3.0 3.0_back 2.1 4.0 quad 3.1 4.1 5.0 5.0_side 5.1 5.1_side 6.0 hexagonal 6.1 6.1_back 7.0 7.1 7.1_wide; do
        want=${layout/_*/(${layout#*_})}
        ffmpeg -v error -y -f lavfi -i "anoisesrc=d=0.1:r=48000:a=0.1,aformat=channel_layouts=$want" c.wav
        case $layout in
            3.1 | 4.1 | 6.0 | hexagonal | 6.1* | 7.0 | 7.1_wide)
                fails 2 ap-encode -q c.wav -o "$layout.m4a"
                grep -qF "($want)" stderr
                ;;
            *)
                ap-encode -q c.wav -o "$layout.m4a"
                [ "$(ap-info --json "$layout.m4a" | sed -n 's/.*"layout": "\([^"]*\)".*/\1/p')" = "${want%(side)}" ]
                ;;
        esac
    done
    # of somebody else's
    ffmpeg -v error -y -f lavfi -i "anoisesrc=d=0.1:r=48000:a=0.1,aformat=channel_layouts=7.0" seven.m4a
    fails 1 ap-decode -c 2 seven.m4a
    grep -q "7 channels of unknown position" stderr
    ap-decode --layout 7.0 -c 2 seven.m4a >two.au
    ffmpeg -v error -y -f lavfi -i "anoisesrc=d=0.1:r=48000:a=0.1,aformat=channel_layouts=5.1(side)" film.m4a
    ap-decode -c 2 film.m4a >two.au
}
check speakers_stay_or_are_refused

without_libav() {
    mkdir plain
    cp -L "$AP_BUILD/ap-encode" "$AP_BUILD/libaudiopipe.so.0" plain/
    [ -e /usr/local/lib/audiopipe/av.so ] && skip "an installed plugin would be found"
    LD_LIBRARY_PATH=$PWD/plain fails 1 plain/ap-encode tone.wav -o no.m4a
    grep -q "av.so is missing" stderr
    [ ! -e no.m4a ]
}
case $AP_BUILD in
    *san*) ;;
    *) check without_libav ;;
esac

finish
