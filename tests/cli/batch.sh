#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The rules for Makefiles, scripts/batch.mk.
. "$(dirname "$0")/lib.sh"

rules=$tests_folder/../scripts/batch.mk
sox -n -r 44100 -c 2 -b 16 one.wav synth 2 sine 440 sine 660 vol 0.5
ap-encode one.wav --tag TITLE=two -o two.flac
echo words >three.mp3

by_hand() {
    make -s -j2 -f "$rules" one.8d.mp3 two.8d.flac one.loud.mp3 two.podcast.mp3 one.tsv two.karaoke.mp3 one.stems
    ap-measure one.8d.mp3 two.8d.flac one.loud.mp3 two.podcast.mp3 two.karaoke.mp3 one.stems/vocals.flac >/dev/null
    [ "$(ffprobe -v error -show_entries format_tags=title -of csv=p=0 two.karaoke.mp3)" = two ]
}
check by_hand

included() {
    # shellcheck disable=SC2016
    printf 'include %s\nall: $(patsubst %%.wav,%%.8d.flac,$(wildcard *.wav))\n' "$rules" >Makefile
    make -s all && [ -s one.8d.flac ]
}
check included

what_fails_leaves_nothing() {
    fails 2 make -s -f "$rules" three.8d.flac three.karaoke.mp3 -k
    [ ! -e three.8d.flac ]
    [ ! -e three.karaoke.mp3 ]
}
check what_fails_leaves_nothing

# The user's own shell and rules work as without it.
changes_nothing_of_the_user_s() {
    # shellcheck disable=SC2016
    printf '%s\n' "include $rules" 'shell:' '	@echo $(SHELL) $(.SHELLFLAGS)' 'kept:' '	@echo half >$@ && false' >mine.mk
    [ "$(make -s -f mine.mk shell)" = "/bin/sh -c" ]
    fails 2 make -s -f mine.mk kept
    [ "$(cat kept)" = half ]
}
check changes_nothing_of_the_user_s

finish
