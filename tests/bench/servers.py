# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that the scripts beside this one start on loopback, and what the kernel says of their processes."""
import ctypes
import fcntl
import glob
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
TICK = os.sysconf("SC_CLK_TCK")


def end_on_term():
    """Whatever is to be done at the end is done then, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


# ---- ports


def free_port(count=1):
    """The first of so many in a row."""
    while True:
        port, taken = random.randrange(20000, 32000), []  # below those that the kernel gives to clients
        try:
            for i in range(count):
                taken.append(socket.create_server(("127.0.0.1", port + i)))
            return port
        except OSError:
            pass
        finally:
            for s in taken:
                s.close()


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("bench: a server does not start")


# ---- processes


def cpu(pids):
    """Seconds of processor time of processes that run; those of their children do not count."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(pid, key="VmHWM"):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key)) / 1024


def adopt_orphans():
    """From now on what our descendants leave behind is our child (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def reaped_cpu():
    """Seconds of processor time of all our children that have ended, and of theirs."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pids_in(pattern):
    pids = []
    for name in glob.glob(pattern):
        with open(name) as f:
            pids.append(int(f.read()))
    return pids


def end(pids, patience_s=2):
    for sign in signal.SIGTERM, signal.SIGKILL:
        for pid in pids:
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                pass
        time.sleep(patience_s if sign == signal.SIGTERM else 0)


# ---- an object store


class Store:
    """Ceph's gateway with a bucket "songs", in memory; none of it is left after stop(). Use Store.is_here() first."""

    @staticmethod
    def is_here():
        has_boto3 = subprocess.run(["/usr/bin/python3", "-c", "import boto3"], stderr=subprocess.DEVNULL).returncode == 0
        return has_boto3 and have("radosgw", "ceph-mon", "ceph-osd")

    def __init__(self, folder):
        end_on_term()
        self.folder = folder
        # the tests, too, start one at a time
        self.lock = open(os.path.join(os.environ.get("TMPDIR", "/tmp"), "audiopipe-test-store.lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        for _ in range(3):  # another may take the ports meanwhile
            self.port = free_port(3)
            with open(f"{folder}.log", "w") as log:
                started = subprocess.run([f"{DATA}/start-radosgw", folder, str(self.port)], stdout=log, stderr=log)
            if started.returncode == 0:
                break
            self.stop()
        else:
            sys.exit(f"bench: the object store does not start: {folder}.log")
        self.url = f"http://127.0.0.1:{self.port}"
        os.environ.update(AWS_ACCESS_KEY_ID="AKTEST", AWS_SECRET_ACCESS_KEY="secret", AWS_REGION="us-east-1",
                          AWS_ENDPOINT_URL_S3=self.url, AWS_SHARED_CREDENTIALS_FILE="/nonexistent", AWS_CONFIG_FILE="/nonexistent")
        make_bucket = f"import boto3; boto3.client('s3', endpoint_url='{self.url}', region_name='us-east-1').create_bucket(Bucket='songs')"
        subprocess.run(["/usr/bin/python3", "-c", make_bucket], check=True)

    def collect(self):
        """Frees what objects that are no more have left; by itself it does so after hours."""
        command = ["timeout", "60", "radosgw-admin", "-c", f"{self.folder}/ceph.conf", "gc", "process", "--include-all"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        end(pids_in(f"{self.folder}/run/*.pid"))
        subprocess.run(["rm", "-rf", self.folder])


# ---- a cluster


class Cluster:
    """Slurm with the nodes n1 to n4. Use Cluster.is_here() first."""

    @staticmethod
    def is_here():
        return have("slurmctld", "slurmd", "sbatch", "munged")

    def __init__(self, folder):
        end_on_term()
        self.folder = folder
        with open(f"{folder}.log", "w") as log:
            command = [f"{DATA}/start-slurm", folder, str(free_port(7))]
            if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
                sys.exit(f"bench: Slurm does not start: {folder}.log")
        os.environ["SLURM_CONF"] = f"{folder}/slurm.conf"

    def cpu(self):
        """Of its daemons."""
        return cpu(pids_in(f"{self.folder}/run/*.pid"))

    def is_idle(self):
        return not subprocess.run(["squeue", "-h"], check=True, capture_output=True).stdout

    def stop(self):
        subprocess.run([f"{self.folder}/stop"])


def have(*programs):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return all(any(os.access(f"{folder}/{name}", os.X_OK) for folder in path.split(":")) for name in programs)
