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
trap 'cd /; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# check NAME [ARGS...]: runs the function; every command in it has to succeed unless it is part of a condition.
check() {
    (
        set -e
        "$@"
    ) >"$work/.log" 2>&1 # not inside a condition, which would switch set -e off
    # shellcheck disable=SC2181
    if [ $? -eq 0 ]; then
        echo "ok $*"
    else
        failures=$((failures + 1))
        sed 's/^/    /' "$work/.log" >&2
        echo "not ok $*"
    fi
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
    echo "exit $got, not $want: $*"
    cat stderr
    return 1
}

# in_namespace FUNCTION: runs it in a mount namespace of its own, where it may mount.
in_namespace() {
    local functions
    mapfile -t functions < <(compgen -A function)
    declare -fx "${functions[@]}"
    unshare -rm bash -ec "$1"
}
