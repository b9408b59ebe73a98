#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# mediabunny 1.61.0 (npm), which makes MP3 files in browsers, counts the frame that carries its Xing header among the frames
# that the header tells of: one too many.
#
# One would guess that a count which is there is right: LAME's, FFmpeg's and iTunes' Xing headers count the frames of sound
# only. Who believes the count finds every such file one frame short, and calls it cut or damaged, or puts 26 ms of silence
# at its end. A file that is short by exactly one frame, whose bytes are all there, is whole.
#
# Seen: the header says 41 frames; 40 are behind it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-save mediabunny@1.61.0 >/dev/null
ffmpeg -v error -f lavfi -i sine=duration=1:sample_rate=44100 -c:a libmp3lame -b:a 128k a.mp3
cat >remux.mjs <<'END'
import { Input, Output, Conversion, BufferSource, BufferTarget, Mp3OutputFormat, ALL_FORMATS } from 'mediabunny';
import { readFileSync, writeFileSync } from 'node:fs';
const input = new Input({ source: new BufferSource(readFileSync('a.mp3')), formats: ALL_FORMATS });
const output = new Output({ format: new Mp3OutputFormat(), target: new BufferTarget() });
const conversion = await Conversion.init({ input, output });
await conversion.execute();
writeFileSync('b.mp3', new Uint8Array(output.target.buffer));
END
node remux.mjs
for file in a.mp3 b.mp3; do
    told=$(python3 -c "
b = open('$file', 'rb').read()
at = max(b.find(b'Xing'), b.find(b'Info'))
print(int.from_bytes(b[at + 8:at + 12], 'big'))")
    there=$(ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$file" | tr -d ,)
    echo "$file: $told frames told, $there there"
done | tee seen
grep -q "^b.mp3: 41 frames told, 40 there" seen
echo "as described"
