#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: failures, retries, recipes that are wrong.
. "$(dirname "$0")/job-lib.sh"

fails_and_retries() {
    fresh
    one=$(ap-job submit --recipe copy --set exit=3 "$(text one)")
    may_fail ap-job run
    counts 0 0 0 1
    [ "$(error_of "$one")" = 'as was asked for' ]
    [ ! -e "$spool/failed/$one/work" ]
    fails 1 ap-job outputs "$one"
    [ -n "$(ap-job log "$one")" ]
    again=$(ap-job submit --recipe copy --set exit=3 "$(text one)") # a failed job does not stand in for a new one
    [ "$again" != "$one" ]
    ap-job cancel "$again"
    [ "$(error_of "$again")" = cancelled ]
    ap-job retry "$one"
    counts 1 0 0 1
    ap-job retry --all-failed
    counts 2 0 0 0
    fails 1 ap-job retry "$one"
    [ "$(ap-manifest get -m "$spool/queue/$one" .attempts)" = 0 ]
}
check fails_and_retries

tries_again_later() {
    fresh
    export AUDIOPIPE_ATTEMPTS=3
    id=$(ap-job submit --recipe copy --set exit=75 "$(text later)")
    AUDIOPIPE_BACKOFF=1000 ap-job run
    counts 1 0 0 0
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 1 ]
    may_fail ap-job run # not yet
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 1 ]
    ap-manifest set -m "$spool/queue/$id" .not_before:=0
    may_fail ap-job run
    until_true try_failed
    [ "$(error_of "$id")" = 'gave up after 3 attempts: as was asked for' ]
    unset AUDIOPIPE_ATTEMPTS
}
try_failed() { may_fail ap-job run && [ -d "$spool/failed/$id" ]; }
check tries_again_later

recipes_that_are_wrong() {
    fresh
    printf '# gone: x\ntrue\n' >recipes/gone.sh
    printf '# nothing: x\ntrue\n' >recipes/nothing.sh
    printf '# empty: x\n: >"$out/empty"\n' >recipes/empty.sh
    printf '# broken: x\nif (\n' >recipes/broken.sh
    printf '# cut: x\nhead -c 3000 "$input" >"$out/cut.wav"\n' >recipes/cut.sh
    printf '# pipe: x\nfalse | cat >"$out/made"\ntouch "$out/more"\n' >recipes/pipe.sh
    printf '# unset: x\ntouch "$out/$undefined"\n' >recipes/unset.sh
    for recipe in gone nothing empty broken cut pipe unset; do
        ids+=("$(ap-job submit --recipe "$recipe" tone.wav)")
    done
    rm recipes/gone.sh
    may_fail ap-job run
    counts 0 0 0 7
    shows "there is no recipe 'gone'" error_of "${ids[0]}"
    shows "made no output" error_of "${ids[1]}"
    shows "'out/empty' is empty" error_of "${ids[2]}"
    shows out/cut.wav error_of "${ids[4]}"
    rm recipes/*
}
check recipes_that_are_wrong

finds_outputs() {
    fresh
    printf '# tree: x\ncd "$out"\nmkdir -p b/c .d e\nfor f in z a b/2 b/c/1 .hidden .d/in; do echo "$f" >"$f"; done\nln -s z link\n' >recipes/tree.sh
    id=$(ap-job submit --recipe tree tone.wav)
    may_fail ap-job run
    ap-manifest get -m "$spool/done/$id" .outputs | sed -n 's/.*"path":.*"out\(.*\)".*/\1/p' | tr '\n' ' ' | tee found
    [ "$(cat found)" = '/a /b/2 /b/c/1 /z ' ] # the link is the file it points to
    # to work/, which goes, and to the folder as it is named now
    for target in '../work/file' '$PWD/../out/.file'; do
        printf '# link: x\necho a >file; cp file "$out/.file"\nln -s "%s" "$out/link"\n' "$target" >recipes/link.sh
        id=$(ap-job submit --force --recipe link tone.wav)
        may_fail ap-job run
        shows "'out/link' is a link that breaks" error_of "$id"
    done
    rm recipes/*
}
check finds_outputs

# Folders of recipes may be named from where one is.
finds_recipes_from_here() {
    fresh
    printf '# near: x\ncp "$input" "$out"\n' >recipes/near.sh
    AUDIOPIPE_RECIPES=recipes ap-job submit --recipe near tone.wav
    AUDIOPIPE_RECIPES=recipes ap-job run
    counts 0 0 1 0
    rm recipes/*
}
check finds_recipes_from_here

leaves_processes_behind() {
    fresh
    printf '# litter: x\nsleep 1000 &\necho $! >"$out/pid"\n' >recipes/litter.sh
    id=$(ap-job submit --recipe litter tone.wav)
    may_fail ap-job run
    counts 0 0 1 0
    ! is_running "$(cat "$spool/done/$id/out/pid")" || false
    # one that writes on: not after its output was hashed
    printf '# busy: x\nwhile :; do echo more; done >"$out/text" &\nuntil [[ -s $out/text ]]; do :; done\n' >recipes/busy.sh
    id=$(ap-job submit --recipe busy tone.wav)
    may_fail ap-job run
    ap-manifest verify "$spool/done/$id"
    rm recipes/*
}
check leaves_processes_behind

finish
