#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-normalize: its results measured by others.
. "$(dirname "$0")/normalize-lib.sh"

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

in_place() {
    cp music.wav same.wav
    ap-normalize --lufs -20 --force same.wav -o same.wav
    near "$(column same.wav 2)" -20 0.05
}
check in_place

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
