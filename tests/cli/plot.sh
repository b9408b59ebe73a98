#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-plot: pictures that other programs read, and what they show.
. "$(dirname "$0")/plot-lib.sh"

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

finish
