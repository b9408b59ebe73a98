#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A library of 300 small files, with odd names, in all formats, some of them damaged, goes through every command that goes
# into folders: each file is made, or its failure is told, and nothing else happens.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # thousands of files are made
. "$(dirname "$0")/lib.sh"

"$tests_folder/data/make-library" library || exit 1

# How many names there are in standard input, which has zero bytes behind them.
count() { tr -dc '\0' | wc -c; }

# goes_through OUTPUTS COMMAND...: so many outputs for each file that did not fail
goes_through() {
    local outputs=$1 failed made status=0
    shift
    "$@" 2>stderr || status=$?
    [ "$status" -eq 1 ] || { cat stderr && return 1; }
    ! grep -q 'its process' stderr || { grep 'its process' stderr && return 1; }
    failed=$(sed -n "s/^$1: \([0-9]*\) of 300 files failed\$/\1/p" stderr)
    made=$(find out -type f -print0 | count)
    echo "$made outputs, $failed failed"
    [ "$failed" -ge 15 ] && [ "$failed" -le 30 ]
    [ "$made" -eq $(((300 - failed) * outputs)) ]
    [ "$(find out -name '.*' ! -name out -print0 | count)" -eq 0 ]
    [ ! -e out/cover.wav ]
    rm -r out
}

for command in "$tests_folder"/../cmd/ap-*.c; do
    command=$(basename "$command" .c)
    "$command" --help | grep -q -- --skip-existing || continue
    outputs=1
    case $command in
        ap-8d) options=(--mode pan --tail 0) ;;
        ap-reverb) options=(--tail 1) ;;
        ap-encode) options=(-t flac) ;;
        ap-hpss) outputs=3 options=() ;;
        ap-separate) outputs=4 options=(-n dsp) ;;
        ap-plot) options=(--size 320) ;;
        ap-measure) continue ;;
        *) options=() ;;
    esac
    pattern='out/{dir}/{name}-{trackext}.{ext}'
    [ $outputs -eq 1 ] || pattern='out/{dir}/{name}-{trackext}/{stem}.{ext}'
    [ "$command" = ap-plot ] || [ "$command" = ap-encode ] || options+=(-t wav)
    check goes_through $outputs "$command" "${options[@]}" --recursive library -o "$pattern"
done

measures() {
    fails 1 ap-measure -r library --json >report.json
    /usr/bin/python3 -c '
import json
files = json.load(open("report.json"))["files"]
failed = [f["file"] for f in files if "error" in f]
assert len(files) == 300 and 15 <= len(failed) <= 30, (len(files), len(failed))'
}
check measures
finish
