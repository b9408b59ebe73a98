#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# FFmpeg 5.1.9 (Debian 12) and 8.1.2 (in PyAV 18.1.0): a Vorbis file whose sound lies in a single page has a wrong length.
#
# One would guess that Ogg Vorbis is exact to the sample everywhere: the last page says where the sound ends. FFmpeg trims by it
# when there is a page before it to count from. In the sound of a game, a jingle, a beep, all below about a second and a half, the
# first page of sound is the last one, too, and then 128 samples are missing at the end, or there are some hundred too many
# when the sound is very short. What is there is right and begins where it should. No status, no message. oggdec is exact.
#
# Seen, tones of 44.1 kHz: 0.2 s: 9792 of 8820; 0.5, 1 and 1.4 s: 128 missing; 2 s, of two pages: all there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -version | head -1 | grep -F "version 5.1.9" || {
    echo "this is about FFmpeg 5.1.9"
    exit 1
}
python3 -m venv venv
venv/bin/pip install -q av==18.1.0
cat >count <<'END'
import sys

import av

print(sum(frame.samples for frame in av.open(sys.argv[1]).decode(audio=0)))
END
venv/bin/python -c 'import av; print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)'
for seconds in 0.2 0.5 1 1.4 2; do
    sox -D -n -r 44100 -b 16 -c 2 -t wavpcm tone.wav synth $seconds sine 440 gain -12
    oggenc -Q tone.wav -o tone.ogg
    echo "$seconds s: in $(soxi -s tone.wav) pages $(($(grep -abo OggS tone.ogg | wc -l) - 2))" \
        "oggdec $(($(oggdec -Q -R tone.ogg -o - | wc -c) / 4))" \
        "5.1 $(($(ffmpeg -v error -i tone.ogg -f s16le - | wc -c) / 4))" \
        "8.1 $(venv/bin/python count tone.ogg)"
done | tee seen
diff seen - <<'END'
0.2 s: in 8820 pages 1 oggdec 8820 5.1 9792 8.1 9792
0.5 s: in 22050 pages 1 oggdec 22050 5.1 21922 8.1 21922
1 s: in 44100 pages 1 oggdec 44100 5.1 43972 8.1 43972
1.4 s: in 61740 pages 1 oggdec 61740 5.1 61612 8.1 61612
2 s: in 88200 pages 2 oggdec 88200 5.1 88200 8.1 88200
END
echo "as described"
