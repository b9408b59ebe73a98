#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-normalize: albums, and what would be done to files.
. "$(dirname "$0")/normalize-lib.sh"

album_has_one_gain() {
    mkdir in
    cp music.wav "in/01 first.wav"
    cp hits.wav in/02.wav
    ap-normalize --album --lufs -25 -o out "in/01 first.wav" in/02.wav
    ap-measure -a --tsv out/* >table
    [ "$(tail -n +2 table | cut -f 1 | tr '\n' :)" = "out/01 first.wav:out/02.wav:(album):" ]
    near "$(tail -n 1 table | cut -f 5)" -25 0.05
    a=$(ap-measure --tsv in/* | tail -n +2 | cut -f 5 | xargs | awk '{ print $1 - $2 }')
    near "$(sed -n 2,3p table | cut -f 5 | xargs | awk '{ print $1 - $2 }')" "$a" 0.03
    ap-normalize --album --limit --lufs -13 -t flac -o "out 2/" "in/01 first.wav" in/02.wav
    ap-measure -a --tsv "out 2/01 first.flac" "out 2/02.flac" | tail -n 1 | cut -f 5,9 >values
    near "$(cut -f 1 values)" -13 0.05
    near "$(cut -f 2 values)" -1 0.1
}
check album_has_one_gain

album_refuses() {
    mkdir -p a b
    cp music.wav a/same.wav
    cp music.wav b/same.wav
    fails 2 ap-normalize --album -o new a/same.wav b/same.wav
    fails 2 ap-normalize --album -o a a/same.wav
    ln -s a link
    fails 2 ap-normalize --album -o link a/same.wav
    cmp a/same.wav music.wav
    fails 2 ap-normalize --album a/same.wav
    fails 2 ap-normalize --album -o new
    fails 2 ap-normalize --album -o new a/same.wav - <music.wav
    fails 2 ap-normalize --album -o new <(cat music.wav)
    fails 2 ap-normalize --album -t xyz -o new a/same.wav
    head -c 100000 music.wav >cut.wav
    fails 1 ap-normalize --album -o new a/same.wav cut.wav
    grep -q "'cut.wav' is truncated" stderr
    fails 1 ap-normalize --album -o new a/same.wav missing.wav
    [ ! -e new ]
    fails 1 ap-normalize --album -o music.wav a/same.wav
    fails 2 ap-normalize a/same.wav b/same.wav -o x.wav
}
check album_refuses

dry_run_writes_nothing() {
    mkdir empty
    cp melody.wav hits.wav silence.wav empty
    (
        cd empty
        ap-normalize -n melody.wav -o out.wav >../plan
        ap-normalize -n hits.wav --lufs -12 | tail -n 1 >../held
        ap-normalize -n silence.wav | tail -n 1 >../silent
        ap-normalize -n --album -- *.wav >../album
        ap-normalize -n <melody.wav | tail -n 1 | cut -f 2- | cmp - <(tail -n 1 ../plan | cut -f 2-)
        [ "$(find . -type f | wc -l)" -eq 3 ]
    )
    [ "$(wc -l <plan)" -eq 2 ]
    near "$(tail -n 1 plan | cut -f 3)" "$(column melody.wav 2)" 0.011
    near "$(tail -n 1 plan | awk '{ print $3 + $2 }')" -14 0.011
    [ "$(cut -f 7 held)" = ceiling ]
    [ "$(cut -f 2,3,7 silent)" = "0.00	-inf	silent" ]
    grep -q '^(album)' album
    fails 75 ap-normalize -n melody.wav >/dev/full
}
check dry_run_writes_nothing

finish
