#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# RoFormers and MDX23C of sizes that nobody published, against an implementation of their own (msst.py).
. "$(dirname "$0")/lib.sh"

export HOME=$PWD/home
unset AUDIOPIPE_MODELS XDG_DATA_HOME
msst() { /usr/bin/python3 "$tests_folder/cli/msst.py" "$@"; }
# 15 dB down, so that sox clips no stem; odd lengths: with borders, without, a short chunk
sox -D "$tests_folder/data/demucs/mix.wav" -b 32 -e float song.wav trim 0 15001s vol -15 dB
sox song.wav short.wav trim 0 3001s
sox -D song.wav -b 16 quiet.wav vol 0.003 trim 0 8999s

same_as_the_reference() { # KIND
    msst make "$1" "${AP_SEED:-7}" "$1"
    local input pairs=()
    for input in song short quiet; do
        ap-separate -q -j 2 -n "./$1.ckpt" "$input.wav" -o "$1-$input" --bits float
        pairs+=("$input.wav" "$1-$input")
    done
    msst check "$1" "$1" "${pairs[@]}"
}
for kind in $(msst kinds); do
    check same_as_the_reference "$kind"
done

finish
