#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-tag: what is not understood stays, and so does the sound when its place changes; files are replaced with care.
. "$(dirname "$0")/tag-lib.sh"

# What is not understood, chapters and further pictures stay.
keeps_the_rest() {
    cp base.mp3 m.mp3
    cp base.flac m.flac
    cp base.m4a m.m4a
    cp base.wav m.wav
    /usr/bin/python3 - <<'END'
import mutagen, mutagen.id3 as id3, mutagen.flac, struct
m = mutagen.File("m.mp3")
for f in (id3.PRIV(owner="me", data=b"\0\1\xff\xfe"), id3.GEOB(encoding=0, mime="a/b", filename="f", desc="d", data=b"xyz"),
          id3.POPM(email="a@b", rating=200, count=5), id3.APIC(encoding=0, mime="image/png", type=4, desc="back", data=b"\x89PNG\r\n\x1a\nback"),
          id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=open("cover.png", "rb").read()),
          id3.CTOC(element_id="toc", flags=3, child_element_ids=["c0"], sub_frames=[]),
          id3.CHAP(element_id="c0", start_time=0, end_time=900, start_offset=0xffffffff, end_offset=0xffffffff,
                   sub_frames=[id3.TIT2(encoding=3, text="Part"), id3.WXXX(encoding=0, desc="u", url="http://x")])):
    m.tags.add(f)
m.save(v2_version=3, v1=2)
f = mutagen.flac.FLAC("m.flac")
for kind in (4, 3):
    p = mutagen.flac.Picture()
    p.type, p.mime, p.data = kind, "image/png", open("cover.png", "rb").read() + bytes([kind])
    f.add_picture(p)
f.save()
with open("m.flac", "r+b") as file: # an application block instead of the padding
    data = file.read()
at = 4
while data[at] & 0x7f != 1:
    at += 4 + int.from_bytes(data[at + 1:at + 4], "big")
open("m.flac", "wb").write(data[:at] + b"\x02\0\0\x08testdata" + data[at:])
m = mutagen.File("m.m4a")
m["----:org.example:Thing"] = [b"\0binary"]
m["\xa9too"] = ["tool"]
m.save()
w = open("m.wav", "rb").read()
w = w[:12] + b"LIST" + struct.pack("<I", 16) + b"INFOITCH" + struct.pack("<I", 4) + b"me\0\0" + w[12:] + b"cue " + struct.pack("<I", 4) + bytes(4)
open("m.wav", "wb").write(w[:4] + struct.pack("<I", len(w) - 8) + w[8:])
END
    local format
    for format in mp3 flac m4a wav; do
        sound "m.$format" >before
        ap-tag -s ALBUM=new --cover cover.jpg "m.$format"
        sound "m.$format" | cmp - before
    done
    /usr/bin/python3 - <<'END'
import mutagen
t = mutagen.File("m.mp3").tags
jpeg = open("cover.jpg", "rb").read()
assert t["PRIV:me:\0\1ÿþ"].data == b"\0\1\xff\xfe" and t["GEOB:d"].data == b"xyz" and t["POPM:a@b"].rating == 200, list(t)
assert sorted((p.type, p.data) for p in t.getall("APIC")) == [(3, jpeg), (4, b"\x89PNG\r\n\x1a\nback")]
assert t["CHAP:c0"].sub_frames["WXXX:u"].url == "http://x" and t["CHAP:c0"].end_time == 900 and "CTOC:toc" in t
assert t["TALB"].text == ["new"] and t["TIT2"].text == ["old"]
f = mutagen.File("m.flac")
assert sorted((p.type, len(p.data)) for p in f.pictures) == [(3, len(jpeg)), (4, len(open("cover.png", "rb").read()) + 1)]
assert b"\x02\0\0\x08testdata" in open("m.flac", "rb").read()
m = mutagen.File("m.m4a")
assert m["----:org.example:Thing"] == [b"\0binary"] and m["\xa9too"] == ["tool"] and m["\xa9alb"] == ["new"]
w = open("m.wav", "rb").read()
assert b"ITCH\4\0\0\0me\0\0" in w and b"cue \4\0\0\0" in w and int.from_bytes(w[4:8], "little") == len(w) - 8
END
    tail -c 128 m.mp3 | head -c 6 | grep -qa TAGold
    tail -c 65 m.mp3 | head -c 3 | grep -qa new
}
check keeps_the_rest

# mp3gain writes APEv2 tags, and reads no others: what does not change stays there, and alone.
apev2_stays_mp3gains() {
    cp base.mp3 a.mp3
    printf 'TAGshort%0119d\377' 0 | LC_ALL=C tr 0 '\000' >v1
    /usr/bin/python3 - <<'END'
import mutagen.apev2 as apev2
t = apev2.APEv2()
t.update({"MP3GAIN_UNDO": "+004,+004,N", "MP3GAIN_MINMAX": "125,210", "REPLAYGAIN_TRACK_GAIN": "+1.50 dB", "Track": "3/12",
          "Title": "of APEv2", "Artist": ["one", "two"]})
cover = open("cover.png", "rb").read()
t["Cover Art (Front)"] = apev2.APEValue(b"cover.png\0" + cover, apev2.BINARY)
t.save("a.mp3")
END
    cat v1 >>a.mp3
    [ "$(ap-tag a.mp3 | sort | tr '\n' ';')" = "ARTIST=one;ARTIST=two;COMMENT=stays;MP3GAIN_MINMAX=125,210;\
MP3GAIN_UNDO=+004,+004,N;REPLAYGAIN_TRACK_GAIN=+1.50 dB;TITLE=old;TRACKNUMBER=3;TRACKTOTAL=12;" ]
    ap-tag --export-cover=found.png a.mp3
    cmp found.png cover.png
    sound a.mp3 >before
    ap-tag -s ARTIST=other -r TRACKNUMBER -r TRACKTOTAL --cover cover.jpg a.mp3
    sound a.mp3 | cmp - before
    /usr/bin/python3 - <<'END'
import mutagen.apev2 as apev2, mutagen.id3 as id3
a, i = apev2.APEv2("a.mp3"), id3.ID3("a.mp3")
assert sorted(a.items()) == [("MP3GAIN_MINMAX", "125,210"), ("MP3GAIN_UNDO", "+004,+004,N"),
    ("REPLAYGAIN_TRACK_GAIN", "+1.50 dB"), ("Title", "of APEv2")], a
assert {k[:4] for k in i} == {"APIC", "COMM", "TIT2", "TPE1"} and i["TPE1"].text == ["other"], list(i)
assert open("a.mp3", "rb").read()[-128:-92].rstrip(b"\0") == b"TAGold" + bytes(27) + b"oth", open("a.mp3", "rb").read()[-128:-92]
END
    ap-measure -q --regain a.mp3
    [ "$(ap-tag a.mp3 | grep -c REPLAYGAIN_TRACK_GAIN)" = 1 ]
    ap-tag a.mp3 | grep -qx 'MP3GAIN_UNDO=+004,+004,N'
    ap-tag --clear a.mp3
    [ -z "$(ap-tag a.mp3)" ]
    [ "$(grep -c APETAGEX a.mp3 || true)" = 0 ]
}
check apev2_stays_mp3gains

# An index before the sound moves it; its offsets follow.
moves_the_offsets() {
    local before
    ffmpeg -v error -i tone.wav -metadata title=old -metadata comment=stays -movflags faststart -c:a alac alac.m4a
    before=$(sound alac.m4a)
    head -c 3000 /dev/urandom | base64 -w 0 >long
    ap-tag -s COMMENT="$(cat long)" alac.m4a
    [ "$(sound alac.m4a)" = "$before" ]
    [ "$(samples alac.m4a)" = "$(samples tone.wav)" ]
    ap-tag -r COMMENT alac.m4a
    [ "$(sound alac.m4a)" = "$before" ]
}
check moves_the_offsets

# Pages of Ogg are numbered through, also when the headers need more or fewer of them.
pages_are_in_order() {
    local format
    ffmpeg -v error -y -f lavfi -i 'nullsrc=s=300x300,geq=random(1)*255:128:128' -frames:v 1 noise.png
    for format in ogg opus; do
        cp "base.$format" "p.$format"
        ap-tag --cover noise.png "p.$format"
        /usr/bin/python3 - "p.$format" <<'END'
import sys
data, at, numbers = open(sys.argv[1], "rb").read(), 0, []
while at < len(data):
    assert data[at:at + 4] == b"OggS"
    numbers.append(int.from_bytes(data[at + 18:at + 22], "little"))
    n = data[at + 26]
    at += 27 + n + sum(data[at + 27:at + 27 + n])
assert numbers == list(range(len(numbers))) and len(numbers) > 3, numbers
END
        [ "$(sound "p.$format")" = "$(sound "base.$format")" ]
        ap-tag --clear "p.$format"
        [ "$(sound "p.$format")" = "$(sound "base.$format")" ]
    done
    opusinfo p.opus >info
    [ "$(grep -c WARNING info || true)" -eq 0 ]
    cp base.ogg second.ogg
    ap-tag -s TITLE=second -s ARTIST=one second.ogg
    cat base.ogg second.ogg >chain.ogg
    samples chain.ogg >before
    ap-tag -s TITLE=chained chain.ogg
    samples chain.ogg | cmp - before
    [ "$(ap-info --json chain.ogg | grep -c '"chained"')" -eq 1 ]
}
check pages_are_in_order

replaces_with_care() {
    cp base.flac r.flac
    chmod 640 r.flac
    touch -d '2001-02-03 04:05:06' r.flac
    ln -s r.flac link.flac
    ap-tag --keep-time -s TITLE=x link.flac
    [ "$(stat -c '%a %y' r.flac)" = "640 $(date -d '2001-02-03 04:05:06' '+%F %T').000000000 $(date -d '2001-02-03 04:05:06' +%z)" ]
    [ -L link.flac ]
    ap-tag -s TITLE=y r.flac
    [ "$(stat -c %Y r.flac)" -gt 1000000000 ]
    if [ "$(id -u)" -eq 0 ]; then
        chown 65534:65534 r.flac
        ap-tag -s TITLE=z r.flac
        [ "$(stat -c '%u:%g' r.flac)" = 65534:65534 ]
    fi
    ls >before
    head -c 3000 base.wav >cut.wav
    cp cut.wav cut2.wav
    fails 1 ap-tag -s TITLE=x cut.wav missing.flac base.txt
    cmp cut.wav cut2.wav
    fails 2 ap-tag -s TITLE=x - <base.wav
    fails 2 ap-tag -s =x base.wav
    fails 2 ap-tag
    fails 2 ap-tag --json -s A=b base.wav
    ffmpeg -v error -i tone.wav -movflags frag_keyframe+empty_moov frag.m4a
    cp frag.m4a frag2.m4a
    fails 1 ap-tag -s TITLE=x frag.m4a
    grep -q "fragmented" stderr
    cmp frag.m4a frag2.m4a
    ap-tag --json base.flac base.mp3 >out
    /usr/bin/python3 -c 'import json; f = json.load(open("out"))["files"]
assert f[0]["tags"][0] == ["TITLE", "old"] and f[1]["file"] == "base.mp3", f'
}
check replaces_with_care

finish
