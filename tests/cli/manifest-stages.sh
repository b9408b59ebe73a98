#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-manifest exec: what it passes on, what it records of a stage, how a stage ends.
. "$(dirname "$0")/manifest-lib.sh"

passes_everything_through() {
    ap-manifest new
    head -c 3000000 /dev/urandom >bytes
    # shellcheck disable=SC2094
    ap-manifest exec --stage copy -- cat <bytes >copy
    cmp copy bytes
    [ "$(get '.stages[0].state')" = 'done' ]
    [ "$(get '.stages[0].command[0]')" = cat ]
    [ "$(get '.stages[0].exit_code')" = 0 ]
    # the command ends when its reader goes, and its reader when it does
    (set +o pipefail && ap-manifest exec --stage yes -- yes | head -1 | grep -q y)
    [ "$(get '.stages[1].signal')" = 13 ]
    echo three | ap-manifest exec --stage early -- true
}
check passes_everything_through

returns_the_exit_code() {
    rm -f manifest.json && ap-manifest new
    fails 7 ap-manifest exec --stage seven -- bash -c 'echo one >&2; echo two >&2; exit 7'
    [ "$(cat stderr)" = $'one\ntwo' ]
    [ "$(get '.stages[0].exit_code')" = 7 ]
    [ "$(get '.stages[0].state')" = failed ]
    [ "$(get '.stages[0].stderr[1]')" = two ]
    fails 137 ap-manifest exec --stage killed -- bash -c 'kill -9 $$'
    [ "$(get '.stages[1].signal')" = 9 ]
    [ "$(get '.stages[1].exit_code')" = 137 ]
    fails 127 ap-manifest exec --stage none -- no-such-command
    fails 126 ap-manifest exec --stage folder -- ./
    fails 2 ap-manifest exec --stage nothing
}
check returns_the_exit_code

keeps_the_last_lines() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage many -- bash -c 'for i in $(seq 1000); do echo "line $i" >&2; done; printf tail >&2' 2>err
    [ "$(wc -l <err)" -eq 1001 ]
    [ "$(get '.stages[0].stderr[-1]')" = tail ]
    [ "$(get '.stages[0].stderr[0]')" = 'line 982' ]
    ap-manifest exec --stage long -- bash -c 'head -c 100000 /dev/zero | tr "\0" x >&2' 2>err
    [ "$(tr -d '\n' <err | wc -c)" -eq 100000 ]
    ap-manifest exec --stage bytes -- bash -c 'printf "\xff\0\1\n" >&2' 2>err
    cmp err <(printf '\xff\0\1\n')
    ap-manifest get | /usr/bin/python3 -m json.tool >/dev/null
}
check keeps_the_last_lines

measures_time_and_memory() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage work -- /usr/bin/python3 -c 'x = bytearray(100 << 20)
import time
t = time.process_time()
while time.process_time() - t < 0.3: pass
time.sleep(0.2)'
    /usr/bin/python3 - <<'END'
import json
s = json.load(open("manifest.json"))["stages"][0]
assert 0.5 <= s["seconds"] < 30, s
assert 0.25 <= s["cpu_user"] + s["cpu_system"] < 2, s
assert 100 << 20 <= s["peak_memory"] < 160 << 20, s
END
}
check measures_time_and_memory

follows_progress() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage slow -- bash -c 'echo "{\"command\":\"x\",\"seconds\":1,\"progress\":0.25}" >&2
        echo "{\"other\":1}" >&2; sleep 2' 2>err &
    for _ in $(seq 50); do
        [ "$(get '.stages[0].progress' 2>/dev/null)" != 0.25 ] || break
        sleep 0.1
    done
    [ "$(get '.stages[0].progress')" = 0.25 ]
    wait $!
    [ "$(get '.stages[0].progress')" = 1 ]
    [ "$(cat err)" = '{"other":1}' ]
    # the filters show it without being asked
    sox -n -r 44100 -c 2 tone.wav synth 60 sine 440
    ap-manifest exec --stage limit -- ap-limit tone.wav 2>err | cat >/dev/null
    [ ! -s err ]
    ap-manifest exec --stage told -- bash -c 'ap-limit tone.wav | cat >/dev/null' 2>err
    [ ! -s err ]
}
check follows_progress

forwards_signals() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage trap -- bash -c 'trap "echo got >trapped; exit 5" TERM; touch ready; while :; do sleep 0.05; done' &
    while [ ! -e ready ]; do sleep 0.05; done
    kill -TERM $!
    fails 5 wait $!
    [ "$(cat trapped)" = got ]
    [ "$(get '.stages[0].exit_code')" = 5 ]
    # when it is killed itself the command dies with it
    rm -f ready
    ap-manifest exec --stage orphan -- bash -c 'echo $$ >ready; exec sleep 1000' &
    while [ ! -s ready ]; do sleep 0.05; done
    kill -9 $!
    wait $! 2>/dev/null || true
    for _ in $(seq 50); do is_running "$(cat ready)" || break; sleep 0.1; done
    ! is_running "$(cat ready)" || fails 1 true
}
check forwards_signals

ends_a_stubborn_group() {
    rm -f manifest.json ready && ap-manifest new
    ap-manifest exec --stage deaf --group --grace 0.3 -- bash -c 'trap "" TERM; sleep 1000 & echo $! >ready; wait' &
    while [ ! -s ready ]; do sleep 0.05; done
    kill -TERM $!
    fails 137 wait $!
    ! is_running "$(cat ready)" || fails 1 true
    [ "$(get '.stages[0].signal')" = 9 ]
    # what a command leaves behind ends with it, too
    ap-manifest exec --stage leaves --group -- bash -c 'sleep 1000 >/dev/null 2>&1 & echo $! >ready'
    ! is_running "$(cat ready)" || fails 1 true
}
check ends_a_stubborn_group

parallel_stages() {
    rm -f manifest.json && ap-manifest new
    for i in 1 2 3 4 5 6 7 8; do
        ap-manifest exec --stage "s$i" -- sleep "0.0$i" &
    done
    wait
    [ "$(ap-manifest get .stages | grep -c '"done"')" -eq 8 ]
}
check parallel_stages

unwritable_record() {
    fails 1 ap-manifest exec -m /nonexistent/manifest.json --stage x -- touch ran
    [ ! -e ran ]
}
check unwritable_record

# By a record that someone wrote by hand.
no_tools_in_record() {
    echo '{"version":1,"stages":[],"outputs":[]}' >bare.json
    ap-manifest exec -m bare.json --stage x -- ap-measure --version
    [ "$(ap-manifest get -m bare.json '.stages[0].state')" = 'done' ]
}
check no_tools_in_record

finish
