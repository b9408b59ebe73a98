#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate: signals, full disks, mistakes.
. "$(dirname "$0")/lib.sh"
separate_inputs

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

# A chunk of minutes: a signal does not wait for its end.
interrupt_ends_a_long_chunk() {
    cp "$tests_folder"/data/roformer/bs-vocals.{ckpt,yaml} .
    for threads in 1 3; do
        env --default-signal=TERM ap-separate -q -j "$threads" -n ./bs-vocals.ckpt --chunk 10000000 song.wav -o long --resume 2>err.txt &
        filter=$!
        sleep 2
        kill -TERM "$filter"
        timeout 20 tail --pid="$filter" -f /dev/null # 15 minutes, if it had to be waited for
        status=0
        wait "$filter" || status=$?
        [ "$status" -eq 143 ]
        [ ! -s err.txt ]
        [ -z "$(find long -name '*.wav')" ]
    done
}
check interrupt_ends_a_long_chunk

bad_usage_is_refused() {
    fails 2 "${tiny[@]}" song.wav
    grep -q "where to" stderr
    fails 2 "${tiny[@]}" song.wav -o -
    fails 2 "${tiny[@]}" song.wav -s piano
    grep -q "stem 'piano' is unknown; known are drums bass other vocals no_drums" stderr
    fails 2 "${tiny[@]}" song.wav -S bass=x.wav -S drums=x.wav
    grep -q "'x.wav' is named twice" stderr
    fails 2 "${tiny[@]}" song.wav song.wav -s bass
    for bad in --overlap=0.97 --overlap=101 --overlap=-1 --shifts=101 --shifts=1.5 --segment=601 --seed=x --save=bass --save==x \
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

finish
