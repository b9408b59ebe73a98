#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve with an object store beside it: what is sent and fetched goes there, and what happens there is told.
. "$(dirname "$0")/serve-lib.sh"
# shellcheck source=tests/data/store.sh
. "$tests_folder/data/store.sh"

cat >recipes/two.sh <<'RECIPE'
# two: a file in a folder
# input: audio
mkdir "$out/more"
cp "$input" "$out/more/$track é.wav"
RECIPE
sox tone.wav short.wav trim 0 0.2
oracle "s.create_bucket(Bucket='mine')"
serve --run 1 --store s3://mine/app
token alice

# announce NAME BYTES: sets id and put
announce() {
    answers 201 -d "{\"name\":\"$1\",\"size\":$2}" /v1/uploads
    id=$(member id) put=$(member url)
}

sends_and_fetches_there() {
    local job link
    [ "$(answers 200 /v1/config && member store)" = True ]
    announce 'my song.wav' "$(stat -c %s short.wav)"
    [[ $put == $AWS_ENDPOINT_URL_S3/mine/app/uploads/* ]]
    answers 409 -X POST "/v1/uploads/$id/complete" # nothing is there yet
    curl -fsS -T short.wav "$put"
    answers 200 -X POST "/v1/uploads/$id/complete"
    [ "$(member sha256)" = "$(sha256sum <short.wav | cut -d ' ' -f 1)" ]
    answers 200 -X POST "/v1/uploads/$id/complete" # and again
    [ -z "$(ap-s3 ls s3://mine/app/uploads/)" ]
    job=$(submit two "$id")
    until_true state_is "done" "$job"
    [ "$(ap-s3 ls "s3://mine/app/jobs/$job/" | wc -l)" -eq 2 ]
    answers 200 "/v1/jobs/$job/link/more/my%20song%20%C3%A9.wav"
    link=$(member url)
    [[ $link == $AWS_ENDPOINT_URL_S3/mine/app/jobs/$job/more/* ]]
    curl -fsS -D link.headers -o there.wav "$link"
    cmp there.wav short.wav
    grep -qi "^content-disposition: attachment" link.headers
    answers 404 "/v1/jobs/$job/link/none.wav"
    # what the store has no longer comes from here
    oracle "s.delete_object(Bucket='mine', Key='app/jobs/$job/more/my song é.wav')"
    answers 200 "/v1/jobs/$job/link/more/my%20song%20%C3%A9.wav"
    link=$(member url)
    [[ $link == $url/* ]]
    curl -fsS -o there.wav "$link" && cmp there.wav short.wav
    auth='Authorization: Bearer wrong' answers 401 "/v1/jobs/$job/link/more/x"
}
check sends_and_fetches_there

# The size is signed, and what is another's does not exist.
keeps_to_what_was_announced() {
    announce a.wav 100
    if curl -fsS -T short.wav "$put" 2>/dev/null; then return 1; fi
    answers 409 -X POST "/v1/uploads/$id/complete"
    oracle "s.upload_file('short.wav', 'mine', 'app/uploads/$id')" # past the signature
    answers 422 -X POST "/v1/uploads/$id/complete"
    grep -q 'not 100' answered
    local alice=$id
    token bob
    answers 404 -X POST "/v1/uploads/$alice/complete"
    token alice
}
check keeps_to_what_was_announced

a_page_may_send() {
    ap-s3 cors --allow "$url" s3://mine
    announce b.wav "$(stat -c %s short.wav)"
    curl -sS -o preflight -D preflight.headers -X OPTIONS -H "Origin: $url" -H 'Access-Control-Request-Method: PUT' "$put"
    grep -qi "^access-control-allow-origin: $url" preflight.headers
    curl -sS -o preflight -D preflight.headers -X OPTIONS -H 'Origin: https://evil.example' \
        -H 'Access-Control-Request-Method: PUT' "$put"
    if grep -qi '^access-control-allow-origin' preflight.headers; then return 1; fi
}
check a_page_may_send

# In a browser, whose rules are its own: the bucket's CORS, and the page's Content-Security-Policy.
a_browser_sends_there() {
    if ! command -v node >/dev/null || [ ! -x /usr/bin/chromium ] || [ ! -d "$tests_folder/web/node_modules/playwright-core" ]; then
        skip "Chromium, node or playwright-core is missing"
    fi
    node "$tests_folder/web/store.mjs" "$(grep -m 1 -o 'http[^ ]*#key=.*' said)" "$AWS_ENDPOINT_URL_S3"
}
check a_browser_sends_there

event() {
    printf '{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"songs"},
        "object":{"key":"%s","eTag":"%s"}}}]}' "$1" "${2:-1}"
}
is_told_of_events() {
    local asked_as=$auth
    answers 403 -d "$(event x)" /v1/events/s3 # not an administrator
    auth='X-Nothing: 1' answers 401 -d "$(event x)" /v1/events/s3
    auth='X-Nothing: 1' answers 401 -d "$(event x)" '/v1/events/s3?token=wrong'
    token root --role admin
    answers 200 -d "$(event in/a+b.wav)" /v1/events/s3
    [ "$(member noted) $(member known)" = '1 0' ]
    answers 200 -d "$(event in/a+b.wav)" /v1/events/s3
    [ "$(member noted) $(member known)" = '0 1' ]
    auth='X-Nothing: 1' answers 200 -H 'Content-Type: text/plain' -d "$(event in/a+b.wav 2)" "/v1/events/s3?token=$token"
    [ "$(member noted)" = 1 ]
    [ "$(cat "$spool"/.events/* | sort -u)" = 's3://songs/in/a b.wav' ]
    # that of a machine is for this and for /metrics, and opens nothing else
    auth="Authorization: Bearer $(ap-serve token add store --role machine)"
    answers 200 -d "$(event in/m.wav 3)" /v1/events/s3
    answers 200 -H 'X-Forwarded-For: 192.0.2.1' /metrics
    answers 403 /v1/jobs
    answers 403 -d x /v1/files
    answers 403 -d "{\"token\":\"${auth##* }\"}" -H 'Content-Type: application/json' /v1/session
    auth="Authorization: Bearer $token"
    answers 422 -d '{"hello":1}' /v1/events/s3
    answers 403 -d '{"Type":"SubscriptionConfirmation","TopicArn":"x","SubscribeURL":"https://127.0.0.1/"}' /v1/events/s3
    if grep -q "$token" serve.log; then return 1; fi
    auth=$asked_as
}
check is_told_of_events

# Between two listings only an event says that there is something.
events_shorten_the_wait() {
    rm -f "$spool"/.events/*
    ap-job watch-bucket --recipe two --interval 3600 s3://songs/in/ >ids 2>watch.log &
    until_true test -e "$spool/.events"
    oracle "s.upload_file('tone.wav', 'songs', 'in/a b.wav')"
    sleep 1
    [ ! -s ids ]
    token root --role admin
    answers 200 -d "$(event in/a+b.wav)" /v1/events/s3
    until_true test -s ids
    until_true sh -c '[ -z "$(ls "$spool/.events")" ]'
    answers 200 -d "$(event in/a+b.wav)" /v1/events/s3 # it comes twice
    until_true sh -c '[ -z "$(ls "$spool/.events")" ]'
    [ "$(wc -l <ids)" -eq 1 ]
}
check events_shorten_the_wait

# A gateway of Ceph pushes by itself.
ceph_tells() {
    local arn
    rm -f "$spool"/.events/*
    token root --role admin
    arn=$(/usr/bin/python3 -c "import boto3
sns = boto3.client('sns', endpoint_url='$AWS_ENDPOINT_URL_S3', region_name='default', aws_access_key_id='AKTEST',
                   aws_secret_access_key='secret')
print(sns.create_topic(Name='audiopipe', Attributes={'push-endpoint': '$url/v1/events/s3?token=$token'})['TopicArn'])") ||
        skip "boto3 does not make topics here"
    ap-s3 notify --to "$arn" --prefix in/ s3://mine
    oracle "s.upload_file('short.wav', 'mine', 'in/a b+c=é.wav')"
    until_true sh -c 'grep -qx "s3://mine/in/a b+c=é.wav" "$spool"/.events/*'
}
check ceph_tells

stop_serving
refuses_stores() {
    fails 2 ap-serve --store /tmp
    fails 2 ap-serve --store s3://
    fails 1 env -u AWS_ACCESS_KEY_ID ap-serve --store s3://mine/app
    grep -q 'there are no credentials' stderr
}
check refuses_stores

finish
