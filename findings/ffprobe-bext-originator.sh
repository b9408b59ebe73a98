#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) shows the originator of a broadcast WAV as the tag "encoded_by" and its description as "comment",
# but writes them from "originator" and "description": its own output does not survive being read by it again.
#
# One would guess that what -metadata originator= writes into the bext chunk comes back as "originator", as the origination
# date and the time reference do under their names. A copy from WAV to WAV with -write_bext 1 empties both fields.
#
# Seen: encoded_by=Zoom and comment=Take; after a copy the fields of the bext chunk are empty.
set -euo pipefail
ffmpeg -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -v error -f lavfi -i sine=duration=0.1 -write_bext 1 -metadata description=Take -metadata originator=Zoom a.wav
ffmpeg -v error -i a.wav -write_bext 1 b.wav
ffprobe -v error -show_entries format_tags=description,comment,originator,encoded_by -of default=nw=1 a.wav | tee seen
grep -qx "TAG:encoded_by=Zoom" seen
grep -qx "TAG:comment=Take" seen
for file in a.wav b.wav; do
    python3 -c "
b = open('$file', 'rb').read()
at = b.index(b'bext') + 8
print('$file:', b[at:at + 256].rstrip(b'\0'), b[at + 256:at + 288].rstrip(b'\0'))"
done | tee seen
printf '%s\n' "a.wav: b'Take' b'Zoom'" "b.wav: b'' b''" | diff - seen
echo "as described"
