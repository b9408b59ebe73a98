#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: from a file to outputs.
. "$(dirname "$0")/job-lib.sh"

# For whom nothing of the default path is there yet.
makes_the_default_spool() {
    mkdir home
    env -u AUDIOPIPE_SPOOL -u XDG_DATA_HOME HOME="$PWD/home" ap-job submit --recipe copy "$(text default)" >id
    [ -d "home/.local/share/audiopipe/spool/queue/$(cat id)" ]
}
check makes_the_default_spool

whole_way() {
    fresh
    id=$(ap-job submit --recipe 8d --set period=4 --set format=flac tone.wav)
    [[ $id =~ ^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$ ]]
    [ "$(stat -c %a "$spool/queue/$id")" = 700 ]
    fails 75 ap-job outputs "$id"
    may_fail ap-job run
    out=$(ap-job outputs "$id")
    [ "$out" = "$spool/done/$id/out/tone.8d.flac" ]
    ap-8d --period 4 tone.wav -o expected.flac
    cmp "$out" expected.flac
    ap-manifest verify "$spool/done/$id"
    ap-job status "$id" --json | /usr/bin/python3 -c '
import json, sys
m = json.load(sys.stdin)
assert m["state"] == "done" and m["attempts"] == 1 and m["recipe"] == "8d" and m["options"] == {"period": "4", "format": "flac"}
assert m["input"]["name"] == "tone.wav" and m["input"]["format"] == "wav" and m["input"]["duration"] == 2
assert m["input"]["loudness"] < 0 and m["outputs"][0]["true_peak"] < 0
assert [s["name"] for s in m["stages"]] == ["recipe", "8d"] and m["stages"][1]["progress"] == 1
assert m["tools"] == {"ap-8d": sys.argv[1]} and m["created"] <= m["started"] <= m["finished"] and m["error"] is None
' "$(ap-8d --version | cut -d ' ' -f 3)"
    shows "$id" ap-job list
    shows '^8d  *1  *0  *1  *0 ' ap-job stats
    ap-job fetch "$id" to/here && cmp to/here/tone.8d.flac expected.flac
    ap-job fetch "$id" --zip to/it.zip && unzip -q -p to/it.zip tone.8d.flac | cmp - expected.flac
    [ "$(find to -name '.fetch*' | wc -l)" -eq 0 ]
    ap-job report "$id" report.html && grep -q 'tone.8d' report.html
    # the spool is private, what the user asks for is as the user likes
    [ "$(stat -c %a "$out")" = 600 ]
    (umask 027 && ap-job fetch "$id" mine && ap-job fetch "$id" --zip mine.zip && ap-job report "$id" mine.html)
    [ "$(stat -c %a mine/tone.8d.flac mine.zip mine.html | sort -u)" = 640 ]
    ap-job log "$id"
    ap-job doctor
}
check whole_way

has_help() {
    shows '^Usage: ap-job ' ap-job --help
    shows '^ap-job (audiopipe) [0-9]' ap-job --version
    fails 2 ap-job
    fails 2 ap-job frobnicate
    fails 2 ap-job submit
    fails 2 ap-job submit --frobnicate tone.wav
    fails 2 ap-job submit --recipe none tone.wav
    fails 2 ap-job submit --set nonsense=1 tone.wav
    fails 2 ap-job submit --set 'period=$(touch pwned)' tone.wav
    fails 2 ap-job submit --set format=../../x tone.wav
    fails 2 ap-job run --frobnicate
    fails 2 ap-job run something
    fails 2 ap-job submit --recipe
    fails 2 ap-job retry
    fails 2 ap-job outputs
    fails 2 ap-job clean everything
    # nothing is there yet, and that is an answer
    fresh
    [ "$(ap-job status --json)" = '{"queue":0,"running":0,"done":0,"failed":0}' ]
    ap-job list --json && ap-job stats >/dev/null && ap-job doctor
    fails 2 ap-job status ../../etc
    fails 1 ap-job status 20200101-000000-00000000
    [ ! -e pwned ]
    # every command of the help is in the manual
    mandoc -T ascii -O width=200 "$AP_BUILD/man/ap-job.1" | col -b >page
    for command in $(ap-job --help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do grep -q "$command" page; done
    for option in $(ap-job --help | grep -o -e '--[a-z-]*' | sort -u); do grep -qe "$option" page; done
}
check has_help

waits_and_follows() {
    fresh
    (sleep 1 && ap-job run) &
    ap-job submit --wait --recipe copy "$(text waited)"
    counts 0 0 1 0
    wait
    (sleep 1 && may_fail ap-job run) &
    fails 1 ap-job submit --wait --recipe copy --set exit=1 "$(text unlucky)" >id
    grep -q "failed: as was asked for" stderr
    wait
    id=$(ap-job submit --recipe copy --set pause=1 "$(text followed)")
    ap-job run &
    ap-job status "$id" --follow >follow
    grep -q running follow
    tail -4 follow | grep -q 'done'
    wait
}
check waits_and_follows

same_again() {
    fresh
    a=$(ap-job submit tone.wav)
    b=$(ap-job submit tone.wav 2>note)
    [ "$a" = "$b" ]
    grep -q "submitted before" note
    cp tone.wav 'another name.wav'
    [ "$(ap-job submit 'another name.wav' 2>note)" = "$a" ]
    [ "$(ap-job submit --set period=5 tone.wav)" != "$a" ]
    [ "$(ap-job submit --owner someone tone.wav)" != "$a" ]
    [ "$(ap-job submit --force tone.wav)" != "$a" ]
    counts 4 0 0 0
    # of two that come at once, one is the other
    fresh
    for _ in 1 2 3 4 5 6; do ap-job submit tone.wav >>ids 2>/dev/null & done
    wait
    [ "$(sort -u ids | wc -l)" -eq 1 ]
    [ "$(wc -l <ids)" -eq 6 ]
    counts 1 0 0 0
}
check same_again

from_the_net() {
    fresh
    mkdir -p www && cp tone.wav 'www/a b.wav' && echo notes >www/notes.txt
    /usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >server.log 2>&1 &
    server=$!
    until_true grep -q 'port' server.log || { sleep 1 && cat server.log; }
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' server.log)
    id=$(ap-job submit "http://127.0.0.1:$port/a%20b.wav?x=1")
    [ "$(ap-manifest get -m "$spool/queue/$id" .input.bytes)" = "$(stat -c %s tone.wav)" ]
    fails 1 ap-job submit "http://127.0.0.1:$port/missing.wav?key=hush"
    grep -q "^ap-job: cannot fetch 'http://127.0.0.1:$port/missing.wav': .*404" stderr
    fails 1 ap-job submit "http://127.0.0.1:$port/notes.txt?key=hush"
    grep -q "^ap-job: 'http://127.0.0.1:$port/notes.txt' is text, and recipe" stderr
    ap-job submit "http://127.0.0.1:$port/a%20b.wav?key=hush" 2>stderr
    grep -q "^ap-job: 'http://127.0.0.1:$port/a%20b.wav' was submitted before" stderr
    # what stands behind "?" is told to nobody, and arguments are for all to see
    mkdir -p curl && printf '#!/bin/sh\nprintf "%%s\\n" "$@" >arguments\nexec %s "$@"\n' "$(command -v curl)" >curl/curl && chmod +x curl/curl
    PATH=$PWD/curl:$PATH ap-job submit --force "http://127.0.0.1:$port/a%20b.wav?key=hush&q=\"\\x" >ids
    grep -q -- --fail arguments
    tail -n 1 server.log | grep -qF '?key=hush&q='
    if grep -r hush arguments stderr "$spool"; then return 1; fi
    fails 2 ap-job submit "http://127.0.0.1:$port/a%20b.wav?x="$'\nurl = file:///etc/passwd'
    fails 2 ap-job submit "http://127.0.0.1:$port/$(printf '%020000d' 0)"
    kill "$server"
    fails 75 ap-job submit "http://127.0.0.1:$port/a%20b.wav" # a host may come back
    counts 2 0 0 0
    [ -z "$(ls -A "$spool/tmp")" ]
    fails 1 ap-job submit file:///etc/passwd
}
/usr/bin/python3 -c 'import http.server' && check from_the_net

finish
