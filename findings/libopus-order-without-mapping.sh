#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12), -c:a libopus without -mapping_family 1: the speakers of 5.0 and 6.1 come out exchanged, 5.1 and
# 7.1 do not. What reads the file hears the left surround from the centre.
#
# One would guess that surround either works or is refused without the option: its default, -1, "selects automatically".
# The file's header says mapping family 1 in any case, so the order has to be that of Vorbis; but the encoder reorders
# channels by its table only if the option was given, and else passes 5.0 and 6.1 on as FFmpeg has them. Nothing in the file
# tells the two apart afterwards.
#
# Seen: 5.0 of tones of 200, 400, 600 (centre), 800, 1000 Hz comes back as 200, 400, 800, 1000, 600; with the option in order.
set -euo pipefail
ffmpeg -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# tones LAYOUT COUNT OPTION...: the tone of each channel after encoding, in Hz
tones() {
    local layout=$1 count=$2 exprs
    shift 2
    exprs=$(for i in $(seq "$count"); do echo "0.3*sin(2*PI*$((100 * i))*t)"; done | paste -sd '|')
    ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=$exprs:s=48000:d=1:c=$layout" -c:a libopus "$@" x.webm
    ffmpeg -v error -y -i x.webm -f f32le x.raw
    python3 -c "
import array, cmath
x = array.array('f', open('x.raw', 'rb').read())
power = lambda c, f: abs(sum(x[c + $count * n] * cmath.exp(-2j * cmath.pi * f * n / 48000) for n in range(9600, 14400)))
print(*(max(range(100, 100 * $count + 1, 100), key=lambda f: power(c, f)) for c in range($count)))"
}
for layout in 5.0 5.1 6.1 7.1; do
    count=$((${layout%.*} + ${layout#*.}))
    echo "$layout: $(tones $layout $count)"
    echo "$layout, -mapping_family 1: $(tones $layout $count -mapping_family 1)"
done | tee seen
grep -qx "5.0: 100 200 400 500 300" seen
grep -qx "5.0, -mapping_family 1: 100 200 300 400 500" seen
echo "as described"
