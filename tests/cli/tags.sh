#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tags: what other taggers write arrives, what is written other readers find.
. "$(dirname "$0")/tags-lib.sh"

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
    local keys='BPM|LABEL|ENCODEDBY|ARTISTSORT|MUSICBRAINZ_[A-Z]*|RELEASETYPE|PRODUCER|PERFORMER|TRACK[A-Z]*'
    local want='ARTISTSORT=S BPM=120 ENCODEDBY=E LABEL=L MUSICBRAINZ_ALBUMID=a1 MUSICBRAINZ_TRACKID=t1 PERFORMER=P (drums) PRODUCER=Q RELEASETYPE=album TRACKNUMBER=3 TRACKTOTAL=12 '
    lame --quiet -b 128 tone.wav picard.mp3
    ffmpeg -v error -y -i tone.wav -c:a aac picard.m4a
    mutagen <<'END'
t = i.ID3()
for f in (i.TBPM(3, '120'), i.TPUB(3, 'L'), i.TENC(3, 'E'), i.TSOP(3, 'S'), i.TXXX(3, 'MusicBrainz Album Id', 'a1'), i.UFID('http://musicbrainz.org', b't1'),
          i.TXXX(3, 'MusicBrainz Album Type', 'album'), i.TIPL(3, [['producer', 'Q']]), i.TMCL(3, [['drums', 'P']]), i.TRCK(3, '3/12')):
    t.add(f)
t.save('picard.mp3', v2_version=4)
a = m('picard.m4a'); p = '----:com.apple.iTunes:MusicBrainz '
a['tmpo'] = [120]; a['soar'] = ['S']; a[p + 'Album Id'] = [b'a1']; a[p + 'Track Id'] = [b't1']; a[p + 'Album Type'] = [b'album']
a['trkn'] = [(3, 12)]; a['----:com.apple.iTunes:PRODUCER'] = [b'Q']; a['----:com.apple.iTunes:PERFORMER'] = [b'P (drums)']
a['----:com.apple.iTunes:LABEL'] = [b'L']; a['\xa9too'] = 'x'; a['----:com.apple.iTunes:ENCODEDBY'] = [b'E']; a.save()
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
