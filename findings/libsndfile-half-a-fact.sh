#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# libsndfile 1.2.2 (in soundfile 0.14.0), and 1.2.0 (Debian 12), says of the stereo WAVs that it writes with IMA ADPCM that they have half their frames.
#
# One would guess that a number in the header of a file is right, or that nobody believes it. The fact chunk, which WAV has for
# codecs like this one, gets the frames divided by the channels; the sound is all there. tinytag 2.3.2, TagLib (pytaglib 3.2.0)
# and music-metadata 11.16.1 believe it: 1.5 s of 3. mutagen 1.48.1 believes another field and has a thousandth of the length
# of any ADPCM: blocks for frames. Take the blocks' own number of frames, and of the fact chunk only what falls into the last.
#
# Seen, 3 s of 44.1 kHz: fact 66332 of 132665 frames in stereo, 134937 of 134937 in mono; of the stereo file tinytag and
# TagLib have 1.504 s, music-metadata 66332 frames, mutagen 0.001 s; of sox's 3.0 s, 132300 frames, and 0.006 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q soundfile==0.14.0 numpy==2.4.6 tinytag==2.3.2 pytaglib==3.2.0 mutagen==1.48.1
npm init -y >/dev/null
npm install --silent music-metadata@11.16.1 >/dev/null
for channels in 1 2; do sox -D -n -r 44100 -b 16 -c "$channels" "$channels.wav" synth 3 sine 440 gain -6; done
sox 2.wav -e ima-adpcm sox.wav
venv/bin/python - <<'END' | tee seen
import mutagen
import soundfile
import taglib
import tinytag

for name in "1", "2":
    sound, rate = soundfile.read(name + ".wav")
    soundfile.write("ima" + name + ".wav", sound, rate, subtype="IMA_ADPCM")
for name in "ima1.wav", "ima2.wav", "sox.wav":
    head = open(name, "rb").read(200)
    at = head.index(b"fact") + 8
    print(name, "fact", int.from_bytes(head[at:at + 4], "little"), "of", soundfile.info(name).frames,
          "tinytag", round(tinytag.TinyTag.get(name).duration, 3), "taglib", round(taglib.File(name).length, 3),
          "mutagen", round(mutagen.File(name).info.length, 3))
END
cat >read.mjs <<'END'
import { parseFile } from "music-metadata";
for (const name of ["ima2.wav", "sox.wav"]) console.log(name, "music-metadata", (await parseFile(name)).format.numberOfSamples);
END
node read.mjs | tee -a seen
diff seen - <<'END'
ima1.wav fact 134937 of 134937 tinytag 3.06 taglib 3.06 mutagen 0.001
ima2.wav fact 66332 of 132665 tinytag 1.504 taglib 1.504 mutagen 0.001
sox.wav fact 132300 of 132310 tinytag 3.0 taglib 3.0 mutagen 0.006
ima2.wav music-metadata 66332
sox.wav music-metadata 132300
END
echo "as described"
