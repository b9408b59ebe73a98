#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-eq: the filters of ffmpeg and sox, several in a row, bands that make no sense.
. "$(dirname "$0")/lib.sh"

sox -D -n -r 44100 -c 2 -e float -b 32 noise.wav synth 1 pinknoise pinknoise vol 0.2
sox -D -n -r 48000 -c 1 -e float -b 32 mono.wav synth 0.5 whitenoise vol 0.1

# as_ffmpeg INPUT FFMPEG_FILTERS OPTION...: the samples are those of ffmpeg's filters in double precision
as_ffmpeg() {
    local input=$1 filters=$2
    shift 2
    ffmpeg -v error -y -i "$input" -af "$filters" -f f32le theirs
    ap-eq "$input" "$@" | ffmpeg -v error -y -f au -i - -f f32le ours
    nearly_equal ours theirs 1e-6
}

# nearly_equal A B LIMIT: raw floats
nearly_equal() {
    /usr/bin/python3 - "$@" <<'END'
import sys, numpy
a, b = (numpy.fromfile(f, "<f4") for f in sys.argv[1:3])
if len(a) != len(b) or len(a) == 0 or not abs(a - b).max() <= float(sys.argv[3]):
    sys.exit(f"lengths {len(a)} {len(b)}, difference {abs(a - b).max() if len(a) == len(b) else '-'}")
END
}

filters_are_ffmpegs() {
    as_ffmpeg noise.wav equalizer=f=1000:t=q:w=1.4:g=6:r=f64 --band peak:1000:6:q=1.4
    as_ffmpeg noise.wav equalizer=f=5000:t=o:w=2:g=-12:r=f64 --band peak:5k:-12dB:octaves=2
    as_ffmpeg noise.wav highpass=f=80:t=q:w=0.70710678:r=f64 --band highpass:80
    as_ffmpeg noise.wav lowpass=f=8000:t=q:w=3:r=f64 --band lowpass:8kHz:q=3
    as_ffmpeg noise.wav bandpass=f=700:t=o:w=1:r=f64 --band bandpass:700Hz:octaves=1
    as_ffmpeg noise.wav bandreject=f=50:t=q:w=10:r=f64 --band notch:50:q=10
    as_ffmpeg noise.wav lowshelf=f=200:t=q:w=0.70710678:g=9:r=f64 --band lowshelf:200:+9
    as_ffmpeg noise.wav highshelf=f=3000:t=s:w=0.5:g=-7:r=f64 --band highshelf:3000:-7:slope=0.5
    as_ffmpeg mono.wav lowshelf=f=20:t=s:w=1:g=20:r=f64 --band lowshelf:20:20:slope=1
}
check filters_are_ffmpegs

filters_are_soxes() {
    sox -D noise.wav -t f32 theirs vol 0.5 highpass -2 60 0.7071068q equalizer 2500 1.5q -4 treble +3 8000 0.8s
    ap-eq noise.wav -g -6.0205999 --band highpass:60 --band peak:2500:-4:q=1.5 --band highshelf:8000:3:slope=0.8 |
        ffmpeg -v error -y -f au -i - -f f32le ours
    nearly_equal ours theirs 3e-6
}
check filters_are_soxes

no_bands_change_nothing() {
    ap-eq noise.wav | cmp - <(ap-decode noise.wav)
}
check no_bands_change_nothing

rates_and_channels() {
    local rate channels
    for rate in 8000 192000; do
        for channels in 1 2 8; do
            sox -D -n -r "$rate" -c "$channels" -e float -b 32 x.wav synth 0.1 whitenoise vol 0.3
            as_ffmpeg x.wav equalizer=f=3000:t=q:w=1:g=10:r=f64 --band peak:3000:10:q=1
        done
    done
}
check rates_and_channels

keeps_tags_and_length() {
    ap-encode noise.wav --tag TITLE=hiss -o noise.flac
    ap-eq --band lowshelf:100:-3 noise.flac -o out.flac
    [ "$(metaflac --show-total-samples out.flac)" -eq 44100 ]
    [ "$(metaflac --show-tag=TITLE out.flac)" = TITLE=hiss ]
}
check keeps_tags_and_length

mistakes() {
    local wrong
    for wrong in '' peak peak:1000 peak:x:3 peak:1000:x bell:1000:3 peak:1000:3:w=2 peak:1000:3:q=x lowpass:100:3 \
        lowpass:100:q=1:q=1 peak:1000:61 peak:1000:nan peak:0:3 peak:-5:3 lowpass:22050 peak:1000:3:q=0 highshelf:100:3:slope=2; do
        fails 2 ap-eq noise.wav --band "$wrong" -o out.wav
        grep -q "^ap-eq: " stderr
    done
    fails 2 ap-eq mono.wav --band lowpass:24000 -o out.wav
    grep -q "24000 Hz.*'mono.wav'" stderr
    [ ! -e out.wav ]
}
check mistakes

finish
