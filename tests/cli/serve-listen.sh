#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: sockets of all kinds, TLS, pages of other sites, and what expires.
. "$(dirname "$0")/serve-lib.sh"

# status CURL OPTION...: of an answer; its headers are in ./headers
status() { curl -s -o body -D headers -w '%{http_code}' "$@"; }

unix_socket() {
    fresh
    ap-serve --listen "unix:$work/socket" --run 0 >said 2>serve.log &
    server=$!
    until_true test -S socket
    until_true curl -sf --unix-socket socket -o body http://localhost/readyz
    [ "$(stat -c %a socket)" = 700 ] # its owner's
    grep -qx "unix:$work/socket" said
    token alice
    [ "$(status --unix-socket socket -H "$auth" http://localhost/v1/jobs)" = 200 ]
    [ "$(status --unix-socket socket http://localhost/v1/jobs)" = 401 ]
    [ "$(status --unix-socket socket http://localhost/metrics)" = 200 ]
    fails 1 ap-serve --listen "unix:$work/socket" --run 0 # one is there that answers
    kill -KILL "$server"
    wait "$server" || true
    ap-serve --listen "unix:$work/socket" --run 0 >said 2>serve.log & # a dead one's is taken over
    server=$!
    until_true curl -sf --unix-socket socket -o body http://localhost/readyz
    stop_serving
    [ ! -e socket ]
    touch socket
    fails 1 ap-serve --listen "unix:$work/socket" --run 0 # not a socket: left alone
    [ -f socket ]
    rm socket
}
check unix_socket

# As systemd passes one: descriptor 3, and two variables.
passed_socket() {
    fresh
    cat >pass.py <<'END2'
import os, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True) # it may have been 3 already
os.execvpe("ap-serve", ["ap-serve", "--run", "1", "--listen", "127.0.0.1:1"], dict(os.environ, LISTEN_FDS="1", LISTEN_PID=str(os.getpid())))
END2
    /usr/bin/python3 pass.py >said 2>serve.log &
    server=$!
    until_true grep -qs ^http said
    url=$(head -n 1 said)
    until_true curl -sf -o body "$url/readyz"
    printf '# variables: x\nenv | grep -c ^LISTEN_ >"$out/count" || true\n' >recipes/variables.sh # not for jobs
    token alice
    id=$(submit variables "$(upload tone.wav)")
    until_true state_is 'done' "$id"
    [ "$(cat "$spool/done/$id/out/count")" = 0 ]
    stop_serving
    if command -v systemd-socket-activate >/dev/null; then
        systemd-socket-activate -l "$work/activated" "$(command -v ap-serve)" --run 0 >said 2>serve.log &
        server=$!
        until_true test -S activated
        until_true curl -sf --unix-socket activated -o body http://localhost/readyz
        stop_serving
    fi
}
check passed_socket

encrypted() {
    command -v openssl >/dev/null || skip "openssl is missing"
    fresh
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.log
    ap-serve --listen 127.0.0.1:0 --run 0 --certificate cert.pem --private-key key.pem >said 2>serve.log &
    server=$!
    until_true grep -qs ^https said
    url=$(head -n 1 said)
    until_true curl -sf --cacert cert.pem -o body "$url/readyz"
    token alice
    [ "$(status --cacert cert.pem -H "$auth" -F file=@tone.wav "$url/v1/files")" = 201 ]
    [ "$(header strict-transport-security)" = max-age=31536000 ]
    [ "$(member 'files[0].sha256')" = "$(sha256sum <tone.wav | cut -d' ' -f1)" ]
    [ "$(status --cacert cert.pem -H "Origin: $url" -d "{\"token\":\"$token\"}" "$url/v1/session")" = 204 ]
    header set-cookie | grep -q '; Secure'
    fails 60 curl -s -o body "$url/readyz"                               # a stranger's certificate
    fails 35 curl -s -o body --cacert cert.pem --tls-max 1.1 "$url/readyz" # too old
    [ "$(curl -s -o body --max-time 5 -w '%{http_code}' "http${url#https}/readyz" || true)" = 000 ]
    stop_serving
    openssl genpkey -algorithm ed25519 -out other.pem
    fails 1 ap-serve --listen 127.0.0.1:0 --run 0 --certificate cert.pem --private-key other.pem
    fails 1 ap-serve --listen 127.0.0.1:0 --run 0 --certificate cert.pem --private-key missing.pem
    fails 2 ap-serve --listen 127.0.0.1:0 --run 0 --certificate cert.pem
}
check encrypted

other_sites() {
    fresh
    serve --run 0 --rate 0 --origins https://music.example,https://two.example
    token alice
    from='Origin: https://music.example'
    [ "$(status -X OPTIONS -H "$from" -H 'Access-Control-Request-Method: PATCH' "$url/v1/files/0123456789abcdef0123456789abcdef")" = 204 ]
    [ "$(header access-control-allow-origin)" = https://music.example ]
    header access-control-allow-methods | grep -q PATCH
    header access-control-allow-headers | grep -q Upload-Offset
    # on each answer, errors too: else a page cannot read why
    for path in /v1/jobs /v1/jobs/0 /v1/nothing /v1/config; do
        status -H "$from" "$url$path" >code
        [ "$(header access-control-allow-origin)" = https://music.example ]
        header access-control-expose-headers | grep -q 'Location.*Upload-Offset'
        header vary | grep -q Origin
    done
    [ "$(status -H "$auth" -H "$from" -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 5' -X POST "$url/v1/files")" = 201 ]
    [ "$(header access-control-allow-origin)" = https://music.example ]
    for origin in https://evil.example https://music.example.evil null https://music.exampl; do
        status -H "$auth" -H "Origin: $origin" "$url/v1/jobs" >code
        if grep -qi '^access-control-allow-origin' headers; then return 1; fi
        header vary | grep -q Origin # a cache keeps them apart
    done
    stop_serving
    serve --run 0
    status -H "$auth" -H "$from" "$url/v1/jobs" >code
    if grep -qi '^access-control' headers; then return 1; fi
    stop_serving
}
check other_sites

what_expires() {
    fresh
    serve --run 0 --rate 0
    token alice
    tus=(-H 'Tus-Resumable: 1.0.0' -H "$auth")
    make_upload() {
        [ "$(status "${tus[@]}" -H 'Upload-Length: 5' -X POST "$url/v1/files")" = 201 ]
        header location
    }
    old=$(make_upload) new=$(make_upload)
    header upload-expires | grep -q GMT
    [ "$(status -c jar -H "Origin: $url" -d "{\"token\":\"$token\"}" "$url/v1/session")" = 204 ]
    [ "$(status -b jar "$url/v1/jobs")" = 200 ]
    # a day passes for one of them, and for the session
    touch -d '25 hours ago' "$spool/.serve/files/${old##*/}"
    sed -i 's/:[0-9]*$/:1000000000/' "$spool/.serve/sessions"
    [ "$(status -b jar "$url/v1/jobs")" = 401 ]
    serve_again TERM --run 0 --rate 0 # looks at once, later each minute
    gone() { [ "$(status "${tus[@]}" -I "$old")" = 404 ]; }
    until_true gone
    [ "$(status "${tus[@]}" -I "$new")" = 200 ]
    forgotten() { [ ! -s "$spool/.serve/sessions" ]; }
    until_true forgotten
    [ "$(find "$spool/.serve/files" -name "${old##*/}*" | wc -l)" -eq 0 ]
    # a token, too
    sed -i 's/:[0-9]*$/:1000000000/' "$spool/.serve/tokens"
    [ "$(status -H "$auth" "$url/v1/jobs")" = 401 ]
    token carol --expires 1h
    [ "$(status -H "$auth" "$url/v1/jobs")" = 200 ]
    stop_serving
}
check what_expires

finish
