#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""serve-load.py SECONDS CLIENTS SEED - mixed load on an ap-serve of its own: clients upload (tus in pieces that may be cut,
a signed PUT, a form), submit, listen (events, ranges, zip), cancel, retry and delete. Checks that nothing that was answered
is lost, changed or doubled, and prints the memory and the open files of the server each minute. A tool: not one of the tests.
Run it in an empty folder, with the built commands first in PATH; AUDIOPIPE_RECIPES has to have tests/data/recipes."""
import base64
import collections
import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import zlib

seconds, count, seed = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
spool = os.environ.setdefault("AUDIOPIPE_SPOOL", os.path.abspath("spool"))
os.environ.setdefault("AUDIOPIPE_BACKOFF", "1")
TUS, OCTETS = {"Tus-Resumable": "1.0.0"}, {"Content-Type": "application/offset+octet-stream"}
ENDED = ("done", "failed", "cancelled")
KEEP_H = 0.25  # of uploads
done, wrong, until = collections.Counter(), [], 0.0


class Client(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.dice, self.number, self.jobs, self.n = random.Random(seed * 1000 + number), number, {}, 0
        owner = f"owner{number % 5}"
        self.token = subprocess.check_output(["ap-serve", "token", "add", owner], text=True).strip()

    def fault(self, what):
        wrong.append(f"{time.strftime('%H:%M:%S')} client {self.number}: {what}")
        print("WRONG", wrong[-1], flush=True)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, want, method, path, body=None, headers=None, again=10):
        """(headers, body, status); one of the statuses wanted, or it is noted. 503 is tried again, as clients do."""
        c = self.connect()
        try:
            c.request(method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
            answer = c.getresponse()
            data = answer.read()
        finally:
            c.close()
        if answer.status == 503 and again:
            done[f"503 for {method}"] += 1
            time.sleep(float(answer.headers.get("Retry-After", "0.2")))
            return self.ask(want, method, path, body, headers, again - 1)
        if answer.status not in want:
            self.fault(f"{method} {path}: {answer.status}, not {want}: {data[:200]!r}")
        return answer.headers, data, answer.status

    def doc(self, want, method, path, body=None, headers=None):
        return json.loads(self.ask(want, method, path, body and json.dumps(body), headers)[1])

    def pause(self, most=2.0):
        time.sleep(self.dice.uniform(0.1, most))

    # ---- uploads: each returns the ID of one that was answered as whole

    def cut(self, path, at, piece):
        """Half of a piece, then the connection goes."""
        s = socket.create_connection(("127.0.0.1", port), 60)
        s.sendall((f"PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nTus-Resumable: 1.0.0\r\n"
                   f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {at}\r\nContent-Length: {len(piece)}\r\n\r\n").encode() + piece[:len(piece) // 2])
        s.close()
        done["cut"] += 1

    def by_tus(self, content, name):
        h, _, _ = self.ask((201,), "POST", "/v1/files", None, {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": name})
        path = "/v1/files/" + h["Location"].rsplit("/", 1)[1]
        at = 0
        while at < len(content):
            piece = content[at:at + self.dice.randrange(20000, 400000)]
            if self.dice.random() < 0.2:
                self.cut(path, at, piece)
            else:
                self.ask((204, 409, 423), "PATCH", path, piece, {**TUS, **OCTETS, "Upload-Offset": str(at)})
            h, _, status = self.ask((200, 423), "HEAD", path, None, TUS)
            if status == 200:
                if int(h["Upload-Offset"]) < at:
                    self.fault(f"{path} went back from {at} to {h['Upload-Offset']}")
                at = int(h["Upload-Offset"])
            time.sleep(self.dice.uniform(0, 0.2))
        return path.rsplit("/", 1)[1]

    def by_put(self, content, _):
        made = self.doc((201,), "POST", "/v1/uploads", {"name": f"{self.number}-{self.n}.wav", "size": len(content)})
        self.ask((200, 201, 204), "PUT", made["url"].split(f":{port}", 1)[1], content)
        whole = self.doc((200,), "POST", f"/v1/uploads/{made['id']}/complete")
        if whole.get("sha256") != hashlib.sha256(content).hexdigest():
            self.fault(f"PUT: other bytes: {whole}")
        return made["id"]

    def by_form(self, content, _):
        body = (f'--xx\r\nContent-Disposition: form-data; name="file"; filename="{self.number}-{self.n}.wav"\r\n\r\n').encode() + content + b"\r\n--xx--\r\n"
        made = json.loads(self.ask((201,), "POST", "/v1/files", body, {"Content-Type": "multipart/form-data; boundary=xx"})[1])
        if made["files"][0]["sha256"] != hashlib.sha256(content).hexdigest():
            self.fault(f"form: other bytes: {made}")
        return made["files"][0]["id"]

    # ---- jobs

    def listen(self, job):
        """Events until the end of the job; now and then it hangs up and comes back with Last-Event-ID."""
        last, state, limit = None, None, time.time() + 300
        while time.time() < limit:
            s = socket.create_connection(("127.0.0.1", port), 60)
            s.settimeout(60)
            f = s.makefile("rb")
            s.sendall((f"GET /v1/jobs/{job}/events HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n" + (f"Last-Event-ID: {last}\r\n" if last else "") + "\r\n").encode())
            for line in f:
                if line.startswith(b"id: "):
                    last = line[4:].strip().decode()
                elif line.startswith(b"data: "):
                    state = json.loads(line[6:]).get("state")
                    if state in ENDED or self.dice.random() < 0.2:
                        break
            f.close()
            s.close()
            if state in ENDED:
                done["events followed to the end"] += 1
                return
            done["event streams left"] += 1
        self.fault(f"{job}: no end within 300 s, last {state}")

    def follow(self, job):
        limit = time.time() + 300
        if self.dice.random() < 0.6:
            self.listen(job)
        while time.time() < limit:
            view = self.doc((200,), "GET", f"/v1/jobs/{job}")
            if view["state"] in ENDED:
                return view
            self.pause()
        self.fault(f"{job}: still {view['state']} after 300 s")
        return view

    def fetch(self, job):
        for o in self.doc((200,), "GET", f"/v1/jobs/{job}/outputs")["outputs"]:
            middle, path = self.dice.randrange(1, o["size"]), o["href"].replace(f"http://127.0.0.1:{port}", "")
            a = self.ask((206,), "GET", path, None, {"Range": f"bytes=0-{middle - 1}"})[1]
            h, b, _ = self.ask((206,), "GET", path, None, {"Range": f"bytes={middle}-", "If-Range": f'"{o["sha256"]}"'})
            if hashlib.sha256(a + b).hexdigest() != o["sha256"] or h["ETag"] != f'"{o["sha256"]}"':
                self.fault(f"{path}: other bytes")
            self.ask((304,), "GET", path, None, {"If-None-Match": h["ETag"]})
            done["outputs fetched"] += 1
        if self.dice.random() < 0.2:
            for path in ("log", "report", "outputs.zip"):
                self.ask((200,), "GET", f"/v1/jobs/{job}/{path}")
        if self.dice.random() < 0.1:  # a download that is given up
            s = socket.create_connection(("127.0.0.1", port), 60)
            s.sendall(f"GET /v1/jobs/{job}/outputs.zip HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode())
            s.recv(100)
            s.close()

    def drop(self, job):
        self.ask((204,), "DELETE", f"/v1/jobs/{job}")
        self.ask((404,), "GET", f"/v1/jobs/{job}")
        del self.jobs[job]
        done["jobs deleted"] += 1

    def use(self, file, digest):
        key, dice = f"{self.number}-{self.n}", self.dice
        settings = {"format": dice.choice(("wav", "mp3", "flac"))}
        recipe = "8d" if dice.random() < 0.4 else "copy"
        if recipe == "copy":
            settings = {"exit": 1 if dice.random() < 0.15 else 0, "pause": round(dice.uniform(0, 3), 1)}
        order = {"recipe": recipe, "files": [file], "settings": settings}
        job = self.doc((201,), "POST", "/v1/jobs", order, {"Idempotency-Key": key})["id"]
        if dice.random() < 0.3 and self.doc((201,), "POST", "/v1/jobs", order, {"Idempotency-Key": key})["id"] != job:
            self.fault(f"{key} made two jobs")
        done["jobs made"] += 1
        self.jobs[job] = digest
        cancelled = False
        if dice.random() < 0.25:
            self.pause(1)
            cancelled = self.ask((202, 409), "POST", f"/v1/jobs/{job}/cancel")[2] == 202
        state = self.follow(job)["state"]
        want = ENDED if cancelled else ("failed",) if settings.get("exit") else ("done",)
        done[f"{state}{' after a cancel that was taken' if cancelled else ''}"] += 1
        if state not in want:
            self.fault(f"{job} is {state}, not {want}")
        if state != "done" and dice.random() < 0.5:
            self.ask((202,), "POST", f"/v1/jobs/{job}/retry")
            done["retries"] += 1
            state = self.follow(job)["state"]
            if state != ("failed" if settings.get("exit") else "done"):
                self.fault(f"{job} is {state} after a retry")
        if state == "done":
            self.fetch(job)
        if dice.random() < 0.2:
            self.drop(job)
        while len(self.jobs) > 10:
            self.drop(next(iter(self.jobs)))

    def once(self):
        self.n += 1
        how = self.dice.choice((self.by_tus, self.by_tus, self.by_put, self.by_form))
        content = wav(self.dice)
        file = how(content, "filename " + base64.b64encode(f"{self.number}-{self.n}.wav".encode()).decode())
        done["uploads answered as whole"] += 1
        done[how.__name__] += 1
        h, _, status = self.ask((200,), "HEAD", f"/v1/files/{file}", None, TUS)
        with open(f"{spool}/.serve/files/{file}", "rb") as f:
            if f.read() != content or (status == 200 and h["Upload-Offset"] != str(len(content))):
                self.fault(f"upload {file} has other bytes")
        self.pause()
        if self.dice.random() < 0.1:
            self.ask((204,), "DELETE", f"/v1/files/{file}", None, TUS)
            self.ask((404, 410), "HEAD", f"/v1/files/{file}", None, TUS)
            done["uploads deleted"] += 1
        else:
            self.use(file, hashlib.sha256(content).hexdigest())
        if self.dice.random() < 0.5:
            self.ask((200,), "GET", f"/v1/jobs?limit={self.dice.randrange(1, 50)}&state={self.dice.choice(('done', 'failed', 'running'))}")

    def run(self):
        while time.time() < until:
            try:
                self.once()
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.fault(repr(error))
            self.pause(4)


def wav(dice):
    """A short song that no other is like."""
    frames = dice.randrange(8000, 200000)
    data = zlib.compress(dice.randbytes(frames), 0)[:frames] * 2
    return b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0\x88\x58\1\0\2\0\x10\0data" + len(data).to_bytes(4, "little") + data


def size_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        s = dict(line.split(":", 1) for line in f)
    return {k: int(s[k].split()[0]) for k in ("VmRSS", "RssAnon", "VmHWM")}


def report(server, start, clients):
    s = size_of(server.pid)
    runner = open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="utf-8").read().split()
    kept = len(os.listdir(f"{spool}/.serve/files"))
    print(f"{(time.time() - start) / 60:5.1f} min  RSS {s['VmRSS']} kB (anon {s['RssAnon']}, peak {s['VmHWM']}), runner {' '.join(str(size_of(p)['VmRSS']) for p in runner)} kB, "
          f"fds {len(os.listdir(f'/proc/{server.pid}/fd'))}, jobs kept {sum(len(c.jobs) for c in clients)}, files {kept}, whole {done['uploads answered as whole']}, jobs {done['jobs made']}, wrong {len(wrong)}", flush=True)


log = open("serve.log", "wb")
server = subprocess.Popen(["ap-serve", "--listen", "127.0.0.1:0", "--run", "2", "--rate", "0", "--keep", str(KEEP_H), "--uploads", "0"], stdout=subprocess.PIPE, stderr=log, text=True)
port = int(server.stdout.readline().rsplit(":", 1)[1])
clients = [Client(i) for i in range(count)]
start = time.time()
until = start + seconds
report(server, start, clients)
for c in clients:
    c.start()
beat = start
while any(c.is_alive() for c in clients):
    time.sleep(1)
    if time.time() - beat >= 60:
        beat += 60
        report(server, start, clients)
time.sleep(45)  # that a client of events has gone is seen with the second beat of its stream
report(server, start, clients)

# every job that was answered and not deleted is there, with the bytes that were sent, once; and there is no other
jobs = {j: d for c in clients for j, d in c.jobs.items()}
there = {j: place for place in ("queue", "running", "done", "failed") for j in os.listdir(f"{spool}/{place}")}
inputs = collections.defaultdict(list)
for job, place in there.items():
    with open(f"{spool}/{place}/{job}/manifest.json", encoding="utf-8") as f:
        inputs[json.load(f)["input"]["sha256"]].append(job)
    if jobs.get(job) not in inputs or job not in inputs[jobs[job]]:
        wrong.append(f"{job} in {place}/ is no job of a client, or has another input")
wrong += [f"lost: {j}" for j in jobs if j not in there]
wrong += [f"doubled: {ids}" for ids in inputs.values() if len(ids) > 1]
listed, cursor = 0, ""
for c in clients[:5]:  # one of each owner
    cursor = ""
    while cursor is not None:
        page = c.doc((200,), "GET", "/v1/jobs?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        listed, cursor = listed + len(page["jobs"]), page["next"]
if listed != len(jobs):
    wrong.append(f"{listed} jobs are listed, {len(jobs)} there")
server.terminate()
print("exit", server.wait(60))
print(json.dumps(done, indent=1))
print(f"{len(jobs)} jobs kept, all there; {len(wrong)} faults")
sys.exit("\n".join(wrong[:50]) or 0)
