# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands side by side in one run, what they cost, and tables of it; for the scripts beside this one."""
import os
import statistics
import subprocess
import sys
import time

RUNS = 5


def start_measured(command, **arguments):
    """Starts a list of arguments through time(1): a process counts as large as the one that started it was, so
    that has to be a small one. Returns the process, and where its largest resident set will be told in KB."""
    reader, writer = os.pipe()
    starter = ["/usr/bin/time", "-q", "-f", "%M", "-o", f"/dev/fd/{writer}"]
    process = subprocess.Popen(starter + command, pass_fds=[writer], **arguments)
    os.close(writer)
    return process, os.fdopen(reader)


def megabytes(reader):
    with reader:
        return int(reader.read()) / 1024


def run_once(command):
    """Runs a shell command; returns wall seconds, CPU seconds, largest resident set of any process in MB."""
    start = time.monotonic()
    process, size = start_measured(["bash", "-c", "set -o pipefail; " + command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        sys.exit(f"bench: failed: {command}\n{error.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, megabytes(size)


def medians(commands, runs=RUNS, after=lambda: None):
    """The commands in turn, several times, so that a slow moment hits all of them; after each something that is not
    measured. Returns (wall, cpu, MB) for each."""
    results = [[] for _ in commands]
    for _ in range(runs):
        for command, result in zip(commands, results):
            result.append(run_once(command))
            after()
    return [tuple(statistics.median(column) for column in zip(*result)) for result in results]


def table(title, header, rows):
    print(f"\n{title}")
    widths = [max(len(str(row[i])) for row in [header] + rows) for i in range(len(header))]
    for row in [header] + rows:
        print("  " + "  ".join(str(cell).ljust(w) if i == 0 else str(cell).rjust(w)
                               for i, (cell, w) in enumerate(zip(row, widths))))
    sys.stdout.flush()


def compared(title, folder, jobs, last="", extra=lambda name: [], seconds=300, runs=RUNS):
    """A table of shell commands, each as many times faster than the first one."""
    results = medians([f"cd {folder} && {command}" for _, command in jobs], runs)
    base = results[0]
    table(title, ["", "wall s", "CPU s", "MB", "x realtime of CPU", "CPU of the first's"] + ([last] if last else []),
          [[name, f"{wall:.2f}", f"{cpu:.2f}", f"{mb:.0f}", f"{seconds / cpu:.0f}", f"{100 * cpu / base[1]:.0f} %"]
           + extra(name) for (name, _), (wall, cpu, mb) in zip(jobs, results)])
