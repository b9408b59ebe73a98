#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-slurm on a cluster of four nodes. What takes minutes is in slurm-faults.
. "$(dirname "$0")/slurm-lib.sh"

keeps_as_many_as_there_is_work() {
    begin_anew
    ap_slurm && no_tasks # nothing to do, nothing started
    naps 5 2
    ap_slurm --max 2 && tasks 2 all
    ap_slurm --max 2 && tasks 2 all
    ap_slurm --max 9
    [ "$(squeue -h -r | wc -l)" -le 9 ]
    until_done 60
    in_place "done" 5
    line_count begun 5
    within 20 no_tasks
}
check keeps_as_many_as_there_is_work

starts_arrays() {
    begin_anew
    naps 4 1
    scontrol update partitionname=main state=down
    ap_slurm --max 3 --array --jobs 2
    tasks 2 PENDING # of two jobs each
    ap_slurm --max 3 --array --jobs 2
    tasks 2 PENDING # they will take all
    [ "$(squeue -h | wc -l)" -eq 1 ]
    scontrol update partitionname=main state=up
    until_done 60
    line_count begun 4
    [ "$(find "$spool/.slurm" -name '*_*.log' | wc -l)" -eq 2 ]
}
check starts_arrays

# A node that does not see the spool gives its task back, and Slurm tries again.
gives_tasks_back() {
    begin_anew
    naps 1 0
    scontrol update partitionname=main state=down
    ap_slurm
    mv "$spool" away
    mkdir -p "$spool/.slurm" # where the log is
    scontrol update partitionname=main state=up
    within 30 sh -c 'squeue -h -o %i | head -n 1 | xargs scontrol show job | grep -q Restarts=[1-9]'
    rm -rf "$spool" && mv away "$spool"
    within 60 in_place "done" 1
}
check gives_tasks_back

# A worker of which a job has failed says so, and is not repeated: the job has failed, not the worker.
a_job_fails() {
    local task
    begin_anew
    printf '# breaks: x\n# input: text\nfalse\n' >recipes/breaks.sh
    text broken >/dev/null
    ap-job submit --recipe breaks broken.txt >id
    ap_slurm
    task=$(squeue -h -o %i)
    within 60 in_place failed 1
    within 30 sh -c "scontrol show job $task | grep -q 'JobState=FAILED.*NonZeroExitCode'"
    scontrol show job "$task" | grep 'Restarts=0.*ExitCode=1:0'
    within 20 no_tasks
}
check a_job_fails

takes_what_it_can() {
    begin_anew
    sed 's/nap: sleeps/big: sleeps/; s/^# input.*/&\n# needs: mem=8G gpu=1/' recipes/nap.sh >recipes/big.sh
    text big >/dev/null
    text small >/dev/null
    id_of_big=$(ap-job submit --recipe big big.txt)
    id_of_small=$(ap-job submit --recipe nap small.txt)
    [ "$(ap-job run --count)" -eq 2 ]
    [ "$(ap-job run --count --can 'mem=16G')" -eq 1 ]
    [ "$(ap-job run --count --can 'mem=8G gpu=1')" -eq 2 ]
    [ "$(ap-job run --count --recipe big,8d)" -eq 1 ]
    ap_slurm --can mem=4G --mem 100M
    within 60 in_place "done" 1
    within 30 no_tasks
    ap_slurm --can mem=4G
    no_tasks
    [ -d "$spool/done/$id_of_small" ] && [ -d "$spool/queue/$id_of_big" ]
    fails 2 ap-job run --can 'mem=lots'
    ap_slurm --recipe big
    within 60 in_place "done" 2
}
check takes_what_it_can

is_polite() {
    begin_anew
    naps 1 0
    sed 's/^SlurmctldPort=.*/SlurmctldPort=9/; s/^MessageTimeout=.*/MessageTimeout=2/' "$SLURM_CONF" >away.conf
    fails 75 env SLURM_CONF="$work/away.conf" "$tests_folder/../scripts/ap-slurm"
    [ "$(wc -l <stderr)" -eq 1 ]
    grep -q '^ap-slurm: Slurm does not answer now, nothing is started: ' stderr
    fails 1 ap_slurm --partition none
    grep -q "Slurm refuses that: Batch job submission failed: Invalid partition" stderr
    fails 75 env AUDIOPIPE_SPOOL=/nonexistent "$tests_folder/../scripts/ap-slurm"
    local option
    for option in --max=0 --max=x --time=soon --time=0 --jobs=0 --watch=x --nonsense; do fails 2 ap_slurm "$option"; done
    [ "$("$tests_folder/../scripts/ap-slurm" -n 2>&1)" = "ap-slurm: 1 waiting, 0 at work, 1 started (not really)" ]
    no_tasks
}
check is_polite

# our_processes NAME: of tasks of this cluster
our_processes() {
    local pid
    for pid in $(pgrep -x "$1"); do
        ! grep -qsz "^SLURM_CONF=$SLURM_CONF\$" "/proc/$pid/environ" || echo "$pid"
    done
}
# A little of what slurm-faults does at length: jobs and tasks are killed while they run.
survives_kills() {
    local jobs kills i victim
    jobs=$(length 200 12) kills=$(length 30 3)
    export AUDIOPIPE_ATTEMPTS=1000 # one job may be met often
    begin_anew
    naps "$jobs" "$(length 3 2)" # long enough to be met
    : >kills
    until [ "$(wc -l <kills)" -ge "$kills" ] || all_done; do
        ap_slurm --max 8
        sleep 0.3
        # a worker, an attempt in it, or the process that Slurm has for it
        victim=$(our_processes 'ap-job|ap-attempt|slurmstepd' | shuf -n 1)
        [ -z "$victim" ] || ! kill -9 "$victim" || echo "killed $victim" >>kills
    done
    until_done "$(length 600 100)" --max 8
    in_place "done" "$jobs"
    [ "$(sort -u runs | grep -c ^ended)" -eq "$jobs" ]
    [ "$(wc -l <kills)" -ge "$kills" ]
    while read -r i; do ap-manifest verify "$spool/done/$i"; done <ids
}
check survives_kills

finish
