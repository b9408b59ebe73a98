#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: from upload to output over HTTP, with curl.
. "$(dirname "$0")/serve-lib.sh"

upload_to_output() {
    fresh
    serve --run 2
    token alice
    file=$(upload tone.wav)
    [ "$(member 'files[0].sha256')" = "$(sha256sum <tone.wav | cut -d' ' -f1)" ]
    id=$(submit 8d "$file" '{"period":4,"format":"wav"}')
    [ "$(header location)" = "$url/v1/jobs/$id" ]
    until_true state_is 'done' "$id"
    answers 200 "/v1/jobs/$id/outputs"
    [ "$(member 'outputs[0].name')" = tone.8d.wav ]
    href=$(member 'outputs[0].href') sum=$(member 'outputs[0].sha256')
    answers 200 "$href"
    [ "$(sha256sum <body | cut -d' ' -f1)" = "$sum" ]
    [ "$(header etag)" = "\"$sum\"" ]
    ap-8d --period 4 tone.wav -o want.wav
    cmp body want.wav
    answers 200 "/v1/jobs/$id/report"
    grep -q 'tone.8d' answered
    answers 200 "/v1/jobs/$id/log"
    answers 200 "/v1/jobs/$id/peaks/tone.8d.wav"
    [ "$(member version)" = 2 ]
    answers 200 "/v1/jobs/$id/peaks/tone.wav?of=inputs"
    answers 200 "/v1/jobs/$id/picture/tone.8d.wav"
    grep -q '<svg' answered
    answers 204 -X DELETE "/v1/jobs/$id"
    answers 404 "/v1/jobs/$id"
    stop_serving
}
check upload_to_output

ranges() {
    fresh
    serve --run 1
    token alice
    id=$(submit copy "$(upload tone.wav)")
    until_true state_is 'done' "$id"
    answers 200 "/v1/jobs/$id/outputs"
    href=$(member 'outputs[0].href')
    answers 200 "$href"
    cp body whole
    etag=$(header etag)
    answers 206 -H 'Range: bytes=10-19' "$href"
    cmp body <(tail -c +11 whole | head -c 10)
    [ "$(header content-range)" = "bytes 10-19/$(stat -c %s whole)" ]
    answers 206 -H 'Range: bytes=-5' "$href"
    cmp body <(tail -c 5 whole)
    answers 416 -H 'Range: bytes=99999999-' "$href"
    [ "$(header content-range)" = "bytes */$(stat -c %s whole)" ]
    answers 304 -H "If-None-Match: $etag" "$href"
    answers 206 -H "If-Range: $etag" -H 'Range: bytes=0-0' "$href"
    answers 200 -H 'If-Range: "other"' -H 'Range: bytes=0-0' "$href"
    answers 200 "$href?download=1"
    header content-disposition | grep -q '^attachment; filename='
    answers 200 "/v1/jobs/$id/outputs.zip"
    cp body all.zip
    unzip -qo all.zip -d unzipped
    cmp unzipped/"$(basename "$href")" whole
    answers 206 -H 'Range: bytes=20-' "/v1/jobs/$id/outputs.zip"
    cmp body <(tail -c +21 all.zip)
    for path in "$href/../../manifest.json" "${href%/*}/%2e%2e%2fmanifest.json" "${href%/*}/..%2f..%2fmanifest.json" "${href%/*}/"; do
        answers 404 --path-as-is "$path"
    done
    stop_serving
}
check ranges

keys_make_one_job() {
    fresh
    serve --run 0
    token alice
    data="{\"recipe\":\"8d\",\"files\":[\"$(upload tone.wav)\"]}"
    answers 201 -H 'Idempotency-Key: one' -d "$data" /v1/jobs
    id=$(member id)
    answers 201 -H 'Idempotency-Key: one' -d "$data" /v1/jobs
    [ "$(member id)" = "$id" ]
    answers 422 -H 'Idempotency-Key: one' -d "${data/8d/podcast}" /v1/jobs
    answers 201 -d "$data" /v1/jobs
    in_place queue 2
    for _ in 1 2 3; do answers 201 -d "$data" /v1/jobs; done
    # five jobs, two at a time, newest first
    answers 200 '/v1/jobs?limit=2'
    seen=$(member 'jobs[0].id')$(member 'jobs[1].id') next=$(member next)
    answers 200 "/v1/jobs?limit=2&cursor=$next"
    seen=$seen$(member 'jobs[0].id')$(member 'jobs[1].id') next=$(member next)
    answers 200 "/v1/jobs?limit=2&cursor=$next"
    [ "$(member next)" = None ]
    seen=$seen$(member 'jobs[0].id')
    [ "$seen" = "$(find "$spool/queue" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -r | tr -d '\n')" ]
    stop_serving
}
check keys_make_one_job

events_tell() {
    fresh
    serve --run 1
    token alice
    curl -sN -H "$auth" "$url/v1/events" >events &
    id=$(submit 8d "$(upload tone.wav)")
    until_true grep -q "\"id\":\"$id\".*\"state\":\"done\"" events
    for state in queued running 'done'; do grep -q "^data: {\"id\":\"$id\".*\"state\":\"$state\"" events; done
    last=$(sed -n 's/^id: //p' events | tail -n 2 | head -n 1) # all but the last was seen
    curl -sN -m 1 -H "$auth" -H "Last-Event-ID: $last" "$url/v1/events" >again || true
    [ "$(grep -c '^event: job' again)" -eq 1 ]
    stop_serving # ends the stream
}
check events_tell

metrics_and_log() {
    fresh
    serve --run 1
    token alice
    id=$(submit copy "$(upload tone.wav)")
    until_true state_is 'done' "$id"
    answers 200 -H 'X-Request-ID: my-trace' /metrics
    [ "$(header x-request-id)" = my-trace ]
    until_true shows 'audiopipe_jobs{place="done"} 1' curl -s "$url/metrics"
    grep -q 'audiopipe_http_requests_total{route="POST /v1/jobs",code="201"} 1' answered
    if command -v promtool >/dev/null; then promtool check metrics <answered; fi
    grep -q '"request":"my-trace"' serve.log
    /usr/bin/python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <serve.log
    stop_serving
}
check metrics_and_log

# What is kept of a job that has ended is not shown when it has changed, nor to others.
ended_jobs_are_shown_as_they_are() {
    fresh
    serve --run 1
    token alice
    file=$(upload tone.wav)
    id=$(submit copy "$file")
    until_true state_is 'done' "$id"
    answers 200 "/v1/jobs/$id" && mv body first
    answers 200 "/v1/jobs/$id" && cmp body first
    [ "$(member attempt)" = 1 ]
    token bob
    answers 404 "/v1/jobs/$id"
    [ "$(member status)" = 404 ]
    ap-manifest set -m "$spool/done/$id" .owner=bob
    answers 200 "/v1/jobs/$id"
    [ "$(member owner)" = bob ]
    rm -r "$spool/done/$id"
    answers 404 "/v1/jobs/$id"
    stop_serving
}
check ended_jobs_are_shown_as_they_are

hooks_tell() {
    fresh
    mkdir -p hooks
    echo 'cp "$input" "$out/manifest.json"' >hooks/note.sh
    AUDIOPIPE_HOOKS=$work/hooks serve --run 1 --notify note
    token alice
    file=$(upload tone.wav)
    id=$(submit copy "$file")
    told() { answers 200 '/v1/jobs?recipe=note&state=done' && [ "$(member 'jobs[0].owner')" = alice ]; }
    until_true told
    answers 200 /v1/jobs # nobody asked for these
    [ "$(member 'jobs[0].id')" = "$id" ]
    [ "$(grep -o '"id"' answered | wc -l)" -eq 1 ]
    answers 201 -d "{\"recipe\":\"copy\",\"files\":[\"$file\"],\"notify\":[]}" /v1/jobs
    id=$(member id)
    until_true state_is 'done' "$id"
    [ "$(ap-manifest get -m "$spool/done/$id/manifest.json" .notify)" = '[]' ]
    stop_serving
}
check hooks_tell

stops_without_dropping() {
    fresh
    serve --run 1
    token alice
    head -c 3000000 /dev/zero >zeros
    curl -s --limit-rate 1M -o body -w '%{http_code}' -H "$auth" -F file=@zeros "$url/v1/files" >code &
    upload=$!
    until_true shows . find "$spool/.serve/files" -name '*.part' # it is under way
    kill -TERM "$server"
    wait "$upload"
    [ "$(cat code)" = 201 ]
    wait "$server"
}
check stops_without_dropping

finish
