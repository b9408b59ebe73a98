#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-cat: sample behind sample, gaps, crossfades as ffmpeg makes them, inputs that do not fit.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do
    sox -D -n -r 44100 -c 2 -b 16 $i.wav synth 1.0$i sine $((200 * i)) pinknoise vol 0.2
done
sox -D -n -r 48000 -c 1 -b 16 other.wav synth 0.5 sine 440 vol 0.2

raw() { ap-decode "$1" | ffmpeg -v error -f au -i - -f f32le -; }

joins_like_sox() {
    sox -D 1.wav 2.wav 3.wav want.wav
    ap-cat 1.wav 2.wav 3.wav -o got.wav
    cmp want.wav got.wav
    ap-decode 2.wav | ap-cat 1.wav - 3.wav -o got.wav
    cmp <(raw want.wav) <(raw got.wav)
    ap-cat 1.wav | cmp - <(ap-decode 1.wav)
}
check joins_like_sox

says_its_length() {
    ap-cat 1.wav 2.wav --gap 0.25 >got.au
    grep -qa "^frames=$((44541 + 44982 + 11025))$" got.au
    ap-cat 1.wav 2.wav 3.wav -x 0.5 >got.au
    grep -qa "^frames=$((44541 + 44982 + 45423 - 2 * 22050))$" got.au
    ap-cat 1.wav - <2.wav >got.au
    [ "$(grep -ca '^frames=' got.au)" -eq 0 ]
}
check says_its_length

gaps_like_sox() {
    sox -D 1.wav padded.wav pad 0 0.25
    sox -D padded.wav 2.wav want.wav
    ap-cat --gap 0.25 1.wav 2.wav -o got.wav
    cmp want.wav got.wav
}
check gaps_like_sox

is_gapless() {
    local format
    sox -D -n -r 44100 -c 2 -b 16 whole.wav synth 2 sine 441 vol 0.5
    for format in mp3 flac ogg; do
        ap-trim -d 44100f whole.wav -o "a.$format"
        ap-trim -s 44100f whole.wav -o "b.$format"
        ap-cat "a.$format" "b.$format" --bits float -o joined.wav
        [ "$(frames joined.wav)" -eq 88200 ]
        [ "$format" != flac ] || cmp <(raw joined.wav) <(raw whole.wav)
    done
}
check is_gapless

crossfades_like_ffmpeg() {
    local pair
    for pair in tri:linear qsin:quarter hsin:half; do
        ffmpeg -v error -y -i 1.wav -i 2.wav \
            -filter_complex "[0]aformat=flt[a];[1]aformat=flt[b];[a][b]acrossfade=ns=22050:c1=${pair%:*}:c2=${pair%:*}" -f f32le theirs
        ap-cat -x 0.5 --curve "${pair#*:}" 1.wav 2.wav --bits float -o got.wav
        raw got.wav >ours
        /usr/bin/python3 - theirs ours <<'END'
import sys, numpy
a, b = (numpy.fromfile(f, "<f4") for f in sys.argv[1:3])
assert len(a) == len(b) == 2 * (44541 + 44982 - 22050), (len(a), len(b))
assert abs(a - b).max() < 1e-4, abs(a - b).max()  # half a frame of the curve
assert (a[:2000] == b[:2000]).all() and (a[-2000:] == b[-2000:]).all()
END
    done
}
check crossfades_like_ffmpeg

# What is shorter than the crossfade is faded into wholly.
short_inputs() {
    ap-trim -d 1000f 2.wav -o short.wav
    ap-trim -d 0f 2.wav -o empty.wav
    ap-cat -x 0.5 1.wav short.wav 3.wav -o got.wav
    [ "$(frames got.wav)" -eq $((44541 + 45423 - 1000)) ]
    ap-cat -x 0.5 1.wav empty.wav 3.wav --bits float -o got.wav
    ap-cat 1.wav 3.wav --bits float -o want.wav
    cmp got.wav want.wav
    ap-cat -x 0.5 1.wav short.wav 3.wav -o want.wav
    ap-cat 1.wav - 3.wav -x 0.5 -o got.wav <short.wav
    cmp <(raw want.wav) <(raw got.wav)
}
check short_inputs

misfits() {
    fails 1 ap-cat 1.wav other.wav -o out.wav
    grep -q "'other.wav' has 48000 Hz" stderr
    fails 1 ap-cat 1.wav missing.wav -o out.wav
    grep -q "missing.wav" stderr
    [ ! -e out.wav ]
    ap-cat -c 1.wav other.wav -o got.wav
    [ "$(frames got.wav)" -eq $((44541 + 22050)) ]
    ap-cat -c other.wav 1.wav -o got.wav
    [ "$(soxi -r got.wav) $(soxi -c got.wav)" = "48000 1" ]
    head -c 100000 2.wav >cut.wav
    fails 1 ap-cat 1.wav cut.wav 3.wav -o out.wav
    grep -q "'cut.wav'" stderr
    [ ! -e out.wav ]
}
check misfits

# Four channels of other speakers do not fit, whatever their number; converted, what is behind does not come from ahead.
# 5.1 is the same with its surrounds at the sides.
speakers_fit() {
    local zero="0*t" layout file
    ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=$zero|$zero|0.5*sin(2000*t)|$zero:s=48000:d=0.2:c=quad" -c:a pcm_f32le quad.wav
    ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=$zero|$zero|$zero|$zero:s=48000:d=0.2:c=4.0" -c:a pcm_f32le 40.wav
    fails 1 ap-cat 40.wav quad.wav -o out.wav
    grep -q "'quad.wav' has the speakers quad, the first input has 4.0" stderr
    fails 1 ap-mix 40.wav quad.wav -o out.wav
    grep -q "the speakers quad, with '40.wav', which has 4.0" stderr
    ap-cat --convert 40.wav quad.wav -o cat.wav --bits float
    ap-mix --convert 40.wav quad.wav -o mix.wav --bits float
    for file in cat.wav mix.wav; do
        ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 "$file" | grep -qx 4.0
        ffmpeg -v error -y -i "$file" -f f32le raw
        /usr/bin/python3 -c "
import numpy
peaks = abs(numpy.fromfile('raw', 'f4').reshape(-1, 4)).max(0)
assert abs(peaks - [0.5 * 0.5 ** 0.5, 0, 0, 0]).max() < 1e-3, peaks"
    done
    for layout in 5.1 "5.1(side)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=t|t|t|t|t|t:s=48000:d=0.1,aformat=channel_layouts=$layout" "six$layout.wav"
    done
    ap-cat six5.1.wav "six5.1(side).wav" -o out.wav
    ap-decode six5.1.wav --layout discrete >discrete.au # the producer of a pipe would die of what fails
    fails 1 ap-mix six5.1.wav discrete.au -o out.wav
    # a single channel is mono, although this file calls it the left one
    ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=0.5*sin(2000*t):s=48000:d=0.1,aformat=channel_layouts=FL" -c:a pcm_f32le left.wav
    ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=0.5*sin(2000*t):s=48000:d=0.1" -c:a pcm_f32le mono.wav
    cmp <(ap-8d left.wav | raw -) <(ap-8d mono.wav | raw -)
}
check speakers_fit

mistakes() {
    fails 2 ap-cat
    fails 2 ap-cat - - <1.wav
    fails 2 ap-cat --gap 1 --crossfade 1 1.wav 2.wav -o out.wav
    fails 2 ap-cat 1.wav 2.wav -o 2.wav
    [ "$(frames 2.wav)" -eq 44982 ]
}
check mistakes

tags_of_the_first() {
    ap-encode 1.wav --tag ARTIST=me --tag REPLAYGAIN_TRACK_GAIN=-3 -o 1.flac
    ap-cat 1.flac 2.wav | ap-encode -o out.flac
    [ "$(metaflac --show-tag=ARTIST out.flac)" = ARTIST=me ]
    [ -z "$(metaflac --show-tag=REPLAYGAIN_TRACK_GAIN out.flac)" ]
}
check tags_of_the_first

finish
