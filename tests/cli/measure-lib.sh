# SPDX-License-Identifier: GPL-3.0-or-later
# measure-lib.sh - what the tests of ap-measure share: programmes, and fields of its report.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sox -R -n -r 44100 -c 2 -b 16 music.wav synth 12 pinknoise tremolo 0.3 90 vol 0.4 dcshift 0.01
sox -R -n -r 48000 -c 1 -b 24 tone.wav synth 5 sine 997 vol 0.1 pad 0.5 0.25
sox -D -n -r 44100 -c 2 -b 16 silence.wav trim 0 2

# value FILE KEY [OPTION...]: one field of the report
value() {
    local file=$1 key=$2
    shift 2
    ap-measure --tsv "$@" "$file" | awk -F'\t' -v key="$key" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) n = i }
        NR == 2 { print $n }'
}
