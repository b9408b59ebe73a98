#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# music-metadata 11.16.1 (npm) has warnings for intact files, and counts the Info frame of an MP3 as sound.
#
# One would guess that a library of songs can be checked for damage by its quality.warnings, and that numberOfSamples is
# exact, being a count. But every WAV, by sox as by FFmpeg, has a "Data chunk size exceeds file size", the padding behind ID3v2
# frames, which the standard asks readers to skip, is taken for frames of empty names, two warnings for ten bytes, and
# an MP3 with LAME's header has as many samples as all its frames, the one without sound among them, though the duration
# beside it is that of one frame less, and what is played is shorter still. Read the warnings by their kind, not their number.
#
# Seen, a second of 44.1 kHz: WAV of sox and of ffmpeg: 1 warning; MP3 of lame: 47232 samples (41 frames) for 1.0449 s (40);
# with 1000 bytes of padding: 200 warnings of two kinds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent music-metadata@11.16.1 >/dev/null
sox -D -n -r 44100 -b 16 -c 2 -t wavpcm sox.wav synth 1 sine 440 gain -12
ffmpeg -v error -i sox.wav -bitexact ffmpeg.wav
lame --quiet sox.wav plain.mp3
lame --quiet --id3v2-only --tt Title --pad-id3v2-size 1000 sox.wav padded.mp3
cat >read.mjs <<'END'
import { parseFile } from "music-metadata";
for (const name of ["sox.wav", "ffmpeg.wav", "plain.mp3", "padded.mp3"]) {
    const { format, quality } = await parseFile(name, { duration: true });
    const kinds = new Set(quality.warnings.map(({ message }) => message.replace(/[:=].*/s, "")));
    console.log(name, format.numberOfSamples, format.duration.toFixed(4), quality.warnings.length, ...(kinds.size ? [[...kinds].join("; ")] : []));
}
END
node read.mjs | tee seen
diff seen - <<'END'
sox.wav 44100 1.0000 1 Data chunk size exceeds file size
ffmpeg.wav 44100 1.0000 1 Data chunk size exceeds file size
plain.mp3 47232 1.0449 0
padded.mp3 47232 1.0449 200 Invalid ID3v2.3 frame-header-ID; id3v2.3 header has empty tag type
END
echo "as described"
