# SPDX-License-Identifier: GPL-3.0-or-later
# pipes-lib.sh - what the tests of pipelines share.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5
sox -D tone.wav -t au -e float -b 32 tone.au
# shellcheck disable=SC2034
filters=(ap-reverb ap-limit ap-8d)
