# SPDX-License-Identifier: GPL-3.0-or-later
# lib.sh - what the command line tests share. Source it; each test is a function whose name is passed to `check`:
#
#     . "$(dirname "$0")/lib.sh"
#     keeps_the_length() { ...; [ "$a" = "$b" ]; }
#     check keeps_the_length
#     finish
#
# Tests run in a folder of their own, with the built commands first in PATH.
# shellcheck shell=bash
set -uo pipefail
tests_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export tests_folder
work=$(mktemp -d)
# What a test or a check leaves running ends with it, also when it fails or is interrupted.
end_children() { pkill -TERM -P "$BASHPID" || true; }
trap 'end_children; cd /; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# check NAME [ARGS...]: runs the function; every command in it has to succeed unless it is part of a condition.
check() {
    local status
    (
        set -eE
        trap 'echo "line $LINENO: exit $? of: $BASH_COMMAND" >&2' ERR
        trap end_children EXIT
        "$@"
    ) >"$work/.log" 2>&1 # not inside a condition, which would switch set -e off
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok $*"
    elif [ $status -eq $skipped ]; then
        echo "ok $* # skipped: $(tail -n 1 "$work/.log")"
    else
        failures=$((failures + 1))
        sed 's/^/    /' "$work/.log" >&2
        [ -s "$work/.log" ] || echo "    exit $status, and nothing was printed" >&2
        echo "not ok $*"
    fi
}

# skip REASON: ends the running check, which counts as passed and says why it was not made.
skipped=77
skip() {
    echo "$*"
    exit $skipped
}

finish() {
    [ "$failures" -eq 0 ]
    exit
}

# fails STATUS COMMAND...: succeeds when the command exits with the status; its stderr is kept in ./stderr.
fails() {
    local want=$1 got=0
    shift
    "$@" 2>stderr || got=$?
    [ "$got" -eq "$want" ] && return
    echo "exit $got, not $want: $*" >&2
    cat stderr >&2
    return 1
}

# in_namespace FUNCTION: runs it in a mount namespace of its own, where it may mount. Containers may forbid that.
in_namespace() {
    local functions
    unshare -rm mount -t tmpfs none /mnt 2>/dev/null || skip "nothing may be mounted here"
    mapfile -t functions < <(compgen -A function)
    declare -fx "${functions[@]}"
    unshare -rm bash -ec "$1"
}

# as_nobody COMMAND...: runs it as a user without any rights.
as_nobody() {
    local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${user[@]}" true 2>/dev/null || skip "no other user can be taken on here"
    "${user[@]}" test -x "$(command -v "$1")" || skip "other users cannot read this folder"
    "${user[@]}" "$@"
}
