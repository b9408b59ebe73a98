# SPDX-License-Identifier: GPL-3.0-or-later
# copy: a recipe for tests: copies a file
# option: exit=0 [0-9]+ its exit code
# option: pause=0 [0-9.]+ seconds to wait before it ends
# needs: cp
# shellcheck shell=bash disable=SC2154
# shellcheck disable=SC2317

stage copy cp "$input" "$out/$track.copy"
[[ $pause = 0 ]] || stage pause sleep "$pause"
[[ $exit = 0 ]] || { echo "as was asked for" >&2 && exit "$exit"; }
