#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-normalize: what it refuses, a full disk, an interrupt.
. "$(dirname "$0")/normalize-lib.sh"

bad_input_leaves_nothing() {
    head -c 300000 music.au | fails 1 ap-normalize -o out.flac
    grep -q "^ap-normalize: 'standard input' is truncated" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    head -c 100000 music.wav >cut.wav
    fails 1 ap-normalize cut.wav -o late.flac
    fails 1 ap-normalize missing.wav -o late.flac
    [ ! -e late.flac ]
    fails 2 ap-normalize music.wav -o out.xyz
    fails 2 ap-normalize --lufs 1 music.wav -o late.wav
    fails 2 ap-normalize --lufs -14 --peak 0 music.wav -o late.wav
    fails 2 ap-normalize --peak 0 --ceiling -1 music.wav -o late.wav
    [ ! -e late.wav ]
}
check bad_input_leaves_nothing

fill_the_disk() {
    mkdir -p small
    mount -t tmpfs -o size=200k none small
    fails 75 env TMPDIR=small ap-normalize -o big.wav <music.wav
    [ ! -e big.wav ]
}
check in_namespace fill_the_disk

# A signal ends the first pass, too, which does not write yet.
interrupt_while_measuring() {
    mkfifo pipe
    { head -c 300000 music.au; sleep 60; } >pipe &
    feeder=$!
    env --default-signal=INT ap-normalize -o late.wav <pipe 2>err.txt &
    filter=$!
    sleep 0.5
    kill -INT "$filter"
    status=0
    wait "$filter" || status=$?
    pkill -P "$feeder" || true
    kill "$feeder" || true
    [ "$status" -eq 130 ] && [ ! -s err.txt ] && [ ! -e late.wav ]
}
check interrupt_while_measuring

finish
