#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-tag: what mutagen, ffprobe, metaflac and exiftool read afterwards; the sound is the same bit by bit.
. "$(dirname "$0")/tag-lib.sh"

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

finish
