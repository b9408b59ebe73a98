# SPDX-License-Identifier: GPL-3.0-or-later
# 8d: rotating "8D" audio, for headphones
# input: audio
# option: period=10 [0-9.]+ seconds for one turn
# option: mode=hrtf hrtf|pan hrtf for headphones, pan for loudspeakers
# option: path=circle circle|swing|figure8|spiral|random the way around the head
# option: format=mp3 mp3|flac|wav|ogg|opus the file to make
# needs: ap-8d
# shellcheck shell=bash disable=SC2154

stage 8d ap-8d --period "$period" --mode "$mode" --path "$path" "$input" -o "$out/$track.8d.$format"
