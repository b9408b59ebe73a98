#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-trim: cuts and fades as sox makes them, silence off, pieces that are together the whole.
. "$(dirname "$0")/lib.sh"

sox -D -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 550 vol 0.5
# 0.5 s of silence, a click of 0.01 s, 0.49 s of silence, 1 s of sound, 0.75 s of silence, 1 s of sound, 1.25 s of silence
sox -D -n -r 44100 -c 2 -b 16 s1.wav synth 1 sine 300 vol 0.5
sox -D -n -r 44100 -c 2 -b 16 click.wav synth 0.01 square 1000 vol 0.5
sox -D click.wav padded.wav pad 0.5 0.49
sox -D s1.wav end.wav pad 0 1.25
sox -D s1.wav middle.wav pad 0 0.75
sox -D padded.wav middle.wav end.wav talk.wav

raw() { ffmpeg -v error -i "$1" -f f32le -; }

cuts_like_sox() {
    sox -D tone.wav want.wav trim 0.5 1.25
    ap-trim -s 0.5 -d 1.25 tone.wav -o got.wav
    cmp want.wav got.wav
    sox -D tone.wav want.wav trim 12345s 777s
    ap-trim -s 12345f -d 777f tone.wav -o got.wav
    cmp want.wav got.wav
    ap-decode tone.wav | ap-trim --start 0:01.5 | ap-encode -o got.wav
    [ "$(frames got.wav)" -eq 22050 ]
    fails 1 ap-trim -s 3 tone.wav -o past.wav
    [ ! -e past.wav ]
}
check cuts_like_sox

fades_like_sox() {
    local pair
    for pair in t:linear q:quarter h:half l:log p:parabola; do
        sox -D tone.wav -e float -b 32 want.wav fade "${pair%:*}" 0.5 2 0.75
        ap-trim --fade-in 0.5 --fade-out 0.75 --curve "${pair#*:}" tone.wav -o got.wav --bits float
        /usr/bin/python3 - <(raw want.wav) <(raw got.wav) <<'END'
import sys, numpy
a, b = (numpy.frombuffer(open(f, "rb").read(), "<f4") for f in sys.argv[1:3])
assert len(a) == len(b) == 176400, (len(a), len(b))
assert abs(a - b)[:88200].max() < 1e-7, abs(a - b).max()
assert abs(a - b).max() < 2e-4, abs(a - b).max()  # sox fades out one step later, so that the last frame is not silent
END
    done
    sox tone.wav -t au - | ap-trim --fade-out 1 | cmp - <(ap-trim --fade-out 1 tone.wav)
}
check fades_like_sox

silence_goes() {
    ap-trim --silence talk.wav -o got.wav
    [ "$(frames got.wav)" -ge $((44100 / 2 + 44100 * 275 / 100 - 20)) ]
    [ "$(frames got.wav)" -le $((44100 / 2 + 44100 * 275 / 100)) ]
    ap-trim --silence --min-sound 0.1 talk.wav -o got.wav
    sox -D talk.wav want.wav trim 1 2.75
    [ $(($(frames want.wav) - $(frames got.wav))) -le 20 ]
    ap-trim --silence --min-sound 0.1 --keep 0.1 talk.wav -o got.wav
    [ $(($(frames want.wav) + 8820 - $(frames got.wav))) -le 20 ]
    ap-trim --silence --no-start talk.wav -o got.wav
    [ $((165375 - $(frames got.wav))) -le 20 ]
    cmp <(raw got.wav) <(raw talk.wav | head -c "$(($(frames got.wav) * 8))")
    ap-trim --silence --min-silence 1 talk.wav -o got.wav # what is shorter stays
    [ $((165375 - $(frames got.wav))) -le 20 ]
    ap-trim --silence --no-end talk.wav -o got.wav
    cmp <(raw got.wav) <(raw talk.wav | tail -c "$(($(frames got.wav) * 8))")
}
check silence_goes

silence_only() {
    sox -D -n -r 8000 -c 1 -b 16 quiet.wav trim 0 1
    ap-trim --silence quiet.wav -o got.wav 2>stderr
    grep -q "'quiet.wav' is silent" stderr
    [ "$(frames got.wav)" -eq 0 ]
    fails 1 ap-trim --split quiet.wav -o pieces
    [ ! -e pieces ]
}
check silence_only

splits_at_silences() {
    ap-encode talk.wav --tag ALBUM=talks --tag REPLAYGAIN_TRACK_GAIN=-3 -o talk.flac
    ap-trim --split --min-sound 0.1 talk.flac -o pieces
    [ "$(ls pieces)" = "$(printf 'talk-01.flac\ntalk-02.flac')" ]
    for f in pieces/*; do
        [ $((44100 - $(frames "$f"))) -le 20 ]
        [ "$(metaflac --show-tag=ALBUM "$f")" = ALBUM=talks ]
        [ -z "$(metaflac --show-tag=REPLAYGAIN_TRACK_GAIN "$f")" ]
    done
    ap-decode talk.wav | ap-trim --split -t wav -o more
    [ "$(ls more)" = "$(printf 'stdin-01.wav\nstdin-02.wav')" ]
}
check splits_at_silences

follows_a_cue_sheet() {
    printf '\xef\xbb\xbfREM DATE 1999\r\nREM GENRE Rock\r\nPERFORMER "The Band"\r\nTITLE "The Album"\r\nFILE "talk.wav" WAVE\r\n' >a.cue
    printf '  TRACK 01 AUDIO\r\n    TITLE "One/two"\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO\r\n    TITLE Second\r\n' >>a.cue
    printf '    PERFORMER "Guest"\r\n    INDEX 00 00:01:00\r\n    INDEX 01 00:01:37\r\n  TRACK 03 AUDIO\r\n    INDEX 01 00:02:74\r\n' >>a.cue
    ap-trim --cue a.cue talk.wav -o tracks -t flac
    [ "$(ls tracks)" = "$(printf '01 One_two.flac\n02 Second.flac\n03.flac')" ]
    [ "$(frames 'tracks/01 One_two.flac')" -eq $(((75 + 37) * 588)) ]
    [ "$(frames 'tracks/02 Second.flac')" -eq $(((75 + 37) * 588)) ]
    cmp <(raw talk.wav) <(for f in tracks/*; do raw "$f"; done)
    [ "$(metaflac --show-tag=TITLE --show-tag=ARTIST --show-tag=ALBUM --show-tag=ALBUMARTIST --show-tag=TRACKNUMBER \
        --show-tag=DATE --show-tag=GENRE 'tracks/02 Second.flac')" = "TITLE=Second
ARTIST=Guest
ALBUM=The Album
ALBUMARTIST=The Band
TRACKNUMBER=2
DATE=1999
GENRE=Rock" ]
    [ "$(metaflac --show-tag=ARTIST tracks/03.flac)" = "ARTIST=The Band" ]
    printf 'TITLE "Caf\xe9"\nFILE "x" WAVE\nTRACK 01 AUDIO\nTITLE "\xc4"\nINDEX 01 00:01:00\n' >latin.cue
    ap-trim --cue latin.cue talk.wav -o latin -t flac
    [ "$(ls latin)" = "01 Ä.flac" ]
    [ "$(frames 'latin/01 Ä.flac')" -eq $(($(frames talk.wav) - 44100)) ]
}
check follows_a_cue_sheet

bad_sheets() {
    local sheet
    for sheet in '' 'TRACK 01 AUDIO' 'TRACK 01 AUDIO\nINDEX 01 00:00:75' 'TRACK x AUDIO\nINDEX 01 00:00:00' \
        'FILE a WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nFILE b WAVE' 'TRACK 01 AUDIO\nINDEX 01 00:01:00\nTRACK 02 AUDIO\nINDEX 01 00:01:00' \
        'TRACK 01 MODE1/2352\nINDEX 01 00:00:00'; do
        printf '%b' "$sheet" >bad.cue
        fails 1 ap-trim --cue bad.cue talk.wav -o bad
        grep -q "'bad.cue'" stderr
        [ ! -e bad ]
    done
    printf 'TRACK 01 AUDIO\nINDEX 01 00:09:00\n' >late.cue
    fails 1 ap-trim --cue late.cue talk.wav -o late
    printf 'TRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:01:00\nTRACK 03 AUDIO\nTITLE x\nINDEX 01 00:09:00\n' >late.cue
    fails 1 ap-trim --cue late.cue talk.wav -o late
    grep -Fq "'talk.wav' ends before the piece '03 x' begins" stderr
    [ ! -e late ]
    sox talk.wav -t raw - >talk.raw
    fails 1 ap-trim --raw "s16le,$(soxi -r talk.wav),$(soxi -c talk.wav)" --cue late.cue - -o late < <(cat talk.raw)
    grep -Fq "'stdin' ends before all pieces have begun" stderr
}
check bad_sheets

mistakes() {
    fails 2 ap-trim -s x tone.wav -o out.wav
    fails 2 ap-trim -s -1 tone.wav -o out.wav
    fails 2 ap-trim -s 99999999999999999999f tone.wav -o out.wav
    fails 2 ap-trim --split tone.wav
    fails 2 ap-trim --split --cue a.cue tone.wav -o out
    fails 2 ap-trim --silence --no-start --no-end tone.wav -o out.wav
    fails 2 ap-trim --split -t xyz tone.wav -o out
    [ ! -e out.wav ]
    [ ! -e out ]
}
check mistakes

finish
