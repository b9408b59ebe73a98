#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: the spool: clocks, disks, what is broken or old.
. "$(dirname "$0")/job-lib.sh"

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
    may_fail ap-job run
    [ -d "$spool/done/$other" ]
    back ap-job clean --older-than=1s # from the future: not old
    [ -d "$spool/done/$other" ]
    ap-job clean --older-than=1h
    [ -d "$spool/done/$other" ]
}
[[ $AP_BUILD == *san* ]] || check clock_jumps_back

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
            may_fail ap-job run
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
    may_fail ap-job run
    counts 0 0 1 0
}
read_only_spool() { in_namespace use_read_only_spool; }
check read_only_spool

cleans() {
    fresh
    for i in 1 2 3; do ap-job submit --recipe copy "$(text "c$i")" >/dev/null; done
    id=$(ap-job submit --recipe copy --set exit=1 "$(text c4)")
    may_fail ap-job run
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
    AUDIOPIPE_ATTEMPTS=1 may_fail ap-job run # the runner lives
    rm recipes/dies.sh
    [ -e "$spool/done/$id/out/made" ]
    [ "$(ap-manifest get -m "$spool/done/$id" .attempts)" = 1 ]
    mv "$spool/done/$id" "$spool/running/$id"
    may_fail ap-job run # it died, too
    [ -e "$spool/done/$id/out/made" ]
    [ "$(ap-manifest get -m "$spool/done/$id" .attempts)" = 1 ]
    counts 0 0 1 0
}
check ended_before_the_move

finish
