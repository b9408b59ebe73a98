#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate with small models of random weights. What they give is compared with the original's output by
# tests/unit/plugins/neural/golden.c; this is about everything around it.
. "$(dirname "$0")/lib.sh"

golden=$tests_folder/data/demucs
export HOME=$PWD/home AUDIOPIPE_MODELS=$PWD/models
export OMP_WAIT_POLICY=passive # the machine is shared
unset XDG_DATA_HOME XDG_CACHE_HOME TORCH_HOME
mkdir -p home models
cp "$golden/htdemucs-tiny.th" models/tiny.th
tiny=(ap-separate -q -j 2 -n tiny)
stems=(drums bass other vocals)
sox -D "$golden/mix.wav" song.wav trim 0 0.5 vol 0.25 # so that sox, which clips, can read the stems
ap-decode song.wav >song.au

samples() { # raw float samples of any file that sox reads
    sox -V1 "$@" -t f32 -
}

# largest EXPRESSION FILE...: the largest |sample| of an expression of the files' samples a, b, c...
largest() {
    /usr/bin/python3 - "$@" <<'END'
import subprocess
import sys
import numpy as np
values = [np.frombuffer(subprocess.run(["sox", "-V1", path, "-t", "f32", "-"], stdout=subprocess.PIPE,
                                       check=True).stdout, "f4").astype("f8") for path in sys.argv[2:]]
assert len(set(map(len, values))) == 1, list(map(len, values))
print("%.9f" % abs(eval(sys.argv[1], dict(zip("abcdefgh", values)))).max())
END
}

differs() { # FILE FILE
    if cmp -s "$1" "$2"; then return 1; fi
}

below() { awk -v x="$1" -v y="$2" 'BEGIN { exit !(x <= y) }'; }

writes_all_stems_to_a_folder() {
    "${tiny[@]}" song.wav -o all --bits float
    [ "$(cd all && echo *)" = "bass.wav drums.wav other.wav vocals.wav" ]
    for stem in "${stems[@]}"; do
        [ "$(soxi -r "all/$stem.wav") $(soxi -c "all/$stem.wav") $(soxi -s "all/$stem.wav")" = "44100 2 $(soxi -s song.wav)" ]
        below 0.001 "$(largest a "all/$stem.wav")"
    done
    below 0.001 "$(largest a-b all/drums.wav all/vocals.wav)"
}
check writes_all_stems_to_a_folder

one_stem_sits_in_a_pipe() {
    for stem in "${stems[@]}"; do
        "${tiny[@]}" song.wav -s "$stem" | samples -t au - | cmp - <(samples "all/$stem.wav")
    done
    ap-decode song.wav | "${tiny[@]}" -s vocals | ap-encode -o piped.wav --bits float
    cmp <(samples piped.wav) <(samples all/vocals.wav)
    "${tiny[@]}" -s vocals -o one.flac --bits 16 - <song.wav
    [ "$(soxi -b one.flac)" = 16 ]
    "${tiny[@]}" -s vocals -t wav --bits float song.wav | cmp - all/vocals.wav
}
check one_stem_sits_in_a_pipe

sends_stems_to_several_places() {
    mkfifo pipe
    cat pipe >from-pipe.au &
    "${tiny[@]}" song.wav -S drums=d.wav -S bass=pipe -S other=/dev/fd/3 -S no_vocals=nv.wav -S vocals=- \
        --bits float 3>o.au >v.au
    wait
    cmp d.wav all/drums.wav
    cmp <(samples from-pipe.au) <(samples all/bass.wav)
    cmp <(samples o.au) <(samples all/other.wav)
    cmp <(samples v.au) <(samples all/vocals.wav)
    below "$(largest a+b+c-d all/drums.wav all/bass.wav all/other.wav nv.wav)" 1e-6
    echo before >appended
    "${tiny[@]}" song.wav -S drums=/dev/fd/3 -S bass=/dev/null 3>>appended
    [ "$(head -1 appended)" = before ]
    cmp <(tail -n +2 appended) <("${tiny[@]}" song.wav -s drums)
}
check sends_stems_to_several_places

names_files_by_pattern() {
    "${tiny[@]}" song.wav -o out -t flac --filename '{track}.{trackext}/{stem} of {track}.{ext}'
    [ "$(ls out/song.wav)" = "$(printf '%s of song.flac\n' bass drums other vocals)" ]
    odd=$' a "b" {stem} \n\\ é*.x.wav'
    cp song.wav "$odd"
    "${tiny[@]}" "$odd" -o "odd ' folder" --filename '{track}-{stem}.{ext}' --two-stems vocals
    [ -s "odd ' folder/${odd%.wav}-vocals.wav" ]
    [ -s "odd ' folder/${odd%.wav}-no_vocals.wav" ]
    cp song.wav ./-o
    "${tiny[@]}" -o dash -- -o
    [ -s dash/vocals.wav ]
    "${tiny[@]}" <song.wav -o std --filename '{track}{trackext}{stem}.wav'
    [ -s std/stdinbass.wav ]
    fails 2 "${tiny[@]}" song.wav -o out --filename '{song}.wav'
    grep -q "'{song}.wav' has something else in braces" stderr
    fails 2 "${tiny[@]}" song.wav -o out --filename x.wav
}
check names_files_by_pattern

two_stems() {
    "${tiny[@]}" song.wav -o add --two-stems vocals --bits float
    [ "$(cd add && echo *)" = "no_vocals.wav vocals.wav" ]
    cmp add/vocals.wav all/vocals.wav
    below "$(largest a+b+c-d all/drums.wav all/bass.wav all/other.wav add/no_vocals.wav)" 1e-6
    "${tiny[@]}" song.wav -o minus --two-stems=vocals --other-method=minus --bits float
    cmp minus/vocals.wav all/vocals.wav
    below "$(largest a-b-c song.wav minus/vocals.wav minus/no_vocals.wav)" 2e-7
    below 0.001 "$(largest a-b add/no_vocals.wav minus/no_vocals.wav)"
    "${tiny[@]}" song.wav --two-stems vocals -s no_vocals -t wav --bits float | cmp - add/no_vocals.wav
    fails 2 "${tiny[@]}" song.wav -o x --two-stems piano
    grep -q "model 'tiny' has no stem 'piano'" stderr
    [ ! -e x ]
}
check two_stems

residual_nulls() {
    below 0.001 "$(largest a-b-c-d-e song.wav all/drums.wav all/bass.wav all/other.wav all/vocals.wav)"
    "${tiny[@]}" song.wav -o null --residual --bits float
    below "$(largest a-b-c-d-e song.wav null/drums.wav null/bass.wav null/other.wav null/vocals.wav)" 2e-7
    for stem in drums bass vocals; do cmp "null/$stem.wav" "all/$stem.wav"; done
    "${tiny[@]}" song.wav -o null2 --residual --two-stems bass --bits float
    below "$(largest a-b-c song.wav null2/bass.wav null2/no_bass.wav)" 2e-7
    sox song.wav -r 96000 -b 24 hires.wav vol 0.5
    "${tiny[@]}" hires.wav -o null96 --residual --bits float # all that is beyond the model's rate, too
    [ "$(soxi -r null96/bass.wav) $(soxi -s null96/bass.wav)" = "96000 $(soxi -s hires.wav)" ]
    below "$(largest a-b-c-d-e hires.wav null96/drums.wav null96/bass.wav null96/other.wav null96/vocals.wav)" 2e-7
}
check residual_nulls

other_rates_keep_length_and_time() {
    for rate in 8000 11025 48000 96000 192000; do
        sox song.wav -r "$rate" -b 24 rate.wav vol 0.5
        "${tiny[@]}" rate.wav -s other -o rate-out.wav --bits float
        [ "$(soxi -r rate-out.wav) $(soxi -s rate-out.wav)" = "$rate $(soxi -s rate.wav)" ]
    done
    # 48000 Hz there and back is the same separation
    sox song.wav -r 48000 -b 32 -e float r48.wav
    "${tiny[@]}" r48.wav -s other -o o48.wav --bits float
    sox o48.wav -r 44100 -e float -b 32 o44.wav
    below "$(largest 'a[1000:-1000]-b[1000:-1000]' o44.wav all/other.wav)" 0.06 # of 0.35
}
check other_rates_keep_length_and_time

mono_and_surround() {
    sox song.wav mono.wav remix 1,2
    sox mono.wav both.wav remix 1 1
    "${tiny[@]}" mono.wav -s other -o from-mono.wav --bits float
    "${tiny[@]}" both.wav -s other -o from-both.wav --bits float
    [ "$(soxi -c from-mono.wav)" = 2 ]
    cmp <(samples from-mono.wav) <(samples from-both.wav)
    "${tiny[@]}" mono.wav -c 1 -s other -o to-mono.wav --bits float
    [ "$(soxi -c to-mono.wav)" = 1 ]
    sox from-both.wav -e float -b 32 mean.wav remix 1v0.5,2v0.5
    below "$(largest a-b mean.wav to-mono.wav)" 1e-7
    "${tiny[@]}" mono.wav -c 1 --residual -o mono-null --bits float
    below "$(largest a-b-c-d-e mono.wav mono-null/drums.wav mono-null/bass.wav mono-null/other.wav mono-null/vocals.wav)" 2e-7
    sox song.wav -c 6 six.wav remix 1 2 0 0 0 0
    "${tiny[@]}" six.wav -s other -o from-six.wav --bits float
    [ "$(soxi -c from-six.wav)" = 2 ]
    below "$(largest a-b from-six.wav all/other.wav)" 1e-4
}
check mono_and_surround

short_and_silent_input_is_fine() {
    for frames in 0 1 2 441; do
        sox song.wav short.wav trim 0 "${frames}s"
        "${tiny[@]}" short.wav -o short --bits float
        for stem in "${stems[@]}"; do [ "$(soxi -s "short/$stem.wav")" = "$frames" ]; done
    done
    sox -D -n -r 44100 -c 2 -b 16 silence.wav trim 0 1
    "${tiny[@]}" silence.wav -o quiet --bits float
    for stem in "${stems[@]}"; do below "$(largest a "quiet/$stem.wav")" 1e-6; done
}
check short_and_silent_input_is_fine

same_input_same_output() {
    "${tiny[@]}" song.wav -o again --bits float
    for stem in "${stems[@]}"; do cmp "again/$stem.wav" "all/$stem.wav"; done
    ap-separate -q -n tiny -j 1 song.wav -s bass -t wav --bits float | cmp - all/bass.wav
    ap-separate -q -n tiny -j 3 --device cpu song.wav -s bass -t wav --bits float | cmp - all/bass.wav
    "${tiny[@]}" --shifts 2 --seed 1 song.wav -s bass >a.au
    "${tiny[@]}" --shifts 2 --seed 1 song.wav -s bass | cmp - a.au
    differs a.au <("${tiny[@]}" --shifts 2 --seed 2 song.wav -s bass)
    differs all/bass.wav <(ap-encode -t wav --bits float a.au)
    differs all/bass.wav <("${tiny[@]}" --segment 0.4 song.wav -s bass -t wav --bits float)
    differs all/bass.wav <("${tiny[@]}" --segment 0.4 --overlap 0.5 song.wav -s bass -t wav --bits float)
}
check same_input_same_output

formats_and_clipping() {
    "${tiny[@]}" song.wav -S vocals=v.mp3 -S bass=b.ogg -S drums=d.flac -S other=o.opus
    [ "$(soxi -t v.mp3) $(soxi -t b.ogg) $(soxi -t d.flac)" = "mp3 vorbis flac" ]
    opusinfo o.opus >/dev/null
    sox song.wav loud.wav gain -n 0 vol 30 # square waves
    ap-separate -n tiny loud.wav -o loud --residual --bits 16 2>err
    grep -q "^ap-separate: warning: [0-9]* samples clipped, peak +[0-9.]* dBFS in loud/other.wav$" err
    "${tiny[@]}" loud.wav -o loud --residual --bits 16 2>err
    [ ! -s err ]
    ap-encode song.wav -o tagged.flac --tag TITLE=Song
    "${tiny[@]}" tagged.flac -o tagged -t flac
    metaflac --export-tags-to=- tagged/bass.flac | grep -q '^TITLE=Song$'
}
check formats_and_clipping

# The published architecture at its full size, with random weights: 335 GFLOP, too many for the sanitizers. It
# is made with python3-torch, which a minimal set-up leaves out.
full_size() {
    "$tests_folder/data/make-htdemucs" models/full.th
    /usr/bin/python3 - ap-separate -q -n full song.wav -o full --bits float <<'END'
import resource
import subprocess
import sys
subprocess.run(sys.argv[1:], check=True)
megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert megabytes < 1200, megabytes
END
    rm models/full.th
    for stem in "${stems[@]}"; do
        [ "$(soxi -s "full/$stem.wav")" = "$(soxi -s song.wav)" ]
        below 0.001 "$(largest a "full/$stem.wav")"
    done
    below 0.001 "$(largest a-b full/drums.wav full/vocals.wav)"
}
if [[ $(ldd "$(command -v ap-separate)") != *libasan* ]] && /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    check full_size
fi

# An output that was complete before another failed stays.
absent_or_whole() { # FILE
    [ ! -e "$1" ] || [ "$(soxi -s "$1")" = "$(soxi -s song.wav)" ]
}

closed_and_full_outputs_are_errors() {
    fails 1 "${tiny[@]}" song.wav -s bass >&-
    fails 1 "${tiny[@]}" song.wav -S bass=- -S drums=closed.wav >&-
    absent_or_whole closed.wav
    fails 1 "${tiny[@]}" song.wav -S bass=/dev/fd/9 -S drums=closed.wav
    grep -q "^ap-separate: cannot write '/dev/fd/9': " stderr
    absent_or_whole closed.wav
    fails 75 "${tiny[@]}" song.wav -s bass >/dev/full
    fails 75 "${tiny[@]}" song.wav -S bass=/dev/full -S drums=full.wav
    absent_or_whole full.wav
    fails 1 ap-separate --list-models >&-
    # the one who reads goes away
    { "${tiny[@]}" song.wav -s bass 2>err || echo $? >status; } | head -c 100 >/dev/null
    [ ! -s err ]
}
check closed_and_full_outputs_are_errors

failure_leaves_nothing() {
    head -c 50000 song.au | fails 1 "${tiny[@]}" -o new/folder
    grep -q "^ap-separate: 'standard input' is truncated" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    [ ! -e new ]
    fails 1 "${tiny[@]}" song.wav -S drums=h.wav -S bass=/proc/nowhere/p.wav
    grep -q "/proc/nowhere" stderr
    absent_or_whole h.wav
    fails 2 "${tiny[@]}" song.wav -o new -t xyz
    fails 1 "${tiny[@]}" no-such.wav -o new
    [ ! -e new ]
}
check failure_leaves_nothing

# While the input comes, and while segments are computed.
interrupt_leaves_nothing() {
    mkfifo feed unread
    sox song.wav -t au long.au repeat 99
    for part in 900000 99999999; do
        rm -rf parts
        { head -c "$part" long.au; sleep 60; } >feed &
        feeder=$!
        if [ "$part" = 900000 ]; then input=feed; else input=long.au; fi
        env --default-signal=INT "${tiny[@]}" -o parts "$input" <feed 2>err.txt &
        filter=$!
        sleep 1
        kill -INT "$filter"
        status=0
        wait "$filter" || status=$?
        pkill -P "$feeder" || true
        kill "$feeder" 2>/dev/null || true
        [ "$status" -eq 130 ]
        [ ! -s err.txt ]
        [ -z "$(find parts -type f 2>/dev/null)" ]
    done
}
check interrupt_leaves_nothing

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

# A line for each, whatever is in the file. More of this is in tests/unit/plugins/neural/files.c.
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

bad_usage_is_refused() {
    fails 2 "${tiny[@]}" song.wav
    grep -q "where to" stderr
    fails 2 "${tiny[@]}" song.wav -o -
    fails 2 "${tiny[@]}" song.wav -s piano
    grep -q "stem 'piano' is unknown; known are drums bass other vocals no_drums" stderr
    fails 2 "${tiny[@]}" song.wav -S bass=x.wav -S drums=x.wav
    grep -q "'x.wav' is named twice" stderr
    fails 2 "${tiny[@]}" song.wav song.wav -s bass
    for bad in --overlap=1 --overlap=-1 --shifts=101 --shifts=1.5 --segment=601 --seed=x --save=bass --save==x \
        --other-method=times --channels=3 --device=toaster --segment=5; do
        fails 2 "${tiny[@]}" song.wav -s bass "$bad" >out.au
        [ ! -s out.au ]
    done
}
check bad_usage_is_refused

reports_progress() {
    ap-separate -n tiny --progress=json song.wav -o progress 2>err
    grep -q '"command":"ap-separate".*"progress":1' <(tail -1 err | tr -d ' ')
}
check reports_progress

# Only who uses a neural model on a GPU, or a TorchScript module, loads libtorch; only ap-separate the networks.
loads_no_more_than_it_needs() {
    for command in "$AP_BUILD"/ap-*; do
        case $command in *ap-job | *ap-fetch-model) continue ;; esac
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
