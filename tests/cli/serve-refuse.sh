#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: strangers, mistakes and odd requests are turned away.
. "$(dirname "$0")/serve-lib.sh"

others_see_nothing() {
    fresh
    serve --run 0
    token alice
    file=$(upload tone.wav)
    id=$(submit 8d "$file")
    alice=$auth
    token bob
    for path in "/v1/jobs/$id" "/v1/jobs/$id/outputs" "/v1/jobs/$id/log" "/v1/jobs/$id/outputs/x" "/v1/jobs/$id/events"; do answers 404 "$path"; done
    answers 404 -X DELETE "/v1/jobs/$id"
    answers 404 -X POST "/v1/jobs/$id/cancel"
    answers 404 -I -H 'Tus-Resumable: 1.0.0' "/v1/files/$file"
    answers 422 -d "{\"recipe\":\"8d\",\"files\":[\"$file\"]}" /v1/jobs
    answers 200 /v1/jobs
    [ "$(member jobs)" = '[]' ]
    auth='Authorization: Bearer nonsense'
    answers 401 /v1/jobs
    header www-authenticate | grep -q Bearer
    token boss --role admin
    answers 200 "/v1/jobs/$id"
    auth=$alice
    answers 202 -X POST "/v1/jobs/$id/cancel"
    [ "$(member state)" = cancelled ]
    answers 409 -X POST "/v1/jobs/$id/cancel"
    answers 202 -X POST "/v1/jobs/$id/retry"
    [ "$(member state)" = queued ]
    ap-serve token remove alice
    answers 401 /v1/jobs
    stop_serving
}
check others_see_nothing

what_is_in_use_is_waited_for() {
    fresh
    serve --run 1
    token alice
    file=$(upload tone.wav)
    id=$(submit copy "$file") other=$(submit copy "$file" '{"exit":1}')
    until_true state_is 'done' "$id"
    until_true state_is failed "$other"
    flock "$spool/done/$id/lock" sleep 0.5 &
    flock "$spool/failed/$other/lock" sleep 0.5 &
    until_true sh -c "! flock -n '$spool/done/$id/lock' true && ! flock -n '$spool/failed/$other/lock' true"
    answers 202 -X POST "/v1/jobs/$other/retry"
    answers 204 -X DELETE "/v1/jobs/$id"
    # not for ever, and without saying where our files are
    until_true state_is failed "$other"
    flock "$spool/failed/$other/lock" sleep 20 &
    until_true sh -c "! flock -n '$spool/failed/$other/lock' true"
    answers 503 -X DELETE "/v1/jobs/$other"
    header retry-after
    member detail | grep -qx "'failed/$other' is in use"
    stop_serving
}
check what_is_in_use_is_waited_for

mistakes_are_explained() {
    fresh
    serve --run 0
    token alice
    file=$(upload tone.wav)
    expect() { # STATUS FIELD DATA
        answers "$1" -d "$3" /v1/jobs
        header content-type | grep -q application/problem+json
        [ -z "$2" ] || [ "$(member field)" = "$2" ]
    }
    expect 400 '' 'nonsense'
    expect 422 recipe "{\"files\":[\"$file\"]}"
    expect 422 recipe "{\"recipe\":\"../../etc/passwd\",\"files\":[\"$file\"]}"
    expect 422 files '{"recipe":"8d"}'
    expect 422 'files[0]' '{"recipe":"8d","files":["0123456789abcdef0123456789abcdef"]}'
    expect 422 settings.period "{\"recipe\":\"8d\",\"files\":[\"$file\"],\"settings\":{\"period\":\"; rm\"}}"
    expect 422 settings.no "{\"recipe\":\"8d\",\"files\":[\"$file\"],\"settings\":{\"no\":1}}"
    expect 422 notify "{\"recipe\":\"8d\",\"files\":[\"$file\"],\"notify\":[\"../x\"]}"
    expect 422 notify "{\"recipe\":\"8d\",\"files\":[\"$file\"],\"notify\":7}"
    echo words >words.txt
    expect 422 files "{\"recipe\":\"8d\",\"files\":[\"$(upload words.txt)\"]}"
    member detail | grep -q "^'words.txt'" # nothing of the server's own paths
    answers 405 -X POST "/v1/jobs/$file"
    header allow | grep -q GET
    answers 400 '/v1/jobs?limit=1&limit=2'
    answers 400 '/v1/jobs?state=odd'
    answers 404 /v1/nothing
    stop_serving
}
check mistakes_are_explained

guards() {
    fresh
    serve --run 0 --rate 0
    answers_raw() { # STATUS REQUEST...
        printf '%b' "$2" | /usr/bin/python3 -c '
import re, socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.settimeout(20)
c.sendall(sys.stdin.buffer.read())
got = b""
while True:
    try:
        more = c.recv(65536)
    except OSError:
        break
    if not more:
        break
    got += more
print(*re.findall(rb"HTTP/1\.[01] (\d+)", got)[:2])' "${url##*:}" >raw
        grep -q "$1" raw || { echo "not $1: $2" && cat raw && return 1; }
        ! grep -q 200 raw
    }
    host='POST /v1/session HTTP/1.1\r\nHost: x\r\n' after='GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    answers_raw 400 "${host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n$after"
    answers_raw 400 "${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde$after"
    answers_raw 400 "${host}Content-Length: +4\r\n\r\nabcd$after"
    answers_raw 400 "${host}Content-Length: 4, 4\r\n\r\nabcd$after"
    answers_raw 400 "${host}Transfer-Encoding: xchunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n$after"
    answers_raw 400 "${host}Host: y\r\nContent-Length: 4\r\n\r\nabcd$after"
    answers_raw 400 "${host}Content-Length : 4\r\n\r\nabcd$after"
    answers_raw 400 "${host}X: a\\rb\r\nContent-Length: 4\r\n\r\nabcd$after"
    stop_serving
}
check guards

signing_in() {
    fresh
    serve --run 0 --rate 0
    key=$(sed -n 's/.*#key=//p' said)
    sign_in() { curl -s -o out -w '%{http_code}' -c jar -H "Origin: $url" -d "{\"token\":\"$1\"}" "$url/v1/session"; }
    [ "$(sign_in "$key")" = 204 ]
    grep -q '#HttpOnly_127.0.0.1.*audiopipe_session' jar
    [ "$(curl -s -o out -w '%{http_code}' -b jar "$url/v1/jobs")" = 200 ]
    # once only
    [ "$(sign_in "$key")" = 401 ]
    token alice
    [ "$(sign_in "$token")" = 204 ]
    # a cookie alone does not do it: it has to be our own page
    post() { curl -s -o out -w '%{http_code}' -b jar "$@" -d '{"name":"a","size":1}' "$url/v1/uploads"; }
    [ "$(post -H "Origin: $url")" = 201 ]
    [ "$(post -H 'Origin: https://evil.example')" = 403 ]
    [ "$(post)" = 403 ]
    serve_again KILL --run 0 --rate 0
    [ "$(post -H "Origin: $url")" = 201 ] # the session is still there
    [ "$(curl -s -o out -w '%{http_code}' -b jar -X DELETE -H "Origin: $url" "$url/v1/session")" = 204 ]
    [ "$(post -H "Origin: $url")" = 401 ]
    stop_serving
    fails 2 ap-serve --open --listen 0.0.0.0:0
    if grep -rqF -- "$token" "$spool"; then return 1; fi
    # nobody has to sign in: pages of others may not do anything either
    serve --run 0 --open
    [ "$(curl -s -o out -w '%{http_code}' "$url/v1/jobs")" = 200 ]
    [ "$(curl -s -o out -w '%{http_code}' -H 'Origin: https://evil.example' -d '{"name":"a","size":1}' "$url/v1/uploads")" = 403 ]
    [ "$(curl -s -o out -w '%{http_code}' -H 'Host: evil.example' "$url/v1/jobs")" = 421 ]
    stop_serving
}
check signing_in

finish
