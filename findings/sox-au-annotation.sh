#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# sox 14.4.2+git20190427 (Debian 12) copies the annotation of a Sun AU file word by word through effects that change rate
# and length, and makes a tag of each of its lines that has an equals sign when it writes FLAC.
#
# One would guess that an annotation is dropped, or kept as a comment: the text of a comment has no meaning. But lines
# such as "frames=44100" become a tag of their own, FRAMES=44100, beside Comment=AP1; and after "rate 22050" or "trim 0 0.5"
# the AU file still says frames=44100 over half as many.
#
# Seen: 22050 frames under "frames=44100" after rate, trim and tempo; 88200 after pad; in FLAC the tags
# "Comment=AP1" and "frames=44100".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=14.4.2+git20190427-3.5
apt-get -q download sox=$version libsox3=$version libsox-fmt-base=$version flac=1.4.2+ds-2 >/dev/null 2>&1 || {
    echo "these versions are not in the archive any more"
    exit 1
}
for package in *.deb; do dpkg -x "$package" root; done
export PATH=$folder/root/usr/bin:$PATH LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
python3 - <<'END'
import math
import struct
import subprocess

n = 44100
note = b"AP1\nframes=44100\n\0"
note += b"\0" * (-len(note) % 8)
samples = b"".join(struct.pack(">f", 0.5 * math.sin(i / 10)) for i in range(n))
with open("a.au", "wb") as f:
    f.write(struct.pack(">4s5I", b".snd", 24 + len(note), 4 * n, 6, 44100, 1) + note + samples)
for effect, frames in [("rate 22050", 22050), ("trim 0 0.5", 22050), ("tempo 2", 22050), ("pad 0 1", 88200)]:
    subprocess.run(["sox", "a.au", "b.au", *effect.split()], check=True)
    data = open("b.au", "rb").read()
    start, size = struct.unpack(">2I", data[4:12])
    print(effect, size // 4, data[24:start])
    assert size == 4 * frames and b"frames=44100" in data[24:start]
subprocess.run(["sox", "a.au", "b.flac"], check=True)
tags = subprocess.run(["metaflac", "--export-tags-to=-", "b.flac"], check=True, capture_output=True, text=True).stdout.split()
print(tags)
assert tags == ["Comment=AP1", "frames=44100"], tags
print("as described")
END
