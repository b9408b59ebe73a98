#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate: which model, and what if it is missing, broken or large.
. "$(dirname "$0")/lib.sh"
separate_inputs
"${tiny[@]}" song.wav -o all --bits float

# The published architecture at its full size, with random weights: 335 GFLOP, too many for the sanitizers. It
# is made with python3-torch, which a minimal set-up leaves out.
full_size() {
    "$tests_folder/data/make-htdemucs" models/full.th
    # 335 GFLOP a segment of 7.8 s, and a third more for the overlap
    AUDIOPIPE_MODELS=models ap-separate --list-models |
        grep -q "^full	ready	htdemucs: .*; segments of 7.8 s; 84.1 MB; 57.3 GFLOP per second of music$"
    /usr/bin/python3 - ap-separate -q -n full song.wav -o full --bits float <<'END'
import resource
import subprocess
import sys
subprocess.run(sys.argv[1:], check=True)
megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert megabytes < 1200, megabytes
END
    rm models/full.th
    for stem in "${the_stems[@]}"; do
        [ "$(soxi -s "full/$stem.wav")" = "$(soxi -s song.wav)" ]
        below 0.001 "$(largest a "full/$stem.wav")"
    done
    below 0.001 "$(largest a-b full/drums.wav full/vocals.wav)"
}
if [[ $(ldd "$(command -v ap-separate)") != *libasan* ]] && /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    check full_size
fi

finds_models() {
    run() { ap-separate -q -j 2 song.wav -s bass -t wav --bits float "$@"; }
    cp models/tiny.th "a path.th"
    run -n "a path.th" | cmp - all/bass.wav
    run -n ./"a path.th" | cmp - all/bass.wav
    # by signature, and by the name of a published model, which needs no -n
    for folder in "$HOME/.local/share/audiopipe/models" "$HOME/.cache/torch/hub/checkpoints" second; do
        mkdir -p "$folder"
        cp models/tiny.th "$folder/955717e8-8726e21a.th"
        AUDIOPIPE_MODELS=first:second run -n htdemucs | cmp - all/bass.wav
        AUDIOPIPE_MODELS=first:second run -n 955717e8 | cmp - all/bass.wav
        AUDIOPIPE_MODELS=first:second run | cmp - all/bass.wav
        AUDIOPIPE_MODELS=first:second ap-separate --list-models | grep -q "^htdemucs	ready	"
        rm -r "$folder"
    done
    cp "$golden/bag-tiny.yaml" "$golden/htdemucs-tiny.th" "$golden/htdemucs-tiny-b.th" models
    run -n bag-tiny >bag.wav
    run -n "$golden/bag-tiny.yaml" | cmp - bag.wav
    differs bag.wav all/bass.wav
    run -n "$golden/hdemucs-tiny.th" >v3.wav
    [ "$(soxi -s v3.wav)" = "$(soxi -s song.wav)" ]
    ap-separate -q -n "$golden/htdemucs-6s-tiny.th" song.wav -o six -t flac
    [ "$(cd six && echo *)" = "bass.flac drums.flac guitar.flac other.flac piano.flac vocals.flac" ]
}
check finds_models

lists_what_models_are() {
    mkdir listed
    cp models/tiny.th listed/mine.th
    cp "$golden/hdemucs-tiny.th" listed/v3.th
    cp "$golden/htdemucs-6s-tiny.safetensors" listed/six.safetensors
    cp "$golden/bag-tiny.yaml" "$golden/htdemucs-tiny.th" "$golden/htdemucs-tiny-b.th" listed
    cp models/tiny.th listed/955717e8-8726e21a.th
    AUDIOPIPE_MODELS=listed ap-separate --list-models >list
    grep -q "^mine	ready	htdemucs: drums, bass, other, vocals; segments of 0.75 s; 0.929 MB; 0.828 GFLOP per second of music$" list
    grep -q "^v3	ready	hdemucs: drums, bass, other, vocals; segments of 1 s; 2.15 MB; 0.273 GFLOP per second of music$" list
    grep -q "^six	ready	htdemucs: drums, bass, other, vocals, guitar, piano; segments of 0.75 s; .* GFLOP" list
    grep -q "^bag-tiny	ready	2 of htdemucs: .*; 1.86 MB; 1.66 GFLOP per second of music$" list
    grep -q "^htdemucs	ready	hybrid transformer, 4 stems; htdemucs: .*; 0.828 GFLOP per second of music$" list
}
check lists_what_models_are

missing_models_say_what_to_do() {
    fails 1 ap-separate -n htdemucs song.wav -o new
    grep -q "^ap-separate: model 'htdemucs' needs 955717e8-8726e21a.th: run 'ap-fetch-model htdemucs', or put https://.*/955717e8-8726e21a.th into '$AUDIOPIPE_MODELS'$" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    [ ! -e new ]
    cp models/tiny.th models/f7e0c4bc-ba3fe64a.th
    fails 1 ap-separate -n htdemucs_ft song.wav -o new
    grep -q "model 'htdemucs_ft' needs d12395a8-e57c48e6.th: run 'ap-fetch-model htdemucs_ft'" stderr
    fails 1 ap-separate -n nonsense song.wav -o new
    grep -q "there is no model 'nonsense'" stderr
    fails 1 ap-separate -n no/such.th song.wav -o new
    grep -q "^ap-separate: cannot open 'no/such.th': No such file or directory$" stderr
    for model in mdx mdx_q mdx_extra_q; do
        fails 1 ap-separate -n "$model" song.wav -o new
        grep -q "^ap-separate: model '$model' is not supported: .*; use mdx_extra$" stderr
    done
    # without the plugins
    mkdir -p bare
    cp "$(command -v ap-separate)" "$AP_BUILD"/libaudiopipe.so.* bare
    fails 1 env AUDIOPIPE_PLUGINS=/nowhere LD_LIBRARY_PATH="$PWD/bare" bare/ap-separate -n tiny song.wav -o new
    grep -q "the plugin neural.so is missing" stderr
}
check missing_models_say_what_to_do

# A line for each, whatever is in the file. More of this is in tests/unit/plugins/neural/files/checkpoint.c.
broken_models_are_refused() {
    refused() { # MESSAGE
        fails 1 ap-separate -n ./broken.th song.wav -s bass >broken.au
        cat stderr
        [ "$(wc -l <stderr)" -eq 1 ]
        [ ! -s broken.au ]
        grep -q "^ap-separate: .*broken.th.*$1" stderr
    }
    for size in 0 1 100 5000 500000 928000; do
        head -c "$size" models/tiny.th >broken.th
        refused ""
    done
    cp models/tiny.th broken.th
    printf X | dd of=broken.th conv=notrunc bs=1 seek=600000 status=none
    refused ""
    cp song.wav broken.th
    refused ""
    mkdir -p pickle/x
    printf '\x80\x02}(X\x05\x00\x00\x00klasscdemucs.demucs\nDemucs\nX\x04\x00\x00\x00args)X\x06\x00\x00\x00kwargs}X\x05\x00\x00\x00state}u.' >pickle/x/data.pkl
    (cd pickle && zip -q0 ../broken.zip x/data.pkl)
    mv broken.zip broken.th
    refused "v2"
    printf 'cposix\nsystem\n(X\x0c\x00\x00\x00touch hackedtR.' >pickle/x/data.pkl
    (cd pickle && zip -q0 ../broken.zip x/data.pkl)
    mv broken.zip broken.th
    refused ""
    [ ! -e hacked ]
}
check broken_models_are_refused

# Only who uses a neural model on a GPU, or a TorchScript module, loads libtorch; only ap-separate the networks.
loads_no_more_than_it_needs() {
    for command in "$AP_BUILD"/ap-*; do
        case $command in *ap-job) continue ;; esac
        [ "$(head -c 2 "$command" | tr -d '\0')" != '#!' ] || continue # a script
        ldd "$command" >libraries
        if grep -E 'torch|libav|cairo' libraries; then return 1; fi
    done
    export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer cannot work under strace
    strace -f -e trace=openat -o files "${tiny[@]}" --device cpu song.wav -s bass >/dev/null
    grep -q 'neural.so' files
    if grep 'libtorch' files; then return 1; fi
    strace -f -e trace=openat -o files ap-separate --help >/dev/null
    if grep 'neural.so' files; then return 1; fi
}
check loads_no_more_than_it_needs

finish
