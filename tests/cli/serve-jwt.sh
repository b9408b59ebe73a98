#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: JSON Web Tokens of another issuer, good and bad ones.
. "$(dirname "$0")/serve-lib.sh"

command -v node >/dev/null || {
    echo "ok jwt # skipped: node is missing (scripts/setup installs it)"
    exit 0
}
node "$tests_folder/cli/jwt.mjs"
jwt=(--jwks jwks.json --issuer https://id.example --audience audiopipe)
if ap-serve "${jwt[@]}" --listen nowhere 2>&1 | grep -q 'built without'; then
    echo "ok jwt # skipped: it was built without librhonabwy"
    exit 0
fi

# as FILE: $auth for curl
as() { auth="Authorization: Bearer $(cat "$1")"; }

who_they_are() {
    fresh
    serve --run 0 --rate 0 "${jwt[@]}"
    for file in *.good; do
        as "$file"
        answers 200 /v1/jobs || { echo "$file" && return 1; }
    done
    for file in *.bad; do
        as "$file"
        answers 401 /v1/jobs || { echo "$file" && return 1; }
    done
    # the owner is the subject, another one sees nothing of it, an administrator does
    as rs.good
    id=$(submit 8d "$(upload tone.wav)")
    [ "$(member owner)" = alice ]
    as es.good
    answers 200 "/v1/jobs/$id"
    token bob
    answers 404 "/v1/jobs/$id"
    for file in admin.good roles.good; do
        as "$file"
        answers 200 "/v1/jobs/$id"
    done
    # a page signs in with one, as with any
    [ "$(curl -s -o out -w '%{http_code}' -c jar -H "Origin: $url" -d "{\"token\":\"$(cat rs.good)\"}" "$url/v1/session")" = 204 ]
    [ "$(curl -s -o out -w '%{http_code}' -b jar "$url/v1/jobs/$id")" = 200 ]
    [ "$(curl -s -o out -w '%{http_code}' -H "Origin: $url" -d "{\"token\":\"$(cat ended.bad)\"}" "$url/v1/session")" = 401 ]
    stop_serving
}
check who_they_are

keys_change() {
    fresh
    cp jwks.json keys.json
    serve --run 0 --rate 0 "${jwt[@]/jwks.json/keys.json}"
    as rs.good
    answers 200 /v1/jobs
    echo '{"keys":[' >new.json
    mv new.json keys.json
    answers 200 /v1/jobs # half a file: the old ones stay
    cp less.json new.json
    mv new.json keys.json
    answers 401 /v1/jobs
    as es.good
    answers 200 /v1/jobs
    stop_serving
}
check keys_change

claims_have_names() {
    fresh
    serve --run 0 --rate 0 "${jwt[@]}" --owner-claim iss --role-claim aud --admin-role other
    as rs.good
    answers 401 /v1/jobs # that is no name
    stop_serving
    serve --run 0 --rate 0 "${jwt[@]}" --role-claim aud --admin-role other
    token bob
    id=$(submit 8d "$(upload tone.wav)")
    as rs.good
    answers 404 "/v1/jobs/$id"
    as list.good
    answers 200 "/v1/jobs/$id"
    stop_serving
}
check claims_have_names

guessing_has_a_limit() {
    fresh
    serve --run 0 --rate 1 "${jwt[@]}"
    as changed.bad
    got_status() { ask "${@:2}" >out && [ "$(cat status)" = "$1" ]; }
    until_true got_status 429 /v1/jobs
    auth='Authorization: Bearer wrong'
    until_true got_status 429 /v1/jobs
    stop_serving
}
check guessing_has_a_limit

mistakes() {
    fails 2 ap-serve --jwks jwks.json
    fails 2 ap-serve --issuer x
    fails 1 ap-serve "${jwt[@]/jwks.json/missing.json}" --listen 127.0.0.1:0
    fails 1 ap-serve "${jwt[@]/jwks.json/shared.json}" --listen 127.0.0.1:0
    fails 1 ap-serve "${jwt[@]/jwks.json/rs.good}" --listen 127.0.0.1:0
}
check mistakes

finish
