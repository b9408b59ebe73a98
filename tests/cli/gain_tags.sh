#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tags that tell players a gain do not outlive a change of loudness. Opinion from outside: metaflac.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 song.wav synth 1.5 pinknoise gain -20
flac -s -f song.wav -o song.flac
metaflac --set-tag="REPLAYGAIN_TRACK_GAIN=-11.30 dB" --set-tag=REPLAYGAIN_TRACK_PEAK=0.5 \
    --set-tag="MP3GAIN_UNDO=+004,+004,N" --set-tag="ITUNNORM= 00000123" --set-tag=TITLE=kept song.flac

drops_the_gain() {
    "$@" -q -o out.flac song.flac
    metaflac --export-tags-to=tags out.flac
    grep -x TITLE=kept tags
    ! grep -iE '^(replaygain|r128|mp3gain|itunnorm)' tags
}

# mp3gain's undo is of MPEG frames that another file does not have.
keeps_the_gain() {
    "$@" -q -o out.flac song.flac
    metaflac --export-tags-to=tags out.flac
    grep -x 'REPLAYGAIN_TRACK_GAIN=-11.30 dB' tags
    ! grep MP3GAIN tags
}

# mp3gain writes APEv2, which stands behind the sound.
apev2_counts_too() {
    ap-encode -q song.wav -o song.mp3
    /usr/bin/python3 -c 'import mutagen.apev2 as a; t = a.APEv2(); t["MP3GAIN_UNDO"] = "+004,+004,N"
t["REPLAYGAIN_TRACK_GAIN"] = "-11.30 dB"; t["Title"] = "kept"; t.save("song.mp3")'
    cp song.mp3 song.flac
    "$@"
}

# What is turned down because it clips has another loudness; what does not clip has not.
rescaling_drops_the_gain() {
    keeps_the_gain ap-encode --clip-mode=rescale
    ap-eq -q -g 30 song.flac -o loud.wav --bits float
    ap-tag -s 'REPLAYGAIN_TRACK_GAIN=-31.30 dB' -s TITLE=kept loud.wav
    ap-encode -q --clip-mode=rescale loud.wav -o out.flac
    metaflac --export-tags-to=tags out.flac
    [ "$(cat tags)" = TITLE=kept ]
    ap-encode -q --clip-mode=rescale --tag 'REPLAYGAIN_TRACK_GAIN=+1.00 dB' loud.wav -o out.flac
    metaflac --export-tags-to=tags out.flac
    grep -x 'REPLAYGAIN_TRACK_GAIN=+1.00 dB' tags
}

check rescaling_drops_the_gain
check drops_the_gain ap-limit --gain 8
check drops_the_gain ap-8d
check drops_the_gain ap-reverb
check drops_the_gain ap-hpss -s percussive
check drops_the_gain ap-separate -n dsp -s bass
check drops_the_gain ap-mix
check drops_the_gain ap-normalize
check drops_the_gain ap-decode -c 1
check keeps_the_gain ap-decode
check keeps_the_gain ap-decode -r 48000
check apev2_counts_too keeps_the_gain ap-decode
check apev2_counts_too drops_the_gain ap-limit
finish
