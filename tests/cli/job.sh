#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: from a file to outputs, and that no job is lost whatever happens. AP_LONG=1 does it all at full length.
. "$(dirname "$0")/lib.sh"

# length LONG SHORT: how much of it
length() { if [ "${AP_LONG:-}" ]; then echo "$1"; else echo "$2"; fi; }
export AUDIOPIPE_SPOOL=$work/spool AUDIOPIPE_BACKOFF=0.1 AUDIOPIPE_RECIPES=$tests_folder/data/recipes:$work/recipes
export spool=$AUDIOPIPE_SPOOL
mkdir recipes

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5

# Empties the spool.
fresh() { rm -rf "$spool"; }
# text N: a file of its own content
text() { echo "content of $1" >"$1.txt" && echo "$1.txt"; }
# in_place PLACE COUNT
in_place() { [ "$(find "$spool/$1" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -eq "$2" ]; }
# counts QUEUE RUNNING DONE FAILED
counts() {
    local got
    got=$(ap-job status | awk '/^(queue|running|done|failed) /{ printf "%s ", $2 }')
    [ "$got" = "$* " ] || { echo "jobs: $got" && return 1; }
}
is_running() { [ -e "/proc/$1/stat" ] && [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" != Z ]; }
# until_true COMMAND...: within 20 seconds
until_true() {
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.1
    done
    echo "never: $*"
    return 1
}
# run_jobs OPTION...: 1 says that a job failed
run_jobs() { ap-job run "$@" || [ $? -eq 1 ]; }
# shows PATTERN COMMAND...: the output of a command has it; read to its end, a pipe that is closed is an error
shows() { "${@:2}" >shown && grep -q -- "$1" shown; }
error_of() { ap-manifest get -m "$spool/failed/$1" .error; }

# ---- the way from file to output

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
    run_jobs
    out=$(ap-job outputs "$id")
    [ "$out" = "$spool/done/$id/out/tone.8d.flac" ]
    ap-8d --period 4 tone.wav -o expected.flac
    cmp "$out" expected.flac
    ap-manifest verify "$spool/done/$id"
    ap-job status "$id" --json | python3 -c '
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

lists_recipes() {
    ap-job recipes >list
    for recipe in "$tests_folder"/../scripts/recipes/*.sh; do
        grep -q "^$(basename "$recipe" .sh) " list
    done
    grep -q -- '--set period=10' list
    # what a recipe needs and is not here is said
    printf '# lacking: x\n# needs: no-such-tool cp\n' >recipes/lacking.sh
    shows 'missing here: no-such-tool' ap-job recipes
    ap-job doctor >doctor.txt 2>&1 || true
    grep -q 'recipe lacking needs what is not here: no-such-tool' doctor.txt
    rm recipes/lacking.sh
    # an option that could not be set is a mistake of the recipe
    for option in 'key' '1key=x [a-z] help' 'key-=x [a-z] help' '=x y z' 'key=x'; do
        printf '# bad: x\n# option: %s\n' "$option" >recipes/bad.sh
        fails 1 ap-job submit --recipe bad tone.wav
        grep -q "bad.sh', line 2: not an option" stderr
    done
    shows "bad.sh', line 2" ap-job recipes
    rm recipes/bad.sh
}
check lists_recipes

takes_folders() {
    fresh
    mkdir -p album && for i in 1 2 10; do cp tone.wav "album/$i.wav"; done
    touch album/.hidden
    printf '# many: x\n# input: many audio\ncat "${inputs[@]}" >"$out/all"\n' >recipes/many.sh
    id=$(ap-job submit --recipe many album)
    [ "$(cd "$spool/queue/$id/input" && printf '%s ' *)" = '0001-1.wav 0002-2.wav 0003-10.wav ' ]
    mkdir -p nothing && fails 1 ap-job submit --recipe many nothing
    fails 1 ap-job submit album # a recipe for one file
    rm recipes/many.sh
}
check takes_folders

# peak_below DBFS MIX-ARGUMENT...: of what ap-mix makes
peak_below() { ap-mix "${@:2}" -t wav --bits float -o mixed.wav && ap-measure --json mixed.wav | python3 -c '
import json, sys
peak = json.load(sys.stdin)["files"][0]["sample_peak_dbfs"]
assert peak is None or peak < float(sys.argv[1]), peak' "$1"; }

separates() {
    fresh
    sox -n -r 44100 -c 2 -b 16 song.wav synth 4 pluck 220 pluck 330 vol 0.5
    stems=$(ap-job submit --recipe stems --set lufs=-20 song.wav)
    karaoke=$(ap-job submit --recipe karaoke --set format=flac song.wav)
    ap-job run -j 2
    counts 0 0 2 0
    [ "$(ap-manifest get -m "$spool/done/$stems" .outputs | grep -o '"name":.*' | tr -d '",\t' | sort | tr '\n' ' ')" = \
        'name:bass name:drums name:main name:main_harmonic name:main_percussive name:other name:vocals ' ]
    # one gain for all: they add up as before
    cd "$spool/done/$stems/out"
    peak_below -60 --remove main.flac main_harmonic.flac main_percussive.flac
    peak_below -60 --remove main.flac vocals.flac drums.flac bass.flac other.flac
    cd "$spool/done/$karaoke/out"
    [ "$(printf '%s ' *)" = 'song.karaoke.flac song.vocals.flac ' ]
}
check separates

# lasts SECONDS ID: the one output of a job, a video, within two frames
lasts() {
    ffprobe -v error -select_streams v -show_entries stream=duration -of csv=p=0 "$(ap-job outputs "$2")" | tee length
    awk -v want="$1" '{ exit !($1 > want - 0.07 && $1 < want + 0.07) }' length
}

makes_videos() {
    fresh
    mkdir -p images
    for colour in red green blue; do
        ffmpeg -v error -y -f lavfi -i "color=$colour:size=64x48" -frames:v 1 "images/$colour.png"
    done
    rm -f images.zip && zip -q images.zip images/*.png
    options=(--recipe video --set size=128x96)
    folder=$(ap-job submit "${options[@]}" images tone.wav)
    archive=$(ap-job submit "${options[@]}" images.zip tone.wav)
    sound=$(ap-job submit "${options[@]}" tone.wav)
    silent=$(ap-job submit "${options[@]}" --set seconds=0.5 --set transition=cut images/*.png)
    ap-job run -j 2
    counts 0 0 4 0
    lasts 2 "$folder" && lasts 2 "$archive" && lasts 2 "$sound" && lasts 1.5 "$silent"
    [ "$(basename "$(ap-job outputs "$folder")")" = tone.mp4 ]
    ap-job report "$folder" film.html
    [ "$(grep -c '<video' film.html)" -eq 1 ]
    shows 'and 3 more' ap-job list
}
check makes_videos

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
    for i in 1 2 3 4 5 6; do ap-job submit tone.wav >>ids 2>/dev/null & done
    wait
    [ "$(sort -u ids | wc -l)" -eq 1 ]
    [ "$(wc -l <ids)" -eq 6 ]
    counts 1 0 0 0
}
check same_again

waits_and_follows() {
    fresh
    (sleep 1 && ap-job run) &
    ap-job submit --wait --recipe copy "$(text waited)"
    counts 0 0 1 0
    wait
    (sleep 1 && run_jobs) &
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

from_the_net() {
    fresh
    mkdir -p www && cp tone.wav 'www/a b.wav'
    python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >server.log 2>&1 &
    server=$!
    until_true grep -q 'port' server.log || { sleep 1 && cat server.log; }
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' server.log)
    id=$(ap-job submit "http://127.0.0.1:$port/a%20b.wav?x=1")
    [ "$(ap-manifest get -m "$spool/queue/$id" .input.bytes)" = "$(stat -c %s tone.wav)" ]
    fails 1 ap-job submit "http://127.0.0.1:$port/missing.wav"
    grep -q "^ap-job: cannot fetch 'http://127.0.0.1:$port/missing.wav': .*404" stderr
    kill "$server"
    fails 75 ap-job submit "http://127.0.0.1:$port/a%20b.wav" # a host may come back
    counts 1 0 0 0
    [ -z "$(ls -A "$spool/tmp")" ]
    fails 1 ap-job submit file:///etc/passwd
}
python3 -c 'import http.server' && check from_the_net

# ---- what is refused

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
    (for _ in $(seq 100000); do echo more; done >growing.txt) &
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

# ---- failures

fails_and_retries() {
    fresh
    one=$(ap-job submit --recipe copy --set exit=3 "$(text one)")
    run_jobs
    counts 0 0 0 1
    [ "$(error_of "$one")" = 'as was asked for' ]
    [ ! -e "$spool/failed/$one/work" ]
    fails 1 ap-job outputs "$one"
    [ -n "$(ap-job log "$one")" ]
    again=$(ap-job submit --recipe copy --set exit=3 "$(text one)") # a failed job does not stand in for a new one
    [ "$again" != "$one" ]
    ap-job cancel "$again"
    [ "$(error_of "$again")" = cancelled ]
    ap-job retry "$one"
    counts 1 0 0 1
    ap-job retry --all-failed
    counts 2 0 0 0
    fails 1 ap-job retry "$one"
    [ "$(ap-manifest get -m "$spool/queue/$one" .attempts)" = 0 ]
}
check fails_and_retries

tries_again_later() {
    fresh
    export AUDIOPIPE_ATTEMPTS=3
    id=$(ap-job submit --recipe copy --set exit=75 "$(text later)")
    AUDIOPIPE_BACKOFF=1000 ap-job run
    counts 1 0 0 0
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 1 ]
    run_jobs # not yet
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 1 ]
    ap-manifest set -m "$spool/queue/$id" .not_before:=0
    run_jobs
    until_true try_failed
    [ "$(error_of "$id")" = 'gave up after 3 attempts: as was asked for' ]
    unset AUDIOPIPE_ATTEMPTS
}
try_failed() { run_jobs && [ -d "$spool/failed/$id" ]; }
check tries_again_later

recipes_that_are_wrong() {
    fresh
    printf '# gone: x\ntrue\n' >recipes/gone.sh
    printf '# nothing: x\ntrue\n' >recipes/nothing.sh
    printf '# empty: x\n: >"$out/empty"\n' >recipes/empty.sh
    printf '# broken: x\nif (\n' >recipes/broken.sh
    printf '# cut: x\nhead -c 3000 "$input" >"$out/cut.wav"\n' >recipes/cut.sh
    printf '# pipe: x\nfalse | cat >"$out/made"\ntouch "$out/more"\n' >recipes/pipe.sh
    printf '# unset: x\ntouch "$out/$undefined"\n' >recipes/unset.sh
    for recipe in gone nothing empty broken cut pipe unset; do
        ids+=("$(ap-job submit --recipe "$recipe" tone.wav)")
    done
    rm recipes/gone.sh
    run_jobs
    counts 0 0 0 7
    shows "there is no recipe 'gone'" error_of "${ids[0]}"
    shows "made no output" error_of "${ids[1]}"
    shows "'out/empty' is empty" error_of "${ids[2]}"
    shows out/cut.wav error_of "${ids[4]}"
    rm recipes/*
}
check recipes_that_are_wrong

finds_outputs() {
    fresh
    printf '# tree: x\ncd "$out"\nmkdir -p b/c .d e\nfor f in z a b/2 b/c/1 .hidden .d/in; do echo "$f" >"$f"; done\nln -s z link\n' >recipes/tree.sh
    id=$(ap-job submit --recipe tree tone.wav)
    run_jobs
    ap-manifest get -m "$spool/done/$id" .outputs | sed -n 's/.*"path":.*"out\(.*\)".*/\1/p' | tr '\n' ' ' | tee found
    [ "$(cat found)" = '/a /b/2 /b/c/1 /z ' ] # the link is the file it points to
    # to work/, which goes, and to the folder as it is named now
    for target in '../work/file' '$PWD/../out/.file'; do
        printf '# link: x\necho a >file; cp file "$out/.file"\nln -s "%s" "$out/link"\n' "$target" >recipes/link.sh
        id=$(ap-job submit --force --recipe link tone.wav)
        run_jobs
        shows "'out/link' is a link that breaks" error_of "$id"
    done
    rm recipes/*
}
check finds_outputs

# A recipe that is told to end has its time to do so, and how it does says nothing about the job.
heeds_sigterm() {
    fresh
    printf '# tidy: x\ntrap "sleep 0.3; touch cleaned; exit 1" TERM\ntouch "$out/ready"\nsleep 1000\n' >recipes/tidy.sh
    sed -i "s|touch cleaned|touch $PWD/cleaned|" recipes/tidy.sh
    id=$(ap-job submit --recipe tidy tone.wav)
    ap-job run &
    until_true [ -e "$spool/running/$id/out/ready" ]
    kill -TERM $!
    wait
    [ -e cleaned ]
    counts 1 0 0 0
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 0 ]
    ap-job run &
    until_true [ -e "$spool/running/$id/out/ready" ]
    ap-job cancel "$id"
    wait
    [ "$(error_of "$id")" = cancelled ]
    rm recipes/*
}
check heeds_sigterm

ignores_sigterm() {
    fresh
    printf '# deaf: x\ntrap "" TERM INT HUP\necho $$ >"$out/pid"\nsleep 1000\n' >recipes/deaf.sh
    export AUDIOPIPE_GRACE=0.3
    id=$(ap-job submit --recipe deaf tone.wav)
    ap-job run &
    until_true [ -s "$spool/running/$id/out/pid" ]
    pid=$(cat "$spool/running/$id/out/pid")
    ap-job cancel "$id"
    wait
    [ "$(error_of "$id")" = cancelled ]
    ! is_running "$pid" || false
    # one that takes too long
    ap-job retry "$id"
    run_jobs --job-seconds 0.5
    [ "$(error_of "$id")" = 'took too long' ]
    # the end of the runner
    ap-job retry "$id"
    ap-job run &
    until_true [ -s "$spool/running/$id/out/pid" ]
    pid=$(cat "$spool/running/$id/out/pid")
    kill -TERM $!
    wait
    counts 1 0 0 0
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 0 ] # it was not the job's fault
    ! is_running "$pid" || false
    unset AUDIOPIPE_GRACE
    rm recipes/*
}
check ignores_sigterm

leaves_processes_behind() {
    fresh
    printf '# litter: x\nsleep 1000 &\necho $! >"$out/pid"\n' >recipes/litter.sh
    id=$(ap-job submit --recipe litter tone.wav)
    run_jobs
    counts 0 0 1 0
    ! is_running "$(cat "$spool/done/$id/out/pid")" || false
    # one that writes on: not after its output was hashed
    printf '# busy: x\nwhile :; do echo more; done >"$out/text" &\nuntil [[ -s $out/text ]]; do :; done\n' >recipes/busy.sh
    id=$(ap-job submit --recipe busy tone.wav)
    run_jobs
    ap-manifest verify "$spool/done/$id"
    rm recipes/*
}
check leaves_processes_behind

# Ctrl-C ends the runner, its jobs, and the loop of a shell around it.
is_interrupted() {
    fresh
    printf '# nap: x\ntouch "$out/ready"\nsleep 1000\n' >recipes/nap.sh
    id=$(ap-job submit --recipe nap tone.wav)
    python3 -c 'import signal, os; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execlp("ap-job", "ap-job", "run")' &
    until_true [ -e "$spool/running/$id/out/ready" ]
    kill -INT $!
    fails 130 wait $!
    counts 1 0 0 0
    ap-job cancel "$id"
    rm recipes/*
}
check is_interrupted

# A stage whose recorder was killed does not run for ever.
ends_killed_stages() {
    fresh
    printf '# killed: x\nstage nap sleep 1000\n' >recipes/killed.sh
    id=$(ap-job submit --recipe killed tone.wav)
    ap-job run &
    until_true grep -q '"nap"' "$spool/running/$id/manifest.json"
    kill -TERM $!
    wait
    counts 1 0 0 0
    [ "$(ap-manifest get -m "$spool/queue/$id" '.stages[0].state' '.stages[1].state' | tr '\n' ' ')" = 'failed failed ' ]
    ap-job cancel "$id"
    rm recipes/*
}
check ends_killed_stages

# Folders of recipes may be named from where one is.
finds_recipes_from_here() {
    fresh
    printf '# near: x\ncp "$input" "$out"\n' >recipes/near.sh
    AUDIOPIPE_RECIPES=recipes ap-job submit --recipe near tone.wav
    AUDIOPIPE_RECIPES=recipes ap-job run
    counts 0 0 1 0
    rm recipes/*
}
check finds_recipes_from_here

stops_in_time() {
    fresh
    for i in 1 2 3 4 5 6; do ap-job submit --recipe copy --set pause=1 "$(text "slow$i")" >/dev/null; done
    ap-job run --max-seconds 1.5
    [ "$(find "$spool/done" -mindepth 1 -maxdepth 1 | wc -l)" -le 2 ]
    [ "$(find "$spool/running" -mindepth 1 | wc -l)" -eq 0 ]
}
check stops_in_time

# ---- the clock

clock_jumps_back() {
    fresh
    # not with the sanitizers, which have to be loaded first
    gcc -shared -fPIC -O1 "$tests_folder/data/clock.c" -o clock.so
    back() { LD_PRELOAD=$work/clock.so CLOCK_OFFSET=-864000 "$@"; }
    id=$(ap-job submit --recipe copy --set exit=75 "$(text clock)")
    AUDIOPIPE_BACKOFF=3 ap-job run
    back ap-job run # ten days ago its pause would last ten days
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 2 ]
    other=$(back ap-job submit --recipe copy "$(text 'clock too')")
    run_jobs
    [ -d "$spool/done/$other" ]
    back ap-job clean --older-than=1s # from the future: not old
    [ -d "$spool/done/$other" ]
    ap-job clean --older-than=1h
    [ -d "$spool/done/$other" ]
}
[[ $AP_BUILD == *san* ]] || check clock_jumps_back

# ---- folders that are watched

watches_a_folder() {
    fresh
    rm -rf drop && mkdir drop
    cp tone.wav drop/there.wav
    cp tone.wav drop/.hidden.wav
    cp tone.wav drop/loading.wav.part
    echo words >drop/words.mp3
    ap-job watch-folder --settle=1 drop 2>watch.log &
    watcher=$!
    until_true in_place queue 1
    until_true [ -s drop/submitted/there.wav ]
    [ ! -e drop/there.wav ]
    until_true [ -s drop/refused/words.mp3.txt ]
    # one that is still being written is left alone, however slowly that goes
    sox -n -r 44100 -c 2 -b 16 big.wav synth 3 noise
    (head -c 100000 big.wav && sleep 3 && tail -c +100001 big.wav) >drop/slow.wav &
    # a rename is complete at once
    sox -n -r 44100 -c 2 -b 16 moved.wav synth 1 noise
    mv drop/loading.wav.part loading && mv moved.wav drop/moved.wav
    until_true in_place queue 2
    sleep 1.5
    in_place queue 2
    wait %?slow.wav 2>/dev/null || true
    until_true in_place queue 3
    until_true [ -e drop/submitted/slow.wav ]
    cmp drop/submitted/slow.wav big.wav
    [ -e drop/.hidden.wav ]
    # one watcher is enough
    fails 75 ap-job watch-folder drop
    ap-job watch-folder --once drop
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
}
check watches_a_folder

watches_once() {
    fresh
    rm -rf drop && mkdir drop
    printf 'x' >"drop/$(printf 'new\nline').txt"
    echo y >'drop/-y $(touch pwned).txt'
    ap-job watch-folder --recipe=copy --settle=0.2 --once drop 2>/dev/null
    in_place queue 2
    [ ! -e pwned ]
    [ "$(find drop -maxdepth 1 -type f | wc -l)" -eq 0 ]
    # a wrong option is nothing to blame the files for
    echo z >drop/z.txt
    fails 2 ap-job watch-folder --recipe=none --settle=0 --once drop
    [ -e drop/z.txt ]
    rm drop/z.txt
    # killed between the submission and the move: the same file is the same job
    cp 'drop/submitted/-y $(touch pwned).txt' drop/y.txt
    ap-job watch-folder --recipe=copy --settle=0.2 --once drop 2>/dev/null
    in_place queue 2
}
check watches_once

# ---- disks

# The disk is full at every step in turn: less and less room, from plenty to none.
fill_the_disk() {
    mkdir -p small
    for pages in $(seq 0 "${step:?}" 60); do
        mount -t tmpfs -o size=4m none small
        export AUDIOPIPE_SPOOL=$PWD/small/spool AUDIOPIPE_MIN_FREE=0
        spool=$AUDIOPIPE_SPOOL
        ap-job submit --recipe copy "$(text before)" >/dev/null # makes the folders
        used=$(df -P -B4096 small | awk 'NR == 2 { print $3 }')
        mount -o remount,size=$(((used + pages) * 4))k small
        status=0
        ap-job submit --recipe copy "$(text while)" >id 2>err || status=$?
        [ "$status" -eq 0 ] || [ "$status" -eq 75 ] || { cat err && false; }
        [ "$status" -eq 0 ] || [ -s err ]
        [ "$status" -eq 0 ] || [ ! -s id ]
        status=0
        ap-job run 2>err || status=$?
        [ "$status" -eq 0 ] || [ -s err ]
        # room again: everything that was promised is done
        mount -o remount,size=4m small
        for _ in $(seq 20); do
            run_jobs
            [ -n "$(ls "$spool/queue" "$spool/running")" ] || break
            sleep 0.1
        done
        counts 0 0 $((1 + $(wc -l <id))) 0
        for job in small/spool/done/*; do ap-manifest verify "$job"; done
        umount small
    done
}
disk_full_at_each_step() {
    step=$(length 1 12) in_namespace fill_the_disk
}
check disk_full_at_each_step

use_read_only_spool() {
    mkdir -p fixed
    mount -t tmpfs none fixed
    export AUDIOPIPE_SPOOL=$PWD/fixed/spool
    spool=$AUDIOPIPE_SPOOL
    id=$(ap-job submit --recipe copy "$(text fixed)")
    mount -o remount,ro fixed
    fails 1 ap-job submit --recipe copy "$(text 'fixed too')"
    grep -q 'Read-only file system' stderr
    fails 1 ap-job run
    grep -q 'Read-only file system' stderr
    fails 1 ap-job cancel "$id"
    fails 1 ap-job doctor
    grep -q 'cannot write to' stderr
    shows 'queue *1' ap-job status
    shows "$id" ap-job list
    mount -o remount,rw fixed
    run_jobs
    counts 0 0 1 0
}
read_only_spool() { in_namespace use_read_only_spool; }
check read_only_spool

# ---- looking after

cleans() {
    fresh
    for i in 1 2 3; do ap-job submit --recipe copy "$(text "c$i")" >/dev/null; done
    id=$(ap-job submit --recipe copy --set exit=1 "$(text c4)")
    run_jobs
    waiting=$(ap-job submit --recipe copy "$(text c5)")
    touch -d '-8 days' "$spool"/done/* "$spool/failed/$id"
    touch -d now "$spool/done/$(basename "$(find "$spool/done" -mindepth 1 -maxdepth 1 | head -1)")"
    mkdir -p "$spool/tmp/dead" && touch -d '-2 days' "$spool/tmp/dead"
    ap-job clean >cleaned
    [ "$(wc -l <cleaned)" -eq 3 ]
    counts 1 0 1 0
    [ -d "$spool/queue/$waiting" ]
    [ ! -e "$spool/tmp/dead" ]
    [ "$(find "$spool/.index" -type f | wc -l)" -eq 2 ]
    fails 2 ap-job clean --older-than=soon
}
check cleans

broken_jobs_do_not_stop_the_others() {
    fresh
    mkdir -p "$spool/queue" "$spool/running"
    mkdir "$spool/queue/20200101-000000-00000001"                                                    # no manifest
    mkdir "$spool/queue/20200101-000000-00000002" && echo '{' >"$spool/queue/20200101-000000-00000002/manifest.json"
    mkdir "$spool/running/20200101-000000-00000003" && : >"$spool/running/20200101-000000-00000003/manifest.json"
    touch "$spool/queue/a file" "$spool/queue/.hidden"
    ln -s /etc "$spool/queue/20200101-000000-00000004"
    ap-job submit --recipe copy "$(text good)" >/dev/null
    ap-job run 2>err || true
    in_place 'done' 1
    [ -d "$spool/failed/20200101-000000-00000002" ]
    ap-job list >/dev/null 2>&1 || true
    shows '^copy' ap-job stats
}
check broken_jobs_do_not_stop_the_others

# Who dies between the record's last change and the move leaves a job that has ended and is still in running/.
ended_before_the_move() {
    fresh
    printf '# dies: x\n: >"$out/made"\nap-manifest set -m .. .state=done .error=null\nkill -9 $PPID\nsleep 10\n' >recipes/dies.sh
    id=$(ap-job submit --recipe dies "$(text dies)")
    AUDIOPIPE_ATTEMPTS=1 run_jobs # the runner lives
    rm recipes/dies.sh
    [ -e "$spool/done/$id/out/made" ]
    [ "$(ap-manifest get -m "$spool/done/$id" .attempts)" = 1 ]
    mv "$spool/done/$id" "$spool/running/$id"
    run_jobs # it died, too
    [ -e "$spool/done/$id/out/made" ]
    [ "$(ap-manifest get -m "$spool/done/$id" .attempts)" = 1 ]
    counts 0 0 1 0
}
check ended_before_the_move

# ---- reliability

kills_at_random() {
    fresh
    python3 "$tests_folder/cli/chaos.py" "$(length 300 12)" "$(length 200 15)"
}
check kills_at_random

# Several runners, many jobs: each runs once, and little is spent besides the stages.
many_runners() {
    local runners jobs pids=()
    runners=$(length 8 4) jobs=$(length 500 40)
    fresh
    rm -rf small && mkdir small
    printf '# once: x\nstage copy cp "$input" "$out/copy"\necho "$track" >>"$ONCE"\n' >recipes/once.sh
    export ONCE=$work/once.log
    : >"$ONCE"
    for i in $(seq "$jobs"); do echo "$i" >"small/$i.txt"; done
    ap-job submit --recipe once small/*.txt >/dev/null
    started=$(date +%s%N)
    for _ in $(seq "$runners"); do
        ap-job run &
        pids+=($!)
    done
    wait "${pids[@]}"
    ended=$(date +%s%N)
    counts 0 0 "$jobs" 0
    [ "$(wc -l <"$ONCE")" -eq "$jobs" ]
    [ "$(sort -u "$ONCE" | wc -l)" -eq "$jobs" ]
    for job in "$spool"/done/*; do ap-manifest verify "$job"; done
    [ "$(ap-manifest list --format=json "$spool/done" | grep -c '"attempts":1,')" -eq "$jobs" ]
    echo "figure: $jobs jobs, $runners runners: $(((ended - started) / jobs / 1000000)) ms a job" >&3
}

# One runner alone: the CPU time of all its processes, less that of the stages.
overhead() {
    local jobs
    jobs=$(length 200 20)
    fresh
    rm -rf small && mkdir small
    for i in $(seq "$jobs"); do echo "$i" >"small/$i.txt"; done
    ap-job submit --recipe copy small/*.txt >/dev/null
    python3 - "$jobs" <<'END'
import json, os, resource, subprocess, sys, time
jobs = int(sys.argv[1])
wall = time.monotonic()
subprocess.run(["ap-job", "run"], check=True)
wall = time.monotonic() - wall
r = resource.getrusage(resource.RUSAGE_CHILDREN)
done = os.path.join(os.environ["AUDIOPIPE_SPOOL"], "done")
stages = stage_cpu = 0
for job in os.listdir(done):
    m = json.load(open(os.path.join(done, job, "manifest.json")))
    stages += m["stages"][1]["seconds"]
    stage_cpu += m["stages"][1]["cpu_user"] + m["stages"][1]["cpu_system"]
cpu = r.ru_utime + r.ru_stime
print(f"figure: overhead {1000 * (wall - stages) / jobs:.1f} ms a job, {1000 * (cpu - stage_cpu) / jobs:.1f} ms of CPU", file=open("figures", "a"))
END
}

ten_thousand_wait() {
    local jobs
    jobs=$(length 10000 300)
    fresh
    rm -rf small && mkdir small
    for i in $(seq "$jobs"); do echo "$i" >"small/$i.txt"; done
    started=$(date +%s%N)
    find small -name '*.txt' -print0 | xargs -0 ap-job submit --recipe copy >/dev/null
    submitted=$(date +%s%N)
    ap-job status >/dev/null
    looked=$(date +%s%N)
    ap-job list | wc -l | grep -qx $((jobs + 1))
    listed=$(date +%s%N)
    counts "$jobs" 0 0 0
    ap-job run --max-seconds 2
    [ "$(find "$spool/done" -mindepth 1 -maxdepth 1 | wc -l)" -ge 1 ] # it has begun, and in order
    first=$(find "$spool/done" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tail -1)
    next=$(find "$spool/queue" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | sed -n 1p) # reads it all
    [ -z "$next" ] || [[ $first < $next ]] || { echo "done $first before $next" && false; }
    done_in_2=$(find "$spool/done" -mindepth 1 -maxdepth 1 | wc -l)
    echo "figure: $jobs waiting: submit $(((submitted - started) / jobs / 1000)) us each, status $(((looked - submitted) / 1000000)) ms," \
        "list $(((listed - looked) / 1000000)) ms, $done_in_2 done in 2 s" >&3
}

exec 3>>"$work/figures"
check many_runners
check overhead
check ten_thousand_wait
cat "$work/figures" >&2

finish
