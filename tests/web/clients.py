#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# clients.py - tus clients from PyPI against ap-serve: tuspy and aiotus. Run by tests/cli/serve-clients.sh in a folder of its own;
# prints "ok NAME" for each.
import asyncio
import io
import os
import random
import re
import signal
import subprocess
import sys
import traceback

import aiotus
from tusclient import client

BYTES = random.randbytes(3000017)
SPOOL = os.environ["AUDIOPIPE_SPOOL"]
server = base = None


def serve(where):
    global server, base
    server = subprocess.Popen(["ap-serve", "--listen", where, "--run", "0", "--rate", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    base = re.match(r"http\S+", server.stdout.readline()).group()


def end(how):
    server.send_signal(how)
    server.wait()
    server.stdout.close()


def again():
    end(signal.SIGKILL)
    serve(base.removeprefix("http://"))


class Dying(io.BytesIO):
    """A file during the reading of which the server is killed, once."""

    killed = False

    def read(self, size=-1):
        if not self.killed and self.tell() > 0.4 * len(BYTES):
            self.killed = True
            again()
        return super().read(size)


def of_tuspy(file, **options):
    return client.TusClient(f"{base}/v1/files", headers=HEADERS).uploader(file_stream=file, chunk_size=200000, metadata={"filename": "song.wav"}, **options)


def tuspy_uploads():
    uploader = of_tuspy(io.BytesIO(BYTES), upload_checksum=True)
    uploader.upload()
    return uploader.url


def tuspy_goes_on():
    first = of_tuspy(io.BytesIO(BYTES))
    first.upload(stop_at=1200000)
    again()
    second = of_tuspy(io.BytesIO(BYTES), url=first.url)  # asks for the offset
    assert second.offset == 1200000, second.offset
    second.upload()
    return second.url


def tuspy_outlives_the_server():
    uploader = of_tuspy(Dying(BYTES), retries=20, retry_delay=0.1)
    uploader.upload()
    return uploader.url


def aiotus_uploads():
    return asyncio.run(aiotus.upload(f"{base}/v1/files", io.BytesIO(BYTES), {"filename": b"song.wav"}, headers=HEADERS, chunksize=200000))


def aiotus_outlives_the_server():
    retries = aiotus.RetryConfiguration(retry_attempts=20, max_retry_period_seconds=0.2)
    file = Dying(BYTES)
    url = asyncio.run(aiotus.upload(f"{base}/v1/files", file, {"filename": b"song.wav"}, headers=HEADERS, chunksize=200000, config=retries))
    assert file.killed
    return url


def aiotus_sends_parts_at_once():
    n = len(BYTES) // 3
    files = [io.BytesIO(BYTES[a:b]) for a, b in ((0, n), (n, 2 * n), (2 * n, len(BYTES)))]
    return asyncio.run(aiotus.upload_multiple(f"{base}/v1/files", files, {"filename": b"song.wav"}, headers=HEADERS, chunksize=200000))


def is_whole(url):
    with open(f"{SPOOL}/.serve/files/{str(url).rsplit('/', 1)[1]}", "rb") as f:
        assert f.read() == BYTES, "other bytes are there"


serve("127.0.0.1:0")
token = subprocess.run(["ap-serve", "token", "add", "pypi"], capture_output=True, text=True, check=True).stdout.strip()
HEADERS = {"Authorization": f"Bearer {token}"}
failures = 0
for step in (tuspy_uploads, tuspy_goes_on, tuspy_outlives_the_server, aiotus_uploads, aiotus_outlives_the_server, aiotus_sends_parts_at_once):
    try:
        is_whole(step())
        print(f"ok {step.__name__}", flush=True)
    except Exception:
        failures += 1
        print(f"not ok {step.__name__}", flush=True)
        traceback.print_exc()
end(signal.SIGTERM)
sys.exit(failures > 0)
