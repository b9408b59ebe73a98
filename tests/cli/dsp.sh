#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate -n dsp: the model that is built in.
. "$(dirname "$0")/lib.sh"

HOME=$work AUDIOPIPE_MODELS=$work/no-models
export HOME AUDIOPIPE_MODELS
sox -n -r 44100 -c 2 -b 16 tones.wav synth 3 sine 80 sine 80 vol 0.2
sox -n -r 44100 -c 2 -b 16 clicks.wav synth 0.01 noise fade 0 0.01 0.01 pad 0 0.24 repeat 11 vol 0.5
sox -D -m -v 1 tones.wav -v 1 clicks.wav -e float -b 32 song.wav trim 0 3
stems=(vocals drums bass other)

# The largest difference of the sum of files to the last one.
difference() {
    local files=() f
    for f in "${@:1:$#-1}"; do files+=(-v 1 "$f"); done
    sox -D -V1 -m "${files[@]}" -t f32 sum.f32
    sox -D -V1 "${!#}" -t f32 want.f32
    /usr/bin/python3 - <<'END'
import numpy as np
a, b = np.fromfile("sum.f32", "f4"), np.fromfile("want.f32", "f4")
assert len(a) == len(b) > 0, (len(a), len(b))
print(abs(a - b).max())
END
}

level() {
    sox "$1" -n trim 0.5 2 stat 2>&1 | awk '/^RMS *amplitude/ { print $3 }'
}

stems_add_up_to_the_mix() {
    ap-separate -n dsp song.wav -o all --bits float
    awk -v d="$(difference all/{vocals,drums,bass,other}.wav song.wav)" 'BEGIN { exit !(d <= 1e-6) }'
    ap-separate -n dsp song.wav -o rest --two-stems bass --bits float
    awk -v d="$(difference rest/{bass,no_bass}.wav song.wav)" 'BEGIN { exit !(d <= 1e-6) }'
    cmp rest/bass.wav all/bass.wav
}
check stems_add_up_to_the_mix

finds_bass_and_drums() {
    ap-separate -n dsp song.wav -o all --bits float
    awk -v b="$(level all/bass.wav)" -v t="$(level tones.wav)" 'BEGIN { exit !(b > 0.9 * t && b < 1.1 * t) }'
    awk -v d="$(level all/drums.wav)" -v c="$(level clicks.wav)" 'BEGIN { exit !(d > 0.8 * c && d < 1.6 * c) }'
}
check finds_bass_and_drums

is_the_default_without_models() {
    ap-separate -n dsp song.wav -s vocals >want.au 2>stderr
    [ ! -s stderr ]
    ap-separate song.wav -s vocals >got.au 2>stderr
    cmp got.au want.au
    [ "$(wc -l <stderr)" -eq 1 ]
    grep -q "'dsp'" stderr
    ap-separate -q song.wav -s vocals 2>stderr | cmp - want.au
    [ ! -s stderr ]
    ap-separate --list-models | grep -q "^dsp	ready	"
    fails 1 ap-separate -n htdemucs song.wav -s vocals
}
check is_the_default_without_models

takes_the_options_of_all_models() {
    ap-separate -n dsp song.wav -s no_vocals >want.au
    ap-separate -n dsp --overlap 0.5 --segment 5 --shifts 2 --seed 3 --device cpu song.wav -s no_vocals | cmp - want.au
    ap-separate -n dsp -c 1 song.wav -s drums -o mono.wav
    [ "$(soxi -c mono.wav)" -eq 1 ]
    sox song.wav one.wav remix 1
    ap-separate -n dsp one.wav -o mono -t flac
    for stem in "${stems[@]}"; do
        [ "$(soxi -s "mono/$stem.flac")" -eq "$(soxi -s song.wav)" ]
    done
    fails 2 ap-separate -n dsp song.wav -s guitar
    grep -q "guitar" stderr
}
check takes_the_options_of_all_models

# It gives what it can before the input has ended.
streams() {
    sox song.wav -t au -e float -b 32 song.au
    mkfifo feed
    { cat song.au; sleep 60; } >feed &
    feeder=$!
    { timeout 30 ap-separate -n dsp -s drums <feed || true; } | head -c 300000 | wc -c >count
    pkill -P "$feeder" || true
    kill "$feeder" || true
    [ "$(cat count)" -eq 300000 ]
}
check streams

# Twenty minutes in less than 64 MB, all stems at once.
memory_is_constant() {
    case $AP_BUILD in *san) seconds=20 ;; *) seconds=1200 ;; esac
    sox -R -n -r 44100 -c 2 -t au -e float -b 32 - synth "$seconds" pinknoise vol 0.3 |
        /usr/bin/time -f %M -o memory ap-separate -q -n dsp -S vocals=/dev/null -S drums=>(cat >/dev/null) \
            -S bass=>(cat >/dev/null) -S other=>(cat >/dev/null)
    cat memory
    [ "$seconds" = 20 ] || [ "$(cat memory)" -lt 65536 ]
}
check memory_is_constant

finish
