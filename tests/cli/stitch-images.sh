#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: what becomes of the images: colours, formats, shapes, changes from one to the next.
. "$(dirname "$0")/lib.sh"
stitch_inputs

# A still is one key frame and what changes nothing, over more than one group; a second decoder sees the same.
stills_stand_still() {
    ffmpeg -v error -y -f lavfi -i testsrc2=s=320x240 -frames:v 1 test.png
    for format in mp4 webm; do
        ap-stitch --size 320x240 -q --no-audio -d 20 test.png red.png -o "still.$format"
        [ "$(of "still.$format" v nb_read_frames)" = 1200 ]
        ffmpeg -v error -xerror -i "still.$format" -f framemd5 - | awk -F, '!/^#/ { print $6 }' | uniq -c >runs
        [ "$(awk '{ print $1 }' runs | tr '\n' ' ')" = "600 600 " ]
        ffprobe -v error -select_streams v -show_entries packet=flags -of csv=p=0 "still.$format" | grep -n K |
            cut -d: -f1 | tr '\n' ' ' >keys
        [ "$(cat keys)" = "1 251 501 601 851 1101 " ]
    done
    ffmpeg -v error -c:v libvpx-vp9 -i still.webm -f framemd5 - | awk -F, '!/^#/ { print $6 }' | uniq -c >runs
    [ "$(awk '{ print $1 }' runs | tr '\n' ' ')" = "600 600 " ]
    ffmpeg -v info -i still.mp4 -i test.png -lavfi '[0]trim=end_frame=500[a];[1]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[b];[a][b]psnr' -f null - 2>&1 |
        sed -n 's/.*average:\([0-9]*\).*/\1/p' >psnr
    [ "$(cat psnr)" -ge 40 ]
}
check stills_stand_still

# Y, Cb, Cr of a plain colour against the formulas of BT.709.
colours_are_bt709() {
    for colour in 255,0,0 0,255,0 0,0,255 255,255,255 0,0,0 128,128,128 200,30,90 10,120,240; do
        ffmpeg -v error -y -f lavfi -i "color=0x$(tr , '\n' <<<"$colour" | xargs printf %02x):s=64x64,format=rgb24" -frames:v 1 c.png
        for format in mp4 webm; do
            ap-stitch --size 64x64 --fps 5 -q -j 1 --no-audio -d 0.4 c.png -o "c.$format"
            ffmpeg -v error -i "c.$format" -f rawvideo -pix_fmt yuv420p - | /usr/bin/python3 -c '
import sys, numpy
r, g, b = (int(x) / 255 for x in sys.argv[1].split(","))
y = 0.2126 * r + 0.7152 * g + 0.0722 * b
want = [16 + 219 * y, 128 + 224 * (b - y) / 1.8556, 128 + 224 * (r - y) / 1.5748]
data = numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8)[:64 * 64 * 3 // 2].astype(int)
for plane, value in zip([data[:4096], data[4096:5120], data[5120:]], want):
    assert abs(plane - value).max() <= 2, (sys.argv, plane.min(), plane.max(), value)' "$colour"
        done
    done
}
check colours_are_bt709

# The same picture in all formats. JPEG is full range BT.601.
image_formats() {
    ffmpeg -v error -y -f lavfi -i color=0xC85028:s=100x100,format=rgb24 -frames:v 1 i.png
    ffmpeg -v error -y -i i.png -q:v 1 i.jpg -q:v 1 -pix_fmt yuvj444p i444.jpg -c:v libwebp -quality 100 i.webp \
        -c:v libwebp -lossless 1 ill.webp -pix_fmt rgb48be i16.png -pix_fmt pal8 i8.png
    ffmpeg -v error -y -i i.png -vf 'split[a][b];[a]palettegen[p];[b][p]paletteuse' i.gif
    for image in i.jpg i444.jpg i.png i16.png i8.png i.webp ill.webp i.gif; do
        ap-stitch "${small[@]}" --no-audio -d 0.2 "$image" -o i.mp4
        python_video 'see(videos[0][0], 80, 60, (200, 80, 40), 5)' i.mp4
    done
    ffmpeg -v error -y -i i.png -pix_fmt gray grey.png
    ap-stitch "${small[@]}" --no-audio -d 0.2 grey.png -o i.mp4
    python_video 'see(videos[0][0], 80, 60, (110, 110, 110))' i.mp4
    # the first picture of an animation, whatever comes after it
    ffmpeg -v error -y -f lavfi -i color=red:s=64x48:r=5:d=1 -f lavfi -i color=blue:s=64x48:r=5:d=1 -lavfi '[0][1]concat' many.gif
    ap-stitch "${small[@]}" --no-audio -d 0.2 many.gif -o i.mp4
    python_video 'see(videos[0][0], 80, 60, red); assert len(videos[0]) == 2' i.mp4
}
check image_formats

turned_as_exif_says() {
    /usr/bin/python3 -c '
import struct, subprocess, numpy
stored = numpy.zeros((80, 120, 3), numpy.uint8)
stored[:40, :60], stored[:40, 60:], stored[40:, :60], stored[40:, 60:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
subprocess.run("ffmpeg -v error -y -f rawvideo -pix_fmt rgb24 -s 120x80 -i - -q:v 1 -pix_fmt yuvj444p stored.jpg".split(),
               input=stored.tobytes(), check=True)
jpeg = open("stored.jpg", "rb").read()
for o in range(1, 9):
    tiff = b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHHI", 0x112, 3, 1, o, 0, 0)
    body = b"Exif\0\0" + tiff
    open("exif%d.jpg" % o, "wb").write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:])'
    ap-stitch --size 120x120 --fps 10 -q -j 1 --no-audio -d 0.2 exif[1-8].jpg -o exif.mp4
    python_video '
stored = numpy.array([[red, lime], [blue, white]])
upright = [stored, stored[:, ::-1], stored[::-1, ::-1], stored[::-1], stored.transpose(1, 0, 2), numpy.rot90(stored, -1),
           stored[::-1, ::-1].transpose(1, 0, 2), numpy.rot90(stored)]
for i, want in enumerate(upright):
    frame = videos[0][2 * i]
    wide, high = (60, 40) if i < 4 else (40, 60)
    for row in 0, 1:
        for column in 0, 1:
            see(frame, 60 + (column * 2 - 1) * wide // 2, 60 + (row * 2 - 1) * high // 2, want[row][column], 8)
    see(frame, 60, 5 if i < 4 else 60 - 50, black if i < 4 else want.mean(axis=(0, 1)), 300 if i >= 4 else 6)
    see(frame, 5, 60, black if i >= 4 else black, 300 if i < 4 else 6)' exif.mp4
}
check turned_as_exif_says

# Half red, half nothing at all under which there is green.
transparent_is_black() {
    /usr/bin/python3 -c '
import subprocess, numpy
image = numpy.zeros((120, 160, 4), numpy.uint8)
image[:, :80], image[:, 80:] = (255, 0, 0, 128), (0, 255, 0, 0)
for name in "alpha.png", "alpha.webp":
    subprocess.run(("ffmpeg -v error -y -f rawvideo -pix_fmt rgba -s 160x120 -i - -lossless 1 " + name).split()
                   if "webp" in name else ("ffmpeg -v error -y -f rawvideo -pix_fmt rgba -s 160x120 -i - " + name).split(),
                   input=image.tobytes(), check=True)'
    ap-stitch "${small[@]}" --no-audio -d 0.2 alpha.png alpha.webp -o alpha.mp4
    python_video '
for frame in videos[0]:
    see(frame, 40, 60, (128, 0, 0), 8)
    see(frame, 120, 60, black)
    assert frame[:, :, 1].max() < 40' alpha.mp4
}
check transparent_is_black

fits() {
    # a wide image: red, with a lime left half and a blue edge on both sides
    ffmpeg -v error -y -f lavfi -i 'color=red:s=400x100,drawbox=0:0:200:100:lime:fill,drawbox=0:0:20:100:blue:fill,drawbox=380:0:20:100:blue:fill' \
        -frames:v 1 wide.png
    for fit in contain cover blur; do
        ap-stitch --size 200x200 --fps 10 -q -j 1 --no-audio -d 0.2 --fit "$fit" wide.png -o "$fit.mp4"
    done
    python_video '
contain, cover, blur = (v[0] for v in videos)
see(contain, 50, 100, lime); see(contain, 150, 100, red); see(contain, 4, 100, blue, 12)
see(contain, 100, 60, black); see(contain, 100, 140, black)
see(cover, 50, 5, lime); see(cover, 150, 195, red); see(cover, 3, 100, lime); see(cover, 196, 100, red)
see(blur, 50, 100, lime); see(blur, 150, 100, red)
for x, channel in (20, 1), (180, 0): # the bars are the dark middle of it, without an edge
    assert 100 < blur[20, x, channel] < 200 and blur[20, x, 2] < 60, blur[20, x]
assert abs(numpy.diff(blur[20, :, :], axis=0)).max() < 30' contain.mp4 cover.mp4 blur.mp4
}
check fits

# Half of it before, half of it after the change, in the middle the mean; as long as without.
fades() {
    for format in mp4 webm; do
        ap-stitch --size 160x120 --fps 20 -q -j 1 --no-audio -d 2 --transition fade --transition-seconds 1 red.png blue.png \
            -o "fade.$format"
        python_video '
v = videos[0]
assert len(v) == 80
level = v[:, 60, 80, :]
for i, (r, g, b) in enumerate(level):
    part = min(max((i - 30 + 0.5) / 20, 0), 1)
    assert abs(r - 255 * (1 - part)) < 12 and abs(b - 255 * part) < 12 and g < 12, (i, r, g, b, part)' "fade.$format"
    done
    # as long as an image at most
    ap-stitch "${small[@]}" --no-audio -d 0.5 --transition fade --transition-seconds 10 red.png blue.png lime.png -o x.mp4
    [ "$(of x.mp4 v nb_read_frames)" = 15 ]
    ap-stitch "${small[@]}" --no-audio -d 0.5 --transition fade --transition-seconds 0 red.png blue.png -o x.mp4
    python_video 'see(videos[0][4], 80, 60, red); see(videos[0][5], 80, 60, blue)' x.mp4
}
check fades

# A cross in the middle grows, by a little with each frame.
ken_burns_moves() {
    ffmpeg -v error -y -f lavfi -i 'color=black:s=640x480,drawbox=200:0:240:480:white:fill' -frames:v 1 bar.png
    ap-stitch --size 320x240 --fps 25 -q -j 1 --no-audio -d 4 --ken-burns bar.png bar.png -o burns.mp4
    python_video '
width = (videos[0][:, 120, :, :].mean(axis=2) / 255).sum(axis=1) # of the white bar, in parts of pixels
first, second = width[:100], width[100:]
assert abs(first[0] - 120) < 2 and abs(first[-1] - 150) < 2, (first[0], first[-1])
assert abs(second[0] - 150) < 2 and abs(second[-1] - 120) < 2, (second[0], second[-1])
steps = numpy.diff(first)
assert steps.min() > -0.2 and steps.max() < 0.8, (steps.min(), steps.max())' burns.mp4
    ap-stitch --size 320x240 --fps 25 -q -j 1 --no-audio -d 1 --ken-burns --transition fade bar.png red.png -o burns.webm
    [ "$(of burns.webm v nb_read_frames)" = 50 ]
}
check ken_burns_moves

broken_images() {
    ffmpeg -v error -y -f lavfi -i testsrc2=s=320x240 -frames:v 1 -q:v 2 good.jpg
    ffmpeg -v error -y -i good.jpg good.png -c:v libwebp good.webp good.gif
    : >empty.jpg
    echo 'no image at all' >text.jpg
    mkdir -p folder.jpg
    for type in jpg png webp gif; do
        head -c $(($(stat -c %s "good.$type") / 2)) "good.$type" >"cut.$type"
    done
    /usr/bin/python3 -c '
data = bytearray(open("good.png", "rb").read())
data[len(data) // 2] ^= 0x55
open("flipped.png", "wb").write(data)'
    for bad in cut.jpg cut.png cut.webp cut.gif flipped.png empty.jpg text.jpg folder.jpg missing.jpg; do
        echo old >x.mp4
        fails 1 ap-stitch "${small[@]}" -a sound.wav red.png "$bad" blue.png -o x.mp4
        [ "$(wc -l <stderr)" -eq 1 ]
        grep -q "$bad" stderr
        [ "$(cat x.mp4)" = old ]
        fails 1 ap-stitch "${small[@]}" --skip-broken --no-audio "$bad" -o y.mp4
        grep -q "no image is left" stderr
        [ ! -e y.mp4 ]
    done
    [ -z "$(find . -name '.audiopipe*')" ]
    ap-stitch --size 160x120 --fps 10 -a sound.wav --skip-broken cut.jpg red.png text.jpg blue.png missing.jpg -o x.mp4 2>err.txt
    [ "$(wc -l <err.txt)" -eq 3 ]
    grep -q "warning: left out: .*cut.jpg" err.txt
    python_video 'assert len(videos[0]) == 24; see(videos[0][11], 80, 60, red); see(videos[0][12], 80, 60, blue)' x.mp4
}
check broken_images

finish
