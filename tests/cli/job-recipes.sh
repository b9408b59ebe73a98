#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: what the recipes make, and how they are listed.
. "$(dirname "$0")/job-lib.sh"

lists_recipes() {
    ap-job recipes >list
    for recipe in "$tests_folder"/../scripts/recipes/*.sh; do
        grep -q "^$(basename "$recipe" .sh) " list
    done
    grep -q -- '--set period=10' list
    # what a recipe needs and is not here is said
    printf '# lacking: x\n# needs: no-such-tool cp\n' >recipes/lacking.sh
    shows 'missing here: no-such-tool' ap-job recipes
    ap-job doctor >doctor.txt 2>&1 || true
    grep -q 'recipe lacking needs what is not here: no-such-tool' doctor.txt
    rm recipes/lacking.sh
    # an option that could not be set is a mistake of the recipe
    for option in 'key' '1key=x [a-z] help' 'key-=x [a-z] help' '=x y z' 'key=x'; do
        printf '# bad: x\n# option: %s\n' "$option" >recipes/bad.sh
        fails 1 ap-job submit --recipe bad tone.wav
        grep -q "bad.sh', line 2: not an option" stderr
    done
    shows "bad.sh', line 2" ap-job recipes
    rm recipes/bad.sh
}
check lists_recipes

takes_folders() {
    fresh
    mkdir -p album && for i in 1 2 10; do cp tone.wav "album/$i.wav"; done
    touch album/.hidden
    printf '# many: x\n# input: many audio\ncat "${inputs[@]}" >"$out/all"\n' >recipes/many.sh
    id=$(ap-job submit --recipe many album)
    [ "$(cd "$spool/queue/$id/input" && printf '%s ' *)" = '0001-1.wav 0002-2.wav 0003-10.wav ' ]
    mkdir -p nothing && fails 1 ap-job submit --recipe many nothing
    fails 1 ap-job submit album # a recipe for one file
    rm recipes/many.sh
}
check takes_folders

# peak_below DBFS MIX-ARGUMENT...: of what ap-mix makes
peak_below() { ap-mix "${@:2}" -t wav --bits float -o mixed.wav && ap-measure --json mixed.wav | /usr/bin/python3 -c '
import json, sys
peak = json.load(sys.stdin)["files"][0]["sample_peak_dbfs"]
assert peak is None or peak < float(sys.argv[1]), peak' "$1"; }

separates() {
    fresh
    sox -n -r 44100 -c 2 -b 16 song.wav synth 4 pluck 220 pluck 330 vol 0.5
    stems=$(ap-job submit --recipe stems --set lufs=-20 song.wav)
    karaoke=$(ap-job submit --recipe karaoke --set format=flac song.wav)
    ap-job run -j 2
    counts 0 0 2 0
    [ "$(ap-manifest get -m "$spool/done/$stems" .outputs | grep -o '"name":.*' | tr -d '",\t' | sort | tr '\n' ' ')" = \
        'name:bass name:drums name:main name:main_harmonic name:main_percussive name:other name:vocals ' ]
    # one gain for all: they add up as before
    cd "$spool/done/$stems/out"
    peak_below -60 --remove main.flac main_harmonic.flac main_percussive.flac
    peak_below -60 --remove main.flac vocals.flac drums.flac bass.flac other.flac
    cd "$spool/done/$karaoke/out"
    [ "$(printf '%s ' *)" = 'song.karaoke.flac song.vocals.flac ' ]
}
check separates

# lasts SECONDS ID: the one output of a job, a video, within two frames
lasts() {
    ffprobe -v error -select_streams v -show_entries stream=duration -of csv=p=0 "$(ap-job outputs "$2")" | tee length
    awk -v want="$1" '{ exit !($1 > want - 0.07 && $1 < want + 0.07) }' length
}

makes_videos() {
    fresh
    mkdir -p images
    for colour in red green blue; do
        ffmpeg -v error -y -f lavfi -i "color=$colour:size=64x48" -frames:v 1 "images/$colour.png"
    done
    rm -f images.zip && zip -q images.zip images/*.png
    options=(--recipe video --set size=128x96)
    folder=$(ap-job submit "${options[@]}" images tone.wav)
    archive=$(ap-job submit "${options[@]}" images.zip tone.wav)
    sound=$(ap-job submit "${options[@]}" tone.wav)
    silent=$(ap-job submit "${options[@]}" --set seconds=0.5 --set transition=cut images/*.png)
    ap-job run -j 2
    counts 0 0 4 0
    lasts 2 "$folder" && lasts 2 "$archive" && lasts 2 "$sound" && lasts 1.5 "$silent"
    [ "$(basename "$(ap-job outputs "$folder")")" = tone.mp4 ]
    ap-job report "$folder" film.html
    [ "$(grep -c '<video' film.html)" -eq 1 ]
    shows 'and 3 more' ap-job list
}
check makes_videos

finish
