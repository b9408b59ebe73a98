#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: what it says of the ends of jobs, of their reasons, and of what is still to come.
. "$(dirname "$0")/job-lib.sh"

says_each_end() {
    fresh
    good=$(ap-job submit --recipe copy "$(text good)")
    bad=$(ap-job submit --recipe copy --set exit=3 "$(text bad)")
    later=$(ap-job submit --recipe copy --set exit=75 "$(text later)")
    AUDIOPIPE_BACKOFF=1000 fails 1 ap-job run
    [ "$(wc -l <stderr)" -eq 3 ]
    grep -q "^ap-job: $good done: copy, good.txt, " stderr
    grep -q "^ap-job: $bad failed: copy, bad.txt: as was asked for$" stderr
    grep -q "^ap-job: $later to be tried again at ..:..:..: copy, later.txt: as was asked for$" stderr
    ap-job retry "$bad"
    ap-job submit --recipe copy "$(text 'good too')"
    fails 1 ap-job run -q
    [ "$(cat stderr)" = "ap-job: $bad failed: copy, bad.txt: as was asked for" ]
    # when it will be tried again
    ap-job list >listed
    grep -q "later.txt (as was asked for), next try at \(20..-..-.. \)\?..:..:..$" listed # tomorrow with its date
    ap-job list --tsv >table
    [ "$(head -1 table | cut -f 12)" = next_try ]
    awk -F '\t' -v id="$later" '$1 == id && $12 ~ /^20..-..-..T/ { found = 1 } END { exit !found }' table
    ap-job report "$later" report.html
    grep -q 'Next try: 20..-..-.. ..:..:.. UTC' report.html
    # the doctor does not call that fine
    ap-job doctor >said 2>stderr
    grep -q "failed: $bad: as was asked for" stderr
    ! grep -q 'everything is fine' said || false
}
check says_each_end

# Whatever the last words were: the reason is what went wrong first.
says_the_reason() {
    fresh
    printf '# hint: x\nstage limit ap-limit --nonsense "$input"\n' >recipes/hint.sh
    printf '# piped: x\nstage first bash -c "echo the true reason >&2; exit 1" | stage second bash -c "cat; sleep 1.5; echo input too short >&2; exit 1" >"$out/x"\n' >recipes/piped.sh
    printf '# full: x\nstage first bash -c "echo no room >&2; exit 75" | stage second bash -c "cat; sleep 1.5; echo input too short >&2; exit 1" >"$out/x"\n' >recipes/full.sh
    hint=$(ap-job submit --recipe hint tone.wav)
    piped=$(ap-job submit --recipe piped tone.wav)
    full=$(ap-job submit --recipe full tone.wav)
    AUDIOPIPE_BACKOFF=1000 fails 1 ap-job run
    [ "$(error_of "$hint")" = "ap-limit: unknown option '--nonsense'" ]
    [ "$(error_of "$piped")" = 'the true reason' ]
    [ "$(ap-manifest get -m "$spool/queue/$full" .error)" = 'no room' ] # 75: another try
    fails 1 ap-job outputs "$piped"
    grep -q 'the true reason' stderr
    shows 'the true reason' ap-job list
    ap-job report "$piped" report.html && grep -q 'the true reason' report.html
    rm recipes/*
}
check says_the_reason

says_that_nobody_runs() {
    fresh
    ap-job submit --wait --recipe copy "$(text waiting)" >id 2>said &
    until_true grep -q 'waits, but no runner is at work' said
    ap-job run
    wait $!
    ap-job run --watch &
    runner=$!
    until_true [ -e "$spool/.runner.$(id -u)" ]
    ap-job submit --wait --recipe copy "$(text 'waiting too')" 2>said
    [ ! -s said ]
    kill "$runner"
    wait "$runner" || true
}
check says_that_nobody_runs

# Stages that follow each other are shares of the whole, and a pause is no step back.
never_runs_backwards() {
    fresh
    local step='bash -c "for p in 0.5 1 0.2; do echo {\\\\\"progress\\\\\":\$p} >&2; sleep 0.7; done"'
    printf '# steps: x\nstage a %s\nstage b %s\n: >work; cp "$input" "$out"\n' "$step" "$step" >recipes/steps.sh
    id=$(ap-job submit --recipe steps tone.wav)
    ap-job run 2>/dev/null &
    for _ in $(seq 200); do
        ap-job status "$id" --json 2>/dev/null >>seen || true
        ! tail -1 seen | grep -q '"state":"done"' || break
        sleep 0.1
    done
    wait
    /usr/bin/python3 - <<'END'
import json
seen = [json.loads(line) for line in open("seen")]
p = [m.get("progress", 0) for m in seen if m["state"] != "queued"]
assert p == sorted(p), p
assert any(0 < x < 0.6 for x in p), p
END
    rm recipes/*
}
check never_runs_backwards

shows_progress_on_a_terminal() {
    fresh
    ap-job submit --recipe copy --set pause=2.5 "$(text slow)"
    TERM=xterm script -qec 'ap-job run' typescript >/dev/null
    grep -q 'slow.txt [0-9]* %' typescript
    ap-job submit --recipe copy --set pause=2.5 "$(text 'slow too')"
    TERM=dumb script -qec 'ap-job run' typescript >/dev/null
    ! grep -q 'txt [0-9]* %' typescript || false
}
check shows_progress_on_a_terminal

finish
