# SPDX-License-Identifier: GPL-3.0-or-later
# chaos: a recipe for tests: several processes and a pipe; notices when it runs twice at a time
# needs: cat tr sleep
# shellcheck shell=bash disable=SC2154

id=${out%/*} id=${id##*/}
exec 8>"$CHAOS/$id"
flock -n 8 || echo "$id" >>"$CHAOS/doubles"
stage read cat "$input" | stage shout tr a-z A-Z | stage write tee "$out/shout.txt" >part
stage pause sleep 0.0"$((RANDOM % 10))"
stage copy cp part "$out/copy.txt"
echo "$id" >>"$CHAOS/finished"
