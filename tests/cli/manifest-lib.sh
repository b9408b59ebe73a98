# SPDX-License-Identifier: GPL-3.0-or-later
# manifest-lib.sh - what the tests of ap-manifest share.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# get PATH [MANIFEST]
get() { ap-manifest get -m "${2:-manifest.json}" "$1"; }
