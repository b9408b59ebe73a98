# SPDX-License-Identifier: GPL-3.0-or-later
# podcast: speech at an even, loud level, as MP3
# input: audio
# option: lufs=-16 -[0-9.]+ loudness in LUFS; Apple and Spotify ask for -16 and -14
# option: ceiling=-1 -[0-9.]+ highest true peak in dBTP
# option: bitrate=128 [0-9]+ kbit/s
# needs: ap-normalize ap-encode
# shellcheck shell=bash disable=SC2154

stage normalize ap-normalize --lufs="$lufs" --ceiling="$ceiling" --limit "$input" |
    stage encode ap-encode --bitrate "$bitrate" -o "$out/$track.podcast.mp3"
