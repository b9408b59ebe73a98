#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every filter on every rate, number of channels and length that it may meet.
. "$(dirname "$0")/lib.sh"

# Frames of an apstream, from its bytes: what follows the header over the size of a frame.
frames() {
    /usr/bin/python3 -c '
import struct, sys
data = sys.stdin.buffer.read()
_, offset, _, _, rate, channels = struct.unpack(">4s5I", data[:24])
print((len(data) - offset) // (4 * channels), rate, channels)' <"$1"
}

# make RATE CHANNELS FRAMES: noise as an apstream, which is computed once
make() {
    [ -e "noise.$1.$2.$3" ] || noise "$@" >"noise.$1.$2.$3"
    ln -f "noise.$1.$2.$3" in.au
}
noise() {
    /usr/bin/python3 - "$@" <<'END'
import random, struct, sys
rate, channels, frames = map(int, sys.argv[1:])
random.seed(1)
note = (b"AP1\nframes=%d\n" % frames).ljust(48, b"\0")
out = sys.stdout.buffer
out.write(struct.pack(">4s5I", b".snd", 24 + len(note), 0xffffffff, 6, rate, channels) + note)
n = frames * channels
out.write(struct.pack(">%df" % n, *(random.uniform(-1, 1) for _ in range(n))))
END
}

keeps_shape() { # FILTER...: same length, rate and channels
    for shape in "8000 1 0" "44100 2 1" "8000 3 100" "48000 8 5000" "96000 6 5000" "192000 2 9999" "11025 5 1"; do
        read -r rate channels count <<<"$shape"
        make "$rate" "$channels" "$count"
        "$@" in.au >out.au
        [ "$(frames out.au)" = "$count $rate $channels" ] || {
            echo "$shape became $(frames out.au)"
            return 1
        }
    done
}
check keeps_shape ap-decode
check keeps_shape ap-limit
check keeps_shape ap-limit --no-true-peak --lookahead 0
check keeps_shape ap-reverb --tail 0

rotates_to_stereo() {
    for shape in "8000 1 0" "44100 2 1" "8000 1 100" "48000 8 5000" "96000 6 5000" "192000 2 9999" "11025 1 1"; do
        for mode in pan hrtf; do
            read -r rate channels count <<<"$shape"
            make "$rate" "$channels" "$count"
            ap-8d --mode "$mode" --wet 0 in.au >out.au
            read -r out_count out_rate out_channels <<<"$(frames out.au)"
            [ "$out_rate" = "$rate" ]
            [ "$out_channels" = 2 ]
            [ "$out_count" -ge "$count" ]
            [ "$out_count" -lt $((count + rate)) ]
            [ "$count" -gt 0 ] || [ "$out_count" -eq 0 ]
        done
    done
}
check rotates_to_stereo

encodes_shape() { # FORMAT RATE CHANNELS FRAMES...
    for count in "${@:4}"; do
        make "$2" "$3" "$count"
        ap-encode in.au -o "out.$1"
        ap-decode "out.$1" >back.au
        [ "$(frames back.au)" = "$count $2 $3" ] || {
            echo "$1 $2 $3 $count became $(frames back.au)"
            return 1
        }
    done
}
for format in wav flac aiff au ogg opus; do
    check encodes_shape $format 48000 2 0 1 100 30000
    for channels in 1 3 4 5 6 7 8; do
        check encodes_shape $format 48000 $channels 5000
    done
done
check encodes_shape mp3 44100 2 0 1 100 30000
for rate in 8000 11025 12000 16000 22050 24000 32000 44100 48000; do
    check encodes_shape mp3 $rate 1 5000
    check encodes_shape mp3 $rate 2 5000
done
for rate in 8000 44100 96000 192000; do
    for format in wav flac aiff au; do
        check encodes_shape $format $rate 2 5000
    done
done

time_options() {
    sox -n -r 44100 -c 2 -b 16 tone.wav synth 3 sine 440 sine 660 vol 0.5
    ap-decode --start 1 --duration 0.5 tone.wav >out.au
    [ "$(frames out.au)" = "22050 44100 2" ]
    cmp <(tail -c $((22050 * 8)) out.au) <(ap-decode tone.wav | tail -c $((2 * 44100 * 8)) | head -c $((22050 * 8)))
    ap-decode -s 0:00:02 tone.wav >out.au
    [ "$(frames out.au)" = "44100 44100 2" ]
    ap-decode -d 100 tone.wav >out.au
    [ "$(frames out.au)" = "132300 44100 2" ]
    fails 1 ap-decode -s 4 tone.wav >out.au
    grep -q "'tone.wav' ends before" stderr
    ap-decode -r 48000 -c 1 tone.wav >out.au
    [ "$(frames out.au)" = "144000 48000 1" ]
}
check time_options

finish
