#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# miniaudio 1.71 has a tone of direct current in the silence of 8-bit WAVs, and pedalboard 0.9.26 has samples below -1 in them.
#
# One would guess that silence, the byte 128, is 0, and the lowest byte, 0, is -1, as in soundfile 0.14.0: (byte - 128) / 128.
# miniaudio puts 0 and 255 at -1 and 1, so that nothing is silent: 128 is 0.0039, -48 dB, and a silence next to a file of 16 bits
# begins with a click. pedalboard divides by 127, so that full scale downwards is -1.0079: one sample clips what follows.
#
# Seen, of the bytes 128, 0 and 255: soundfile 0, -1, 0.9922; miniaudio 0.0039, -1, 1; pedalboard 0, -1.0079, 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q miniaudio==1.71 pedalboard==0.9.26 soundfile==0.14.0
venv/bin/python - <<'END' | tee seen
import wave

import miniaudio
import pedalboard
import soundfile

with wave.open("bytes.wav", "wb") as file:
    file.setparams((1, 1, 8000, 0, "NONE", None))
    file.writeframes(bytes([128, 0, 255]))
with pedalboard.io.AudioFile("bytes.wav") as file:
    pedal = file.read(3)[0]
mini = miniaudio.decode_file("bytes.wav", output_format=miniaudio.SampleFormat.FLOAT32, nchannels=1, sample_rate=8000).samples
for name, sound in ("soundfile", soundfile.read("bytes.wav")[0]), ("miniaudio", mini), ("pedalboard", pedal):
    print(name, *[f"{sample:.4f}" for sample in sound])
END
diff seen - <<'END'
soundfile 0.0000 -1.0000 0.9922
miniaudio 0.0039 -1.0000 1.0000
pedalboard 0.0000 -1.0079 1.0000
END
echo "as described"
