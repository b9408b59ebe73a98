#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-plot: what it refuses, and that nothing is left then.
. "$(dirname "$0")/plot-lib.sh"

mistakes() {
    for wrong in "--size 800x" "--size x" "--size 10" "--size 99999x100" "--size -5x5" "--size 800x60" "--scale 9" "-t gif" \
        "-o x.gif" "-o x" "--json --dat" "--json -t png" "--low 5000 --high 100 -k spectrogram" "--json -z 1" "--bits 12"; do
        # shellcheck disable=SC2086
        fails 2 ap-plot $wrong tone.wav >/dev/null
        [ "$(head -1 stderr | cut -d: -f1)" = ap-plot ]
    done
    fails 2 ap-plot tone.wav tone.wav -o x.png
    fails 1 ap-plot missing.wav -o x.png
    head -c 50000 tone.wav >cut.wav
    echo old >x.png
    fails 1 ap-plot cut.wav -o x.png
    grep -q "'cut.wav' is truncated" stderr
    [ "$(cat x.png)" = old ]
    fails 1 ap-plot cut.wav -o x.json
    [ ! -e x.json ]
    fails 75 ap-plot tone.wav >/dev/full
    grep -q "No space left" stderr
    fails 2 script -qec "ap-plot tone.wav" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
}
check mistakes

without_the_plugin() {
    [ ! -e /usr/local/lib/audiopipe/cairo.so ] || return 0 # installed: it would be found
    mkdir -p alone
    cp "$AP_BUILD"/ap-plot "$AP_BUILD"/libaudiopipe.so* alone
    fails 1 alone/ap-plot tone.wav -o x.png
    grep -q "the plugin cairo.so is missing" stderr
    AUDIOPIPE_PLUGINS=$AP_BUILD/audiopipe alone/ap-plot tone.wav -o y.png
    alone/ap-plot tone.wav -o y.json # needs none
    echo garbage >cairo.so
    fails 1 env AUDIOPIPE_PLUGINS=. alone/ap-plot tone.wav -o x.png
    grep -q "cannot load the plugin cairo.so" stderr
}
check without_the_plugin

finish
