#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) refuses every TIFF of its own under -err_detect explode.
#
# One would guess that "explode" (AV_EF_EXPLODE) gives up on damage alone, so that a program which wants whole pictures or none
# may set it for every decoder. For TIFF a tag that the decoder has no use for is an error, too, and it has no use for
# ResolutionUnit (296), which baseline TIFF asks for and which its own encoder writes behind the resolution. The other
# formats below, each as FFmpeg writes it, pass. A program has to leave the flag away for TIFF.
#
# Seen: png, jpg, bmp, webp, gif, ppm, jp2 and exr: 0; tif: 1, "Unknown or unsupported tag 296/0x128", and 0 without the flag.
set -euo pipefail
ffmpeg -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
decode() { ffmpeg -v error "$@" -f null - 2>said; }
for format in png jpg bmp webp gif ppm jp2 exr tif; do
    ffmpeg -v error -f lavfi -i testsrc=s=64x48 -frames:v 1 picture.$format
    status=0
    decode -err_detect explode -i picture.$format || status=$?
    echo "$format: $status $(grep -o "Unknown or unsupported tag.*" said || true)"
    [ "$status" -eq "$([ $format = tif ] && echo 1 || echo 0)" ]
done | tee seen
grep -q "^tif: 1 Unknown or unsupported tag 296/0x128$" seen
decode -i picture.tif
echo "as described"
