#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# librosa 0.11.0: a second of 44.1 kHz is 48001 samples long at 48 kHz, and the last of them is 0.
#
# One would guess 48000, as soxr 0.5.0.post1, which does the work, gives, or scipy's resample_poly. librosa takes the length times
# the quotient of the rates up to the next integer; the quotient is rounded, its product with 44100 is a hair above 48000, and
# what was added is filled with a zero: the sound ends with a click. Lengths of whole seconds that other programs agree on
# differ by one, and arrays of stems and mixtures do not add up. load(sr=48000) does the same. Cut to the length that
# integers give, or ask soxr.
#
# Seen: of the lengths from 1 to 60 s, 40 are one sample too long from 44.1 (and 22.05) to 48 kHz, none from 48 to 44.1 or to 16.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q librosa==0.11.0 soxr==0.5.0.post1 soundfile==0.14.0
venv/bin/python - <<'END' | tee seen
import librosa
import numpy
import soundfile
import soxr

second = numpy.full(44100, 0.5, "float32")
soundfile.write("second.wav", second, 44100)
loaded, _ = librosa.load("second.wav", sr=48000)
sound = librosa.resample(second, orig_sr=44100, target_sr=48000)
print("soxr", len(soxr.resample(second, 44100, 48000)))
print("librosa", len(sound), len(loaded), "last", round(float(sound[-2]), 1), float(sound[-1]))
for a, b in (44100, 48000), (22050, 48000), (48000, 44100), (44100, 16000):
    lengths = [len(librosa.resample(numpy.zeros(a * n, "float32"), orig_sr=a, target_sr=b, res_type="soxr_qq")) - b * n
               for n in range(1, 61)]
    print(a, b, "longer", lengths.count(1), "exact", lengths.count(0))
END
diff seen - <<'END'
soxr 48000
librosa 48001 48001 last 0.5 0.0
44100 48000 longer 40 exact 20
22050 48000 longer 40 exact 20
48000 44100 longer 0 exact 60
44100 16000 longer 0 exact 60
END
echo "as described"
