#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: failures, retries, and how a job is ended.
. "$(dirname "$0")/job-lib.sh"

fails_and_retries() {
    fresh
    one=$(ap-job submit --recipe copy --set exit=3 "$(text one)")
    may_fail ap-job run
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
    may_fail ap-job run # not yet
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 1 ]
    ap-manifest set -m "$spool/queue/$id" .not_before:=0
    may_fail ap-job run
    until_true try_failed
    [ "$(error_of "$id")" = 'gave up after 3 attempts: as was asked for' ]
    unset AUDIOPIPE_ATTEMPTS
}
try_failed() { may_fail ap-job run && [ -d "$spool/failed/$id" ]; }
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
    may_fail ap-job run
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
    may_fail ap-job run
    ap-manifest get -m "$spool/done/$id" .outputs | sed -n 's/.*"path":.*"out\(.*\)".*/\1/p' | tr '\n' ' ' | tee found
    [ "$(cat found)" = '/a /b/2 /b/c/1 /z ' ] # the link is the file it points to
    # to work/, which goes, and to the folder as it is named now
    for target in '../work/file' '$PWD/../out/.file'; do
        printf '# link: x\necho a >file; cp file "$out/.file"\nln -s "%s" "$out/link"\n' "$target" >recipes/link.sh
        id=$(ap-job submit --force --recipe link tone.wav)
        may_fail ap-job run
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
    may_fail ap-job run --job-seconds 0.5
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
    may_fail ap-job run
    counts 0 0 1 0
    ! is_running "$(cat "$spool/done/$id/out/pid")" || false
    # one that writes on: not after its output was hashed
    printf '# busy: x\nwhile :; do echo more; done >"$out/text" &\nuntil [[ -s $out/text ]]; do :; done\n' >recipes/busy.sh
    id=$(ap-job submit --recipe busy tone.wav)
    may_fail ap-job run
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

finish
