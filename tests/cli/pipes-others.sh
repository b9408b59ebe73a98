#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Other programs in pipelines, before, behind and between the commands.
. "$(dirname "$0")/pipes-lib.sh"

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
    /usr/bin/python3 - <<'END'
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
    for encoding in "signed -b 8" "signed -b 16" "signed -b 24" "signed -b 32" "float -b 32" "float -b 64" mu-law a-law; do
        # shellcheck disable=SC2086
        for order in -L -B; do
            sox -D -V1 tone.wav $order -e $encoding -t au - | tee unknown | ap-decode 2>err >"of$order.au"
            ap-decode unknown 2>>err | cmp - of$order.au
            [ ! -s err ]
        done
        cmp of-L.au of-B.au
    done
}
check recorders_that_do_not_know_the_length

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

finish
