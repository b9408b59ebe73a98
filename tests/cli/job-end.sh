#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: how jobs and runners are ended.
. "$(dirname "$0")/job-lib.sh"

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

# Ctrl-C ends the runner, its jobs, and the loop of a shell around it.
is_interrupted() {
    fresh
    printf '# nap: x\ntouch "$out/ready"\nsleep 1000\n' >recipes/nap.sh
    id=$(ap-job submit --recipe nap tone.wav)
    /usr/bin/python3 -c 'import signal, os; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execlp("ap-job", "ap-job", "run")' &
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

stops_in_time() {
    fresh
    for i in 1 2 3 4 5 6; do ap-job submit --recipe copy --set pause=1 "$(text "slow$i")" >/dev/null; done
    ap-job run --max-seconds 1.5
    [ "$(find "$spool/done" -mindepth 1 -maxdepth 1 | wc -l)" -le 2 ]
    [ "$(find "$spool/running" -mindepth 1 | wc -l)" -eq 0 ]
}
check stops_in_time

# In a container whose first process is ours, and which has its group from outside, recipes still end with what they started.
is_the_first_process() {
    unshare -r --pid --fork --mount-proc true 2>/dev/null || skip "there are no namespaces of processes here"
    fresh
    printf '# leaves: x\nsleep 1000 &\ncp "$input" "$out/copy"\n' >recipes/leaves.sh
    ap-job submit --recipe leaves tone.wav >/dev/null
    unshare -r --pid --fork --mount-proc ap-job run -q
    counts 0 0 1 0
}
check is_the_first_process

finish
