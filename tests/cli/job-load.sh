#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: many jobs, and that none is lost when runners are killed. AP_LONG=1 does it all at full length.
. "$(dirname "$0")/job-lib.sh"

kills_at_random() {
    fresh
    /usr/bin/python3 "$tests_folder/cli/chaos.py" "$(length 300 12)" "$(length 200 15)"
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
    /usr/bin/python3 - "$jobs" <<'END'
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
