# SPDX-License-Identifier: GPL-3.0-or-later
# job-lib.sh - what the tests of ap-job share: a spool in the working folder, and questions about it.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# length LONG SHORT: how much of it
length() { if [ "${AP_LONG:-}" ]; then echo "$1"; else echo "$2"; fi; }
export AUDIOPIPE_SPOOL=$work/spool AUDIOPIPE_BACKOFF=0.1 AUDIOPIPE_RECIPES=$tests_folder/data/recipes:$work/recipes
export spool=$AUDIOPIPE_SPOOL
mkdir recipes

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5

# Empties the spool.
fresh() { rm -rf "$spool"; }
# text N: a file of its own content
text() { echo "content of $1" >"$1.txt" && echo "$1.txt"; }
# in_place PLACE COUNT
in_place() { [ "$(find "$spool/$1" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -eq "$2" ]; }
# counts QUEUE RUNNING DONE FAILED
counts() {
    local got
    got=$(ap-job status | awk '/^(queue|running|done|failed) /{ printf "%s ", $2 }')
    [ "$got" = "$* " ] || { echo "jobs: $got" && return 1; }
}
# until_true COMMAND...: within 20 seconds
until_true() {
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.1
    done
    echo "never: $*"
    return 1
}
# may_fail COMMAND...: 1 says that a job failed
may_fail() { "$@" || [ $? -eq 1 ]; }
# shows PATTERN COMMAND...: the output of a command has it; read to its end, a pipe that is closed is an error
shows() { "${@:2}" >shown && grep -q -- "$1" shown; }
error_of() { ap-manifest get -m "$spool/failed/$1" .error; }
