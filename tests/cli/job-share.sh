#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: a spool that two users share, as ap-job(1) has it.
. "$(dirname "$0")/job-lib.sh"

# as_other COMMAND...: as another user, who has nothing but the spool
as_other() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent AUDIOPIPE_RECIPES="$AUDIOPIPE_RECIPES" "$@"; }

two_users_share() {
    chmod 755 "$work"
    mkdir -p "$spool" && (cd "$spool" && mkdir queue running 'done' failed tmp .index && chmod 1777 queue running 'done' failed tmp .index)
    echo words >words.txt && chmod 644 words.txt
    mine=$(ap-job submit --recipe copy words.txt)
    theirs=$(as_other ap-job submit --recipe copy words.txt)
    [ "$mine" != "$theirs" ]
    # the same owner by name is still another user
    as_other ap-job submit --recipe copy --owner somebody words.txt
    ap-job submit --recipe copy --owner somebody words.txt
    as_other ap-job run
    counts 2 0 2 0
    [ -d "$spool/done/$theirs" ]
    as_other ap-job list >listed
    grep -q "$theirs" listed
    as_other ap-job doctor
    fails 1 as_other ap-job cancel "$mine"
    ap-job run
    counts 0 0 4 0
    chmod 700 "$spool/done/$mine" # as a umask of 077 has it
    mkdir -m 777 into
    for verb in "outputs $mine" "fetch $mine into" "report $mine" "log $mine"; do
        # shellcheck disable=SC2086
        fails 1 as_other ap-job $verb
        grep -q "'.*/done/$mine.*': Permission denied" stderr
    done
    touch -d '-9 days' "$spool"/done/*
    as_other ap-job clean >cleaned
    [ "$(wc -l <cleaned)" -eq 2 ] && grep -qx "$theirs" cleaned
    counts 0 0 2 0
}
if [ "$(id -u)" -ne 0 ] || ! as_other test -x "$AP_BUILD/ap-job" || ! as_other test -r "$tests_folder/data/recipes/copy.sh"; then
    echo "ok # skip two_users_share: no other user can run the commands here"
else
    check two_users_share
fi

finish
