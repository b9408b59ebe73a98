#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Pipelines that break: what is noticed, what is left behind.
. "$(dirname "$0")/pipes-lib.sh"

surplus_is_noticed() {
    ap-decode tone.wav >whole.au
    cat whole.au whole.au >twice.au
    fails 1 ap-encode -o twice.flac twice.au
    { cat whole.au; echo; } | fails 1 ap-encode -o twice.flac
    grep -q "goes on after the 88200 frames" stderr
    [ ! -e twice.flac ]
}
check surplus_is_noticed

truncated_input_is_an_error() {
    for filter in "${filters[@]}" ap-decode ap-encode; do
        head -c 500000 tone.au | fails 1 "$filter" -o out.flac
        grep -q "^$filter: 'standard input' is truncated" stderr
        [ "$(wc -l <stderr)" -eq 1 ]
        [ ! -e out.flac ]
    done
}
check truncated_input_is_an_error

killed_upstream_leaves_no_file() {
    mkfifo pipe
    { head -c 300000 tone.au; sleep 60; } >pipe &
    feeder=$!
    fails 1 ap-limit -o late.mp3 <pipe &
    waiting=$!
    sleep 0.5
    pkill -KILL -P "$feeder"
    wait "$waiting"
    [ "$(find . -name 'late*' -o -name '.audiopipe*' | wc -l)" -eq 0 ]
}
check killed_upstream_leaves_no_file

interrupt_leaves_no_file() {
    for signal in INT TERM HUP; do
        mkfifo "pipe.$signal"
        { head -c 300000 tone.au; sleep 60; } >"pipe.$signal" &
        feeder=$!
        env --default-signal="$signal" ap-limit -o late.mp3 <"pipe.$signal" 2>err.txt &
        filter=$!
        sleep 0.5
        kill -"$signal" "$filter"
        status=0
        wait "$filter" || status=$?
        pkill -KILL -P "$feeder"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        [ ! -s err.txt ]
        [ "$(find . -name 'late*' -o -name '.audiopipe*' | wc -l)" -eq 0 ]
    done
}
check interrupt_leaves_no_file

closed_downstream_ends_quietly() {
    for filter in "${filters[@]}" ap-decode; do
        { set +e; "$filter" tone.wav 2>"err.$filter"; echo $? >"status.$filter"; } | head -c 100 >/dev/null
        [ "$(cat "status.$filter")" -eq 141 ] # SIGPIPE
        [ ! -s "err.$filter" ]
    done
}
check closed_downstream_ends_quietly

closed_descriptors_are_errors() {
    fails 1 ap-limit tone.wav >&-
    grep -q "cannot write 'standard output'" stderr
    fails 1 ap-limit <&- >/dev/null
    grep -q "cannot read 'standard input'" stderr
    ap-limit -q tone.wav -o quiet.wav >&- 2>&- <&-
    [ -s quiet.wav ]
}
check closed_descriptors_are_errors

finish
