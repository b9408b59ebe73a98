# SPDX-License-Identifier: GPL-3.0-or-later
# tags-lib.sh - what the tests of tags and chapters share: a sound, mutagen, and all values of a tag.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sox -D -n -r 44100 -c 2 -b 16 tone.wav synth 0.5 sine 440 sine 660 vol 0.5

# Runs python with mutagen: m(FILE) opens, i is its module of ID3 frames.
mutagen() {
    { echo 'import mutagen, mutagen.id3 as i, mutagen.mp4, mutagen.wavpack; m = mutagen.File' && cat; } | /usr/bin/python3 -
}

# All values of some keys as a FLAC made of it has them.
values() {
    ap-encode -q "$1" -o values.flac
    metaflac --no-utf8-convert --export-tags-to=- values.flac | grep -E "^($2)=" | sort | tr '\n' ' '
}
