# SPDX-License-Identifier: GPL-3.0-or-later
# slurm-lib.sh - what the tests of ap-slurm share: a cluster of four nodes here, and a recipe that notes each run.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/job-lib.sh"
PATH=$PATH:/usr/sbin:/sbin
if ! have slurmctld slurmd sbatch munged; then
    echo "ok skipped: slurmctld, slurmd, slurm-client or munge is not installed"
    exit 0
fi
stop_cluster() { [ ! -e "$work/slurm/stop" ] || "$work/slurm/stop"; }
trap 'end_children; cd /; stop_cluster; rm -rf "$work"' EXIT
if ! "$tests_folder/data/start-slurm" "$work/slurm" "$(free_ports 7)" >start.log 2>&1; then
    echo "Slurm does not start here:"
    tail -n 20 start.log
    echo "ok skipped: Slurm does not start here"
    exit 0
fi
export SLURM_CONF=$work/slurm/slurm.conf
slurm_host() { "$tests_folder/data/start-slurm" "$work/slurm" "$@"; }
ap_slurm() { "$tests_folder/../scripts/ap-slurm" -q "$@"; }

# Each run is a line in runs: begun, ended.
cat >recipes/nap.sh <<'RECIPE'
# nap: sleeps
# input: text
# option: seconds=0 [0-9.]+ how long
echo "begun $track" >>"${AUDIOPIPE_SPOOL%/*}/runs"
sleep "$seconds"
cp "$input" "$out/$track.txt"
echo "ended $track" >>"${AUDIOPIPE_SPOOL%/*}/runs"
RECIPE

# naps COUNT SECONDS: so many jobs
naps() {
    local i
    for i in $(seq "$1"); do text "nap$i" >/dev/null; done
    for i in $(seq "$1"); do ap-job submit --recipe nap --set seconds="$2" "nap$i.txt"; done >ids
}
begin_anew() {
    scancel -u "$(id -un)" 2>/dev/null || true
    until_true no_tasks
    rm -rf "$spool" runs
    mkdir -p "$spool"
    ap-job run -q
}
no_tasks() { [ -z "$(squeue -h)" ]; }
tasks() { [ "$(squeue -h -r -t "$2" | wc -l)" -eq "$1" ]; }
# line_count WORD COUNT: so many runs have begun, or ended
line_count() { [ "$(grep -c "^$1" runs)" -eq "$2" ]; }
# within SECONDS COMMAND...: as until_true, for what Slurm takes its time for
within() {
    local end=$((SECONDS + $1))
    while [ $SECONDS -lt $end ]; do
        "${@:2}" >said 2>&1 && return
        sleep 0.3
    done
    echo "never: ${*:2}"
    cat said
    squeue -r
    sinfo
    tail -n 5 "$work"/slurm/log/*
    return 1
}
all_done() { in_place queue 0 && in_place running 0 && in_place failed 0; }
# Does what cron does until all jobs are done, at most SECONDS.
until_done() {
    local end=$((SECONDS + $1))
    until all_done; do
        [ $SECONDS -lt $end ] || { echo "not done" && squeue -r && sinfo && ap-job list && return 1; }
        ap_slurm "${@:2}" || [ $? -eq 75 ]
        sleep 1
    done
}
