#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: reports that can be moved, and zip files.
. "$(dirname "$0")/job-lib.sh"

# resources FILE: what a page loads, one a line
resources() {
    /usr/bin/python3 - "$1" <<'END'
import html.parser, sys
class P(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("src", "href") and not value.startswith("#"):
                print(value[:60])
P().feed(open(sys.argv[1], encoding="utf-8").read())
END
}

moves_with_its_media() {
    fresh
    id=$(ap-job submit --recipe 8d --set format=wav tone.wav)
    ap-job run
    ap-job report --with-media "$id" page
    mv page elsewhere
    resources elsewhere/index.html >found
    grep -q '^media/1-tone.8d.wav$' found
    grep -v '^data:image/png' found | while IFS= read -r file; do [ -s "elsewhere/$file" ]; done
    cmp elsewhere/media/1-tone.8d.wav "$(ap-job outputs "$id")"
    ap-job report --with-media "$id" page.zip
    unzip -qt page.zip
    /usr/bin/python3 -m zipfile -e page.zip unzipped # a reader of its own
    diff -r elsewhere unzipped
    fails 2 ap-job report --with-media "$id"
}
check moves_with_its_media

# What is too large for the page has a preview in it; nothing points to this machine.
has_previews() {
    fresh
    sox -n -r 44100 -c 1 -b 16 long.wav synth 40 pinknoise vol 0.3
    id=$(ap-job submit --recipe copy long.wav)
    ap-job run
    ap-manifest report --embed 0 "$spool/done/$id" -o page.html
    resources page.html >found
    ! grep -v '^data:' found || false
    grep -q '^data:audio/mpeg' found
    grep -q 'A preview of the sound' page.html
    [ "$(stat -c %s page.html)" -lt 2000000 ]
    /usr/bin/python3 - <<'END'
import base64, re
text = open("page.html").read()
open("preview.mp3", "wb").write(base64.b64decode(re.search(r'data:audio/mpeg;base64,([^"]*)', text).group(1)))
END
    ffprobe -v error -show_entries format=duration -of csv=p=0 preview.mp3 | awk '{ exit !($1 > 29.5 && $1 < 30.5) }'
}
check has_previews

# Many files, empty ones and names of all kinds, against Python's reader.
zips_anything() {
    fresh
    printf '# many: x\nmkdir "$out/a b"\nfor i in $(seq 300); do echo $i >"$out/a b/ü $i.txt"; done\n: >"$out/.hidden"\n' >recipes/many.sh
    id=$(ap-job submit --recipe many tone.wav)
    ap-job run
    ap-job fetch --zip "$id" all.zip
    /usr/bin/python3 - "$spool/done/$id/out" <<'END'
import os, sys, zipfile
z = zipfile.ZipFile("all.zip")
assert z.testzip() is None and len(z.namelist()) == 300, z.namelist()
for name in z.namelist():
    assert z.read(name) == open(os.path.join(sys.argv[1], name), "rb").read(), name
END
    rm recipes/*
}
check zips_anything

finish
