#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-normalize: its results measured by others, albums, what it refuses.
. "$(dirname "$0")/lib.sh"

sox -R -n -r 44100 -c 2 -b 16 music.wav synth 12 pinknoise tremolo 0.3 80 vol 0.1
sox -R -n -r 44100 -c 2 -b 16 hits.wav synth 10 brownnoise tremolo 3 95 vol 0.7
sox -R -n -r 44100 -c 2 -b 16 melody.wav synth 12 sine 220 sine 330 tremolo 0.3 50 vol 0.1
sox -n -r 44100 -c 2 -b 16 silence.wav trim 0 2
ap-decode music.wav >music.au

near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }' || {
        echo "$1 is not $2 +- $3"
        return 1
    }
}

# column FILE NUMBER of loudgain's table: 2 loudness, 5 true peak
column() {
    loudgain -q -O "$1" | tail -n 1 | cut -f "$2" | sed 's/ .*//'
}

reaches_the_target() {
    for target in -15 -18.5 -23 -31; do
        ap-normalize --lufs "$target" music.wav -o out.wav
        near "$(column out.wav 2)" "$target" 0.05
        ap-normalize --lufs "$target" music.wav -o out.flac
        near "$(column out.flac 2)" "$target" 0.05
    done
    ap-normalize melody.wav -o out.wav
    near "$(column out.wav 2)" -14 0.05
}
check reaches_the_target

file_and_pipe_give_the_same() {
    for options in "" "--limit --lufs -10" "--peak -2" "--rms -20"; do
        # shellcheck disable=SC2086
        {
            ap-normalize $options music.wav >file.au
            ap-normalize $options <music.au | cmp - file.au
            ap-normalize $options <(cat music.au) | cmp - file.au
            ap-normalize $options - -t wav <music.wav | cmp - <(ap-encode -t wav file.au)
        }
    done
}
check file_and_pipe_give_the_same

the_gain_is_constant() {
    gain=$(ap-normalize --dry-run music.wav | tail -n 1 | cut -f 2)
    ap-normalize music.wav >out.au
    sox -m -v 1 out.au -v "$(awk -v g="$gain" 'BEGIN { printf "%.9f", -10 ^ (g / 20) }')" music.au -n stats 2>levels
    near "$(awk '/^Pk lev/ { print $4 }' levels | sed 's/-inf/-200/')" -200 140 # below -60 dB: the gain has two decimals
}
check the_gain_is_constant

peak_and_rms() {
    ap-normalize --peak -3 --no-true-peak hits.wav -o out.flac
    near "$(sox out.flac -n stats 2>&1 | awk '/^Pk lev/ { print $4 }')" -3 0.011
    ap-normalize --peak -3 hits.wav -o out.flac
    near "$(column out.flac 5)" -3 0.02
    ap-normalize --peak 0 hits.wav -o out.flac
    near "$(column out.flac 5)" 0 0.02
    ap-normalize --rms -30 hits.wav -o out.flac
    near "$(sox out.flac -n stats 2>&1 | awk '/^RMS lev/ { print $4 }')" -30 0.05
}
check peak_and_rms

ceiling_and_limiter() {
    ap-normalize --lufs -12 hits.wav -o out.flac 2>log
    grep -q "^ap-normalize: warning: 'hits.wav' is now at .* LUFS, not at -12: a ceiling of -1 dBTP" log
    near "$(column out.flac 5)" -1 0.02
    ap-normalize -q --lufs -12 hits.wav -o out.flac 2>log
    [ ! -s log ]
    ap-normalize --lufs -12 --limit hits.wav -o out.flac 2>log
    [ ! -s log ]
    near "$(column out.flac 2)" -12 0.05
    near "$(column out.flac 5)" -1 0.1
    ap-normalize --lufs -18 --ceiling -6 --limit hits.wav -o out.flac
    near "$(column out.flac 2)" -18 0.05
    near "$(column out.flac 5)" -6 0.1
}
check ceiling_and_limiter

silence_is_unchanged() {
    ap-normalize silence.wav -o out.wav 2>log
    grep -qx "ap-normalize: warning: 'silence.wav' is silent: it stays as it is" log
    ap-normalize -q silence.wav | cmp - <(ap-decode silence.wav)
    sox -n -r 44100 -c 1 -b 16 empty.wav trim 0 0
    ap-normalize -q empty.wav | cmp - <(ap-decode empty.wav)
}
check silence_is_unchanged

lower_only() {
    ap-normalize --lower-only music.wav | cmp - music.au
    ap-normalize --lower-only --lufs -40 music.wav -o out.wav
    near "$(column out.wav 2)" -40 0.05
}
check lower_only

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

in_place() {
    cp music.wav same.wav
    ap-normalize --lufs -20 --force same.wav -o same.wav
    near "$(column same.wav 2)" -20 0.05
}
check in_place

fill_the_disk() {
    mkdir -p small
    mount -t tmpfs -o size=200k none small
    fails 75 env TMPDIR=small ap-normalize -o big.wav <music.wav
    [ ! -e big.wav ]
}
full_disk() { in_namespace fill_the_disk; }
check full_disk

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

# The temporary file does not count as memory.
memory_is_constant() {
    for seconds in 10 120; do
        sox -R -n -r 44100 -c 2 -b 16 long.wav synth "$seconds" brownnoise vol 0.1
        command time -f %M -o file."$seconds" ap-normalize -q long.wav >/dev/null
        command time -f %M -o pipe."$seconds" ap-normalize -q --limit --lufs -12 <long.wav >/dev/null
    done
    [ $(($(cat file.120) - $(cat file.10))) -lt 1000 ]
    [ $(($(cat pipe.120) - $(cat pipe.10))) -lt 1000 ]
}
check memory_is_constant

tags_stay_but_for_gains() {
    flac -s -f music.wav -T TITLE=Song -T REPLAYGAIN_TRACK_GAIN="-3 dB" -o tagged.flac
    ap-normalize --lufs -20 tagged.flac -o out.flac
    [ "$(metaflac --show-tag=TITLE out.flac)" = TITLE=Song ]
    [ -z "$(metaflac --show-tag=REPLAYGAIN_TRACK_GAIN out.flac)" ]
}
check tags_stay_but_for_gains

finish
