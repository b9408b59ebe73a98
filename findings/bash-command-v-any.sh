#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bash 5.2: "command -v a b" succeeds if one of the names is there.
#
# One would guess that a check for several programs, "command -v curl jq >/dev/null || exit 1", fails when one is missing, as
# "type a b" does: POSIX knows only one name and leaves the rest open. bash prints those that it finds and fails only if it
# finds none, so a script goes on without what it needs. Ask for each.
#
# Seen: command -v: 0, type: 1, for one name that is there and one that is not.
set -euo pipefail
status=0
command -v bash no-such-command-anywhere >/dev/null || status=$?
echo "bash ${BASH_VERSION%%(*}: command -v: $status"
[ "$status" -eq 0 ]
status=0
type bash no-such-command-anywhere >/dev/null 2>&1 || status=$?
echo "type: $status"
[ "$status" -eq 1 ]
echo "as described"
