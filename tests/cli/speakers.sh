#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Speaker positions: kept, or refused where a format has no place for them.
. "$(dirname "$0")/lib.sh"

# The layouts that Vorbis and Opus have no place for are refused; AIFF and FLAC keep the speakers.
speakers_are_kept_or_refused() {
    local layout
    for layout in 2.1 4.0 4.1 6.0 "7.1(wide)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=sin(440*t):s=48000:d=0.1,aformat=channel_layouts=$layout" wide.wav
        fails 2 ap-encode -q wide.wav -o wide.ogg
        fails 2 ap-encode -q wide.wav -o wide.opus
        grep -q "has no layout for the speakers $layout: mix them with ap-decode -c " stderr
        for file in wide.flac wide.aiff; do
            ap-encode -q wide.wav -o "$file"
            [ "$(ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 "$file")" = "$layout" ]
        done
    done
    # the pair behind or beside the listener is the same one there
    for layout in "quad(side)" "5.0(side)" "5.1(side)" "6.1(back)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=sin(440*t):s=48000:d=0.1,aformat=channel_layouts=$layout" wide.wav
        ap-encode -q wide.wav -o wide.ogg
        ap-encode -q wide.wav -o wide.opus
    done
    # channels without positions: Opus has a mapping for them
    ap-decode wide.wav --layout discrete | ap-encode -q -o discrete.opus
    opusinfo discrete.opus | grep -q "Channel Mapping Family: 255"
    ap-decode wide.wav --layout discrete >discrete.au
    fails 2 ap-encode -q discrete.au -o discrete.ogg
}
check speakers_are_kept_or_refused

# A pair of surrounds is one at the back, too, but not where its channels have other numbers there.
speakers_are_compared_by_channel() {
    local layout
    for layout in "5.1" "5.1(side)" "6.1" "6.1(back)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=sin(440*t):s=48000:d=0.1,aformat=channel_layouts=$layout" "$layout.wav"
    done
    ap-mix "5.1.wav" "5.1(side).wav" -o sum.wav
    ap-cat "5.1.wav" "5.1(side).wav" -o both.wav
    fails 1 ap-mix "6.1.wav" "6.1(back).wav" -o sum.wav
    grep -q "has the speakers 6.1(back)" stderr
    fails 1 ap-cat "6.1.wav" "6.1(back).wav" -o both.wav
    grep -q "has the speakers 6.1(back)" stderr
}
check speakers_are_compared_by_channel

finish
