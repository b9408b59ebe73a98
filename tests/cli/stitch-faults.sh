#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: signals, full disks, mistakes.
. "$(dirname "$0")/lib.sh"
stitch_inputs

interrupted() {
    for ((i = 0; i < 2000; i++)); do echo red.png; done >many.txt
    for signal in INT TERM; do
        ap-stitch --size 1280x720 -q --no-audio --ken-burns -d 60 --list many.txt -o stopped.mp4 &
        sleep 1
        kill "-$signal" $!
        status=0
        wait $! || status=$?
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        [ ! -e stopped.mp4 ]
        [ -z "$(find . -name '.audiopipe*')" ]
    done
}
interrupted_as_a_shell_does() { # background jobs of a script ignore SIGINT
    set -m
    interrupted
}
check interrupted_as_a_shell_does

no_space() {
    for format in mp4 mkv webm; do
        fails 75 ap-stitch "${small[@]}" -a sound.wav -t "$format" red.png >/dev/full
        grep -q "No space left" stderr
        fails 75 ap-stitch "${small[@]}" -a sound.wav -t "$format" red.png -o /dev/full
    done
    fails 1 ap-stitch "${small[@]}" --no-audio red.png -o /proc/nowhere/folder.mp4
    grep -q "cannot create folder '/proc/nowhere'" stderr
}
check no_space

# Room for half of the video, and for all but the end of it, where MP4 moves its index to the front.
fill_the_disk() {
    mkdir -p disk
    for format in mp4 mkv webm; do
        ap-stitch --size 160x120 -q -a sound.wav noise.png red.png noise.png -o "whole.$format"
        pages=$((($(stat -c %s "whole.$format") - 1) / 4096))
        for room in $((pages / 2)) "$pages"; do
            mount -t tmpfs -o size=$(((room + 1) * 4))k none disk # a page for what was there before
            echo old >"disk/out.$format"
            fails 75 ap-stitch --size 160x120 -q -a sound.wav noise.png red.png noise.png -o "disk/out.$format"
            [ "$(cat stderr)" = "ap-stitch: cannot write 'disk/out.$format': No space left on device" ]
            [ "$(cat "disk/out.$format")" = old ]
            [ "$(ls -A disk)" = "out.$format" ]
            umount disk
        done
    done
}
full_disk() {
    head -c 57600 /dev/urandom | ffmpeg -v error -y -f rawvideo -pixel_format rgb24 -video_size 160x120 -i - noise.png
    in_namespace fill_the_disk
}
check full_disk

without_the_plugin() {
    [ ! -e /usr/local/lib/audiopipe/av.so ] || return 0 # installed: it would be found
    mkdir -p alone
    cp "$AP_BUILD"/ap-stitch "$AP_BUILD"/libaudiopipe.so* alone
    fails 1 alone/ap-stitch --no-audio red.png -o y.mp4
    grep -q "the plugin av.so is missing" stderr
}
check without_the_plugin

finish
