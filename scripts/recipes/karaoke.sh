# SPDX-License-Identifier: GPL-3.0-or-later
# karaoke: a song without its vocals, and the vocals alone
# input: audio
# option: model=dsp [A-Za-z0-9_.-]+ how to separate: dsp is built in; ap-separate --list-models has the others
# option: format=mp3 mp3|flac|wav|ogg|opus the files to make
# needs: ap-separate
# shellcheck shell=bash disable=SC2154

stage separate ap-separate -n "$model" --two-stems vocals --filename '{stem}.{ext}' -t "$format" -o . "$input"
mv no_vocals."$format" "$out/$track.karaoke.$format"
mv vocals."$format" "$out/$track.vocals.$format"
