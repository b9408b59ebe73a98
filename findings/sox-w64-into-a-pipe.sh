#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# sox 14.4.2+git20190427 (Debian 12) writes Wave64 to a pipe with its header three times, twice before the sound and once
# behind it, and nobody reads that: not FFmpeg 5.1, not sox itself.
#
# One would guess at one header with a placeholder for the size, as sox writes WAV (0x7ffff000), and as W64 is made for long
# recordings. But its writer seeks back to fill the sizes in, and on a pipe the "seek" is not noticed: the header is written
# again where the pipe is. The first data chunk says 23 bytes, less than its own header of 24, the second one 24: nothing.
#
# Seen: 208 bytes of headers, the sound, 104 bytes of header; ffmpeg and sox exit with an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=14.4.2+git20190427-3.5
apt-get -q download sox=$version libsox3=$version libsox-fmt-base=$version >/dev/null 2>&1 || {
    echo "these versions are not in the archive any more"
    exit 1
}
for package in *.deb; do dpkg -x "$package" root; done
export PATH=$folder/root/usr/bin:$PATH LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
sox -D -r 8000 -n -c 1 -b 16 file.w64 synth 1000s square
sox -D -r 8000 -n -c 1 -b 16 -t w64 - synth 1000s square | cat >pipe.w64
echo "a file $(stat -c %s file.w64) bytes, a pipe $(stat -c %s pipe.w64), headers at $(grep -aobF riff pipe.w64 | cut -d: -f1 | tr '\n' ' ')"
[ "$(stat -c %s pipe.w64)" -eq $((2000 + 3 * 104)) ]
if sox pipe.w64 -n stat 2>log; then exit 1; fi
head -1 log
if command -v ffmpeg >/dev/null; then
    if ffmpeg -v error -i pipe.w64 -f null - 2>log; then exit 1; fi
    head -1 log
fi
echo "as described"
