#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: what is refused, and names that mean harm.
. "$(dirname "$0")/job-lib.sh"

refuses() {
    fresh
    : >empty.wav
    echo "just words" >words.mp3
    head -c 2000 /dev/urandom | tr '\0' x >noise.bin
    head -c 3000 tone.wav >cut.wav
    mkfifo pipe.wav
    mkdir -p folder.wav
    for file in empty.wav words.mp3 noise.bin cut.wav pipe.wav folder.wav missing.wav /dev/zero; do
        fails 1 timeout 10 ap-job submit "$file"
        grep -q "'.*$(basename "$file")'" stderr
        [ "$(wc -l <stderr)" -eq 1 ]
    done
    # also for a recipe that takes anything
    fails 1 ap-job submit --recipe copy empty.wav
    grep -q "'empty.wav' is empty" stderr
    ap-job submit tone.wav words.mp3 >ids 2>/dev/null && false
    [ "$(wc -l <ids)" -eq 1 ] # the good one is in
    AUDIOPIPE_MAX_SIZE=0.1 fails 1 ap-job submit --force tone.wav
    AUDIOPIPE_MAX_DURATION=1.5 fails 1 ap-job submit --force tone.wav
    AUDIOPIPE_MIN_FREE=900000000 fails 75 ap-job submit --force tone.wav
    counts 1 0 0 0
    [ -z "$(ls -A "$spool/tmp")" ]
    # what it would not look at
    id=$(cat ids)
    for verb in cancel log outputs status; do fails 2 ap-job "$verb" "$id" more; done
    fails 2 ap-job report "$id" file more
    fails 2 ap-job watch-folder --once one two
    fails 2 ap-job doctor more
    counts 1 0 0 0
}
check refuses

# The writer may not be given the processor while a file is read: then it is tried again.
refused_while_written() {
    for _ in $(seq 100); do
        id=$(ap-job submit --force --recipe copy growing.txt 2>stderr) || return "$?"
        ap-job cancel "$id"
    done
}
still_being_written() {
    fresh
    (while echo more; do :; done >growing.txt) &
    writer=$!
    trap 'kill $writer 2>/dev/null || true' EXIT
    until_true [ -s growing.txt ]
    fails 75 refused_while_written
    grep -q "'growing.txt' is still being written" stderr
    [ -z "$(ls -A "$spool/tmp")" ]
    kill "$writer"
    wait "$writer" 2>/dev/null || true
    id=$(ap-job submit --recipe copy growing.txt)
    cmp growing.txt "$spool/queue/$id/input/growing.txt"
}
check still_being_written

hostile_names() {
    fresh
    local long_name n=0
    long_name=$(printf 'x%.0s' {1..251}).wav # 255 bytes
    names=('a b.wav' $'new\nline.wav' '$(touch pwned).wav' '`touch pwned`.wav' '-o pwned.wav' '--help' '..wav' '...'
        "it's \"quoted\".wav" $'latin\xe9.wav' '; touch pwned #.wav' '*.wav' '%s%n.wav' '\back.wav' "$long_name" $'\e[31mred.wav'
        'ünïcode ♫.wav' '&&touch pwned' '|touch pwned' $'tab\t.wav' '<b>.wav')
    for name in "${names[@]}"; do
        sox -n -r 8000 -c 1 -b 16 -t wav - synth 0.0$((++n + 10)) noise >"./$name"
    done
    ap-job submit --set format=wav -- "${names[@]}" >ids
    [ "$(wc -l <ids)" -eq ${#names[@]} ]
    ap-job run -j 2
    counts 0 0 ${#names[@]} 0
    n=0
    while read -r id; do
        out=$(ap-job outputs "$id")
        [ -s "$out" ]
        [[ $out == "$spool/done/$id/out/"* ]]
        [[ ${out##*/} != [-.]* ]]
        ap-manifest get -m "$spool/done/$id" .input.name >name
        printf '%s\n' "${names[n]}" >expected
        case ${names[n]} in
            latin*) grep -q 'latiné' name ;;
            *) cmp name expected ;;
        esac
        n=$((n + 1))
    done <ids
    [ "$(ap-job list | wc -l)" -eq $((${#names[@]} + 1)) ]
    [ "$(ap-job list | grep -c $'\e')" -eq 0 ]
    [ -z "$(find . -name 'pwned*' -not -name '-o*')" ]
    rm -f -- "${names[@]}"
    # the name of an upload is what its sender says
    id=$(AUDIOPIPE_RECIPES=$tests_folder/../scripts/recipes ap-job submit --name ../../../evil.wav tone.wav)
    [ "$(ap-manifest get -m "$spool/queue/$id" .input.path)" = input/evil.wav ]
    fails 75 ap-job submit http://127.0.0.1:1/..
}
check hostile_names

finish
