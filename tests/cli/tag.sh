#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-tag and ap-measure --write-gain: what mutagen, ffprobe, metaflac and exiftool read afterwards; the sound is the same
# bit by bit; what is not understood stays; files are replaced with care.
. "$(dirname "$0")/lib.sh"

sox -D -R -n -r 44100 -c 2 -b 16 tone.wav synth 1.2 pinknoise vol 0.2
ffmpeg -v error -f lavfi -i testsrc2=duration=1:size=64x48:rate=1 -frames:v 1 cover.png
ffmpeg -v error -i cover.png cover.jpg
formats=(mp3 flac ogg opus wav aiff au)
for format in "${formats[@]}"; do
    ap-encode -q --tag TITLE=old --tag COMMENT=stays tone.wav -o "base.$format"
done
ffmpeg -v error -i tone.wav -metadata title=old -metadata comment=stays base.m4a
ffmpeg -v error -i tone.wav -metadata title=old -metadata comment=stays -movflags faststart -c:a alac alac.m4a
formats+=(m4a)

# The packets of the sound, by another program.
sound() { ffmpeg -v error -i "$1" -map 0:a -c copy -f md5 -; }

# And what becomes of them here.
samples() { ap-decode "$1" | sox -t au - -t raw - | md5sum; }

# Everything that can be in a tag, in every format.
writes_every_format() {
    local format before
    for format in "${formats[@]}"; do
        cp "base.$format" "x.$format"
        before=$(sound "x.$format")
        ap-tag -s TITLE=Grüße -s ARTIST=one -s ARTIST=two -s TRACKNUMBER=3 -s TRACKTOTAL=12 -s MOOD=calm \
            -s MY_KEY="a b" -s DATE=2026-11-30 "x.$format"
        [ "$(sound "x.$format")" = "$before" ]
        [ "$(ap-tag "x.$format" | sort)" = "$(printf '%s\n' ARTIST=one ARTIST=two COMMENT=stays DATE=2026-11-30 MOOD=calm \
            'MY_KEY=a b' TITLE=Grüße TRACKNUMBER=3 TRACKTOTAL=12)" ]
        [ "$(samples "base.$format")" = "$(samples "x.$format")" ]
    done
}
check writes_every_format

others_read_it() {
    [ "$(probe mp3 title):$(probe mp3 track):$(probe mp3 artist)" = "Grüße:3/12:one" ]
    [ "$(probe m4a title):$(probe m4a track)" = "Grüße:3/12" ]
    [ "$(probe wav title):$(probe aiff title)" = "Grüße:Grüße" ]
    [ "$(ffprobe -v error -show_entries stream_tags=TITLE -of csv=p=0 x.opus)" = Grüße ]
    metaflac --export-tags-to=- x.flac | sort >tags
    grep -qx 'MY_KEY=a b' tags
    grep -qx ARTIST=two tags
    flac -s -t x.flac
    [ "$(exiftool -s3 -Title x.mp3):$(exiftool -s3 -Title x.m4a)" = Grüße:Grüße ]
    /usr/bin/python3 - <<'END'
import mutagen, mutagen.wave, mutagen.aiff
m = {f: mutagen.File("x." + f) for f in ("mp3", "flac", "ogg", "opus", "m4a", "wav", "aiff")}
for f in ("flac", "ogg", "opus"):
    assert m[f]["artist"] == ["one", "two"] and m[f]["my_key"] == ["a b"] and m[f]["tracknumber"] == ["3"], f
for f in ("mp3", "wav", "aiff"):
    t = m[f].tags
    assert t["TPE1"].text == ["one", "two"] and t["TRCK"].text == ["3/12"] and t["TXXX:MY_KEY"].text == ["a b"], f
t = m["m4a"].tags
assert t["\xa9ART"] == ["one", "two"] and t["trkn"] == [(3, 12)] and t["----:com.apple.iTunes:MY_KEY"] == [b"a b"], t
END
}
probe() { ffprobe -v error -show_entries "format_tags=$2" -of csv=p=0 "x.$1"; }
check others_read_it

# Longer, shorter, none at all; and a file as it should be is left alone.
removes_and_clears() {
    local format before
    for format in "${formats[@]}"; do
        cp "x.$format" "y.$format"
        before=$(sound "y.$format")
        ap-tag -r ARTIST -s MOOD= -s TITLE=t "y.$format"
        [ "$(ap-tag "y.$format" | grep -cE '^(ARTIST|MOOD)=' || true)" -eq 0 ]
        ls -i "y.$format" >inode
        ap-tag -s TITLE=t -r ARTIST "y.$format"
        [ "$(ls -i "y.$format")" = "$(cat inode)" ]
        ap-tag --clear "y.$format"
        [ -z "$(ap-tag "y.$format")" ]
        [ "$(sound "y.$format")" = "$before" ]
    done
}
check removes_and_clears

covers() {
    local format before
    for format in "${formats[@]}"; do
        [ "$format" != au ] || continue
        cp "x.$format" "z.$format"
        before=$(sound "z.$format")
        ap-tag --cover cover.jpg "z.$format"
        ap-tag --export-cover got "z.$format"
        cmp got cover.jpg
        ap-tag --cover cover.png "z.$format"
        ap-tag --export-cover got "z.$format"
        cmp got cover.png
        [ "$(sound "z.$format")" = "$before" ]
        cp "z.$format" "c.$format"
        ap-tag --no-cover "z.$format"
        fails 1 ap-tag --export-cover got "z.$format"
        cmp <(ap-tag "z.$format") <(ap-tag "x.$format")
    done
    /usr/bin/python3 - <<'END'
import mutagen
png = open("cover.png", "rb").read()
assert mutagen.File("c.mp3").tags.getall("APIC")[0].data == png
assert mutagen.File("c.flac").pictures[0].data == png and mutagen.File("c.flac").pictures[0].type == 3
assert bytes(mutagen.File("c.m4a").tags["covr"][0]) == png
END
    fails 1 ap-tag --cover tone.wav z.mp3
    grep -q "'tone.wav' is not a picture" stderr
}
check covers

# From one format to another, with the gain as each has it.
copies() {
    local format
    ap-tag -s REPLAYGAIN_TRACK_GAIN="-3.50 dB" -s REPLAYGAIN_TRACK_PEAK=0.9 --cover cover.jpg x.flac
    for format in "${formats[@]}"; do
        cp "base.$format" "k.$format"
        ap-tag --clear --from x.flac "k.$format"
        if [ "$format" = opus ]; then
            ap-tag k.opus >tags
            grep -qx R128_TRACK_GAIN=-2176 tags # 256 * (-3.5 - 5)
            grep -q REPLAYGAIN tags && return 1
        else
            cmp <(ap-tag "k.$format" | sort) <(ap-tag x.flac | sort)
        fi
    done
    cp base.mp3 back.mp3
    ap-tag --clear --from k.opus back.mp3
    ap-tag back.mp3 | grep -x "REPLAYGAIN_TRACK_GAIN=-3.50 dB" >/dev/null
    cp base.mp3 kept.mp3
    ap-tag --from x.flac -s TITLE=mine -r MOOD kept.mp3
    ap-tag kept.mp3 >tags
    grep -qx TITLE=mine tags
    grep -qx COMMENT=stays tags
    grep -qx 'MY_KEY=a b' tags
    [ "$(grep -c MOOD tags || true)" -eq 0 ]
}
check copies

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

# An index before the sound moves it; its offsets follow.
moves_the_offsets() {
    local before
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
    cat base.ogg x.ogg >chain.ogg
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
    ap-tag --json base.flac x.mp3 >out
    /usr/bin/python3 -c 'import json; f = json.load(open("out"))["files"]
assert f[0]["tags"][0] == ["TITLE", "old"] and f[1]["file"] == "x.mp3", f'
}
check replaces_with_care

# The gains are those of loudgain, which ap-measure is held against elsewhere; here it is that they are written.
writes_gains() {
    local format gain
    for format in "${formats[@]}"; do
        cp "base.$format" "g.$format"
    done
    sox -D tone.wav quiet.wav vol -12dB
    ap-encode -q quiet.wav -o q.flac
    ap-measure -q --write-gain "${formats[@]/#/g.}" q.flac >report
    for format in mp3 flac ogg wav aiff au m4a; do
        gain=$(ap-measure --replaygain "g.$format" | sed -n 's/^REPLAYGAIN_TRACK_GAIN=//p')
        [ "$(ap-tag "g.$format" | sed -n 's/^REPLAYGAIN_TRACK_GAIN=//p')" = "$gain" ]
    done
    [ "$(ap-tag g.opus | grep -c '^R128_TRACK_GAIN=-\{0,1\}[0-9]*$')" -eq 1 ]
    [ "$(ap-tag g.flac | grep -c ALBUM_GAIN || true)" -eq 0 ]
    # a file with a gain is not measured again, unless that is asked for
    ap-tag -s REPLAYGAIN_TRACK_GAIN="+1.00 dB" g.flac
    ap-measure -q --write-gain --tsv g.flac g.mp3 >report
    [ "$(wc -l <report)" -eq 1 ]
    [ "$(ap-tag g.flac | grep '^REPLAYGAIN_TRACK_GAIN')" = "REPLAYGAIN_TRACK_GAIN=+1.00 dB" ]
    ap-measure -q --regain --tsv g.flac >report
    [ "$(ap-tag g.flac | grep '^REPLAYGAIN_TRACK_GAIN')" != "REPLAYGAIN_TRACK_GAIN=+1.00 dB" ]
    # an album: as soon as one of its files lacks the gain, all are measured
    ap-measure -q --write-gain --album g.flac q.flac g.opus >report
    gain=$(ap-tag g.flac | sed -n 's/^REPLAYGAIN_ALBUM_GAIN=//p')
    [ -n "$gain" ]
    [ "$(ap-tag q.flac | sed -n 's/^REPLAYGAIN_ALBUM_GAIN=//p')" = "$gain" ]
    [ "$(ap-tag g.opus | sed -n 's/^R128_ALBUM_GAIN=//p')" -eq \
        "$(awk -v g="${gain% dB}" 'BEGIN { printf "%.0f", 256 * (g - 5) }')" ]
    ap-measure -q --write-gain --album --tsv g.flac q.flac >report
    [ "$(grep -c 'flac' report || true)" -eq 0 ]
    fails 2 ap-measure --write-gain <tone.wav
    fails 2 ap-measure --write-gain --tee tone.wav
}
check writes_gains

finish
