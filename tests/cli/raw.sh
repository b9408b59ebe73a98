#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sound without a header, in and out, against ffmpeg and sox.
. "$(dirname "$0")/lib.sh"

formats=(u8 s8 u16le u16be s16le s16be u24le u24be s24le s24be u32le u32be s32le s32be f32le f32be f64le f64be mulaw alaw)
# All 65536 samples of 16 bits, and noise.
/usr/bin/python3 -c '
import random, struct, sys
random.seed(5)
every = list(range(-32768, 32768))
sys.stdout.buffer.write(struct.pack("<%dh" % (2 * len(every)), *every, *random.sample(every, len(every))))' >all.s16
ap-decode --raw s16le,44100,1 all.s16 -o all.wav --bits 16

# Every format that ffmpeg makes is read as ffmpeg reads it.
reads() {
    ffmpeg -v error -f s16le -ar 44100 -ac 1 -i all.s16 -f "$1" -c:a "pcm_$1" -y "in.$1"
    ffmpeg -v error -f "$1" -ar 44100 -ac 1 -i "in.$1" -f f32le -c:a pcm_f32le -y want.f32
    ap-decode --raw "$1,44100,1" -t f32le <"in.$1" >got.f32
    cmp want.f32 got.f32
}
# The bytes of a file that stand for samples that a law knows: it has fewer than 16 bits.
exact() { /usr/bin/python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read()[:65536:16])' "$1"; }
# And is written as ffmpeg writes it: 16 bits fit into these without loss. Of the laws ffmpeg takes the nearest code,
# where the Recommendation has its own limits between two segments.
writes() {
    ap-decode all.wav -t "$1" >"out.$1"
    local law=${1/law/-law}
    law=${law/mu/u}
    case $1 in
        u8 | s8) [ "$(stat -c %s "out.$1")" -eq 131072 ] ;;
        mulaw | alaw) sox -D all.wav -t raw -e "$law" want && cmp <(exact want) <(exact "out.$1") ;;
        *) ffmpeg -v error -i all.wav -f "$1" -c:a "pcm_$1" -y "want.$1" && cmp "want.$1" "out.$1" ;;
    esac
}
for format in "${formats[@]}"; do
    check reads "$format"
    check writes "$format"
done

eight_bits_are_dithered() {
    sox -R -n -r 44100 -b 24 quiet.wav synth 1 sine 440 vol 0.002
    ap-decode quiet.wav -t s8 >dithered.s8
    [ "$(sox -t raw -e signed -b 8 -r 44100 -c 1 dithered.s8 -n stat 2>&1 | awk '/RMS     amp/ { print ($3 > 0.003) }')" = 1 ]
    ap-decode all.wav -t s8 | ap-decode --raw s8,44100,1 -t s8 >twice.s8
    ap-decode all.wav -t s8 | cmp - twice.s8 # what is 8 bits already is left alone
}
check eight_bits_are_dithered

the_name_tells() {
    ap-decode all.wav -o x.raw
    cmp all.s16 x.raw
    ap-decode all.wav -o x.pcm --bits 24
    ap-decode all.wav -o x.s24le
    cmp x.pcm x.s24le
    ap-decode all.wav -t s16 | cmp all.s16 -
    fails 2 ap-decode all.wav -o y.s16be --bits 24
    grep -q "raw PCM cannot hold 24 bits" stderr
    [ ! -e y.s16be ]
}
check the_name_tells

channels_and_layouts() {
    head -c 120000 all.s16 >six.s16
    layout_of() {
        ap-decode --raw "s16le,48k,$1" six.s16 -o six.wav
        ffprobe -v error -show_entries stream=channels,channel_layout,sample_rate -of csv=p=0 six.wav
    }
    [ "$(layout_of 6)" = 48000,6,5.1 ]
    [ "$(layout_of '5.1(side)')" = '48000,6,5.1(side)' ]
    [ "$(layout_of 2)" = 48000,2,stereo ] || [ "$(layout_of 2)" = 48000,2,unknown ]
    [ "$(layout_of 4,quad)" = 48000,4,quad ]
    ap-decode --raw s16le,48k,6 six.s16 -t s16le | cmp six.s16 -
}
check channels_and_layouts

bad_descriptions_are_refused() {
    local raw
    for raw in s16le 's16le,48000' 's17le,48000,2' 's16le,0,2' 's16le,48000,0' 's16le,48000,129' 's16le,48000,2,5.1' \
        's16le,1e9,2' 's16le,48000.5,2' 's16le,48000,2,stereo,x' ',,'; do
        fails 2 ap-decode --raw "$raw" all.s16 -o y.wav
        grep -q "^ap-decode: --raw: '.*' \|is no layout of 2 channels" stderr
        [ ! -e y.wav ]
    done
}
check bad_descriptions_are_refused

half_frames_are_told() {
    head -c 40001 all.s16 >odd.s16
    ap-decode --raw s16le,48000,2 odd.s16 -t s16le >file.s16 2>stderr
    grep -q "warning: 'odd.s16' ends within a frame" stderr
    ap-decode --raw s16le,48000,2 -t s16le <odd.s16 2>/dev/null | cmp file.s16 -
    # shellcheck disable=SC2002 # a pipe
    cat odd.s16 | ap-decode --raw s16le,48000,2 -t s16le 2>stderr | cmp file.s16 -
    grep -q "warning: 'standard input' ends within a frame" stderr
    head -c 40000 odd.s16 | cmp - file.s16
    : | ap-decode --raw s16le,48000,2 -t s16le | cmp - /dev/null
}
check half_frames_are_told

every_command_reads_it() {
    local raw=(--raw "s16le,44100,1")
    head -c 60000 all.s16 >a.raw
    cp a.raw b.raw
    ap-decode "${raw[@]}" a.raw -o a.wav
    same() { ap-decode "$1" | tail -c 40000 | cmp - <(ap-decode "$2" | tail -c 40000); }
    ap-limit "${raw[@]}" a.raw -o x.wav && ap-limit a.wav -o y.wav && same x.wav y.wav
    ap-mix "${raw[@]}" a.raw b.raw:-6dB -o x.wav && ap-mix a.wav a.wav:-6dB -o y.wav && same x.wav y.wav
    ap-cat "${raw[@]}" a.raw b.raw -o x.wav && ap-cat a.wav a.wav -o y.wav && same x.wav y.wav
    ap-trim "${raw[@]}" --start 0.1 a.raw -o x.wav && ap-trim --start 0.1 a.wav -o y.wav && same x.wav y.wav
    ap-normalize "${raw[@]}" a.raw -o x.wav && ap-normalize a.wav -o y.wav && same x.wav y.wav
    ap-hpss "${raw[@]}" -s harmonic a.raw -o x.wav && ap-hpss -s harmonic a.wav -o y.wav && same x.wav y.wav
    [ "$(ap-measure "${raw[@]}" --tsv a.raw | cut -f 2- | tail -n 1)" = "$(ap-measure --tsv a.wav | cut -f 2- | tail -n 1)" ]
    ap-plot "${raw[@]}" a.raw -o x.svg && [ -s x.svg ]
}
check every_command_reads_it

folders_of_it() {
    mkdir -p deep/er
    cp a.raw deep/er/one.raw
    cp a.raw deep/two.pcm
    cp a.wav deep/er/three.wav
    ap-encode --raw s16le,44100,1 -t flac -r deep -o out/
    [ "$(cd out && find . -type f | sort | tr '\n' ' ')" = "./er/one.flac ./two.flac " ]
    ap-decode out/two.flac -t s16le | cmp - a.raw
}
check folders_of_it

finish
