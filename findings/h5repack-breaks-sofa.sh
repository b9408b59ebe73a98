#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# h5repack 1.10.8 without options, the usual way to make an HDF5 file smaller and sound, makes of a SOFA file that libmysofa
# 1.3.1 (Debian 12) reads one that it refuses or misreads; so does h5repack -f SHUF -f GZIP=4, the storage that libmysofa
# knows. It needs -j1 -k1 as well.
#
# One would guess that a copy with the same filters is the same file to any reader. But h5repack also rewrites the structures
# of the file itself, in the oldest version that can hold them unless bounds are given (-j1 -k1: those of HDF5 1.8), and the
# reader of libmysofa, which is one of its own, does not know all of these. The error is 10000, "invalid format".
#
# Seen: the original opens; plain and shuffled copies do not; with -j1 -k1 the copy opens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if ! apt-get -q download libmysofa1=1.3.1~dfsg0-1 >/dev/null 2>&1 || ! h5repack --version | grep -F 1.10.8; then
    echo "needs hdf5-tools 1.10.8 and libmysofa1 1.3.1"
    exit 1
fi
dpkg -x libmysofa1_*.deb root
kemar=$(find root -name '*.sofa' -size +100k | head -1)
h5repack "$kemar" plain.sofa
h5repack -f SHUF -f GZIP=4 "$kemar" shuffled.sofa
h5repack -j1 -k1 -f SHUF -f GZIP=4 "$kemar" bounds.sofa
for file in "$kemar" plain.sofa shuffled.sofa bounds.sofa; do
    python3 - "$file" "$(find root -name 'libmysofa.so.1*' | head -1)" <<'END'
import ctypes
import os
import sys

lib = ctypes.CDLL(os.path.abspath(sys.argv[2]))
lib.mysofa_load.restype = ctypes.c_void_p
error = ctypes.c_int()
handle = lib.mysofa_load(sys.argv[1].encode(), ctypes.byref(error))
print(os.path.basename(sys.argv[1]), "opens" if handle else "error %d" % error.value)
END
done | tee seen
[ "$(sed -n 1p seen | grep -c opens)" -eq 1 ]
grep -q "plain.sofa error" seen
grep -q "shuffled.sofa error" seen
grep -q "bounds.sofa opens" seen
echo "as described"
