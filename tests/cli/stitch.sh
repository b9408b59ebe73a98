#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: videos that ffprobe and ffmpeg read as they were asked for.
. "$(dirname "$0")/lib.sh"
stitch_inputs

# Frames, seconds of both streams within a frame of each other, size, rate, codecs, colours.
streams_are_as_asked_for() { # FORMAT VIDEO AUDIO
    ap-stitch "${small[@]}" -a sound.wav red.png lime.png blue.png -o "x.$1"
    [ "$(of "x.$1" v codec_name)" = "$2" ]
    [ "$(of "x.$1" a codec_name)" = "$3" ]
    [ "$(of "x.$1" v nb_read_frames)" = 24 ]
    [ "$(of "x.$1" v width,height | tr -d '\n')" = 160120 ]
    [ "$(of "x.$1" v r_frame_rate)" = 10/1 ]
    [ "$(of "x.$1" v pix_fmt)" = yuv420p ]
    [ "$(of "x.$1" v color_range)" = tv ]
    [ "$(of "x.$1" v color_space)" = bt709 ]
    ffprobe -v error -show_entries format=duration -of csv=p=0 "x.$1" | awk '{ exit !($1 > 2.35 && $1 < 2.45) }'
    ffmpeg -v error -i "x.$1" -f f32le -ac 1 - | wc -c | awk -v rate="$(of "x.$1" a sample_rate)" '{
        exit !($1 / 4 / rate > 2.3 && $1 / 4 / rate < 2.47) }'
    python_video 'v = videos[0]
for i, colour in enumerate([red, lime, blue]):
    for frame in v[8 * i:8 * i + 8]:
        see(frame, 80, 60, colour)' "x.$1"
}
check streams_are_as_asked_for mp4 h264 aac
check streams_are_as_asked_for mkv h264 opus
check streams_are_as_asked_for webm vp9 opus

index_is_in_front() {
    ap-stitch "${small[@]}" -a sound.wav red.png -o x.mp4
    [ "$(boxes x.mp4 | grep -n moov | cut -d: -f1)" -lt "$(boxes x.mp4 | grep -n mdat | cut -d: -f1)" ]
    [ "$(boxes x.mp4 | head -1)" = ftyp ]
    ap-stitch "${small[@]}" -a sound.wav -t mp4 red.png >piped.mp4
    cmp x.mp4 piped.mp4
    ap-stitch "${small[@]}" -a sound.wav -t webm red.png | cat >piped.webm
    [ "$(of piped.webm v nb_read_frames)" = 24 ]
}
check index_is_in_front

# From one pixel, and from odd and extreme shapes.
any_size() {
    for size in 1x1 1x2000 2000x1 3x5 639x481 5000x10; do
        ffmpeg -v error -y -f lavfi -i "color=red:s=$size,format=rgb24" -frames:v 1 size.png
        for fit in contain cover blur; do
            ap-stitch "${small[@]}" --no-audio -d 0.2 --ken-burns --fit "$fit" size.png -o size.mp4
            [ "$(of size.mp4 v nb_read_frames)" = 2 ]
        done
    done
    ap-stitch --size 16x16 -q --no-audio -d 0.2 --ken-burns size.png -o size.mp4
    [ "$(of size.mp4 v width,height | tr -d '\n')" = 1616 ]
}
check any_size

any_sound() {
    for shape in "8000 1" "11025 2" "22050 3" "32000 4" "44100 5" "48000 6" "96000 7" "192000 8" "50000 2" "44100 12"; do
        # shellcheck disable=SC2086
        set -- $shape
        sox -R -n -r "$1" -c "$2" -e float -b 32 -t au any.au synth 0.5 sine 300 vol 0.5
        for format in mp4 webm; do
            if [ "$2" = 12 ]; then
                fails 1 ap-stitch "${small[@]}" -a any.au red.png -o "any.$format"
                grep -q "12 channels of unknown position" stderr
                continue
            fi
            ap-stitch "${small[@]}" -a any.au red.png -o "any.$format"
            channels=$2
            [ "$channels.$format" != 7.mp4 ] || channels=6 # AAC has no 6.1
            [ "$(of "any.$format" a channels)" = "$channels" ]
            [ "$(of "any.$format" v nb_read_frames)" = 5 ]
        done
    done
    sox -n -r 44100 -c 2 -e float -b 32 -t au - synth 0.5 sine 300 2>/dev/null | ap-mix -- -:+40dB >loud.au
    ap-stitch --size 160x120 -a loud.au red.png -o x.mp4 2>err.txt
    grep -q 'samples clipped, peak +3' err.txt
    printf '.snd\0\0\0\40\377\377\377\377\0\0\0\6\0\0\254\104\0\0\0\1\0\0\0\0\0\0\0\0\177\300\0\0\177\200\0\0\377\200\0\0\177\177\377\377' >nan.au
    ap-stitch "${small[@]}" -a nan.au -d 1 red.png -o x.mp4
    [ "$(of x.mp4 a duration)" = 1.000000 ]
}
check any_sound

odd_names() {
    names=($'new\nline.png' '-dash.png' 'a b.png' '%d.png' '*.png' $'byte\xff.png' "quote'\".png" '$(touch x).png' 'pipe:0' 'concat:a|b')
    mkdir -p odd
    for name in "${names[@]}"; do
        cp red.png "odd/$name"
    done
    (cd odd && ap-stitch "${small[@]}" --no-audio -d 0.2 -o '-out %d.mp4' -- "${names[@]}" && [ "$(of "./-out %d.mp4" v nb_read_frames)" = 20 ] && [ ! -e x ])
    find odd -name '*.png' -print0 | ap-stitch "${small[@]}" --no-audio -d 0.2 --list - -o list.mp4
    [ "$(of list.mp4 v nb_read_frames)" = 16 ]
    printf 'red.png\n\nblue.png\nodd/-dash.png' >list.txt
    ap-stitch "${small[@]}" --no-audio -d 0.2 --list list.txt lime.png -o list.mp4
    python_video 'assert len(videos[0]) == 8
for i, colour in enumerate([lime, red, blue, red]):
    see(videos[0][2 * i], 80, 60, colour)' list.mp4
    printf '\xef\xbb\xbfred.png\r\n\r\nblue.png\r\n' >dos.txt
    ap-stitch "${small[@]}" --no-audio -d 0.2 --list dos.txt -o dos.mp4
    [ "$(of dos.mp4 v nb_read_frames)" = 4 ]
    fails 1 ap-stitch "${small[@]}" --no-audio --list missing.txt -o y.mp4
    grep -q "cannot read the list 'missing.txt': No such file" stderr
    fails 1 ap-stitch "${small[@]}" --no-audio $'no\nsuch.png' -o y.mp4
    [ "$(wc -l <stderr)" -eq 1 ]
}
check odd_names

memory_is_constant() {
    case $AP_BUILD in
        *san) return 0 ;; # the sanitizer's own
    esac
    ffmpeg -v error -y -f lavfi -i testsrc2=s=800x600 -frames:v 1 photo.jpg
    for count in 20 1000; do
        for ((i = 0; i < count; i++)); do echo photo.jpg; done |
            /usr/bin/time -f %M -o "kb.$count" ap-stitch "${small[@]}" --no-audio -d 0.1 --list - -o "many$count.mp4"
        [ "$(of "many$count.mp4" v nb_read_frames)" = "$count" ]
    done
    [ "$(cat kb.1000)" -lt $(($(cat kb.20) + 8000)) ]
}
check memory_is_constant

exact_rates() {
    for rate in 1 12.5 23.976 29.97 60; do
        ap-stitch --size 64x64 -j 1 -q --fps "$rate" --no-audio -d 2 red.png -o rate.mp4
        /usr/bin/python3 -c '
import sys
a, b = sys.argv[2].split("/")
exact = float(sys.argv[1]) if float(sys.argv[1]) * 10 % 1 == 0 else round(float(sys.argv[1]) * 1.001) * 1000 / 1001
assert abs(int(a) / int(b) - exact) < 1e-6 and abs(int(sys.argv[3]) - 2 * exact) <= 0.5, sys.argv' \
            "$rate" "$(of rate.mp4 v r_frame_rate)" "$(of rate.mp4 v nb_read_frames)"
    done
}
check exact_rates

mistakes() {
    for wrong in "" "-o x" "-o x.avi" "-o x.mp4 --size 161x120" "-o x.mp4 --size 10" "-o x.mp4 --size 8x8" "-o x.mp4 --size 9000x100" \
        "-o x.mp4 --fps 0" "-o x.mp4 --fps 1000" "-o x.mp4 --fit stretch" "-o x.mp4 --transition wipe" "-o x.mp4 -d 2000000" \
        "-o x.mp4 -d -1" "-o x.mp4 -a sound.wav --no-audio" "-o x.mp4 -a - --list -" "-t avi"; do
        # shellcheck disable=SC2086
        fails 2 ap-stitch $wrong red.png >/dev/null </dev/null
        [ "$(head -1 stderr | cut -d: -f1)" = ap-stitch ]
    done
    fails 2 ap-stitch --no-audio -o x.mp4
    fails 1 ap-stitch -a missing.wav red.png -o y.mp4
    fails 1 ap-stitch -a red.png red.png -o y.mp4
    [ ! -e y.mp4 ]
    fails 2 script -qec "ap-stitch -t mp4 --no-audio red.png" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
}
check mistakes

progress_as_json() {
    ap-stitch --progress=json --size 160x120 --no-audio red.png -o x.mp4 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-stitch",.*"progress":1\.0000\}$'
}
check progress_as_json

# From a folder of images and a song; from a zip, in which there may be other things, with and without sound.
recipe() {
    export AUDIOPIPE_SPOOL=$work/spool
    mkdir -p album zipped both
    cp red.png blue.png album
    cp sound.wav 'album/my song.wav'
    cp red.png lime.png zipped
    echo text >zipped/readme.txt
    (cd zipped && zip -q ../pictures.zip ./*)
    cp pictures.zip sound.wav both
    ap-job submit --recipe video --set size=160x120 album
    ap-job submit --recipe video --set size=160x120 --set format=webm both
    ap-job submit --recipe video --set size=160x120 --set seconds=1 pictures.zip
    ap-job submit --recipe video --set size=160x120 --set visualize=spectrum sound.wav
    ap-job run --once
    [ "$(ap-job list | grep -c ' done ')" = 4 ]
    [ "$(of "$(find spool/done -name 'my song.mp4')" v nb_read_frames)" = 71 ]
    [ "$(of "$(find spool/done -name 'sound.webm')" v nb_read_frames)" = 71 ]
    [ "$(of "$(find spool/done -name '*pictures.mp4')" v nb_read_frames)" = 60 ]
    [ "$(of "$(find spool/done -name '*sound.mp4')" v nb_read_frames)" = 71 ]
}
check recipe

finish
