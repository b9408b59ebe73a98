#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""sns.py FOLDER: stands in for Amazon's SNS in a network of its own: on port 443, with FOLDER/server.pem, it has the
certificates of FOLDER/files and confirms subscriptions; port 80 has those files, too, and is where /moved leads. What was asked
for is in FOLDER/asked, a line for each request."""
import fcntl
import http.server
import os
import socket
import ssl
import struct
import sys
import threading

folder = sys.argv[1]


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: UP, RUNNING


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(folder + "/asked", "a") as log:
            log.write(f"{self.server.server_port} {self.path}\n")
        name = f"{folder}/files{self.path}"
        if "moved" in self.path:
            self.send_response(302)
            self.send_header("Location", "http://crt.example/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/?Action=ConfirmSubscription"):
            self.reply(b"<ConfirmSubscriptionResponse/>")
        elif os.path.isfile(name):
            with open(name, "rb") as file:
                self.reply(file.read())
        else:
            self.send_error(503 if "busy" in self.path else 404)

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


loopback_up()
plain = http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler)
secure = http.server.ThreadingHTTPServer(("0.0.0.0", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=plain.serve_forever, daemon=True).start()
print("ready", flush=True)
secure.serve_forever()
