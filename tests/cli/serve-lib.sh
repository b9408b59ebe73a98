# SPDX-License-Identifier: GPL-3.0-or-later
# serve-lib.sh - what the tests of ap-serve share: a server on a free port, tokens, and questions to it.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/job-lib.sh"
command -v ap-serve >/dev/null || {
    echo "ok ap_serve # skipped: it was not built, there is no libmicrohttpd"
    exit 0
}

# serve OPTION...: starts one; $url is its address, $server its process
serve() {
    rm -f said # of the one before
    ap-serve --listen 127.0.0.1:0 "$@" >said 2>serve.log &
    server=$!
    until_true grep -qs ^http said
    url=$(head -n 1 said)
    until_true curl -sf -o ready "$url/readyz"
}
# serve_again SIGNAL OPTION...: ends it by a signal, and starts it at the same address
serve_again() {
    kill "-$1" "$server"
    wait "$server" 2>/dev/null || true
    ap-serve --listen "${url#http://}" "${@:2}" >said 2>>serve.log &
    server=$!
    until_true curl -sf -o ready "$url/readyz"
}
stop_serving() {
    kill -TERM "$server"
    wait "$server"
}
# token NAME [OPTION...]: sets $token, and $auth for curl
token() {
    token=$(ap-serve token add "$@")
    auth="Authorization: Bearer $token"
}
# ask [CURL OPTION...] PATH: the body; the status is in ./status, the headers in ./headers
ask() {
    curl -sS -D headers -o body -H "$auth" "${@:1:$#-1}" "$url${*: -1}" || return
    sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' headers | tail -n 1 >status
    cat body
}
# answers STATUS [CURL OPTION...] PATH
answers() {
    ask "${@:2}" >answered
    [ "$(cat status)" = "$1" ] || { echo "status $(cat status), not $1: ${*:2}" && cat answered && return 1; }
}
header() { sed -n "s/^$1: //Ip" headers | tr -d '\r' | tail -n 1; }
# member NAME [FILE]: of a JSON document, by Python: a.b[0]
member() {
    /usr/bin/python3 -c '
import json, re, sys
value = json.load(open(sys.argv[2]))
for key, number in re.findall(r"(\w+)|\[(\d+)\]", sys.argv[1]):
    value = value[key] if key else value[int(number)]
print(value)' "$1" "${2:-body}"
}
# upload FILE: its ID
upload() {
    answers 201 -F "file=@$1" /v1/files
    member 'files[0].id'
}
# submit RECIPE FILE-ID [SETTINGS]: the ID of the job
submit() {
    answers 201 -d "{\"recipe\":\"$1\",\"files\":[\"$2\"],\"settings\":${3:-{\}}}" /v1/jobs
    member id
}
# state_is STATE ID
state_is() { answers 200 "/v1/jobs/$2" && [ "$(member state)" = "$1" ]; }
