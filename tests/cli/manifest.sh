#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-manifest: the document and its locks; lists of many.
. "$(dirname "$0")/manifest-lib.sh"
long=${AP_LONG:-0}

makes_and_reads() {
    ap-manifest new -m new.json .recipe=8d .options.period=12 .n:=3 '.deep:={"a":[1,2,{"b":null}]}'
    [ "$(get .recipe new.json)" = 8d ]
    [ "$(get .options.period new.json)" = 12 ]
    [ "$(get '.deep.a[1]' new.json)" = 2 ]
    [ "$(get '.deep.a[-1].b' new.json)" = null ]
    [ "$(get .state new.json)" = queued ]
    ap-manifest get -m new.json | /usr/bin/python3 -m json.tool >/dev/null
    [ "$(ap-manifest get -m new.json .version .n)" = $'1\n3' ]
    [ "$(ap-manifest get -m new.json -0 .recipe .options | tr '\0' '|')" = '8d|period=12|' ]
    mkdir folder && ap-manifest new -m folder && [ -s folder/manifest.json ]
    fails 1 ap-manifest new -m new.json
    grep -q "File exists" stderr
    [ "$(get .recipe new.json)" = 8d ]
}
check makes_and_reads

sets_members() {
    ap-manifest new -m set.json
    ap-manifest set -m set.json '.outputs[0].name=a' '.outputs[1].name=b' '.x.y.z:=true' '.text=line "one"
two ü'
    [ "$(get '.outputs[1].name' set.json)" = b ]
    [ "$(get .text set.json)" = 'line "one"
two ü' ]
    ap-manifest set -m set.json $'.latin=\xe9t\xe9'
    [ "$(get .latin set.json)" = été ]
    cp set.json before.json
    fails 2 ap-manifest set -m set.json nonsense
    fails 2 ap-manifest set -m set.json '.bad:={'
    fails 2 ap-manifest set -m set.json '..=1'
    fails 1 ap-manifest set -m set.json '.outputs[7]=far'
    fails 1 ap-manifest set -m set.json '.text.inside=1' || fails 2 ap-manifest set -m set.json '.text.inside=1'
    cmp set.json before.json
    fails 1 ap-manifest get -m set.json .missing
    grep -q "there is no '.missing'" stderr
    [ "$(find . -name '.set.json*' | wc -l)" -eq 0 ]
}
check sets_members

refuses_what_is_no_manifest() {
    echo '{"half":' >half.json
    echo '[]' >list.json
    echo '{"version": 2}' >newer.json
    printf '%0*d' 5000 0 | tr 0 '[' >deep.json
    : >empty.json
    mkfifo fifo.json
    for file in half list newer deep empty fifo missing; do
        fails 1 timeout 5 ap-manifest get -m "$file.json"
        [ "$(wc -l <stderr)" -eq 1 ]
        fails 1 timeout 5 ap-manifest set -m "$file.json" .a=1
    done
    fails 1 ap-manifest get -m newer.json
    grep -q "has version 2" stderr
    [ "$(cat newer.json)" = '{"version": 2}' ]
}
check refuses_what_is_no_manifest

loses_no_change() {
    local writers=6 changes=$((long ? 100 : 15)) pids=()
    ap-manifest new -m shared.json .marks:={}
    for w in $(seq "$writers"); do
        for c in $(seq "$changes"); do ap-manifest set -m shared.json ".marks.w${w}c$c:=1"; done &
        pids+=($!)
    done
    while kill -0 "${pids[@]}" 2>/dev/null; do
        /usr/bin/python3 -c 'import json; json.load(open("shared.json"))'
    done
    wait "${pids[@]}"
    [ "$(get .marks shared.json | grep -c :)" -eq $((writers * changes)) ]
}
check loses_no_change

# A reader sees the old document or the new one, whenever the writer was killed.
survives_kills() {
    ap-manifest new -m killed.json '.text=start'
    for i in $(seq $((long ? 200 : 30))); do
        ap-manifest set -m killed.json ".text=$(head -c 20000 /dev/zero | tr '\0' x)$i" &
        sleep 0.00$((RANDOM % 10))
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        /usr/bin/python3 -c 'import json; d = json.load(open("killed.json")); assert d["text"] == "start" or d["text"].startswith("x" * 20000)'
    done
    ap-manifest set -m killed.json .text=after
    [ "$(get .text killed.json)" = after ]
    [ "$(find . -name '.killed.json*' | wc -l)" -eq 0 ]
}
check survives_kills

keeps_links_and_modes() {
    ap-manifest new -m real.json
    chmod 640 real.json
    ln -s real.json link.json
    ap-manifest set -m link.json .a=1
    [ -L link.json ] && [ "$(get .a real.json)" = 1 ] && [ "$(stat -c %a real.json)" = 640 ]
}
check keeps_links_and_modes

lists() {
    mkdir -p jobs/a jobs/b jobs/.hidden jobs/none
    ap-manifest new -m jobs/a .id=1-a .recipe=8d
    ap-manifest new -m jobs/b .id=1-b $'.error=bad\tthing' .state=failed
    echo broken >jobs/.hidden/manifest.json
    [ "$(ap-manifest list jobs | wc -l)" -eq 3 ]
    ap-manifest list --format=json jobs | while read -r line; do /usr/bin/python3 -m json.tool <<<"$line" >/dev/null; done
    [ "$(ap-manifest list --format=tsv jobs | awk -F '\t' 'NF != 12 { bad++ } END { print NR, bad + 0 }')" = '3 0' ]
    fails 1 ap-manifest list nowhere
    fails 75 ap-manifest list --format=tsv jobs >/dev/full
}
check lists

finish
