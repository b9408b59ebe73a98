# SPDX-License-Identifier: GPL-3.0-or-later
# stems: the parts of a song, their sum, and its harmonic and percussive halves
# input: audio
# option: model=dsp [A-Za-z0-9_.-]+ how to separate: dsp is built in; ap-separate --list-models has the others
# option: lufs=-14 -[0-9.]+ loudness of all that is made, in LUFS
# option: format=flac flac|wav|mp3|ogg|opus the files to make
# needs: ap-separate ap-mix ap-hpss ap-normalize
# shellcheck shell=bash disable=SC2154

mkdir stems
stage separate ap-separate -n "$model" --filename '{stem}.{ext}' -t wav --bits float -o stems "$input"
stage main ap-mix stems/*.wav -t wav --bits float -o main.wav
stage hpss ap-hpss -t wav --bits float -o halves main.wav

# One gain for all, so that they still add up.
mkdir album
mv stems/*.wav main.wav album/
mv halves/harmonic.wav album/main_harmonic.wav
mv halves/percussive.wav album/main_percussive.wav
stage normalize ap-normalize --album --lufs="$lufs" -t "$format" -o "$out" album/*.wav
