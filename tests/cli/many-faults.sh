#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Many inputs: what is refused, what fails while others do not, interruptions.
. "$(dirname "$0")/many-lib.sh"
bad_inputs

refused_before_any_work() {
    cp tone.wav one.wav
    fails 2 ap-limit tone.wav one.wav music/A/one.wav -o r/
    grep -q "^ap-limit: 'one.wav' and 'music/A/one.wav' would both become 'r/one.wav'$" stderr
    fails 2 ap-limit tone.wav music/A/one.wav 'music/B side/one.flac' -t wav -o r/
    fails 2 ap-limit tone.wav tone.wav -o r/
    [ ! -e r ]
    fails 2 ap-limit -r music -o music/
    grep -q "would replace the input 'music/A/deep/zwei" stderr
    # another one's input, also under another name
    ln -s tone.wav tone.loud.wav
    fails 2 ap-limit tone.loud.wav one.wav -o '{name}.wav'
    fails 2 ap-limit --force one.wav tone.loud.wav tone.wav -o '{name}.{ext}'
    cp one.wav two.wav
    fails 2 ap-limit --force one.wav one.loud.wav -o 'one.loud.{ext}'
    rm tone.loud.wav
    fails 2 ap-limit one.wav two.wav -o three.wav
    grep -q "several inputs, and 'three.wav' is no folder" stderr
    fails 2 ap-limit one.wav two.wav
    grep -q "several inputs: name a folder, -o DIR/" stderr
    fails 2 ap-limit music -o r/
    grep -q "'music' is a folder: --recursive goes into it" stderr
    fails 2 ap-limit - one.wav -o r/ <tone.wav
    mkdir -p empty
    fails 1 ap-limit -r empty -o r/
    grep -q "no audio files" stderr
    cmp one.wav tone.wav
    [ ! -e r ]
    # its own input, if that is asked for
    ap-limit --force --gain -6 one.wav two.wav -o '{path}/{name}.{ext}'
    ! cmp -s one.wav tone.wav
}
check refused_before_any_work

failures_are_told_at_the_end() {
    fails 1 ap-limit -r bad -o done/ -j 3
    [ "$(files 'done' | wc -l)" -eq 9 ]
    [ ! -e done/sub ]
    grep -q "^ap-limit: 'bad/cut.wav' is truncated" stderr || cat stderr
    grep -q "^ap-limit: 'bad/empty.flac' is empty" stderr
    grep -q "^ap-limit: 'bad/sub/no.mp3' " stderr
    grep -q "^ap-limit: cannot open 'bad/gone.wav'" stderr
    [ "$(tail -n 1 stderr)" = "ap-limit: 4 of 13 files failed" ]
    rm -r 'done'
    fails 1 ap-limit -r bad -o done/ -j 1 --fail-fast
    [ ! -e 'done' ]
    grep -q "fail-fast" stderr
    [ ! -e done/z ]
}
check failures_are_told_at_the_end

failures_name_their_file() {
    local name
    for name in a s; do
        sox -n -r 44100 -c 3 "$name.wav" synth 0.1 sine 440
        mv "$name.wav" "$name"
    done
    fails 1 ap-limit a s -t mp3 -o named/
    grep "^ap-limit: 'a': .*channels" stderr
    grep "^ap-limit: 's': .*channels" stderr
    rm a s
}
check failures_name_their_file

unreadable_folders() {
    mkdir -p locked/in locked/out
    cp tone.wav locked/
    chmod 777 locked/out
    chmod 0 locked/in
    fails 1 as_nobody ap-limit -r locked -o locked/out/
    grep -q "cannot open the folder 'locked/in': Permission denied" stderr
    [ -s locked/out/tone.wav ]
}
check unreadable_folders

progress() {
    ap-limit -r bad -o progress/ --progress=json 2>lines || true
    /usr/bin/python3 - <<'END'
import json
lines = [json.loads(line) for line in open("lines") if line.startswith("{")]
assert lines[-1]["files"] == lines[-1]["of"] == 13, lines[-1]
assert lines[-1]["failed"] == 4 and lines[-1]["progress"] == 1
assert abs(lines[-1]["seconds"] - 9 * 0.5) < 0.1, lines[-1]
END
}
check progress

# A worker that dies takes one file with it. It waits for the writer of a FIFO when it is killed.
workers_may_die() {
    local pid worker status=0
    mkdir -p die
    cp tone.wav die/b.wav
    cp tone.wav die/c.wav
    mkfifo die/a.wav
    ap-limit -j 1 die/a.wav die/b.wav die/c.wav -o lives/ 2>stderr &
    pid=$!
    until worker=$(pgrep -P "$pid") && [ -d lives ]; do sleep 0.05; done
    kill -KILL "$worker"
    wait "$pid" || status=$?
    [ "$status" -eq 1 ]
    grep -q "'die/a.wav' has killed its process: Killed" stderr
    [ -s lives/b.wav ]
    [ -s lives/c.wav ]
}
check workers_may_die

interruption_leaves_nothing_half() {
    local signal status=0
    mkdir -p big
    for i in 1 2 3 4; do mkfifo "big/$i.wav"; done
    for signal in INT TERM; do
        (exec env --default-signal=INT ap-limit -j 2 big/*.wav tone.wav -o "cut-$signal/") &
        local pid=$!
        until [ -d "cut-$signal" ] && [ "$(pgrep -P "$pid" | wc -l)" -eq 2 ]; do sleep 0.05; done
        pgrep -P "$pid" >workers
        kill -"$signal" "$pid"
        status=0
        wait "$pid" || status=$?
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        while read -r worker; do
            if kill -0 "$worker" 2>/dev/null; then return 1; fi
        done <workers
        [ ! -e "cut-$signal" ] || [ "$(find "cut-$signal" -type f | wc -l)" -eq 0 ]
    done
}
check interruption_leaves_nothing_half

finish
