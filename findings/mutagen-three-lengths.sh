#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# mutagen 1.48.1: the same second of sound is a second long in LAME's MP3, 1.045 s in FFmpeg's MP3 and 1.023 s in its M4A.
#
# One would guess that info.length is what a player plays, or always the whole frames. All three files say how many samples
# there are, and FFmpeg decodes 44100 of both MP3s. But mutagen takes the delay and padding of an MP3's Info frame only when
# the encoder there is called "LAME", and FFmpeg calls itself otherwise; of an M4A it takes the length of the media, with the
# 1024 samples before the first, not that of its edit list. A library that finds the same recording again by its
# length has to allow for half a dozen frames, or to read those boxes itself, as tinytag 2.3.2 does for M4A.
#
# Seen: flac 44100, lame's mp3 44100, ffmpeg's mp3 46080 (40 frames of 1152), m4a 45124; tinytag's m4a 44100.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q mutagen==1.48.1 tinytag==2.3.2
ffmpeg -version | head -1
lame --version | head -1
ffmpeg -v error -f lavfi -i sine=d=1:r=44100 -ac 2 song.wav
lame --quiet song.wav lame.mp3
for name in ffmpeg.mp3 song.flac song.m4a; do ffmpeg -v error -i song.wav "$name"; done
for name in lame.mp3 ffmpeg.mp3; do
    echo "decoded $name $(($(ffmpeg -v error -i "$name" -f s16le - | wc -c) / 4))"
done | tee seen
venv/bin/python - <<'END' | tee -a seen
import mutagen
import tinytag

for name in "song.flac", "lame.mp3", "ffmpeg.mp3", "song.m4a":
    print("mutagen", name, round(mutagen.File(name).info.length * 44100))
print("tinytag", "song.m4a", round(tinytag.TinyTag.get("song.m4a").duration * 44100))
END
diff seen - <<'END'
decoded lame.mp3 44100
decoded ffmpeg.mp3 44100
mutagen song.flac 44100
mutagen lame.mp3 44100
mutagen ffmpeg.mp3 46080
mutagen song.m4a 45124
tinytag song.m4a 44100
END
echo "as described"
