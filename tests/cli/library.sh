#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A library of 300 small files, with odd names, in all formats, some of them damaged, goes through every command that goes
# into folders: each file is made, or its failure is told, and nothing else happens. For the sanitizers there are 60 files:
# each name, format and kind of damage.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # thousands of files are made
. "$(dirname "$0")/lib.sh"

case $AP_BUILD in
    *san) files=60 ;;
    *) files=300 ;;
esac
"$tests_folder/data/make-library" library $files || exit 1

# How many names there are in standard input, which has zero bytes behind them.
count() { tr -dc '\0' | wc -c; }

# goes_through OUTPUTS COMMAND...: so many outputs for each file that did not fail
goes_through() {
    local outputs=$1 failed made status=0
    shift
    "$@" 2>stderr || status=$?
    [ "$status" -eq 1 ] || { cat stderr && return 1; }
    ! grep -q 'its process' stderr || { grep 'its process' stderr && return 1; }
    failed=$(sed -n "s/^$1: \([0-9]*\) of $files files failed\$/\1/p" stderr)
    made=$(find out -type f -print0 | count)
    echo "$made outputs, $failed failed"
    [ "$failed" -ge $((files / 20)) ] && [ "$failed" -le $((files / 10)) ]
    [ "$made" -eq $(((files - failed) * outputs)) ]
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
        ap-measure) options=(--json) ;;
        *) options=() ;;
    esac
    pattern='out/{dir}/{name}-{trackext}.{ext}'
    [ $outputs -eq 1 ] || pattern='out/{dir}/{name}-{trackext}/{stem}.{ext}'
    case $command in
        ap-plot | ap-encode | ap-measure) ;;
        *) options+=(-t wav) ;;
    esac
    check goes_through $outputs "$command" "${options[@]}" --recursive library -o "$pattern"
done

measures() {
    fails 1 ap-measure -r library --json >report.json
    /usr/bin/python3 -c '
import json, sys
count = int(sys.argv[1])
files = json.load(open("report.json"))["files"]
failed = [f["file"] for f in files if "error" in f]
assert len(files) == count and count / 20 <= len(failed) <= count / 10, (len(files), len(failed))' "$files"
}
check measures

# ap-info and ap-tag look at each file, and tell which they cannot read.
looks_at_all() {
    local status=0
    "$@" --recursive library --json >report.json 2>stderr || status=$?
    [ "$status" -eq 1 ]
    /usr/bin/python3 -c '
import json, sys
count, told = int(sys.argv[1]), sum(1 for line in open("stderr", errors="replace") if "warning:" not in line)
files = [f for f in json.load(open("report.json"))["files"] if "error" not in f]
assert len(files) + told == count and count / 20 <= told <= count / 10, (len(files), told, count)' "$files"
}
check looks_at_all ap-info --quick
check looks_at_all ap-tag
finish
