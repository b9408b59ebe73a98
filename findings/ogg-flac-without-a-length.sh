#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) writes FLAC into Ogg without the number of samples, and readers then say that there is no sound.
#
# One would guess that the last page's position, by which everybody knows the length of Vorbis and Opus, serves for FLAC in Ogg,
# too: STREAMINFO may leave the number at 0, "unknown". mutagen 1.48.1 and miniaudio 1.71 do so. tinytag 2.3.2 and TagLib
# (pytaglib 3.2.0) have 0 seconds, and pedalboard 0.9.26 opens the file and reads nothing from it, without an error. The same
# sound from "flac --ogg", which fills the number in, is all there for these; soundfile 0.14.0 (libsndfile 1.2.2), which has
# Ogg and has FLAC, refuses both.
#
# Seen, 3 s: FFmpeg's: mutagen 3.0, tinytag 0.0, TagLib 0.0, miniaudio 132300, pedalboard 0 frames; flac's: all 3 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q mutagen==1.48.1 tinytag==2.3.2 pytaglib==3.2.0 miniaudio==1.71 pedalboard==0.9.26 soundfile==0.14.0
ffmpeg -version | head -1
sox -R -n -r 44100 -b 16 -c 2 song.wav synth 3 pinknoise gain -6
ffmpeg -v error -i song.wav -c:a flac ffmpeg.oga
flac -s --ogg -o flac.oga song.wav
venv/bin/python - 2>/dev/null <<'END' | tee seen
import miniaudio
import mutagen
import pedalboard
import soundfile
import taglib
import tinytag

for name in "ffmpeg.oga", "flac.oga":
    with pedalboard.io.AudioFile(name) as file:
        frames = file.read(10**6).shape[1]
    print(name, "mutagen", mutagen.File(name).info.length, "tinytag", tinytag.TinyTag.get(name).duration,
          "taglib", taglib.File(name).length, "miniaudio", miniaudio.decode_file(name).num_frames, "pedalboard", frames)
    try:
        print(name, "soundfile", soundfile.info(name).frames)
    except soundfile.LibsndfileError as error:
        print(name, "soundfile", error.error_string)
END
diff seen - <<'END'
ffmpeg.oga mutagen 3.0 tinytag 0.0 taglib 0.0 miniaudio 132300 pedalboard 0
ffmpeg.oga soundfile Error : unknown error in flac decoder.
flac.oga mutagen 3.0 tinytag 3.0 taglib 3.0 miniaudio 132300 pedalboard 132300
flac.oga soundfile Error : unknown error in flac decoder.
END
echo "as described"
