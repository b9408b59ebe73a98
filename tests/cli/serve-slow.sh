#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: clients that send a byte now and then do not keep their connections.
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

finish
