#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) takes plain arrays of doubles, with or without the header of NumPy, for AMR-NB speech, and plays
# them: minutes of noise at 8 kHz, with exit status 0.
#
# One would guess that numbers which are no sound are "Invalid data found". But AMR without its magic is told by the first
# byte of each frame alone, a frame is short, and doubles of one sign and size have the same bytes in the same places. The
# score of the guess is 26 of 100, above AVPROBE_SCORE_RETRY (25), so that av_probe_input_buffer2 is content. A program that
# opens what users drop has to ask for more (what has a magic gets 50 and above), or to know the files itself.
#
# Seen: uniform random numbers, ones and a sine are AMR; integers, zeros and normal random numbers are not.
set -euo pipefail
ffprobe -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 - <<'END'
import array
import math
import random

random.seed(1)
head = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000,), }".ljust(117) + b"\n"
ways = {"uniform": random.random, "ones": lambda: 1.0, "zeros": lambda: 0.0, "normal": lambda: random.gauss(0, 1)}
for name, value in ways.items():
    numbers = array.array("d", [value() for _ in range(100000)]).tobytes()
    open(name + ".raw", "wb").write(numbers)
    open(name + ".npy", "wb").write(head + numbers)
END
for file in {uniform,ones,zeros,normal}.{raw,npy}; do
    echo "$file: $(ffprobe -v error -show_entries format=format_name,probe_score,duration -of csv=p=0 "$file" 2>/dev/null)"
done | tee seen
[ "$(grep -c "amrnb,.*,26" seen)" -eq 4 ]
frames=$(ffmpeg -v quiet -i ones.npy -f s16le - | wc -c)
echo "ones.npy: $((frames / 2)) samples at 8 kHz, exit status 0"
echo "as described"
