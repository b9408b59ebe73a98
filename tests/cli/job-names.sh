#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: names of inputs and outputs, and folders and archives with files of all kinds in them.
. "$(dirname "$0")/job-lib.sh"

# outputs_of FILE: the name of what a job of it makes; by Python, for which a name is bytes
output_of() {
    local id
    id=$(ap-job submit --force --recipe copy -- "$1")
    ap-job run
    ap-manifest verify "$spool/done/$id"
    out=$(ap-job outputs "$id")
    [ -e "$out" ]
    /usr/bin/python3 - "$spool/done/$id" <<'END'
import json, os, sys
m = json.load(open(sys.argv[1] + "/manifest.json", encoding="utf-8"))
for path in [m["input"]["path"], m["outputs"][0]["path"]]:
    # ap-manifest(5): U+EF80 to U+EFFF stand for bytes that are no UTF-8
    raw = b"".join(bytes([ord(c) - 0xEF00]) if 0xEF80 <= ord(c) <= 0xEFFF else c.encode() for c in path)
    assert os.path.exists(os.path.join(sys.argv[1].encode(), raw)), path
END
    name=${out##*/}
}
keeps_names() {
    fresh
    printf '# copy: x\ncp "$input" "$out/$track.out.txt"\n' >recipes/copy.sh
    export AUDIOPIPE_RECIPES=$PWD/recipes
    for title in "Guns N' Roses - Don't Cry" 'R&B [live] #1 100%' 'ünïcode ♫' $'latin\xe9' $'half \xe3\x81'; do
        echo "$title" >"$title.txt"
        output_of "$title.txt"
        [ "$name" = "$title.out.txt" ]
    done
    # cut between two characters
    for bytes in 245 246 247; do
        title=$(printf 'ぬ%.0s' $(seq 81))
        title=${title}$(printf 'a%.0s' $(seq $((bytes - 243))))
        echo "$bytes" >"$title.txt"
        output_of "$title.txt"
        iconv -f UTF-8 -t UTF-8 <<<"$name" >/dev/null
        [[ $name == ぬ*.out.txt ]]
    done
    rm recipes/*
}
check keeps_names

takes_photo_folders() {
    fresh
    export AUDIOPIPE_RECIPES=
    mkdir -p photos/raw
    for colour in red blue; do ffmpeg -v error -y -f lavfi -i "color=$colour:s=64x48" -frames:v 1 "photos/$colour.png"; done
    for junk in Thumbs.db desktop.ini red.png.xmp red.png.json; do echo '{}' >"photos/$junk"; done
    id=$(ap-job submit --recipe video photos 2>said)
    [ "$(find "$spool/queue/$id/input" -name '*.png' | wc -l)" -eq 2 ]
    [ "$(find "$spool/queue/$id/input" -type f | wc -l)" -eq 2 ]
    for left in Thumbs.db desktop.ini red.png.xmp red.png.json raw; do grep -q "left out: 'photos/$left'" said; done
    grep -Fxq "ap-job: left out: 'photos/raw' is a folder" said
    grep -Fxq "ap-job: left out: 'photos/Thumbs.db' is none of what recipe video takes: image audio zip" said
    # a photo that is damaged is no junk, and nothing that fits is an error
    mkdir -p words && echo words >words/a.txt
    fails 1 ap-job submit --recipe video words
    grep -q "there is no file in 'words' that recipe video takes: image audio zip" stderr
    fails 1 ap-job submit --recipe video photos/Thumbs.db # what is named is meant
}
check takes_photo_folders

# average_colours VIDEO: a letter and a number of frames for each that lasts
average_colours() {
    ffmpeg -v error -i "$1" -vf scale=1:1 -pix_fmt rgb24 -f rawvideo - | /usr/bin/python3 -c '
import sys, itertools
b = sys.stdin.buffer.read()
pixels = ["RGB"[max(range(3), key=lambda k: b[3 * i + k])] for i in range(len(b) // 3)]
print(" ".join(k for k, g in itertools.groupby(pixels)))'
}
unpacks_equal_names() {
    fresh
    export AUDIOPIPE_RECIPES=
    mkdir -p zip/day1 zip/day2
    ffmpeg -v error -y -f lavfi -i color=red:s=64x48 -frames:v 1 zip/day1/IMG_1.png
    ffmpeg -v error -y -f lavfi -i color=lime:s=64x48 -frames:v 1 zip/day2/IMG_1.png
    ffmpeg -v error -y -f lavfi -i color=blue:s=64x48 -frames:v 1 zip/day2/IMG_2.png
    (cd zip && zip -q -r ../days.zip .)
    id=$(ap-job submit --recipe video --set seconds=0.5 --set transition=cut --set size=64x48 days.zip)
    ap-job run
    [ "$(average_colours "$(ap-job outputs "$id")")" = 'R G B' ]
}
check unpacks_equal_names

# As Windows makes them, and with paths that unzip changes, which is no more than a warning.
unpacks_odd_paths() {
    fresh
    export AUDIOPIPE_RECIPES=
    ffmpeg -v error -y -f lavfi -i color=red:s=64x48 -frames:v 1 red.png
    ffmpeg -v error -y -f lavfi -i color=blue:s=64x48 -frames:v 1 blue.png
    /usr/bin/python3 -c 'import zipfile
with zipfile.ZipFile("odd.zip", "w") as z:
    for name, file in ("c\\x.png", "red"), ("d\\x.png", "blue"), ("/e/../x%20 &.png", "red"):
        info = zipfile.ZipInfo("")
        info.filename, info.create_system = name, 0
        z.writestr(info, open(file + ".png", "rb").read())
    for junk in "__MACOSX/._x.png", "Thumbs.db", "desktop.ini", "x.xmp": z.writestr(junk, "junk")'
    id=$(ap-job submit --recipe video --set seconds=0.5 --set transition=cut --set size=64x48 odd.zip)
    ap-job run
    [ "$(average_colours "$(ap-job outputs "$id")")" = 'R B R' ]
}
check unpacks_odd_paths

# Which of two files with one path is meant, nobody knows.
refuses_a_doubled_path() {
    fresh
    export AUDIOPIPE_RECIPES=
    ffmpeg -v error -y -f lavfi -i color=red:s=64x48 -frames:v 1 red.png
    /usr/bin/python3 -W ignore -c 'import zipfile
with zipfile.ZipFile("double.zip", "w") as z:
    for i in range(2): z.write("red.png", "a/photo.png")
with zipfile.ZipFile("beside.zip", "w") as z:
    for name in "/a/b.png", "../a/../b.png":
        info = zipfile.ZipInfo("")
        info.filename = name
        z.writestr(info, open("red.png", "rb").read())'
    ap-job submit --recipe video double.zip >id
    fails 1 ap-job run
    ap-job list >jobs.txt
    grep -q "more than one file of the name 'a/photo.png'" jobs.txt
    ap-job submit --recipe video beside.zip >id
    fails 1 ap-job run
    ap-job list >jobs.txt
    grep -q "more than one file of the name 'a/b.png'" jobs.txt
}
check refuses_a_doubled_path

finish
