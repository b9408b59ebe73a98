# SPDX-License-Identifier: GPL-3.0-or-later
# chaos: a recipe for tests: several processes and a pipe; notices when it runs twice at a time
# needs: cat tr sleep
# shellcheck shell=bash disable=SC2154

id=${out%/*} id=${id##*/}
exec 9>"$CHAOS/$id" # the kernel closes it before the lock of the job, whose number is higher
status=0
flock -n 9 || status=$? # 1: locked; 137 when it was the one to be killed
[[ $status != 1 ]] || echo "$id" >>"$CHAOS/doubles"
stage read cat "$input" | stage shout tr a-z A-Z | stage write tee "$out/shout.txt" >part
stage pause sleep 0.0"$((RANDOM % 10))"
stage copy cp part "$out/copy.txt"
echo "$id" >>"$CHAOS/finished"
