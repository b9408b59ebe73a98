#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# serve.py FOLDER MODE - an HTTP server on loopback, for the tests of downloads. Prints its port, then a line for each
# request: path and range. MODE: ranges, plain (ignores ranges), cut (sends half of what it announces).
# As a proxy it serves the path of any host.
import http.server
import sys
import urllib.parse

folder, mode = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        print(self.path, self.headers.get("Range", "-"), flush=True)
        try:
            with open(folder + path, "rb") as file:
                data = file.read()
        except OSError:
            self.send_error(404)
            return
        start = 0
        if mode == "ranges" and "Range" in self.headers:
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:] if mode != "cut" else data[: len(data) // 2])

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
