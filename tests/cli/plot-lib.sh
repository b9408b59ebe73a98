# SPDX-License-Identifier: GPL-3.0-or-later
# plot-lib.sh - what the tests of ap-plot share: a sound, and what is in a picture.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2034
kinds=(waveform spectrogram loudness all)
sox -n -r 44100 -c 2 -b 16 tone.wav synth 5 sine 440 pinknoise vol 0.5

# image FILE: its width and height; python_image CODE FILE...: runs the code with images as arrays of [row][column][colour]
image() {
    ffprobe -v error -show_entries stream=width,height -of csv=p=0 "$1"
}
python_image() {
    /usr/bin/python3 - "$@" <<'END'
import subprocess, sys, numpy

def load(name):
    size = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", name],
                          check=True, stdout=subprocess.PIPE).stdout.decode().strip().split(",")
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", name, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True,
                         stdout=subprocess.PIPE).stdout
    return numpy.frombuffer(raw, numpy.uint8).reshape(int(size[1]), int(size[0]), 3).astype(int)

images = [load(name) for name in sys.argv[2:]]
exec(sys.argv[1])
END
}
