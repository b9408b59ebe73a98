#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-slurm when nodes, their daemons and the controller die. Slurm notices such things after a minute or so: make check-long.
if [ -z "${AP_LONG:-}" ]; then
    echo "ok skipped: these take ten minutes; AP_LONG=1 makes them"
    exit 0
fi
. "$(dirname "$0")/slurm-lib.sh"

# once COUNT: so many jobs are done, and each was begun once
once() {
    in_place "done" "$1"
    line_count begun "$1"
    line_count ended "$1"
}
node_of() { squeue -h -r -t RUNNING -o %N | head -n 1; }
wake_nodes() { scontrol update nodename="n[1-4]" state=resume 2>/dev/null || true; }
pid_of() { cat "$work/slurm/run/slurmd-$1.pid"; }

# Slurm gives the task to another node while the first copy runs on: the lock decides.
a_node_daemon_dies() {
    begin_anew
    naps 1 45
    ap_slurm
    within 20 test -s runs
    node=$(node_of)
    kill -9 "$(pid_of "$node")"
    within 60 sh -c 'scontrol show job | grep -q Restarts=1'
    within 60 in_place "done" 1
    once 1
    [ "$(ap-manifest get -m "$spool/done/$(cat ids)" .attempts)" = 1 ]
    slurm_host node "$node"
    within 60 no_tasks
}
check a_node_daemon_dies

# A node with everything on it: the job is free at once, and the next worker has it.
a_node_dies() {
    begin_anew
    naps 2 3
    ap_slurm --max 2
    within 20 test -s runs
    node=$(node_of)
    kill -9 "$(pid_of "$node")"
    for victim in $(pgrep -f "slurmstepd|ap-job run .*--max-seconds"); do
        ! grep -qz "^SLURMD_NODENAME=$node\$" "/proc/$victim/environ" || kill -9 "$victim"
    done
    until_done 120 --max 2
    in_place "done" 2
    slurm_host node "$node"
    within 90 no_tasks
}
check a_node_dies

the_controller_dies_late() {
    begin_anew
    naps 6 12
    ap_slurm --max 6
    within 20 sh -c '[ "$(grep -c begun runs)" -eq 6 ]'
    sleep 7 # longer than the controller takes to save what it knows
    kill -9 "$(cat "$work/slurm/run/slurmctld.pid")"
    text late >/dev/null && ap-job submit --recipe nap late.txt
    fails 75 ap_slurm
    slurm_host controller
    until_done 60 --max 6
    once 7
    within 60 no_tasks
}
check the_controller_dies_late

# What the controller had not saved it starts anew, refuses, and holds; the work runs on all the same.
the_controller_dies_early() {
    begin_anew
    naps 4 8
    ap_slurm --max 4
    within 10 test -s runs
    kill -9 "$(cat "$work/slurm/run/slurmctld.pid")"
    slurm_host controller
    for _ in $(seq 60); do
        ap_slurm --max 4 || true
        wake_nodes
        all_done && break
        sleep 2
    done
    all_done
    in_place "done" 4
    [ "$(sort -u runs | grep -c ^ended)" -eq 4 ]
    echo "runs: $(grep -c ^begun runs)"
    scancel -u "$(id -un)" || true
    within 60 no_tasks
}
check the_controller_dies_early

# TERM comes before the limit: the job is back in the queue as if it had not been tried.
the_limit_comes() {
    begin_anew
    naps 1 300
    ap_slurm --time 1
    within 20 test -s runs
    within 90 in_place queue 1
    [ "$(ap-manifest get -m "$spool/queue/$(cat ids)" .attempts)" = 0 ]
    within 60 no_tasks
    in_place failed 0
}
check the_limit_comes

# scontrol requeue: TERM to all, and the job is free for whoever comes.
a_task_is_requeued() {
    begin_anew
    naps 1 5
    ap_slurm
    within 20 test -s runs
    scontrol requeue "$(squeue -h -o %i | head -n 1)"
    within 15 in_place queue 1
    [ "$(ap-manifest get -m "$spool/queue/$(cat ids)" .attempts)" = 0 ]
    within 60 in_place "done" 1
}
check a_task_is_requeued

no_nodes() { ! kill -0 "$(pid_of c1)" && ! kill -0 "$(pid_of c2)"; }
nodes_come_from_zero() {
    begin_anew
    naps 4 2
    ap_slurm --partition cloud --max 4
    within 150 in_place "done" 4
    once 4
    grep -q resume "$work/slurm/log/power"
    within 90 grep -q suspend "$work/slurm/log/power"
    within 30 no_nodes
}
check nodes_come_from_zero

finish
