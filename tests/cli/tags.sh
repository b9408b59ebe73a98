#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tags: what other taggers write arrives, what is written other readers find.
. "$(dirname "$0")/lib.sh"

sox -D -n -r 44100 -c 2 -b 16 tone.wav synth 0.5 sine 440 sine 660 vol 0.5

tags() {
    metaflac --no-utf8-convert --export-tags-to=- "$1" | sort | tr '\n' ' '
}
# The last word is --tag's, then --tags-from's, then the input's.
tags_are_set_and_removed() {
    ap-encode tone.wav --tag TITLE=a --tag ARTIST=b --tag GENRE=c -o one.flac
    ap-encode tone.wav --tag TITLE=d --tag ALBUM=e -o two.flac
    ap-encode one.flac --tag Title=f --tag title=g -o out.flac
    [ "$(tags out.flac)" = "ARTIST=b GENRE=c TITLE=f TITLE=g " ]
    ap-encode one.flac --tag artist= --tag none= -o out.flac
    [ "$(tags out.flac)" = "GENRE=c TITLE=a " ]
    ap-encode one.flac --tags-from two.flac -o out.flac
    [ "$(tags out.flac)" = "ALBUM=e ARTIST=b GENRE=c TITLE=d " ]
    ap-encode one.flac --tags-from two.flac --tag TITLE=h --tag ALBUM= -o out.flac
    [ "$(tags out.flac)" = "ARTIST=b GENRE=c TITLE=h " ]
}
check tags_are_set_and_removed


# Runs python with mutagen: m(FILE) opens, i is its module of ID3 frames.
mutagen() {
    { echo 'import mutagen, mutagen.id3 as i, mutagen.mp4, mutagen.wavpack; m = mutagen.File' && cat; } | /usr/bin/python3 -
}

# All values of some keys as a FLAC made of it has them.
values() {
    ap-encode -q "$1" -o values.flac
    metaflac --no-utf8-convert --export-tags-to=- values.flac | grep -E "^($2)=" | sort | tr '\n' ' '
}

# Several values of one tag, as ID3v2.4, APEv2, MP4 and Vorbis comments have them.
several_values() {
    local format
    lame --quiet -b 128 tone.wav several.mp3
    wavpack -q -y tone.wav -o several.wv
    ffmpeg -v error -y -i tone.wav -c:a aac several.m4a
    mutagen <<'END'
t = i.ID3(); t.add(i.TPE1(3, ['A1', 'A2'])); t.add(i.TXXX(3, 'ARTISTS', ['X1', 'X2'])); t.save('several.mp3', v2_version=4)
w = m('several.wv'); w['Artist'] = ['A1', 'A2']; w['ARTISTS'] = ['X1', 'X2']; w.save()
a = m('several.m4a'); a['\xa9ART'] = ['A1', 'A2']; a['----:com.apple.iTunes:ARTISTS'] = [b'X1', b'X2']; a.save()
END
    for format in mp3 wv m4a; do
        [ "$(values "several.$format" 'ARTISTS?')" = "ARTIST=A1 ARTIST=A2 ARTISTS=X1 ARTISTS=X2 " ]
    done
    # and once more, through what is written here
    for format in mp3 wav aiff ogg opus; do
        ap-encode -q several.mp3 -o "again.$format" 2>/dev/null
        [ "$(values "again.$format" 'ARTISTS?')" = "ARTIST=A1 ARTIST=A2 ARTISTS=X1 ARTISTS=X2 " ]
    done
}
check several_values

# The names that MusicBrainz Picard gives them, in both directions.
names_of_picard() {
    local keys='BPM|ARTISTSORT|MUSICBRAINZ_[A-Z]*|RELEASETYPE|PRODUCER|PERFORMER|TRACK[A-Z]*'
    local want='ARTISTSORT=S BPM=120 MUSICBRAINZ_ALBUMID=a1 MUSICBRAINZ_TRACKID=t1 PERFORMER=P (drums) PRODUCER=Q RELEASETYPE=album TRACKNUMBER=3 TRACKTOTAL=12 '
    lame --quiet -b 128 tone.wav picard.mp3
    ffmpeg -v error -y -i tone.wav -c:a aac picard.m4a
    mutagen <<'END'
t = i.ID3()
for f in (i.TBPM(3, '120'), i.TSOP(3, 'S'), i.TXXX(3, 'MusicBrainz Album Id', 'a1'), i.UFID('http://musicbrainz.org', b't1'),
          i.TXXX(3, 'MusicBrainz Album Type', 'album'), i.TIPL(3, [['producer', 'Q']]), i.TMCL(3, [['drums', 'P']]), i.TRCK(3, '3/12')):
    t.add(f)
t.save('picard.mp3', v2_version=4)
a = m('picard.m4a'); p = '----:com.apple.iTunes:MusicBrainz '
a['tmpo'] = [120]; a['soar'] = ['S']; a[p + 'Album Id'] = [b'a1']; a[p + 'Track Id'] = [b't1']; a[p + 'Album Type'] = [b'album']
a['trkn'] = [(3, 12)]; a['----:com.apple.iTunes:PRODUCER'] = [b'Q']; a['----:com.apple.iTunes:PERFORMER'] = [b'P (drums)']; a.save()
END
    [ "$(values picard.mp3 "$keys")" = "$want" ]
    [ "$(values picard.m4a "$keys")" = "$want" ]
    ap-encode -q picard.m4a -o back.mp3
    [ "$(values back.mp3 "$keys")" = "$want" ]
    mutagen <<'END'
t = i.ID3('back.mp3')
assert t['UFID:http://musicbrainz.org'].data == b't1'
assert t['TXXX:MusicBrainz Album Id'] == ['a1'] and t['TXXX:MusicBrainz Album Type'] == ['album']
assert t['TIPL'].people == [['producer', 'Q']] and t['TMCL'].people == [['drums', 'P']]
assert t['TRCK'] == '3/12' and t['TBPM'] == '120' and t['TSOP'] == 'S'
END
}
check names_of_picard

# ID3 goes before INFO, key by key.
id3_in_wav_wins() {
    mutagen <<'END'
import struct
t = i.ID3(); t.add(i.TIT2(3, ['A title of more than thirty characters'])); t.save('t.id3', v2_version=4)
d = open('t.id3', 'rb').read(); b = open('tone.wav', 'rb').read()
def chunk(id, data): return id + struct.pack('<I', len(data)) + data + b'\0' * (len(data) & 1)
info = chunk(b'LIST', b'INFO' + chunk(b'INAM', b'A title of more than thirty ch\0') + chunk(b'IART', b'Artist\0') + chunk(b'IPRT', b'3/12\0'))
for name, chunks in (('last.wav', info + chunk(b'id3 ', d)), ('first.wav', chunk(b'id3 ', d) + info)):
    c = b + chunks
    open(name, 'wb').write(c[:4] + struct.pack('<I', len(c) - 8) + c[8:])
END
    for file in first.wav last.wav; do
        [ "$(values "$file" '.*')" = "ARTIST=Artist TITLE=A title of more than thirty characters TRACKNUMBER=3 TRACKTOTAL=12 " ]
    done
}
check id3_in_wav_wins

# Numbers with their total, and the older comments of a picture.
ogg_comments() {
    ffmpeg -v error -y -f lavfi -i testsrc=s=64x64:d=1 -frames:v 1 cover.jpg
    oggenc -Q -o old.ogg -c "COVERART=$(base64 -w0 cover.jpg)" -c COVERARTMIME=image/jpeg -c TRACKNUMBER=3/12 -c DISCNUMBER=1/x tone.wav
    [ "$(values old.ogg '.*')" = "DISCNUMBER=1/x TRACKNUMBER=3 TRACKTOTAL=12 " ]
    metaflac --export-picture-to=arrived.jpg values.flac
    cmp cover.jpg arrived.jpg
}
check ogg_comments

# ReplayGain of FLAC as RFC 7845 wants it in Opus, and back.
gains_to_opus_and_back() {
    flac -s -f tone.wav -o gain.flac
    metaflac --set-tag='REPLAYGAIN_TRACK_GAIN=-6.00 dB' --set-tag=REPLAYGAIN_TRACK_PEAK=0.9 --set-tag='REPLAYGAIN_ALBUM_GAIN=-7.00 dB' \
        --set-tag='REPLAYGAIN_REFERENCE_LOUDNESS=89.0 dB' gain.flac
    ap-encode -q gain.flac -o gain.opus
    [ "$(opusinfo gain.opus | grep -E 'R128|REPLAY' | sort | tr -d '\t' | tr '\n' ' ')" = "R128_ALBUM_GAIN=-3072 R128_TRACK_GAIN=-2816 " ]
    [ "$(values gain.opus '.*')" = "REPLAYGAIN_ALBUM_GAIN=-7.00 dB REPLAYGAIN_TRACK_GAIN=-6.00 dB " ]
    [ "$(values gain.flac '.*')" = "REPLAYGAIN_ALBUM_GAIN=-7.00 dB REPLAYGAIN_TRACK_GAIN=-6.00 dB REPLAYGAIN_TRACK_PEAK=0.9 " ]
}
check gains_to_opus_and_back

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

# The layouts that Vorbis and Opus have no place for are refused; AIFF and FLAC keep the speakers.
speakers_are_kept_or_refused() {
    local layout
    for layout in 2.1 4.0 4.1 6.0 "7.1(wide)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=sin(440*t):s=48000:d=0.1,aformat=channel_layouts=$layout" wide.wav
        fails 2 ap-encode -q wide.wav -o wide.ogg
        fails 2 ap-encode -q wide.wav -o wide.opus
        grep -q "has no layout for the speakers $layout: mix them with ap-decode -c " stderr
        for file in wide.flac wide.aiff; do
            ap-encode -q wide.wav -o "$file"
            [ "$(ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 "$file")" = "$layout" ]
        done
    done
    # the pair behind or beside the listener is the same one there
    for layout in "quad(side)" "5.0(side)" "5.1(side)" "6.1(back)"; do
        ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs=sin(440*t):s=48000:d=0.1,aformat=channel_layouts=$layout" wide.wav
        ap-encode -q wide.wav -o wide.ogg
        ap-encode -q wide.wav -o wide.opus
    done
    # channels without positions: Opus has a mapping for them
    ap-decode wide.wav --layout discrete | ap-encode -q -o discrete.opus
    opusinfo discrete.opus | grep -q "Channel Mapping Family: 255"
    ap-decode wide.wav --layout discrete >discrete.au
    fails 2 ap-encode -q discrete.au -o discrete.ogg
}
check speakers_are_kept_or_refused

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

# exiftool parses everything without a warning.
covers_for_exiftool() {
    local format
    ap-encode -q tone.wav --tag TITLE=a --tag ARTIST=ü --tag "ALBUM=$(printf 'x%.0s' {1..300})" -o plain.mp3
    mutagen <<'END'
t = i.ID3('plain.mp3'); t.add(i.APIC(3, 'image/jpeg', 3, '', open('cover.jpg', 'rb').read())); t.save('plain.mp3')
END
    for format in mp3 wav aiff flac; do
        ap-encode -q plain.mp3 -o "cover.$format"
        exiftool -validate -warning -a "cover.$format" >exiftool.out
        cat exiftool.out
        grep -q "OK" exiftool.out
        [ "$(wc -l <exiftool.out)" -eq 1 ]
    done
    exiftool -b -Picture cover.mp3 | cmp - cover.jpg
}
check covers_for_exiftool

finish
