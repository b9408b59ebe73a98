#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills job runners, and what they started, with SIGKILL at random moments.

Usage: chaos.py JOBS KILLS [SEED]
AUDIOPIPE_SPOOL and AUDIOPIPE_RECIPES name the spool and where the recipe "chaos" is.
After each kill no job may be lost or in two places, and what is in done/ must be complete. In the end every
job is done, none ever ran twice at a time, and no process is left.
"""
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

SPOOL = os.environ["AUDIOPIPE_SPOOL"]
PLACES = ["queue", "running", "done", "failed"]
RUNNERS = 2


def fail(message):
    sys.exit(f"chaos: {message}")


def children_of():
    """Process number -> those of its children, from /proc."""
    tree = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as f:
                    fields = f.read().rsplit(b")", 1)[1].split()
            except OSError:
                continue
            if fields[0] != b"Z":
                tree.setdefault(int(fields[1]), []).append(int(name))
    return tree


def descendants(root):
    tree, found, todo = children_of(), [], [root]
    while todo:
        p = todo.pop()
        found.append(p)
        todo += tree.get(p, [])
    return found


def ours():
    """All processes that work on this spool, whoever their parent is now."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    if b"AUDIOPIPE_CHAOS=" + SPOOL.encode() + b"\0" in f.read() + b"\0":
                        found.append(int(name))
            except OSError:
                pass
    return found


def where():
    return {place: set(os.listdir(os.path.join(SPOOL, place))) for place in PLACES}


def check_places(ids):
    """Every job is in exactly one place. A job that moves while we look is looked at again."""
    for _ in range(50):
        seen = where()
        counts = {i: sum(i in seen[p] for p in PLACES) for i in ids}
        wrong = [i for i, n in counts.items() if n != 1]
        if not wrong:
            return seen
        time.sleep(0.02)
    fail(f"in {counts[wrong[0]]} places: {wrong[0]}")


def check_done(job):
    folder = os.path.join(SPOOL, "done", job)
    with open(os.path.join(folder, "manifest.json")) as f:
        manifest = json.load(f)
    if manifest["state"] != "done" or manifest["error"] is not None or len(manifest["outputs"]) != 2:
        fail(f"in done/, but not done: {job}")
    for output in manifest["outputs"]:
        with open(os.path.join(folder, output["path"]), "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() != output["sha256"]:
                fail(f"{output['path']} of {job} is not what the manifest says")
    if any(s["state"] != "done" for s in manifest["stages"]):
        fail(f"a stage of {job} is not done")
    if os.path.exists(os.path.join(folder, "work")):
        fail(f"{job} has left work/")


def submit(count, folder):
    files = []
    for i in range(count):
        files.append(os.path.join(folder, f"in{i}.txt"))
        with open(files[-1], "w") as f:
            f.write(f"job number {i}\n" * 1000)
    output = subprocess.run(["ap-job", "submit", "--recipe", "chaos"] + files, stdout=subprocess.PIPE, check=True)
    ids = output.stdout.decode().split()
    if len(set(ids)) != count:
        fail(f"{len(set(ids))} jobs of {count} files")
    return ids


def start_runner(log):
    return subprocess.Popen(["ap-job", "run", "-j", "2", "--watch"], stdout=log, stderr=log)


def wait_for_calm():
    for _ in range(600):
        left = ours()
        if not left:
            return
        time.sleep(0.1)
    names = []
    for p in left:
        try:
            with open(f"/proc/{p}/cmdline", "rb") as f:
                names.append(f.read().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            pass
    fail(f"processes left: {names}")


def main():
    jobs, kills = int(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10**6)
    random.seed(seed)
    folder = tempfile.mkdtemp(prefix="chaos.")
    os.environ.update(CHAOS=folder, AUDIOPIPE_CHAOS=SPOOL, AUDIOPIPE_BACKOFF="0.05", AUDIOPIPE_ATTEMPTS="1000")
    # LeakSanitizer looks at a process from a child of it; whose such child is killed waits for it for ever.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    log = open(os.path.join(folder, "log"), "a")
    ids = submit(jobs, folder)
    runners = [start_runner(log) for _ in range(RUNNERS)]
    victims, killed, checked = {}, 0, set()
    while killed < kills:
        time.sleep(random.random() * 0.2)
        runner = random.choice(runners)
        target = runner.pid if random.random() < 0.15 else random.choice(descendants(runner.pid))
        try:
            with open(f"/proc/{target}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            os.kill(target, signal.SIGKILL)
        except OSError:
            continue
        killed += 1
        name = "runner" if target == runner.pid else os.path.basename(words[0]).decode() + (
            " " + words[1].decode() if words[0].endswith(b"ap-manifest") else "")
        victims[name] = victims.get(name, 0) + 1
        for i, r in enumerate(runners):
            if r.poll() is not None:
                runners[i] = start_runner(log)
        seen = check_places(ids)
        for job in seen["done"] - checked:
            check_done(job)
            checked.add(job)
        if len(seen["done"]) == jobs:
            more = submit_more(folder, killed)
            ids += more
            jobs += len(more)
    for r in runners:
        r.send_signal(signal.SIGTERM)
    for r in runners:
        r.wait()
    wait_for_calm()
    for _ in range(600):  # the pause doubles with each time that a job was killed
        subprocess.run(["ap-job", "run", "-j", "2"], stdout=log, stderr=log, check=True)
        if len(where()["done"]) == jobs:
            break
        time.sleep(0.1)
    wait_for_calm()
    finish(ids, folder)
    print(f"seed {seed}: {jobs} jobs, {killed} kills: {victims}")


def submit_more(folder, n):
    """More work, of new content, if all is done before the last kill."""
    inner = os.path.join(folder, f"more{n}")
    os.mkdir(inner)
    files = []
    for i in range(20):
        files.append(os.path.join(inner, f"in{i}.txt"))
        with open(files[-1], "w") as f:
            f.write(f"more {n} number {i}\n" * 1000)
    output = subprocess.run(["ap-job", "submit", "--recipe", "chaos"] + files, stdout=subprocess.PIPE, check=True)
    return output.stdout.decode().split()


def finish(ids, folder):
    seen = check_places(ids)
    if seen["done"] != set(ids):
        fail(f"not done: {({p: len(seen[p]) for p in PLACES})}")
    for job in ids:
        check_done(job)
    if os.path.exists(os.path.join(folder, "doubles")):
        fail("a job ran twice at a time")
    left = os.listdir(os.path.join(SPOOL, "tmp"))
    if left:
        fail(f"left in tmp/: {left}")


main()
