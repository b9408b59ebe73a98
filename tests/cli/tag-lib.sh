# SPDX-License-Identifier: GPL-3.0-or-later
# tag-lib.sh - what the tests of ap-tag share: a sound in every format, covers, and what the sound is.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sox -D -R -n -r 44100 -c 2 -b 16 tone.wav synth 1.2 pinknoise vol 0.2
ffmpeg -v error -f lavfi -i testsrc2=duration=1:size=64x48:rate=1 -frames:v 1 cover.png
ffmpeg -v error -i cover.png cover.jpg
formats=(mp3 flac ogg opus wav aiff au)
for format in "${formats[@]}"; do
    ap-encode -q --tag TITLE=old --tag COMMENT=stays tone.wav -o "base.$format"
done
ffmpeg -v error -i tone.wav -metadata title=old -metadata comment=stays base.m4a
formats+=(m4a)

# The packets of the sound, by another program.
sound() { ffmpeg -v error -i "$1" -map 0:a -c copy -f md5 -; }

# And what becomes of them here.
samples() { ap-decode "$1" | sox -t au - -t raw - | md5sum; }
