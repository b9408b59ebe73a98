#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# serve-fuzz.py URL TOKEN COUNT SEED - odd requests to every route of a server, which may refuse them, but not break: no status from
# 500 on but 503 and 507, and answers as /openapi.json describes them.
import http.client
import json
import random
import re
import sys
import urllib.parse

import openapi


def noise(r, most=40):
    kinds = [lambda: "".join(chr(r.randrange(0x20, 0x7f)) for _ in range(r.randrange(most))), lambda: "%" + "".join(r.choice("0123456789abcdefgG%") for _ in range(5)),
             lambda: r.choice(["..", "../" * 5 + "etc/passwd", "%2e%2e%2f", "%00", "-1", "18446744073709551616", "1e999", "null", "\u00e9" * 3, "a" * 900, "0" * 32, "final;/v1/files/x", "partial"]),
             lambda: r.choice(known) if known else "x"]
    return r.choice(kinds)()


known = []


def thing(r, depth=0):
    if depth < 3 and r.random() < 0.4:
        keys = ["recipe", "files", "settings", "notify", "name", "size", "token", "action", "key", "session_id", "filename", "fileName", "sessionId", "period"]
        return {r.choice([*keys, noise(r)]): thing(r, depth + 1) for _ in range(r.randrange(5))} if r.random() < 0.7 else [thing(r, depth + 1) for _ in range(r.randrange(4))]
    return r.choice([None, True, 0, -1, 1e308, 2**63, 5, "8d", "", noise(r), "getUploadUrl", "getDownloadUrl", "copy"])


def form(r):
    parts = [f'--xx\r\nContent-Disposition: form-data{r.choice(["", "; name=file", "; name=" + chr(34) + noise(r) + chr(34), "; name=recipe"])}{r.choice(["", "; filename=a.wav", "; filename=" + noise(r)])}\r\n\r\n{noise(r)}\r\n' for _ in range(r.randrange(4))]
    return ("".join(parts) + r.choice(["--xx--\r\n", "--xx", ""])).encode("latin-1", "replace")


def fuzz(count, seed):
    r = random.Random(seed)
    routes = [(m.upper(), p) for p, item in openapi.api["paths"].items() for m in item] + [
        ("POST", p) for p in ("/presigned-url", "/upload", "/status", "/cleanup", "/process", "/media/upload/init", "/media/upload/complete")] + [
        ("GET", p) for p in ("/status", "/jobs/{id}", "/health", "/config", "/job/{id}", "/job/{id}/outputs", "/download/{id}/all", "/download/{id}/{name}")]
    headers = ["Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Range", "If-Range", "If-None-Match",
               "Idempotency-Key", "Last-Event-ID", "Origin", "Cookie", "X-Request-ID", "X-Forwarded-For", "Expect", "Accept", "Authorization"]
    values = ["1.0.0", "0", "5", "partial", "sha1 AAAA", "bytes=0-", "bytes=-1", "bytes=5-2,7-", "filename YQ==", '"x"', "audiopipe_session=x", "Bearer x", "Basic x", "*"]
    counts = {}
    for i in range(count):
        method, path = r.choice(routes)
        if r.random() < 0.1:
            method = r.choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "FOO"])
        asked = re.sub(r"\{(\w+)\}", lambda m: urllib.parse.quote(noise(r), safe=r.choice(["", "%/.;"])), path)
        if r.random() < 0.3:
            asked += "?" + "&".join(f"{r.choice(['limit', 'state', 'cursor', 'q', 'recipe', 'download', 'of', 'expires', 'signature', 'owner', 'session_id'])}={urllib.parse.quote(noise(r), safe='%')}" for _ in range(r.randrange(3)))
        given = {r.choice(headers): r.choice([r.choice(values), noise(r)]).encode("latin-1", "replace").replace(b"\n", b"") for _ in range(r.randrange(5))}
        given.pop("Expect", None)
        body = None
        if method in ("POST", "PUT", "PATCH") or r.random() < 0.05:
            kind = r.randrange(4)
            body = [lambda: json.dumps(thing(r)).encode(), lambda: form(r), lambda: noise(r, 3000).encode("latin-1", "replace"), lambda: b""][kind]()
            given["Content-Type"] = ["application/json", "multipart/form-data; boundary=xx", "application/offset+octet-stream", noise(r).encode("latin-1", "replace").replace(b"\n", b"")][kind]
        try:
            a, data = openapi.ask(method, asked.replace(" ", "%20"), body, given)
        except (ConnectionError, http.client.BadStatusLine) as error:  # a refused body may cut the answer
            counts["cut"] = counts.get("cut", 0) + 1
            assert body or method not in ("GET", "HEAD"), f"{method} {asked} {given}: {error!r}"
            continue
        counts[a.status] = counts.get(a.status, 0) + 1
        assert a.status < 500 or a.status in (503, 507), f"{a.status}: {method} {asked} {given} {body!r}\n{data!r}"
        known.extend(re.findall(r"[0-9a-f]{32}|[0-9]{8}-[0-9]{6}-[0-9a-f]+", data[:4000].decode("latin-1"))[:2])
        del known[:-20]
        item = openapi.api["paths"].get(path, {})
        if method.lower() in item and a.status < 500:
            openapi.check_answer(method, path, item[method.lower()], a, data)
    print(sorted(counts.items(), key=str))
    assert openapi.ask("GET", "/healthz")[0].status == 200


fuzz(int(sys.argv[3]), int(sys.argv[4]))
