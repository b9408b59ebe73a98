# SPDX-License-Identifier: GPL-3.0-or-later
"""serve-chaos.py ROUNDS SEED - kills ap-serve with SIGKILL at random moments while clients upload and submit, starts it
again, and checks that no upload that was answered as whole is lost, that the others go on, and that no job is doubled."""
import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

rounds, dice = int(sys.argv[1]), random.Random(int(sys.argv[2]))
token = subprocess.check_output(["ap-serve", "token", "add", "alice"], text=True).strip()
spool, port = os.environ["AUDIOPIPE_SPOOL"], None
payload = open("tone.wav", "rb").read()
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}


def serve():
    global port
    where = f"127.0.0.1:{port or 0}"
    server = subprocess.Popen(["ap-serve", "--listen", where, "--run", "0", "--rate", "0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    port = int(server.stdout.readline().rsplit(":", 1)[1])
    return server


def ask(method, path, body=None, headers=None):
    """(status, headers, body); None: the server died on us."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request(method, path, body, {"Authorization": f"Bearer {token}", **(headers or {})})
        answer = c.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        c.close()


class Client(threading.Thread):
    """Uploads and submits again and again, as a client that tries until it is answered."""

    def __init__(self, number):
        super().__init__()
        self.number, self.stop, self.whole, self.jobs, self.wrong = number, False, [], {}, []

    def insist(self, *request):
        while not self.stop:
            answer = ask(*request)
            if answer and answer[0] not in (423, 503):
                return answer
            time.sleep(0.05)
        return None

    def upload(self, content):
        made = self.insist("POST", "/v1/files", None, {**TUS, "Upload-Length": str(len(content))})
        if not made:
            return None
        path = "/v1/files/" + made[1]["Location"].rsplit("/", 1)[1]
        while True:
            head = self.insist("HEAD", path, None, TUS)
            if not head:
                return None
            if head[0] != 200:
                self.wrong.append(f"HEAD of an upload that was made: {head[0]}")
                return None
            at = int(head[1]["Upload-Offset"])
            if at == len(content):
                break
            ask("PATCH", path, content[at:], {**TUS, **OCTETS, "Upload-Offset": str(at)})
        self.whole.append((path, hashlib.sha256(content).hexdigest()))
        return path.rsplit("/", 1)[1]

    def run(self):
        for n in range(1000000):
            if self.stop:
                return
            content = payload + b"%d %d" % (self.number, n)
            file = self.upload(content)
            if not file:
                return
            key = f"{self.number}-{n}"
            job = self.insist("POST", "/v1/jobs", json.dumps({"recipe": "copy", "files": [file]}), {"Idempotency-Key": key})
            if not job:
                return
            if job[0] != 201:
                self.wrong.append(f"a job was answered with {job[0]} {job[2]}")
            else:
                self.jobs[key] = json.loads(job[2])["id"]


server = serve()
clients = [Client(i) for i in range(4)]
for c in clients:
    c.start()
for _ in range(rounds):
    time.sleep(dice.uniform(0.05, 0.6))
    server.send_signal(signal.SIGKILL)
    server.wait()
    server = serve()
time.sleep(0.5)
for c in clients:
    c.stop = True
for c in clients:
    c.join()
wrong = [w for c in clients for w in c.wrong]
whole = [w for c in clients for w in c.whole]
jobs = {k: v for c in clients for k, v in c.jobs.items()}
for path, digest in whole:
    with open(f"{spool}/.serve/files/{path.rsplit('/', 1)[1]}", "rb") as f:
        if hashlib.sha256(f.read()).hexdigest() != digest:
            wrong.append(f"{path} has other bytes")
inputs = {}
for job in os.listdir(f"{spool}/queue"):
    with open(f"{spool}/queue/{job}/manifest.json", encoding="utf-8") as f:
        inputs.setdefault(json.load(f)["input"]["sha256"], []).append(job)
wrong += [f"doubled: {ids}" for ids in inputs.values() if len(ids) > 1]
queued = {i for ids in inputs.values() for i in ids}
wrong += [f"lost: {i}" for i in jobs.values() if i not in queued]
server.terminate()
server.wait()
print(f"{rounds} kills, {len(whole)} uploads, {len(jobs)} jobs")
if wrong or not jobs:
    sys.exit("\n".join(wrong[:20]) or "there were no jobs")
