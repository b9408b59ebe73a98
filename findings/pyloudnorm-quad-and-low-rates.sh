#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pyloudnorm 0.2.0 hears the two rear loudspeakers of quadraphonic sound 1.5 dB apart, and everything softer at low rates.
#
# One would guess that a tone is as loud from the left as from the right. The weights go by the channel's number, as if all
# sound were left, right, centre and two surrounds; of left, right and two rear channels the first of those is then a centre
# (weight 1) and the second a surround (1.41). And one would take it for exact to 0.01 LU: a tone of 997 Hz at -12.04 dB is
# -12.04 LUFS by BS.1770-4 when two channels have it. Its filters, designed anew for each rate, are 0.04 LU low at 48 kHz and
# 0.18 LU at 8 kHz, where libebur128 (loudgain 0.6.8) is right to 0.04 at every rate.
#
# Seen: the tone in each of four channels: -15.09, -15.09, -15.09, -13.60 LUFS; in two at 48, 16 and 8 kHz: -12.08, -12.11,
# -12.22, by loudgain -12.04, -12.00, -12.03.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q pyloudnorm==0.2.0 soundfile==0.14.0
loudgain --version | head -1
venv/bin/python - <<'END' | tee seen
import subprocess

import numpy
import pyloudnorm
import soundfile


def tone(rate):
    return 0.25 * numpy.sin(2 * numpy.pi * 997 * numpy.arange(5 * rate) / rate)


for channel in range(4):
    sound = numpy.zeros((5 * 48000, 4))
    sound[:, channel] = tone(48000)
    print("channel", channel, round(pyloudnorm.Meter(48000).integrated_loudness(sound), 2))
for rate in 48000, 16000, 8000:
    sound = numpy.stack([tone(rate)] * 2, 1)
    soundfile.write("tone.wav", sound, rate, subtype="FLOAT")
    said = subprocess.run(["loudgain", "-q", "-O", "tone.wav"], check=True, capture_output=True, text=True).stdout
    print(rate, round(pyloudnorm.Meter(rate).integrated_loudness(sound), 2), said.splitlines()[-1].split("\t")[1])
END
diff seen - <<'END'
channel 0 -15.09
channel 1 -15.09
channel 2 -15.09
channel 3 -13.6
48000 -12.08 -12.04 LUFS
16000 -12.11 -12.00 LUFS
8000 -12.22 -12.03 LUFS
END
echo "as described"
