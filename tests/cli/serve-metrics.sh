#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: /metrics, and the alerts and the dashboard that read them.
. "$(dirname "$0")/serve-lib.sh"
deploy=$tests_folder/../scripts/package/prometheus
need_promtool() { command -v promtool >/dev/null || skip "promtool is missing (Debian's package prometheus)"; }

# A spool with a job that is done, one that has failed, and one of a stage whose name is odd.
figures() {
    fresh
    printf '# odd: x\nstage '\''a "b" \\c'\'' cp "$input" "$out/x.wav"\n' >recipes/odd.sh
    serve --run 1
    token alice
    file=$(upload tone.wav)
    for recipe in copy odd; do
        id=$(submit "$recipe" "$file")
        until_true state_is 'done' "$id"
    done
    id=$(submit copy "$file" '{"exit":1}')
    until_true state_is failed "$id"
    counted() { shows 'place="failed"} 1' curl -s "$url/metrics" && shows 'recipe="odd",state="done"} 1' curl -s "$url/metrics"; }
    until_true counted
    curl -s "$url/metrics" >figures
    for line in 'audiopipe_jobs{place="done"} 2' 'audiopipe_jobs{place="queue"} 0' 'audiopipe_oldest_queued_seconds 0.000' \
        'audiopipe_jobs_ended_total{recipe="copy",state="done"} 1' 'audiopipe_jobs_ended_total{recipe="copy",state="failed"} 1' \
        'audiopipe_stage_seconds_bucket{stage="a \"b\" \\c",le="+Inf"} 1' 'audiopipe_stage_seconds_count{stage="recipe"} 2'; do
        grep -qxF "$line" figures || { echo "not there: $line" && cat figures && return 1; }
    done
    answers 204 -X DELETE "/v1/jobs/$id"
    grep -qxF 'audiopipe_jobs{place="failed"} 0' <(curl -s "$url/metrics")
    stop_serving
}
check figures

what_waits() {
    fresh
    serve --run 0
    token alice
    file=$(upload tone.wav)
    first=$(submit copy "$file")
    sleep 1.1 # the times in IDs are of seconds
    second=$(submit copy "$file")
    waits() { curl -s "$url/metrics" | sed -n 's/^audiopipe_oldest_queued_seconds //p'; }
    before=$(waits)
    answers 202 -X POST "/v1/jobs/$first/cancel"
    after=$(waits)
    awk "BEGIN { exit !($before >= 1 && $after < $before) }" # the second is the oldest now
    answers 202 -X POST "/v1/jobs/$first/retry"
    awk "BEGIN { exit !($(waits) >= $before) }"
    answers 202 -X POST "/v1/jobs/$second/cancel"
    # who changes their mind is no failure, of which an alert tells
    cancels() { shows 'recipe="copy",state="cancelled"} 2' curl -s "$url/metrics"; }
    until_true cancels
    grep -qxF 'audiopipe_jobs_ended_total{recipe="copy",state="failed"} 0' <(curl -s "$url/metrics")
    grep -qxF 'audiopipe_jobs{place="queue"} 1' <(curl -s "$url/metrics")
    stop_serving
}
check what_waits

# Every metric that an alert or a panel asks for is one that is served.
names_are_ours() {
    grep -ohE '\baudiopipe_[a-z_]+' "$deploy"/*.rules.yml "$deploy"/*.json | sort -u >asked
    [ "$(wc -l <asked)" -gt 5 ]
    while read -r name; do
        grep -qE "^${name}[ {]" figures || { echo "there is no $name" && return 1; }
    done <asked
    /usr/bin/python3 -m json.tool "$deploy/audiopipe.dashboard.json" >/dev/null
}
check names_are_ours

promtool_agrees() {
    need_promtool
    promtool check metrics <figures
    promtool check rules "$deploy/audiopipe.rules.yml"
    promtool test rules "$deploy/audiopipe.test.yml"
}
check promtool_agrees

finish
