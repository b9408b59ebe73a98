#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tags: where WAV, AIFF, Matroska and WavPack keep them, and notes of recorders.
. "$(dirname "$0")/tags-lib.sh"

# Targets of Matroska's tags are no part of the name.
matroska_targets() {
    ffmpeg -v error -i tone.wav -c:a flac -f matroska - | cat >plain.mka # a pipe: no index that names positions
    ffmpeg -v error -i tone.wav -metadata genre=None -c:a flac listed.mka
    /usr/bin/python3 - <<'END'
# Tags elements, put before the first cluster by hand: of an album and a track, of a film.
def vint(n): return (0x0100000000000000 | n).to_bytes(8, 'big')
def el(id, data): return bytes.fromhex(id) + vint(len(data)) + data
def tag(level, name, pairs):
    t = el('63c0', el('68ca', bytes([level])) + el('63ca', name.encode()))
    return el('7373', t + b''.join(el('67c8', el('45a3', k.encode()) + el('4487', v.encode())) for k, v in pairs))
b = open('plain.mka', 'rb').read()
tags = el('1254c367', tag(50, 'ALBUM', [('TITLE', 'The album'), ('ARTIST', 'All')]) + tag(30, 'TRACK', [('TITLE', 'The song'), ('ARTIST', 'One'), ('PART_NUMBER', '3')]))
film = el('1254c367', tag(50, 'MOVIE', [('TITLE', 'The film'), ('ARTIST', 'Two')]))
i = b.index(bytes.fromhex('1f43b675'))
several = el('1254c367', tag(50, 'ALBUM', [('ARTIST', 'All')]) + tag(30, 'TRACK', [('ARTIST', 'One'), ('GENRE', 'Jazz'), ('ARTIST', 'Two'), ('ENCODER', 'x')]))
for name, t in (('album.mka', tags), ('film.mka', film), ('several.mka', several)):
    open(name, 'wb').write(b[:i] + t + b[i:])
# behind the sound, where the list at the start says
b = bytearray(open('listed.mka', 'rb').read())
at = b.index(bytes.fromhex('53ab841254c36753ac')) + 9
size, segment = b[at] & 0x7f, b.index(bytes.fromhex('18538067')) + 12
old = segment + int.from_bytes(b[at + 1:at + 1 + size], 'big')
assert b[old:old + 4] == bytes.fromhex('1254c367')
b[old:old + 4] = bytes.fromhex('1254c3ec') # nothing that is known
b[at + 1:at + 1 + size] = (len(b) - segment).to_bytes(size, 'big')
open('behind.mka', 'wb').write(bytes(b) + several)
END
    for file in several.mka behind.mka; do
        [ "$(values "$file" 'ALBUMARTIST|ARTIST|GENRE|ENCODER')" = "ALBUMARTIST=All ARTIST=One ARTIST=Two GENRE=Jazz " ]
    done
    [ "$(values album.mka 'ALBUM|ALBUMARTIST|TITLE|ARTIST|TRACKNUMBER')" = "ALBUM=The album ALBUMARTIST=All ARTIST=One TITLE=The song TRACKNUMBER=3 " ]
    [ "$(values film.mka '.*')" = "ARTIST=Two TITLE=The film " ]
}
check matroska_targets

# The lossless half of a WavPack file is not read: that is said.
wavpack_corrections_are_noted() {
    wavpack -q -y -b4 -c tone.wav -o hybrid.wv
    ap-decode hybrid.wv 2>said >hybrid.au
    [ "$(cat said)" = "ap-decode: warning: 'hybrid.wvc' is not used: 'hybrid.wv' is played without its correction, with loss" ]
    rm hybrid.wvc
    ap-decode hybrid.wv 2>said >hybrid.au
    [ ! -s said ]
}
check wavpack_corrections_are_noted

# Simple readers: tags stand behind the sound, sizes are even.
tags_stand_behind_the_sound() {
    local bits file
    for bits in 16 24 float; do
        for file in small.wav small.aiff; do
            ap-encode -q tone.wav --bits "$bits" --tag TITLE=odd --tag X=y --tag "COMMENT=$(printf 'x%.0s' {1..9001})" -o "$file"
            /usr/bin/python3 - "$file" <<'END'
import struct, sys
b = open(sys.argv[1], 'rb').read(); big = b[:4] == b'FORM'; at = 12; seen = []
assert struct.unpack('>I' if big else '<I', b[4:8])[0] == len(b) - 8
while at < len(b):
    size = struct.unpack('>I' if big else '<I', b[at + 4:at + 8])[0]
    assert size % 2 == 0, b[at:at + 4]
    seen.append(b[at:at + 4]); at += 8 + size
assert at == len(b) and set(seen[seen.index(b'SSND' if big else b'data') + 1:]) >= {b'ID3 ' if big else b'id3 '}, seen
END
            [ "$(values "$file" 'TITLE|X')" = "TITLE=odd X=y " ]
        done
    done
    # also in a file on standard output, behind what is there, and when nobody tells the length
    ap-encode -q tone.wav --tag TITLE=odd -o named.wav
    { printf head && ap-encode -q tone.wav --tag TITLE=odd -t wav; } >opened.wav
    cmp <(printf head | cat - named.wav) opened.wav
    ffmpeg -v error -y -i tone.wav -f wav pipe:1 </dev/null >endless.wav
    ap-limit -q -t wav -o named.wav <endless.wav
    ap-limit -q -t wav <endless.wav >opened.wav
    cmp named.wav opened.wav
    # but in a pipe they come first
    ap-encode -q tone.wav --tag TITLE=odd -t wav | ap-encode -q -o piped.flac
    [ "$(metaflac --export-tags-to=- piped.flac)" = TITLE=odd ]
}
check tags_stand_behind_the_sound

# What recorders note in WAV is kept, through pipes, at other rates and in parts.
broadcast_notes_are_kept() {
    local shown="ffprobe -v error -of default=nw=1 -show_entries format_tags=comment,encoded_by,originator_reference,date,creation_time,time_reference,umid,coding_history"
    ffmpeg -v error -y -i tone.wav -write_bext 1 -metadata description=Take -metadata originator=Me -metadata originator_reference=R1 \
        -metadata origination_date=2026-01-02 -metadata origination_time=03:04:05 -metadata time_reference=44100 \
        -metadata "umid=0x$(printf '%064X' 4711)$(printf '%064X' 815)" -metadata 'coding_history=A=PCM,F=44100' -f wav noted.wav
    $shown noted.wav | sort >want
    [ "$(wc -l <want)" -eq 8 ]
    ap-decode noted.wav | ap-encode -q -o kept.wav
    $shown kept.wav | sort | diff - want
    ap-encode -q noted.wav -o noted.flac
    ap-encode -q noted.flac -o kept.wav
    $shown kept.wav | sort | diff - want
    ap-decode -r 48000 --start 0.25 noted.wav | ap-encode -q -o part.wav
    [ "$($shown part.wav | grep time_reference)" = TAG:time_reference=60000 ]
    [ "$(values noted.wav 'TITLE|COMMENT|BEXT_ORIGINATOR')" = "BEXT_ORIGINATOR=Me " ]
}
check broadcast_notes_are_kept

java_reads_what_is_written() {
    cat >Lengths.java <<'END'
import javax.sound.sampled.*;
import java.io.File;
public class Lengths {
    public static void main(String[] paths) throws Exception {
        for (String path : paths)
            System.out.println(AudioSystem.getAudioInputStream(new File(path)).getFrameLength());
    }
}
END
    for format in wav aiff; do
        ap-encode -q tone.wav --bits 24 --tag TITLE=odd --tag "COMMENT=$(printf 'x%.0s' {1..9001})" -o "java.$format"
    done
    [ "$(java Lengths.java java.wav java.aiff | tr '\n' ' ')" = "22050 22050 " ]
}
if command -v java >/dev/null; then check java_reads_what_is_written; else echo "# java is missing: its readers are not tried"; fi

finish
