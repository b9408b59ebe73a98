# SPDX-License-Identifier: GPL-3.0-or-later
# normalize-lib.sh - what the tests of ap-normalize share: programmes, and loudgain's measurements of files.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sox -R -n -r 44100 -c 2 -b 16 music.wav synth 12 pinknoise tremolo 0.3 80 vol 0.1
sox -R -n -r 44100 -c 2 -b 16 hits.wav synth 10 brownnoise tremolo 3 95 vol 0.7
sox -R -n -r 44100 -c 2 -b 16 melody.wav synth 12 sine 220 sine 330 tremolo 0.3 50 vol 0.1
sox -n -r 44100 -c 2 -b 16 silence.wav trim 0 2
ap-decode music.wav >music.au

# column FILE NUMBER of loudgain's table: 2 loudness, 5 true peak
column() {
    loudgain -q -O "$1" | tail -n 1 | cut -f "$2" | sed 's/ .*//'
}
