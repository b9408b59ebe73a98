#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Chapters, from every format that has them to every other.
. "$(dirname "$0")/tags-lib.sh"

# Two chapters in every format that has them, as ffmpeg sees them, from files of other programs and back.
chapters_are_kept() {
    local from to
    printf '%s\n' ';FFMETADATA1' title=Talk '[CHAPTER]' TIMEBASE=1/1000 START=0 END=300 'title=One' '[CHAPTER]' TIMEBASE=1/1000 \
        START=300 END=500 'title=Zwölf' >chapters.txt
    for from in mp3:libmp3lame m4a:aac mka:flac; do
        ffmpeg -v error -y -i tone.wav -i chapters.txt -map 0:a -map_metadata 1 -c:a "${from#*:}" "talk.${from%:*}"
    done
    for from in mp3 m4a mka; do
        for to in mp3 ogg opus flac; do
            ap-limit -q "talk.$from" | ap-encode -q -o "to.$to"
            # FLAC keeps the comments, which ffmpeg takes for chapters in Ogg only
            if [ "$to" = flac ]; then
                [ "$(metaflac --no-utf8-convert --export-tags-to=- to.flac | grep CHAPTER | tr '\n' ' ')" = \
                    "CHAPTER001=00:00:00.000 CHAPTER001NAME=One CHAPTER002=00:00:00.300 CHAPTER002NAME=Zwölf " ]
            else
                ffprobe -v error -show_entries chapter=start_time:chapter_tags=title -of csv=p=0 "to.$to" >seen
                [ "$(tr '\n' ' ' <seen)" = "0.000000,One 0.300000,Zwölf " ]
            fi
        done
    done
    mutagen <<'END'
t = i.ID3('to.mp3')
assert [c.sub_frames['TIT2'].text for c in t.getall('CHAP')] == [['One'], ['Zwölf']]
assert [(c.start_time, c.end_time) for c in t.getall('CHAP')][0] == (0, 300)
assert t.getall('CTOC')[0].child_element_ids == [c.element_id for c in t.getall('CHAP')]
END
    for to in wav aiff; do # in ID3
        ap-encode -q talk.mp3 -o "to.$to"
        [ "$(values "to.$to" 'CHAPTER.*')" = "CHAPTER001=00:00:00.000 CHAPTER001NAME=One CHAPTER002=00:00:00.300 CHAPTER002NAME=Zwölf " ]
    done
    # what is cut off has none, the one that is going on stays
    ap-decode --start 0.4 talk.mp3 | ap-encode -q -o cut.flac
    [ "$(values cut.flac 'CHAPTER.*')" = "CHAPTER001=00:00:00.000 CHAPTER001NAME=Zwölf " ]
    ap-decode --start 0.1 --duration 0.15 talk.mp3 | ap-encode -q -o cut.flac
    [ "$(values cut.flac 'CHAPTER.*')" = "CHAPTER001=00:00:00.000 CHAPTER001NAME=One " ]
    exiftool -validate -warning -a to.mp3 | grep -q OK
}
check chapters_are_kept

# Chapters stay with what they name, as ffmpeg sees them.
chapters_move() {
    seen_in() { ffprobe -v error -show_entries chapter=start_time:chapter_tags=title -of csv=p=0 "$1" | tr '\n' ' '; }
    local two=(--tag CHAPTER001=00:00:00.000 --tag CHAPTER001NAME=One --tag CHAPTER002=00:00:00.500 --tag CHAPTER002NAME=Two)
    sox -D -n -r 8000 -c 1 -b 16 second.wav synth 1 sine 440 vol 0.5
    ap-encode -q second.wav "${two[@]}" -o two.flac
    ap-encode -q second.wav --tag TITLE=Last -o last.flac
    ap-cat -q two.flac two.flac last.flac --gap 0.25 -o all.ogg
    [ "$(seen_in all.ogg)" = "0.000000,One 0.500000,Two 1.250000,One 1.750000,Two 2.500000,Last " ]
    ap-cat -q two.flac last.flac --crossfade 0.5 -o all.ogg
    [ "$(seen_in all.ogg)" = "0.000000,One 0.500000,Two 0.500000,Last " ]
    # lengths that headers do not tell, or only nearly
    ffmpeg -v error -y -i two.flac -map_chapters 0 -c:a aac two.m4a
    ffmpeg -v error -y -i two.flac -map_chapters 0 -c:a flac -f matroska pipe:1 </dev/null | cat >two.mka
    ffmpeg -v error -y -i last.flac -c:a flac -f matroska pipe:1 </dev/null | cat >plain.mka
    for first in two.m4a two.mka; do
        ap-cat -q "$first" plain.mka two.mka -o all.ogg
        [ "$(seen_in all.ogg)" = "0.000000,One 0.500000,Two 1.000000,Last 2.000000,One 2.500000,Two " ]
    done
    ap-cat -q -x 0.5 plain.mka plain.mka two.m4a -o all.ogg
    [ "$(seen_in all.ogg)" = "1.000000,One 1.500000,Two " ]
    # what cannot be read twice
    cp two.flac other.flac
    ap-cat --progress none - two.flac <other.flac -o all.ogg 2>said
    [ "$(seen_in all.ogg)" = "0.000000,One 0.500000,Two " ]
    grep -qx "ap-cat: warning: the chapters of 'two.flac' are lost: not all inputs are files" said
    ap-mix -q two.flac:delay=0.2 last.flac -o all.ogg
    [ "$(seen_in all.ogg)" = "0.200000,One 0.700000,Two " ]
    ap-trim -q --start 0.25 two.flac -o all.ogg
    [ "$(seen_in all.ogg)" = "0.000000,One 0.250000,Two " ]
    printf '%s\n' 'FILE "x" WAVE' 'TRACK 01 AUDIO' 'INDEX 01 00:00:00' 'TRACK 02 AUDIO' 'INDEX 01 00:00:30' >two.cue
    ap-trim -q --cue two.cue two.flac -t ogg -o pieces
    [ "$(seen_in pieces/01.ogg)" = "0.000000,One " ]
    [ "$(seen_in pieces/02.ogg)" = "0.000000,One 0.100000,Two " ]
}
check chapters_move

finish
