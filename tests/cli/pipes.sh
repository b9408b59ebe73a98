#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands in pipelines: what passes.
. "$(dirname "$0")/pipes-lib.sh"

one_command_equals_the_pipeline() {
    for filter in "${filters[@]}"; do
        ap-decode tone.wav | "$filter" | ap-encode --bits 16 -o piped.wav
        "$filter" tone.wav --bits 16 -o direct.wav
        cmp piped.wav direct.wav
        "$filter" -t wav --bits 16 tone.wav | samples -t wav - | cmp - <(samples direct.wav)
        "$filter" - <tone.wav | ap-encode --bits 16 -t wav - | samples -t wav - | cmp - <(samples direct.wav)
    done
}
check one_command_equals_the_pipeline

encoding_options_hold_for_the_pipe() {
    ap-encode --tag TITLE=Tune tone.wav | ap-limit | ap-encode -o tagged.flac
    [ "$(metaflac --show-tag=TITLE tagged.flac)" = TITLE=Tune ]
    ap-limit --bits 16 tone.wav | cmp - <(ap-limit --bits 16 -t au tone.wav)
    fails 2 ap-limit -b 128 tone.wav >nothing
    [ ! -s nothing ]
}
check encoding_options_hold_for_the_pipe

given_tags_replace_those_of_the_file() {
    ap-encode --tag TITLE=theirs --tag ARTIST=both tone.wav -o theirs.flac
    ap-encode --tags-from theirs.flac --tag TITLE=mine tone.wav -o mine.flac
    [ "$(metaflac --export-tags-to=- mine.flac | sort)" = $'ARTIST=both\nTITLE=mine' ]
}
check given_tags_replace_those_of_the_file

fifo_and_device_outputs() {
    mkfifo out.fifo
    ap-limit tone.wav -t wav -o out.fifo &
    samples -t wav out.fifo >got
    wait $!
    cmp got <(ap-limit tone.wav -t wav | samples -t wav -)
    ap-limit tone.wav -t wav -o /dev/null
    [ -c /dev/null ]
}
check fifo_and_device_outputs

more_than_4_gib() {
    # 10 channels of float at 44.1 kHz for 2500 s: 4.4 GB, from a generator; only the end differs from zero
    ap-decode <(/usr/bin/python3 - <<'END'
import struct, sys
out = sys.stdout.buffer
note = b"AP1\nframes=110250000\n".ljust(40, b"\0")
out.write(struct.pack(">4s5I", b".snd", 24 + len(note), 0xffffffff, 6, 44100, 10) + note)
block = bytes(10 * 4 * 44100)
for _ in range(2499):
    out.write(block)
out.write(bytes(10 * 4 * 44099) + struct.pack(">10f", *range(10)))
END
    ) | tail -c 40 | od -An -tf4 --endian=big | tr -s ' \n' ' ' >end
    [ "$(cat end)" = " 0 1 2 3 4 5 6 7 8 9 " ]
}
check more_than_4_gib

progress_as_json() {
    ap-8d --progress=json tone.wav -o x.flac 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-8d","seconds":[0-9.]+,"speed":[0-9.]+,"progress":1\.0000\}$'
}
check progress_as_json

terminal_is_refused() {
    fails 2 script -qec "ap-decode tone.wav" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
    fails 2 script -qec "ap-decode -o x.wav" /dev/null </dev/null >out.txt
    grep -q "no input" out.txt
    script -qec "ap-limit tone.wav -o x.wav" /dev/null >out.txt
    grep -q "realtime" out.txt || [ "$(wc -c <out.txt)" -lt 200 ] # too short to show a bar
}
check terminal_is_refused

finish
