#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# openapi.py URL TOKEN SONG - holds /openapi.json against the server that it comes from: each path is asked so that it succeeds, and
# each answer has to be as described.
import http.client
import json
import re
import sys
import time
import urllib.parse

URL = urllib.parse.urlsplit(sys.argv[1])
TOKEN = sys.argv[2]
seen = set()  # (METHOD, path, status)


def ask(method, path, body=None, headers=None, token=TOKEN):
    c = http.client.HTTPConnection(URL.hostname, URL.port, timeout=60)
    c.putrequest(method, path, skip_accept_encoding=True)
    headers = {"Authorization": "Bearer " + token, **(headers or {})} if token else headers or {}
    if body is not None and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body))
    for name, value in headers.items():
        c.putheader(name, value)
    c.endheaders(body)
    a = c.getresponse()
    streams = a.getheader("Content-Type") == "text/event-stream"
    data = a.read1(4096) if streams else a.read()
    c.close()
    return a, data


# ---- schemas

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}


def resolve(schema):
    while "$ref" in schema:
        part = api
        for key in schema["$ref"].split("/")[1:]:
            part = part[key]
        schema = part
    return schema


def is_a(value, kind):
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def check(value, schema, where):
    schema = resolve(schema)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    assert not kinds or any(is_a(value, k) for k in kinds), f"{where}: {value!r} is not {kinds}"
    assert value in schema.get("enum", [value]), f"{where}: {value!r}"
    if isinstance(value, str) and "pattern" in schema:
        assert re.search(schema["pattern"], value), f"{where}: {value!r}"
    if is_a(value, "number"):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), f"{where}: {value}"
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema.get("items", {}), f"{where}[{i}]")
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        for name in schema.get("required", []):
            assert name in value, f"{where}: no {name}"
        for name, item in value.items():
            member = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            assert member, f"{where}: {name} is not described"
            check(item, member, f"{where}.{name}")


def check_answer(method, path, operation, a, data):
    where = f"{method} {path} {a.status}"
    seen.add((method, path, a.status))
    described = operation["responses"].get(str(a.status), operation["responses"]["default"] if a.status >= 400 else None)
    assert described, f"{where} is not described"
    described = resolve(described)
    for name, header in described.get("headers", {}).items():
        if method != "POST" or path != "/v1/files":  # which has two kinds of answers
            assert a.getheader(name) is not None or not header.get("required", method == "HEAD"), f"{where}: no {name}"
    kind = (a.getheader("Content-Type") or "").split(";")[0]
    content = described.get("content", {})
    if method == "HEAD" or a.status in (204, 304) or (not data and "content" not in described):
        return
    if method == "POST" and path == "/v1/files" and a.status == 201 and not data:
        return  # tus
    assert kind in content or "*/*" in content, f"{where}: {kind!r} is not one of {list(content)}"
    if kind in ("application/json", "application/problem+json"):
        check(json.loads(data), content.get(kind, content.get("*/*", {})).get("schema", {}), where)


def get(method, pattern, body=None, headers=None, query="", **parts):
    path = pattern
    for name, value in parts.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(value))
    a, data = ask(method, path + query, body, headers)
    check_answer(method, pattern, api["paths"][pattern][method.lower() if method != "HEAD" or "head" in api["paths"][pattern] else "get"], a, data)
    return a, data


def wait_for(job, states):
    for _ in range(600):
        _, data = get("GET", "/v1/jobs/{id}", id=job)
        if json.loads(data)["state"] in states:
            return json.loads(data)
        time.sleep(0.1)
    raise AssertionError(f"job {job} does not end")


# ---- each path, well

def walk(song):
    tus = {"Tus-Resumable": "1.0.0"}
    octets = {**tus, "Content-Type": "application/offset+octet-stream"}
    with open(song, "rb") as f:
        song = f.read()
    simple = [p for p, item in api["paths"].items() if "{" not in p and "get" in item and p not in ("/v1/events",)]
    for path in simple:
        a, _ = get("GET", path)
        assert a.status == 200, path
        if a.getheader("ETag"):
            assert get("GET", path, None, {"If-None-Match": a.getheader("ETag")})[0].status == 304, path
    form = b'--xx\r\nContent-Disposition: form-data; name="file"; filename="song.wav"\r\n\r\n' + song + b"\r\n--xx--\r\n"
    _, data = get("POST", "/v1/files", form, {"Content-Type": "multipart/form-data; boundary=xx"})
    file = json.loads(data)["files"][0]["id"]
    a, _ = get("POST", "/v1/files", b"", {**tus, "Upload-Length": "4"})
    upload = a.getheader("Location").rsplit("/", 1)[1]
    get("PATCH", "/v1/files/{id}", b"ab", {**octets, "Upload-Offset": "0"}, id=upload)
    assert get("HEAD", "/v1/files/{id}", None, tus, id=upload)[0].getheader("Upload-Offset") == "2"
    get("DELETE", "/v1/files/{id}", None, tus, id=upload)
    _, data = get("POST", "/v1/uploads", json.dumps({"name": "song.wav", "size": len(song)}).encode())
    put = json.loads(data)
    a, data = get("PUT", "/v1/uploads/{id}", song, query="?" + urllib.parse.urlsplit(put["url"]).query, id=put["id"])
    assert a.status == 200, data
    get("POST", "/v1/uploads/{id}/complete", b"", id=put["id"])
    order = {"recipe": "says", "files": [file], "settings": {}, "notify": []}
    a, data = get("POST", "/v1/jobs", json.dumps(order).encode(), {"Idempotency-Key": "walk"})
    job = json.loads(data)["id"]
    assert wait_for(job, ["done", "failed"])["state"] == "done"
    get("GET", "/v1/jobs", query="?state=done&limit=1")
    _, data = get("GET", "/v1/jobs/{id}/outputs", id=job)
    name = json.loads(data)["outputs"][0]["name"]
    for path in ("outputs/{name}", "peaks/{name}", "picture/{name}"):
        assert get("GET", "/v1/jobs/{id}/" + path, id=job, name=name)[0].status == 200
    for path, named in (("outputs/{name}", name), ("inputs/{name}", "song.wav"), ("outputs.zip", ""), ("log", ""), ("report", "")):
        for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=99999999-"}):
            get("GET", "/v1/jobs/{id}/" + path, None, headers, id=job, name=named)
        a, _ = get("HEAD", "/v1/jobs/{id}/" + path, id=job, name=named)
        if a.getheader("ETag"):
            get("GET", "/v1/jobs/{id}/" + path, None, {"If-None-Match": a.getheader("ETag")}, id=job, name=named)
    for path in ("log", "report", "events"):
        assert get("GET", "/v1/jobs/{id}/" + path, id=job)[0].status == 200
    get("GET", "/v1/events")
    _, data = get("POST", "/v1/jobs", json.dumps({"recipe": "copy", "files": [file], "settings": {"pause": 60}}).encode())
    other = json.loads(data)["id"]
    while get("POST", "/v1/jobs/{id}/cancel", b"", id=other)[0].status != 202:
        time.sleep(0.1)  # it was just being taken up
    wait_for(other, ["cancelled"])
    get("POST", "/v1/jobs/{id}/retry", b"", id=other)
    get("POST", "/v1/jobs/{id}/cancel", b"", id=other)
    get("DELETE", "/v1/jobs/{id}", id=job)
    origin = {"Origin": sys.argv[1]}
    get("POST", "/v1/session", json.dumps({"token": TOKEN}).encode(), origin)
    get("DELETE", "/v1/session", None, origin)
    for path, item in api["paths"].items():
        for method in item:
            good = [s for m, p, s in seen if p == path and m == method.upper() and s < 400]
            for status in item[method]["responses"]:
                # what only an object store answers has tests of its own
                assert status in ("default", *map(str, good)) or status[0] in "45" or "store" in json.dumps(item), f"{method} {path}: no {status} seen"
            assert good or "store" in json.dumps(item), f"{method} {path} was not asked well"


api = json.loads(ask("GET", "/openapi.json")[1])
if __name__ == "__main__":
    walk(sys.argv[3])
