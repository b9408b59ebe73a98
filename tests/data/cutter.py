#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""cutter.py PORT TARGET-PORT BYTES TIMES: a relay on loopback that cuts the first TIMES connections that got BYTES of an
answer; with BYTES = 0 it answers them with 500 and 503 in turn instead. Prints "ready", then a line for each connection."""
import socket
import sys
import threading

port, target, limit, times = map(int, sys.argv[1:5])
left = [times]


def pump(a, b, most):
    """From a to b; returns False when it was cut."""
    seen = 0
    try:
        while data := a.recv(65536):
            if most is not None and seen + len(data) > most:
                b.sendall(data[:most - seen])
                return False
            seen += len(data)
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return True


def serve(client):
    cut = left[0] > 0
    if cut and limit == 0:
        left[0] -= 1
        client.recv(65536)
        status = "503 Slow Down" if left[0] % 2 else "500 Internal Server Error"
        client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        client.close()
        print("refused", status, flush=True)
        return
    server = socket.create_connection(("127.0.0.1", target))
    threading.Thread(target=pump, args=(client, server, None), daemon=True).start()
    whole = pump(server, client, limit if cut else None)
    if not whole:
        left[0] -= 1
    print("whole" if whole else "cut", flush=True)
    for s in (client, server):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()


listener = socket.create_server(("127.0.0.1", port))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
