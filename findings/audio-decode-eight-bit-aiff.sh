#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# audio-decode 3.12.0 (npm, 2026; @audio/decode-aiff) reads AIFF of 8 bits as if it were WAV: silence comes out at -1, and
# everything else as noise at full scale.
#
# One would guess that samples of 8 bits are unsigned, which is right for WAV alone: in AIFF every size is signed (two's
# complement), 8 bits too. Only "raw " in AIFF-C is unsigned. Samplers and old instruments have such files. There is no error;
# the level tells: a file whose silence is at full scale.
#
# Seen, a second of silence: aiff -1 to -1, aifc -1 to -1, wav 0 to 0, and at 16 bits aiff 0 to 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent audio-decode@3.12.0 @audio/decode-aiff@1.3.0 >/dev/null
for name in 8.aiff 8.aifc 8.wav 16.aiff; do
    sox -D -n -r 8000 -c 1 -b "${name%.*}" "$name" trim 0 1
    echo "$name $(sox "$name" -n stat 2>&1 | grep '^Maximum amplitude')"
done
cat >read.mjs <<'END'
import { readFileSync } from "node:fs";
import decode from "audio-decode";
for (const name of ["8.aiff", "8.aifc", "8.wav", "16.aiff"]) {
    const [sound] = (await decode(readFileSync(name))).channelData;
    console.log(name, sound.length, Math.min(...sound), Math.max(...sound));
}
END
node read.mjs | tee seen
diff seen - <<'END'
8.aiff 8000 -1 -1
8.aifc 8000 -1 -1
8.wav 8000 0 0
16.aiff 8000 0 0
END
echo "as described"
