#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pedalboard 0.9.26 reads MP3s 1105 samples late and whole frames long, though the file says what to leave out.
#
# One would guess that its AudioFile is gapless, as soundfile 0.14.0 (libsndfile 1.2.2) and miniaudio 1.71 are, which take the
# encoder's delay and padding out of LAME's header, and that an MP3 and the WAV of which it was made lie on each other. They
# do not: 25 ms of silence come first (576 samples of LAME and 529 of the decoder), and AudioFile.frames counts them. Chains
# of effects that read MP3 with it shift everything, and mixes of their results with other readers' are comb filters.
#
# Seen: of 44100 samples with a sound from the first: pedalboard 46080, first at 1106; soundfile, miniaudio 44100, at 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q pedalboard==0.9.26 soundfile==0.14.0 miniaudio==1.71 numpy
sox -D -n -r 44100 -b 16 -c 2 -t wavpcm tone.wav synth 1 sine 440 gain -12
lame --version | head -1
lame --quiet tone.wav tone.mp3
venv/bin/python - <<'END' | tee seen
import miniaudio
import numpy
import pedalboard.io
import soundfile


def tell(name, path, samples):
    print(name, path, len(samples), int(numpy.argmax(numpy.abs(samples) > 0.01)))


for path in "tone.wav", "tone.mp3":
    with pedalboard.io.AudioFile(path) as file:
        assert file.frames == file.read(file.frames).shape[1]
        file.seek(0)
        tell("pedalboard", path, file.read(file.frames)[0])
    tell("soundfile", path, soundfile.read(path)[0][:, 0])
    decoded = miniaudio.decode_file(path, nchannels=2, sample_rate=44100)
    tell("miniaudio", path, numpy.array(decoded.samples[::2]) / 32768)
END
diff seen - <<'END'
pedalboard tone.wav 44100 1
soundfile tone.wav 44100 1
miniaudio tone.wav 44100 1
pedalboard tone.mp3 46080 1106
soundfile tone.mp3 44100 1
miniaudio tone.mp3 44100 1
END
echo "as described"
