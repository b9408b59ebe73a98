#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the tree against its rule (lib/README.md): a file includes only from its own folder and the folders below it, also
among the folders within one, and no circle of includes leads through two families, which are a header and the sources of
its name. Prints each offence; exits with 1 if there is one."""
import os
import re
import subprocess
import sys

ORDER = ["base", "dsp", "stream", "formats", "stages", "pictures", "plugins"]
PLUGINS = ["av", "cairo", "net", "neural", "stretch"]  # none knows another
# Folders within a folder, whose own files are ".": which of the others each includes from.
INNER = {
    "cmd": {".": "front separate normalize job", "front": "", "separate": "front", "normalize": "front", "job": "front"},
    "lib/formats": {".": "mp3 ogg retag", "mp3": ".", "ogg": ".", "retag": ". mp3"},
    "lib/stages": {".": "", "spatial": ".", "separate": "."},
    "lib/plugins/neural": {".": "nets files tensor", "tensor": "", "files": "tensor", "cpu": "tensor", "torch": "tensor",
                           "nets": "files tensor", "nets/*": "nets files tensor"},
    "lib/serve": {".": "api http kept who", "api": "http kept who", "http": "kept who", "kept": "who", "who": ""},
    "lib/jobs": {"record": "", "spool": "record", "run": "spool record", "show": "run spool record"},
}
TOP = {"jobs": ORDER[:-1], "serve": ORDER[:-1] + ["jobs"]}


def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "lib", "cmd"], capture_output=True, text=True,
                            check=True).stdout
    return [f for f in listed.splitlines() if f.endswith((".c", ".h", ".cpp")) and os.path.exists(f)]


def included(path):
    """Files of the tree that path includes."""
    for name in re.findall(r'^\s*#\s*include "([^"]+)"', open(path, encoding="utf-8").read(), re.M):
        for root in ["cmd", "lib"]:
            if os.path.exists(f"{root}/{name}"):
                yield f"{root}/{name}"
                break
        else:
            yield None if "/" not in name else name


def fits_within(a, b):
    """Whether file a may include file b, for the folders that they have within a common one."""
    for outer, rows in INNER.items():
        if a.startswith(outer + "/") and b.startswith(outer + "/"):
            x, y = (os.path.relpath(os.path.dirname(f), outer) for f in (a, b))
            row = rows.get(x, rows.get(os.path.dirname(x) + "/*"))
            return x == y or (row is not None and y in row.split())
    return True


def is_listed(path):
    """Whether the folder of a file is one of those that the rule speaks of."""
    folder = os.path.dirname(path)
    for outer, rows in INNER.items():
        if path.startswith(outer + "/"):
            x = os.path.relpath(folder, outer)
            return x in rows or os.path.dirname(x) + "/*" in rows
    flat = ["lib"] + [f"lib/{f}" for f in ORDER[:-1] + list(TOP)] + [f"lib/plugins/{f}" for f in PLUGINS]
    return folder in flat


def is_below(a, b):
    """Whether file a may include file b, for the folders of lib that they are in."""
    if a.startswith("cmd/"):
        return not (b.startswith("lib/plugins/"))
    if b == "lib/audiopipe.h" or b is None:
        return b is not None
    x, y = a.split("/")[1], b.split("/")[1]
    if x == y == "plugins":
        return a.split("/")[2] == b.split("/")[2]
    if x == y:
        return True
    if x in TOP:
        return y in TOP[x]
    return x in ORDER and y in ORDER and ORDER.index(y) < ORDER.index(x)


def may(a, b):
    return is_below(a, b) and fits_within(a, b)


def circles(edges):
    """Strongly connected families, each a list."""
    index, low, stack, on, out = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in edges.get(v, ()):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = []
            while not group or group[-1] != v:
                group.append(stack.pop())
                on.discard(group[-1])
            out.append(group)

    sys.setrecursionlimit(10000)
    for v in list(edges):
        if v not in index:
            visit(v)
    return [group for group in out if len(group) > 1]


def main():
    wrong, edges = 0, {}
    for path in sources():
        family = path.rsplit(".", 1)[0]
        if not is_listed(path):
            print(f"{path} is in a folder that the rule does not know")
            wrong += 1
        for other in included(path):
            if other is None or not may(path, other):
                print(f"{path} must not include {other or 'a file that is not spelled from lib/'}")
                wrong += 1
            elif other.rsplit(".", 1)[0] != family:
                edges.setdefault(family, set()).add(other.rsplit(".", 1)[0])
    for group in circles(edges):
        print("a circle: " + " ".join(sorted(group)))
        wrong += 1
    return 1 if wrong else 0


sys.exit(main())
