#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# loudgain 0.6.8 (Debian 12) does not hear the two side speakers of 7.1, and takes the two in the back for those of 5.1.
#
# One would guess that a scanner on libebur128, which knows the speakers of BS.1770, tells it which channel is which. It does not,
# and the library's order, if not told, is that of 5.1: left, right, centre, none, and two surrounds; what comes after is left
# out. A tone from the side has -inf LUFS, so its file would be made as loud as can be; the same tone in 5.1 is right. In
# BS.1770-4 the sides have the weight of 1.41 and the back 1. FFmpeg 5.1.9 hears all eight, but gives the back 1.41, too.
#
# Seen, a tone of -12 dB from one speaker, loudgain and ffmpeg: front -15.05, -15.1; back -13.56, -13.6; side -inf, -13.6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
loudgain --version | head -1
ffmpeg -version | head -1
sox -D -r 48000 -n -c 1 -b 24 tone.wav synth 5 sine 997 vol 0.25
for speaker in FL FC BL BR SL SR; do
    ffmpeg -v error -y -i tone.wav -af "pan=7.1|$speaker=c0" song.flac
    echo "$speaker $(loudgain -q -O song.flac | tail -1 | cut -f2), ffmpeg" \
        "$(ffmpeg -nostats -i song.flac -af ebur128 -f null - 2>&1 | awk '$1 == "I:" { loudness = $2 } END { print loudness }')"
done | tee seen
diff seen - <<'END'
FL -15.05 LUFS, ffmpeg -15.1
FC -15.05 LUFS, ffmpeg -15.1
BL -13.56 LUFS, ffmpeg -13.6
BR -13.56 LUFS, ffmpeg -13.6
SL -inf LUFS, ffmpeg -13.6
SR -inf LUFS, ffmpeg -13.6
END
echo "as described"
