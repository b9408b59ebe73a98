#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) gives one of several values of a tag in MP4 (the first), APEv2 (the first) and Matroska (the
# last), without a word, so a conversion loses the second artist.
#
# One would guess "A1;A2", as it joins the values of Vorbis comments in Ogg and FLAC with a semicolon. Programs that read
# tags by it get all values of a FLAC, and one of the same song in M4A. Values that matter have to be read from the file.
#
# Seen: FLAC "A1;A2", M4A "A1", WavPack "A1", Matroska "A2".
set -euo pipefail
ffmpeg -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
python=/usr/bin/python3
$python -c 'import mutagen' || {
    echo "needs python3-mutagen"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for codec in flac:flac m4a:aac wv:wavpack; do
    ffmpeg -v error -f lavfi -i sine=duration=0.2 -c:a "${codec#*:}" "a.${codec%:*}"
done
ffmpeg -v error -f lavfi -i sine=duration=0.2 -c:a flac -f matroska - | cat >plain.mka
$python - <<'END'
from mutagen import flac, mp4, wavpack

for song, key in ((flac.FLAC("a.flac"), "artist"), (mp4.MP4("a.m4a"), "\xa9ART"), (wavpack.WavPack("a.wv"), "Artist")):
    if song.tags is None:
        song.add_tags()
    song[key] = ["A1", "A2"]
    song.save()
element = lambda id, data: bytes.fromhex(id) + (1 << 56 | len(data)).to_bytes(8, "big") + data
simple = lambda value: element("67c8", element("45a3", b"ARTIST") + element("4487", value))
tags = element("1254c367", element("7373", element("63c0", b"") + simple(b"A1") + simple(b"A2")))
data = open("plain.mka", "rb").read()
at = data.index(bytes.fromhex("1f43b675"))
open("a.mka", "wb").write(data[:at] + tags + data[at:])
END
for file in a.flac a.m4a a.wv a.mka; do
    echo "$file: $(ffprobe -v error -show_entries format_tags=artist -of csv=p=0 $file)"
done | tee seen
printf '%s\n' "a.flac: A1;A2" "a.m4a: A1" "a.wv: A1" "a.mka: A2" | diff - seen
echo "as described"
