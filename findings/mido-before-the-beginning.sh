#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# mido 1.3.3 (PyPI), and pretty_midi 0.2.11 on top of it, take the time code of a MIDI file for ticks of a beat: two seconds
# last -0.157 s.
#
# One would guess that the second way to count time in the Standard MIDI File of 1988, so many ticks of so many frames a second
# (SMPTE), is read, or refused. The two bytes are its negative frame rate and the ticks of a frame; mido
# takes them for one signed number of ticks a beat, and length, play() and the messages' times are negative. pretty_midi calls
# the notes wrong ("Note end time must be greater than start time"), @tonejs/midi 2.0.28 (npm) is NaN seconds long. symusic
# 0.6.0 and fluidsynth 2.3.1 say that they cannot.
#
# Seen, a note of 2 s at 25 frames of 40 ticks: mido -6360 ticks, -0.157 s; Tone NaN; the same at 480 ticks a beat: 2.0 each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q mido==1.3.3 pretty_midi==0.2.11.post0 symusic==0.6.0
npm init -y >/dev/null
npm install --silent @tonejs/midi@2.0.28 >/dev/null
venv/bin/python - <<'END' | tee seen
import mido
import pretty_midi
import symusic


def put(name, division, ticks):
    length = bytes([ticks >> 7 | 128, ticks & 127])
    track = b"\0\x90\x45\x64" + length + b"\x80\x45\x40" + b"\0\xff\x2f\0"
    with open(name, "wb") as file:
        file.write(b"MThd\0\0\0\6\0\0\0\1" + division + b"MTrk" + len(track).to_bytes(4, "big") + track)


def tell(call):
    try:
        return call()
    except (ValueError, RuntimeError) as error:
        return error


put("beats.mid", (480).to_bytes(2, "big"), 1920)
put("frames.mid", bytes([256 - 25, 40]), 2000)
for name in "beats.mid", "frames.mid":
    file = mido.MidiFile(name)
    print(name, "mido", file.ticks_per_beat, round(file.length, 3))
    print(name, "pretty_midi", tell(lambda: float(pretty_midi.PrettyMIDI(name).get_end_time())))
    print(name, "symusic", tell(lambda: symusic.Score(name, ttype="second").end()))
END
cat >read.mjs <<'END'
import { readFileSync } from "node:fs";
import tone from "@tonejs/midi";
for (const name of ["beats.mid", "frames.mid"]) console.log(name, "tonejs", new tone.Midi(readFileSync(name)).duration);
END
node read.mjs | tee -a seen
diff seen - <<'END'
beats.mid mido 480 2.0
beats.mid pretty_midi 2.0
beats.mid symusic 2.0
frames.mid mido -6360 -0.157
frames.mid pretty_midi Note end time must be greater than start time
frames.mid symusic MiniMidi: Division type is not ticks per quarter!
beats.mid tonejs 2
frames.mid tonejs NaN
END
echo "as described"
