#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-plot: peaks as numpy finds them.
. "$(dirname "$0")/lib.sh"

# Against the same computed with numpy from 16-bit samples.
peaks_are_right() {
    sox -n -r 44100 -c 3 -b 16 three.wav synth 2.3 pinknoise sine 3 brownnoise
    for options in "" "--bits 8" "-z 100" "--pixels-per-second 20 --split-channels" "--bits 8 -z 5000 --split-channels"; do
        for input in three.wav -; do
            # shellcheck disable=SC2086
            ap-plot --json $options $input < <(sox three.wav -t au -) >peaks.json
            # shellcheck disable=SC2086
            ap-plot --dat $options $input < <(sox three.wav -t au -) >peaks.dat
            sox three.wav -t s16 - | /usr/bin/python3 -c '
import json, struct, sys, numpy
options = sys.argv[1]
per = 100 if "-z 100" in options else 5000 if "-z 5000" in options else 2205 if "20" in options else 256
bits = 8 if "8" in options else 16
x = numpy.frombuffer(sys.stdin.buffer.read(), "<i2").reshape(-1, 3).astype(int)
if "split" not in options:
    x = numpy.trunc(x.sum(axis=1, keepdims=True) / 3).astype(int)
want = []
for i in range(0, len(x), per):
    for c in range(x.shape[1]):
        want += [x[i:i + per, c].min(), x[i:i + per, c].max()]
if bits == 8:
    want = numpy.trunc(numpy.array(want) / 256)
want = [int(v) for v in want]
got = json.load(open("peaks.json"))
length = len(want) // 2 // x.shape[1]
assert got == dict(version=2, channels=x.shape[1], sample_rate=44100, samples_per_pixel=per, bits=bits, length=length,
                   data=want)
dat = open("peaks.dat", "rb").read()
assert struct.unpack("<6I", dat[:24]) == (2, bits == 8, 44100, per, length, x.shape[1])
assert numpy.frombuffer(dat[24:], "<i1" if bits == 8 else "<i2").tolist() == want' "$options"
        done
    done
    ap-plot three.wav -o by-name.json
    ap-plot --json three.wav | cmp - by-name.json
}
check peaks_are_right

finish
