#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: its page in a real browser, by tests/web/page.mjs.
. "$(dirname "$0")/serve-lib.sh"

if ! command -v node >/dev/null || ! [ -x /usr/bin/chromium ] || ! [ -d "$tests_folder/web/node_modules/playwright-core" ]; then
    echo "ok page # skipped: Chromium, node or playwright-core is missing (scripts/setup installs them)"
    exit 0
fi
sox -n -r 44100 -c 2 -b 16 a.wav synth 3 sine 440 vol 0.3
sox -n -r 44100 -c 2 -b 16 b.wav synth 2 sine 550 vol 0.3
sox -n -r 44100 -c 2 -b 16 long.wav synth 60 sine 330 vol 0.3
echo words >words.txt
exec node "$tests_folder/web/page.mjs"
