#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Photos as telephones and cameras make them: HEIC and AVIF, wide colour spaces, PNG that is to be turned. Files come from
# heif-enc and ffmpeg, colours from the matrices of the profiles.
. "$(dirname "$0")/lib.sh"

# first_frame PHOTO: a video of it; prints the colours, each red,green,blue, of the places left, right, top, bottom
first_frame() {
    ap-stitch -q -j 1 --no-audio --duration 0.2 --size 320x240 --fps 10 "$1" -o out.mp4
    ffmpeg -v error -y -i out.mp4 -frames:v 1 -f rawvideo -pix_fmt rgb24 frame.rgb
    /usr/bin/python3 -c "
import numpy
f = numpy.fromfile('frame.rgb', numpy.uint8).reshape(240, 320, 3).astype(int)
for y, x in (120, 20), (120, 300), (20, 160), (220, 160):
    print('%d,%d,%d' % tuple(f[y - 2:y + 3, x - 2:x + 3].mean(axis=(0, 1)).round()))"
}
# near TOLERANCE WANTED FOUND: colours
near() {
    /usr/bin/python3 -c "
import sys
a, b = ([int(x) for x in s.split(',')] for s in sys.argv[2:])
assert max(abs(p - q) for p, q in zip(a, b)) <= int(sys.argv[1]), sys.argv" "$@"
}

# chunk FROM TO TYPE FILE: a PNG with one more chunk, behind the header
chunk() {
    /usr/bin/python3 -c '
import struct, sys, zlib
b, data, kind = open(sys.argv[1], "rb").read(), open(sys.argv[4], "rb").read(), sys.argv[3].encode()
if kind == b"iCCP":
    data = b"x\0\0" + zlib.compress(data)
new = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open(sys.argv[2], "wb").write(b[:33] + new + b[33:])' "$@"
}

# with_profile FROM TO FILE: a JPEG with an ICC profile in two pieces, the second one first; or a WebP
with_profile() {
    /usr/bin/python3 -c '
import struct, sys
b, icc = open(sys.argv[1], "rb").read(), open(sys.argv[3], "rb").read()
if b[:2] == b"\xff\xd8":
    parts = icc[:len(icc) // 2], icc[len(icc) // 2:]
    heads = [b"ICC_PROFILE\0" + bytes((i + 1, 2)) + parts[i] for i in (1, 0)]
    b = b[:2] + b"".join(b"\xff\xe2" + struct.pack(">H", len(h) + 2) + h for h in heads) + b[2:]
else:
    size = struct.pack("<I", 319)[:3] + struct.pack("<I", 239)[:3] # less one
    chunk = lambda name, data: name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    body = b"WEBP" + chunk(b"VP8X", bytes((0x20, 0, 0, 0)) + size) + chunk(b"ICCP", icc) + b[12:]
    b = b"RIFF" + struct.pack("<I", len(body)) + body
open(sys.argv[2], "wb").write(b)' "$@"
}

# profile SPACE FILE RED GREEN BLUE: an ICC profile of version 2 (matrix and gamma); prints the colour in sRGB
profile() {
    /usr/bin/python3 -c '
import struct, sys, numpy
spaces = {"p3": [(.5151, .2412, -.0011), (.2919, .6922, .0419), (.1572, .0666, .7841)],
          "adobe": [(.60974, .31111, .01947), (.20528, .62567, .06087), (.14919, .06322, .74457)]}
columns, gamma, white = spaces[sys.argv[1]], 2.19921875, (.9642, 1, .8249)
s15 = lambda x: struct.pack(">i", round(x * 65536))
xyz = lambda v: b"XYZ \0\0\0\0" + b"".join(map(s15, v))
curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78
tags = [(b"desc", text), (b"cprt", b"text\0\0\0\0x\0"), (b"wtpt", xyz(white))]
tags += [(n, xyz(c)) for n, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns)]
tags += [(n, curve) for n in (b"rTRC", b"gTRC", b"bTRC")]
body, table, at = b"", struct.pack(">I", len(tags)), 132 + 12 * len(tags)
for name, data in tags:
    data += b"\0" * (-len(data) % 4)
    table += name + struct.pack(">II", at + len(body), len(data))
    body += data
head = struct.pack(">I", at + len(body)) + bytes(4) + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ "
head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(s15, white)) + bytes(48)
open(sys.argv[2], "wb").write(head + table + body)
# sRGB of IEC 61966-2-1, adapted to D50 as ICC has it
srgb = numpy.array([(.43607, .22249, .01392), (.38515, .71687, .09708), (.14307, .06061, .71410)]).T
linear = numpy.linalg.solve(srgb, numpy.array(columns).T @ (numpy.array(sys.argv[3:], float) / 255) ** gamma).clip(0, 1)
print("%d,%d,%d" % tuple((255 * numpy.where(linear <= .0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - .055)).round()))' "$@"
}

wide_colours_become_srgb() { # SPACE RED GREEN BLUE
    local want
    want=$(profile "$1" space.icc "$2" "$3" "$4")
    ffmpeg -v error -y -f lavfi -i "color=#$(printf %02x%02x%02x "$2" "$3" "$4"):s=320x240,format=rgb24" -frames:v 1 plain.png
    chunk plain.png wide.png iCCP space.icc
    near 5 "$2,$3,$4" "$(first_frame plain.png | head -1)"
    near 5 "$want" "$(first_frame wide.png | head -1)"
    ffmpeg -v error -y -i plain.png -pix_fmt yuvj444p -q:v 1 plain.jpg
    with_profile plain.jpg wide.jpg space.icc
    near 6 "$2,$3,$4" "$(first_frame plain.jpg | head -1)"
    near 6 "$want" "$(first_frame wide.jpg | head -1)"
    ffmpeg -v error -y -i plain.png -c:v libwebp -lossless 1 plain.webp 2>log || return 0 # built without
    with_profile plain.webp wide.webp space.icc
    near 5 "$want" "$(first_frame wide.webp | head -1)"
}

a_profile_of_nonsense_is_ignored() {
    head -c 300 /dev/zero >space.icc
    chunk red_blue.png odd.png iCCP space.icc
    near 6 255,0,0 "$(first_frame odd.png | sed -n 1p)"
}

# Left half red, right half blue.
ffmpeg -v error -f lavfi -i color=red:s=160x240 -f lavfi -i color=blue:s=160x240 -filter_complex \
    'hstack,format=rgb24' -frames:v 1 red_blue.png

png_is_turned_by_exif() {
    local order
    for order in '4d4d002a 00000008 0001 0112 0003 00000001 00060000 00000000' \
        '49492a00 08000000 0100 1201 0300 01000000 06000000 00000000'; do # 6: the right side is the bottom
        /usr/bin/python3 -c 'import sys; open("exif", "wb").write(bytes.fromhex(sys.argv[1]))' "$order"
        chunk red_blue.png turned.png eXIf exif
        first_frame turned.png >colours
        near 6 255,0,0 "$(sed -n 3p colours)"
        near 6 0,0,255 "$(sed -n 4p colours)"
    done
    printf 'MM\0*\377\377\377\377' >exif # a directory that is not there
    chunk red_blue.png turned.png eXIf exif
    near 6 255,0,0 "$(first_frame turned.png | sed -n 1p)"
}

reads() { # TYPE HEIF-ENC-OPTION...
    command -v heif-enc >/dev/null || skip "no heif-enc"
    heif-enc "${@:2}" -q 90 red_blue.png -o "photo.$1" || skip "heif-enc has no encoder for $1"
    first_frame "photo.$1" >colours
    near 12 255,0,0 "$(sed -n 1p colours)"
    near 12 0,0,255 "$(sed -n 2p colours)"
    mv "photo.$1" "photo.jpg" # what it is does not depend on its name
    ap-manifest probe photo.jpg | grep -w "$1"
    ap-manifest probe photo.jpg | grep -w image
    head -c "$(($(stat -c %s photo.jpg) - 20))" photo.jpg >cut.heic
    fails 1 ap-stitch -q --no-audio cut.heic -o cut.mp4
    grep -q "cut.heic" stderr
    [ ! -e cut.mp4 ]
    fails 1 ap-info photo.jpg
    grep -q "has no audio: it is a picture, image/$1" stderr
}

check wide_colours_become_srgb p3 180 120 90
check wide_colours_become_srgb adobe 180 120 90
check wide_colours_become_srgb p3 200 200 200
check a_profile_of_nonsense_is_ignored
check png_is_turned_by_exif
check reads heic
check reads avif -A
finish
