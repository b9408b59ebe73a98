#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-plot: pictures that other programs read, of anything, the same from a pipe; peaks as numpy finds them.
. "$(dirname "$0")/lib.sh"

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

sizes() {
    ap-plot tone.wav -o a.png
    [ "$(image a.png)" = 800,346 ]
    ap-plot --size 500x300 tone.wav -o a.png
    [ "$(image a.png)" = 500,300 ]
    ap-plot --size 500x300 --scale 2 tone.wav -o a.png
    [ "$(image a.png)" = 1000,600 ]
    ap-plot --size 640 --scale 1.5 -k all tone.wav >a.png
    [ "$(image a.png | cut -d, -f1)" = 960 ]
    ap-plot --size 500x300 -t svg tone.wav >a.svg
    /usr/bin/python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag.endswith("svg") and root.get("width") == "500px" and root.get("height") == "300px", root.attrib' a.svg
}
check sizes

# The same picture at both scales, as far as pixels allow.
twice_as_fine_is_the_same() {
    ap-plot -k all --title x tone.wav -o one.png
    ap-plot -k all --title x --scale 2 tone.wav -o two.png
    python_image '
a, b = images
b = (b[0::2, 0::2] + b[1::2, 0::2] + b[0::2, 1::2] + b[1::2, 1::2]) / 4
assert a.shape == b.shape and abs(a - b).mean() < 6, abs(a - b).mean()' one.png two.png
}
check twice_as_fine_is_the_same

anything() { # KIND
    sox -n -r 44100 -c 2 silence.wav trim 0 3
    sox -n -r 44100 -c 2 empty.wav trim 0 0
    sox -n -r 44100 -c 1 one.wav synth 1s square
    sox -n -r 8000 -c 1 short.wav synth 0.01 sine 1000
    sox -n -r 192000 -c 1 fast.wav synth 0.5 pinknoise
    sox -n -r 48000 -c 8 eight.wav synth 2 sine 50 sine 100 sine 200 pinknoise sine 1000 sine 2000 sine 4000 whitenoise
    sox -n -r 1000 -c 30 many.wav synth 1 sine 100
    sox -n -r 44100 -c 2 -e float -b 32 -t au - synth 2 pinknoise | ap-mix -- -:+40dB >loud.au
    printf '.snd\0\0\0\40\377\377\377\377\0\0\0\6\0\0\254\104\0\0\0\1\0\0\0\0\0\0\0\0\177\300\0\0\177\200\0\0\377\200\0\0\177\177\377\377' >nan.au
    for file in silence.wav empty.wav one.wav short.wav fast.wav eight.wav many.wav loud.au nan.au; do
        for type in png svg; do
            ap-plot -q -k "$1" "$file" -o "$file.$type"
            [ "$(image "$file.png" | cut -d, -f1)" = 800 ]
        done
        ap-plot -q -k "$1" --fit "$file" >/dev/null
    done
}
for kind in "${kinds[@]}"; do
    check anything "$kind"
done

a_pipe_gives_the_same_picture() {
    for kind in waveform loudness; do
        ap-plot -k "$kind" --title x tone.wav -o file.png
        sox tone.wav -t au - | ap-plot -k "$kind" --title x >pipe.png
        cmp file.png pipe.png
        ap-decode tone.wav | ap-plot -k "$kind" --title x - | cmp - file.png
    done
    ap-plot -k spectrogram --title x tone.wav -o file.png
    sox tone.wav -t au - | ap-plot -k spectrogram --title x >pipe.png
    python_image 'assert abs(images[0] - images[1]).max() <= 4' file.png pipe.png # sums in another order
}
check a_pipe_gives_the_same_picture

# 1 kHz between 100 Hz and 10 kHz is in the middle, the brightest; above and below is the darkest colour.
spectrogram_shows_the_frequency() {
    sox -n -r 44100 -c 2 -b 24 kilo.wav synth 3 sine 1000 vol 0.98
    ap-plot -k spectrogram --low 100 --high 10000 --size 400x398 --colours grey kilo.wav -o kilo.png # 300 rows
    python_image '
panel = images[0][56:356, 58:330].mean(axis=2)
column = panel[:, 50:220].mean(axis=1)
assert abs(int(column.argmin()) - 150) <= 1, column.argmin()
assert column.min() < 5 and column[:100].min() > 250 and column[200:].min() > 250, column' kilo.png
}
check spectrogram_shows_the_frequency

# A square wave of half the amplitude fills half of the height, in the first half of the time.
waveform_shows_the_amplitude() {
    sox -n -r 44100 -c 1 square.wav synth 1 square 1000 vol 0.5 pad 0 1
    ap-plot --size 474x298 square.wav -o square.png # the panel: 400 columns, 200 rows
    python_image '
panel = images[0][56:256, 58:458]
blue = (panel[:, :, 2] - panel[:, :, 0] > 100)
assert abs(int(blue[:, 100].sum()) - 100) <= 2, blue[:, 100].sum()
assert blue[:, 300].sum() <= 2 and blue[100, 300] or blue[99, 300]' square.png
}
check waveform_shows_the_amplitude

title_from_the_tags() {
    ap-encode tone.wav --tag TITLE=Song --tag ARTIST=Singer -o tagged.flac
    cmp <(ap-plot tagged.flac) <(ap-plot --title 'Singer – Song' tone.wav)
    mkdir -p folder
    cp tone.wav folder/name.wav
    cmp <(ap-plot folder/name.wav) <(ap-plot --title name.wav tone.wav)
    cp tone.wav $'odd\xff\nname & <b>.wav'
    ap-plot $'odd\xff\nname & <b>.wav' -o odd.svg 2>err.txt
    [ ! -s err.txt ]
    xmllint --noout odd.svg 2>/dev/null || /usr/bin/python3 -c 'import xml.etree.ElementTree as t; t.parse("odd.svg")'
}
check title_from_the_tags

stems() {
    mkdir -p stems none
    cp tone.wav stems/bass.wav
    sox tone.wav -r 22050 -c 1 stems/vocals.flac trim 0 3
    echo '{}' >stems/manifest.json
    for kind in "${kinds[@]}"; do
        ap-plot --stems stems -k "$kind" -o "stems $kind.png"
        [ "$(image "stems $kind.png" | cut -d, -f1)" = 800 ]
    done
    cmp <(ap-plot --stems stems) <(ap-plot --stems stems/ --title stems)
    (cd stems && ap-plot --stems .) | cmp - "stems waveform.png"
    fails 1 ap-plot --stems none -o x.png
    grep -q "no audio files in 'none'" stderr
    fails 1 ap-plot --stems missing -o x.png
    grep -q "cannot open 'missing': No such file" stderr
    head -c 5000 tone.wav >stems/cut.wav
    fails 1 ap-plot --stems stems -o x.png
    grep -q "stems/cut.wav' is truncated" stderr
    fails 2 ap-plot --stems stems tone.wav -o x.png
    fails 2 ap-plot --stems stems --json
    [ ! -e x.png ]
}
check stems

mistakes() {
    for wrong in "--size 800x" "--size x" "--size 10" "--size 99999x100" "--size -5x5" "--size 800x60" "--scale 9" "-t gif" \
        "-o x.gif" "-o x" "--json --dat" "--json -t png" "--low 5000 --high 100 -k spectrogram" "--json -z 1" "--bits 12"; do
        # shellcheck disable=SC2086
        fails 2 ap-plot $wrong tone.wav >/dev/null
        [ "$(head -1 stderr | cut -d: -f1)" = ap-plot ]
    done
    fails 2 ap-plot tone.wav tone.wav -o x.png
    fails 1 ap-plot missing.wav -o x.png
    head -c 50000 tone.wav >cut.wav
    echo old >x.png
    fails 1 ap-plot cut.wav -o x.png
    grep -q "'cut.wav' is truncated" stderr
    [ "$(cat x.png)" = old ]
    fails 1 ap-plot cut.wav -o x.json
    [ ! -e x.json ]
    fails 75 ap-plot tone.wav >/dev/full
    grep -q "No space left" stderr
    fails 2 script -qec "ap-plot tone.wav" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
}
check mistakes

without_the_plugin() {
    [ ! -e /usr/local/lib/audiopipe/cairo.so ] || return 0 # installed: it would be found
    mkdir -p alone
    cp "$AP_BUILD"/ap-plot "$AP_BUILD"/libaudiopipe.so* alone
    fails 1 alone/ap-plot tone.wav -o x.png
    grep -q "the plugin cairo.so is missing" stderr
    AUDIOPIPE_PLUGINS=$AP_BUILD/audiopipe alone/ap-plot tone.wav -o y.png
    alone/ap-plot tone.wav -o y.json # needs none
    echo garbage >cairo.so
    fails 1 env AUDIOPIPE_PLUGINS=. alone/ap-plot tone.wav -o x.png
    grep -q "cannot load the plugin cairo.so" stderr
}
check without_the_plugin

# Against the same computed with numpy from 16-bit samples.
peaks_are_right() {
    sox -n -r 44100 -c 3 -b 16 three.wav synth 2.3 pinknoise sine 3 brownnoise
    for options in "" "--bits 8" "-z 100" "--pixels-per-second 20 --split-channels" "--bits 8 -z 5000 --split-channels"; do
        for input in three.wav -; do
            # shellcheck disable=SC2086
            ap-plot --json $options $input < <(sox three.wav -t au -) >peaks.json
            # shellcheck disable=SC2086
            ap-plot --dat $options $input < <(sox three.wav -t au -) >peaks.dat
            sox three.wav -t s16 - | /usr/bin/python3 -c '
import json, struct, sys, numpy
options = sys.argv[1]
per = 100 if "-z 100" in options else 5000 if "-z 5000" in options else 2205 if "20" in options else 256
bits = 8 if "8" in options else 16
x = numpy.frombuffer(sys.stdin.buffer.read(), "<i2").reshape(-1, 3).astype(int)
if "split" not in options:
    x = numpy.trunc(x.sum(axis=1, keepdims=True) / 3).astype(int)
want = []
for i in range(0, len(x), per):
    for c in range(x.shape[1]):
        want += [x[i:i + per, c].min(), x[i:i + per, c].max()]
if bits == 8:
    want = numpy.trunc(numpy.array(want) / 256)
want = [int(v) for v in want]
got = json.load(open("peaks.json"))
length = len(want) // 2 // x.shape[1]
assert got == dict(version=2, channels=x.shape[1], sample_rate=44100, samples_per_pixel=per, bits=bits, length=length,
                   data=want)
dat = open("peaks.dat", "rb").read()
assert struct.unpack("<6I", dat[:24]) == (2, bits == 8, 44100, per, length, x.shape[1])
assert numpy.frombuffer(dat[24:], "<i1" if bits == 8 else "<i2").tolist() == want' "$options"
        done
    done
    ap-plot three.wav -o by-name.json
    ap-plot --json three.wav | cmp - by-name.json
}
check peaks_are_right

memory_is_constant() {
    case $AP_BUILD in
        *san) return 0 ;; # the sanitizer's own
    esac
    for seconds in 10 1000; do
        sox -n -r 44100 -c 2 -t au -e float -b 32 - synth "$seconds" pinknoise |
            /usr/bin/time -f %M -o "kb.$seconds" ap-plot -k all - >/dev/null
    done
    [ "$(cat kb.1000)" -lt 64000 ]
    [ "$(cat kb.1000)" -lt $(($(cat kb.10) + 8000)) ]
}
check memory_is_constant

progress_as_json() {
    ap-plot --progress=json tone.wav -o x.png 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-plot",.*"progress":1\.0000\}$'
}
check progress_as_json

finish
