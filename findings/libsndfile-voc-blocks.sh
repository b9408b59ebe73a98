#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# libsndfile 1.2.0 (Debian 12) plays the headers of the second and later sound blocks of a Creative VOC file of version 1.20
# (block type 9) as sound: everything from the first sample to the end of the file is one piece.
#
# One would guess that a library reads all blocks, or the first one only, or refuses what it cannot read, as this one does
# with several blocks of the older type 1 ("incompatible VOC sections"). Each further block adds its header of 16 bytes as
# samples, a click at full scale, with no error. sox and ffmpeg read the blocks.
#
# Seen: three blocks of 1000 silent samples: sox has 3000 frames, libsndfile 3032 with a peak of 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q download libsndfile1=1.2.0-1+deb12u1 >/dev/null 2>&1 || {
    echo "this version is not in the archive any more"
    exit 1
}
dpkg -x libsndfile1_*.deb root
python3 - root/usr/lib/x86_64-linux-gnu/libsndfile.so.1 <<'END'
import ctypes
import struct
import sys

block = lambda kind, data: bytes([kind]) + struct.pack("<I", len(data))[:3] + data
sound = block(9, struct.pack("<IBBH4x", 8000, 8, 1, 0) + b"\x80" * 1000)
open("a.voc", "wb").write(b"Creative Voice File\x1a" + struct.pack("<3H", 26, 0x010A, 0x1129) + 3 * sound + b"\0")


class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64)] + [(n, ctypes.c_int) for n in ("rate", "channels", "format", "sections", "seekable")]


lib = ctypes.CDLL(sys.argv[1])
lib.sf_open.restype = ctypes.c_void_p
lib.sf_readf_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
lib.sf_readf_float.restype = ctypes.c_int64
info = Info()
handle = lib.sf_open(b"a.voc", 0x10, ctypes.byref(info))
samples = (ctypes.c_float * 5000)()
count = lib.sf_readf_float(handle, samples, 5000)
peak = max(map(abs, samples[:count]))
print("libsndfile:", count, "frames, peak", round(peak, 2))
assert count == 3032 and peak > 0.5
END
if command -v sox >/dev/null; then echo "sox: $(sox a.voc -t s8 - 2>/dev/null | wc -c) frames"; fi
echo "as described"
