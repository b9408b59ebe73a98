#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: clients that send a byte now and then do not keep their connections; those that were answered do.
. "$(dirname "$0")/serve-lib.sh"

slow_clients_are_let_go() {
    fresh
    serve --run 0 --rate 0
    /usr/bin/python3 - "${url##*:}" <<'END2'
import socket, sys, time
connections = []
for kind in ["head", "body"] * 10:
    c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-a: " if kind == "head"
              else b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    c.setblocking(False)
    connections.append(c)
for _ in range(60):
    for c in connections[:]:
        try:
            c.sendall(b"a")
            if c.recv(1000) == b"":
                connections.remove(c)
        except BlockingIOError:
            pass
        except OSError:
            connections.remove(c)
    if not connections:
        break
    time.sleep(0.5)
assert not connections, len(connections)
END2
    stop_serving
}
check slow_clients_are_let_go

# Who asks for an upload breaks a connection that hangs in it, but not one that has been answered.
answered_connections_stay() {
    fresh
    serve --run 0 --rate 0
    token alice
    /usr/bin/python3 - "${url##*:}" "$token" <<'END2'
import http.client, json, sys
port, auth = sys.argv[1], {"Authorization": f"Bearer {sys.argv[2]}"}
tus = {**auth, "Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
first, second = http.client.HTTPConnection("127.0.0.1", int(port)), http.client.HTTPConnection("127.0.0.1", int(port))
def ask(c, want, method, path, body=None, headers=auth):
    c.request(method, path, body, headers)
    answer = c.getresponse()
    data = answer.read()
    assert answer.status == want, f"{answer.status}, not {want}: {method} {path} {data}"
    return json.loads(data) if data else answer.headers
for _ in range(200):
    made = ask(first, 201, "POST", "/v1/uploads", '{"name":"a","size":5}')
    ask(first, 200, "PUT", made["url"].split(":" + port)[1], b"bytes")
    ask(second, 200, "HEAD", "/v1/files/" + made["id"], None, tus)
    path = "/v1/files/" + ask(first, 201, "POST", "/v1/files", None, {**tus, "Upload-Length": "5"})["Location"].rsplit("/", 1)[1]
    ask(first, 460, "PATCH", path, b"bytes", {**tus, "Upload-Offset": "0", "Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    ask(second, 200, "HEAD", path, None, tus)
END2
    stop_serving
}
check answered_connections_stay

finish
