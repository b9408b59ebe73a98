#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: images in TIFF and BMP, names of sizes, the cover of the sound as the image.
. "$(dirname "$0")/lib.sh"
stitch_inputs

other_formats_are_the_same_picture() {
    local kind
    ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120 -frames:v 1 test.png
    ap-stitch "${small[@]}" --no-audio -d 0.5 test.png -o png.mp4
    for kind in "-pix_fmt rgb24 a.bmp" "-pix_fmt rgb24 -compression_algo raw b.tiff" "-compression_algo lzw c.tiff" \
        "-compression_algo deflate d.tif" "-pix_fmt rgb565le e.bmp"; do
        # shellcheck disable=SC2086
        ffmpeg -v error -y -i test.png $kind
        ap-stitch "${small[@]}" --no-audio -d 0.5 "${kind##* }" -o other.mp4
        python_video "
assert videos[0].shape == videos[1].shape
assert abs(videos[0] - videos[1]).mean() < ${LIMIT:-4}, abs(videos[0] - videos[1]).mean()" png.mp4 other.mp4
    done
    head -c 9000 a.bmp >cut.bmp
    head -c 9000 b.tiff >cut.tiff
    fails 1 ap-stitch "${small[@]}" --no-audio cut.bmp -o x.mp4
    fails 1 ap-stitch "${small[@]}" --no-audio cut.tiff -o x.mp4
    printf 'BM is how this text begins' >text.bmp
    fails 1 ap-stitch "${small[@]}" --no-audio text.bmp -o x.mp4
    grep -q "'text.bmp' is not an image" stderr
    [ ! -e x.mp4 ]
}
check other_formats_are_the_same_picture

# Red above blue, stored lying: turned as the tag says.
tiff_is_turned() {
    ffmpeg -v error -y -f lavfi -i "color=red:s=160x60[a];color=blue:s=160x60[b];[a][b]vstack" -frames:v 1 two.tiff
    exiftool -q -n -Orientation=3 two.tiff
    ap-stitch "${small[@]}" --no-audio -d 0.5 two.tiff -o turned.mp4
    python_video '
see(videos[0][2], 80, 30, blue, 12)
see(videos[0][2], 80, 90, red, 12)' turned.mp4
}
check tiff_is_turned

sizes_have_names() {
    ap-stitch --size 480p --fps 5 -q --no-audio -d 0.4 red.png -o p.mp4
    [ "$(of p.mp4 v width):$(of p.mp4 v height)" = 854:480 ]
    ap-stitch --size 4K --fps 1 -q --no-audio -d 1 red.png -o k.mp4
    [ "$(of k.mp4 v width):$(of k.mp4 v height)" = 3840:2160 ]
    fails 2 ap-stitch --size 5k --no-audio red.png -o x.mp4
    grep -q "1080p" stderr
}
check sizes_have_names

cover_is_the_image() {
    ap-encode sound.wav -o song.flac
    fails 2 ap-stitch "${small[@]}" -a song.flac -o x.mp4
    grep -q "no images, and the sound has no cover" stderr
    ap-tag --cover lime.png song.flac
    ap-stitch "${small[@]}" -a song.flac -o cover.mp4
    python_video '
assert len(videos[0]) in (23, 24), len(videos[0])
see(videos[0][10], 80, 60, lime)' cover.mp4
    [ ! -e x.mp4 ]
}
check cover_is_the_image

finish
