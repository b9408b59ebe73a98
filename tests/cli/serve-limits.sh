#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: how much, how often and how many at a time, and a disk that fills.
. "$(dirname "$0")/serve-lib.sh"

limits() {
    fresh
    serve --run 0 --rate 1
    token alice
    got_status() { ask "${@:2}" >out && [ "$(cat status)" = "$1" ]; }
    until_true got_status 429 /v1/config
    [ "$(header retry-after)" -ge 1 ]
    # whose clients would give up on 429
    until_true got_status 503 -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 1' -X POST /v1/files
    stop_serving
    fresh
    AUDIOPIPE_MAX_SIZE=0.1 serve --run 0 --quota 0.05
    token alice
    answers 413 -F file=@tone.wav /v1/files
    answers 507 -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 60000' -X POST /v1/files
    answers 201 -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 40000' -X POST /v1/files
    answers 507 -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 40000' -X POST /v1/files
    stop_serving
}
check limits

# It fills while a file comes: that is told as such, and the upload goes on when there is room again.
fill_the_disk() {
    local tus=(-H 'Tus-Resumable: 1.0.0') place offset
    mkdir -p small
    mount -t tmpfs -o size=1m none small
    export AUDIOPIPE_SPOOL=$PWD/small/spool AUDIOPIPE_MIN_FREE=0
    serve --run 0 --rate 0
    token alice
    head -c 300000 /dev/urandom >whole
    answers 201 "${tus[@]}" -H 'Upload-Length: 300000' -X POST /v1/files
    place=$(header location) place=${place#"$url"}
    head -c 2000000 /dev/zero >small/filler 2>/dev/null || true
    tus+=(-X PATCH -H 'Content-Type: application/offset+octet-stream')
    answers 507 "${tus[@]}" -H 'Upload-Offset: 0' --data-binary @whole "$place"
    rm small/filler
    answers 200 -H 'Tus-Resumable: 1.0.0' -I "$place"
    offset=$(header upload-offset)
    [ "$offset" -lt 300000 ]
    tail -c "+$((offset + 1))" whole >rest
    answers 204 "${tus[@]}" -H "Upload-Offset: $offset" --data-binary @rest "$place"
    [ "$(header upload-offset)" = 300000 ]
    cmp whole "$(find small/spool -type f -size 300000c)"
    stop_serving
}
full_disk() { in_namespace fill_the_disk; }
check full_disk

so_many_each() {
    fresh
    serve --run 0 --rate 0 --uploads 2 --connections-each 3
    token alice
    make_upload() { answers "$1" -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 10' -X POST /v1/files; }
    make_upload 201
    place=$(header location)
    make_upload 201
    make_upload 507
    answers 507 -F file=@tone.wav /v1/files
    answers 204 -H 'Tus-Resumable: 1.0.0' -X DELETE "${place#"$url"}"
    make_upload 201
    token bob # has none yet
    make_upload 201
    # of four connections from one address the fourth is closed
    /usr/bin/python3 - "${url##*:}" <<'END2'
import socket, sys
def ask(c):
    try:
        c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return c.recv(1000)[:15]
    except ConnectionError:
        return b""
made = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(4)]
said = [ask(c) for c in made]
assert sorted(said) == [b"", *[b"HTTP/1.1 200 OK"] * 3], said
made[said.index(b"HTTP/1.1 200 OK")].close()
for _ in range(100):
    if ask(socket.create_connection(("127.0.0.1", int(sys.argv[1])))):
        break
else:
    sys.exit("a place that is free again is not given")
END2
    stop_serving
}
check so_many_each

finish
