#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: killed at random moments under load.
. "$(dirname "$0")/serve-lib.sh"

nothing_is_lost_or_doubled() {
    fresh
    /usr/bin/python3 "$tests_folder/cli/serve-chaos.py" "$(length 100 6)" "${AP_SEED:-1}"
}
check nothing_is_lost_or_doubled

finish
