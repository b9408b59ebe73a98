#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands in pipelines: what passes, what is noticed, what is left behind.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5
sox -D tone.wav -t au -e float -b 32 tone.au
filters=(ap-reverb ap-limit ap-8d)

samples() { # raw float samples of any file that sox reads
    sox -V1 "$@" -t f32 -
}

apstream_is_read_by_others() {
    ap-decode tone.wav >out.au
    cmp <(samples out.au) <(samples tone.wav)
    ffmpeg -v error -i out.au -f f32le - | cmp - <(samples tone.wav)
    ap-decode tone.wav | sox -t au - -t f32 - | cmp - <(samples tone.wav)
    ap-decode tone.wav | ffmpeg -v error -i - -f f32le - | cmp - <(samples tone.wav)
}
check apstream_is_read_by_others

others_are_read() {
    cp tone.wav other.wav
    ap-decode <other.wav | cmp - <(ap-decode tone.wav)
    sox -D tone.wav -t au -e float -b 32 - | ap-decode | cmp <(tail -c 705600 -) <(ap-decode tone.wav | tail -c 705600)
    ffmpeg -v error -i tone.wav -f wav - | ap-decode | tail -c 705600 | cmp - <(ap-decode tone.wav | tail -c 705600)
    sox tone.wav -t wav - | ap-decode | tail -c 705600 | cmp - <(ap-decode tone.wav | tail -c 705600)
    sox tone.wav -t flac - | ap-decode | tail -c 705600 | cmp - <(ap-decode tone.wav | tail -c 705600)
    ffmpeg -v error -i tone.wav -f au - | ap-decode | tail -c 705600 | cmp - <(ap-decode tone.wav | tail -c 705600)
}
check others_are_read

# length FILE|-: frames of an AU stream of two channels of float, counted, not read from its header
length() {
    cat "$1" >counted.au
    echo $((($(wc -c <counted.au) - $(od -An -j4 -N4 -tu4 --endian=big counted.au)) / 8))
}

sox_may_stand_anywhere() {
    ap-encode --tag TITLE=Tune tone.wav -o titled.flac
    ap-decode titled.flac >titled.au # a file: sox does not read to the end to trim
    for effects in "rate 48000" "rate 22050" "pad 0 1" "repeat 1" "tempo 0.8" "tempo 1.25" "speed 0.5" "trim 0 1" \
        "fade 0 2 1" "echo 0.8 0.9 100 0.3" "silence 1 0.1 1%" "reverse"; do
        # shellcheck disable=SC2086
        want=$(sox -V1 tone.wav -t f32 - $effects | wc -c)
        # shellcheck disable=SC2086
        sox -V1 -t au - -t au - $effects <titled.au | ap-limit -q -o effect.flac
        [ "$(metaflac --show-total-samples effect.flac)" -eq $((want / 8)) ]
        [ "$(metaflac --show-tag=TITLE effect.flac)" = TITLE=Tune ]
        # shellcheck disable=SC2086
        [ "$(sox -V1 tone.wav -t au -e float -b 32 - $effects | ap-decode | length -)" -eq $((want / 8)) ]
        # shellcheck disable=SC2086
        [ "$(sox -V1 -t au - -t f32 - $effects <titled.au | wc -c)" -eq "$want" ]
    done
}
check sox_may_stand_anywhere

ffmpeg_may_stand_anywhere() {
    ap-decode titled.flac | ffmpeg -v error -i - -af atempo=0.5 -c:a pcm_f32be -f au - | ap-encode -o slow.flac
    [ "$(metaflac --show-total-samples slow.flac)" -gt 170000 ]
    [ "$(metaflac --show-tag=TITLE slow.flac)" = TITLE=Tune ]
    ffmpeg -v error -i tone.wav -f au - | ap-decode | ffmpeg -v error -i - -f f32le - | cmp - <(samples tone.wav)
}
check ffmpeg_may_stand_anywhere

surplus_is_noticed() {
    ap-decode tone.wav >whole.au
    cat whole.au whole.au >twice.au
    fails 1 ap-encode -o twice.flac twice.au
    { cat whole.au; echo; } | fails 1 ap-encode -o twice.flac
    grep -q "goes on after the 88200 frames" stderr
    [ ! -e twice.flac ]
}
check surplus_is_noticed

the_annotation_becomes_no_tag() {
    for format in flac ogg mp3 aiff wav; do
        ap-decode titled.flac | sox -t au - copied."$format"
        ffprobe -v error -show_entries format_tags:stream_tags -of compact copied."$format" >tags
        [ "$(grep -ciE 'AP1|frames=|mask=' tags)" -eq 0 ]
    done
    # as earlier versions wrote it, in FLAC by sox
    flac -s -f -T COMMENT=AP1 -T frames=88200 -T mask=0x3 -T TITLE=Tune -T COMMENT=mine tone.wav -o old.flac
    ap-encode old.flac -o new.flac
    [ "$(metaflac --export-tags-to=- new.flac | sort)" = $'COMMENT=mine\nTITLE=Tune' ]
}
check the_annotation_becomes_no_tag

a_mask_survives_sox() {
    sox -n -r 48000 -c 4 -b 16 four.wav synth 0.1 noise
    ffmpeg -v error -i four.wav -af aformat=channel_layouts=4.0 four.flac
    ap-decode four.flac | sox -t au - -t au - gain -1 | ap-encode -o four2.flac
    [ "$(ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 four2.flac)" = 4.0 ]
}
check a_mask_survives_sox

recorders_that_do_not_know_the_length() {
    python3 - <<'END'
import struct
b = open('tone.wav', 'rb').read()
k = b.index(b'data')
for name, size in ('arecord', 0x80000000), ('lame', 0x7fffffff), ('mpg123', 0):
    riff = struct.pack('<I', (size + 36) & 0xffffffff)
    open(name + '.wav', 'wb').write(b[:4] + riff + b[8:k + 4] + struct.pack('<I', size) + b[k + 8:])
END
    for name in arecord lame mpg123; do
        ap-decode <"$name.wav" 2>err | samples -t au - | cmp - <(samples tone.wav)
        ap-decode "$name.wav" 2>>err | samples -t au - | cmp - <(samples tone.wav)
        [ ! -s err ]
    done
    for format in aiff caf w64 au ircam voc "wav -rf64 always"; do
        # shellcheck disable=SC2086
        ffmpeg -v error -i tone.wav -f $format - | cat >unknown
        ap-decode unknown 2>err | samples -t au - | cmp - <(samples tone.wav)
        ap-decode <unknown 2>>err | samples -t au - | cmp - <(samples tone.wav)
        [ ! -s err ]
    done
    sox -V1 tone.wav -t aiff - repeat 1 | cat >unknown
    [ "$(ap-decode unknown | length -)" -eq 176400 ]
}
check recorders_that_do_not_know_the_length

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

example_filter_of_the_manual() {
    cc -Wall -o swap "$tests_folder/data/swap.c"
    ap-decode tone.wav | ./swap | ap-encode --bits 16 -o swapped.wav
    sox tone.wav want.wav remix 2 1
    cmp <(samples swapped.wav) <(samples want.wav)
    ap-decode -c 1 tone.wav >mono.au
    fails 1 ./swap <mono.au >nothing
    [ ! -s nothing ]
}
check example_filter_of_the_manual

truncated_input_is_an_error() {
    for filter in "${filters[@]}" ap-decode ap-encode; do
        head -c 500000 tone.au | fails 1 "$filter" -o out.flac
        grep -q "^$filter: 'standard input' is truncated" stderr
        [ "$(wc -l <stderr)" -eq 1 ]
        [ ! -e out.flac ]
    done
}
check truncated_input_is_an_error

killed_upstream_leaves_no_file() {
    mkfifo pipe
    { head -c 300000 tone.au; sleep 60; } >pipe &
    feeder=$!
    fails 1 ap-limit -o late.mp3 <pipe &
    waiting=$!
    sleep 0.5
    pkill -KILL -P "$feeder"
    wait "$waiting"
    [ "$(find . -name 'late*' -o -name '.audiopipe*' | wc -l)" -eq 0 ]
}
check killed_upstream_leaves_no_file

interrupt_leaves_no_file() {
    for signal in INT TERM HUP; do
        mkfifo "pipe.$signal"
        { head -c 300000 tone.au; sleep 60; } >"pipe.$signal" &
        feeder=$!
        env --default-signal="$signal" ap-limit -o late.mp3 <"pipe.$signal" 2>err.txt &
        filter=$!
        sleep 0.5
        kill -"$signal" "$filter"
        status=0
        wait "$filter" || status=$?
        pkill -KILL -P "$feeder"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        [ ! -s err.txt ]
        [ "$(find . -name 'late*' -o -name '.audiopipe*' | wc -l)" -eq 0 ]
    done
}
check interrupt_leaves_no_file

closed_downstream_ends_quietly() {
    for filter in "${filters[@]}" ap-decode; do
        { set +e; "$filter" tone.wav 2>"err.$filter"; echo $? >"status.$filter"; } | head -c 100 >/dev/null
        [ "$(cat "status.$filter")" -eq 141 ] # SIGPIPE
        [ ! -s "err.$filter" ]
    done
}
check closed_downstream_ends_quietly

closed_descriptors_are_errors() {
    fails 1 ap-limit tone.wav >&-
    grep -q "cannot write 'standard output'" stderr
    fails 1 ap-limit <&- >/dev/null
    grep -q "cannot read 'standard input'" stderr
    ap-limit -q tone.wav -o quiet.wav >&- 2>&- <&-
    [ -s quiet.wav ]
}
check closed_descriptors_are_errors

terminal_is_refused() {
    fails 2 script -qec "ap-decode tone.wav" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
    fails 2 script -qec "ap-decode -o x.wav" /dev/null </dev/null >out.txt
    grep -q "no input" out.txt
    script -qec "ap-limit tone.wav -o x.wav" /dev/null >out.txt
    grep -q "realtime" out.txt || [ "$(wc -c <out.txt)" -lt 200 ] # too short to show a bar
}
check terminal_is_refused

progress_as_json() {
    ap-8d --progress=json tone.wav -o x.flac 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-8d","seconds":[0-9.]+,"speed":[0-9.]+,"progress":1\.0000\}$'
}
check progress_as_json

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
    ap-decode <(python3 - <<'END'
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

finish
