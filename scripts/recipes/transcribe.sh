# SPDX-License-Identifier: GPL-3.0-or-later
# transcribe: speech to subtitles (vtt, srt), text and JSON
# input: audio
# option: language=en [a-z]{2,3}|auto what is spoken
# option: engine=auto auto|whisper|pocketsphinx who listens; auto: whisper if it is here and has a model
# needs: ap-transcribe mem=4G
# shellcheck shell=bash disable=SC2154

stage transcribe ap-transcribe --engine "$engine" --language "$language" -f vtt,srt,txt,json -o "$out/$track" -- "$input"
