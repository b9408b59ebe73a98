#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-manifest: outputs and their checksums, types by content, the report.
. "$(dirname "$0")/manifest-lib.sh"

adds_and_verifies() {
    rm -f manifest.json && ap-manifest new
    sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 997 gain -20
    ap-limit tone.wav -o tone.mp3
    ap-manifest add-output --measure tone.wav tone.mp3
    /usr/bin/python3 - <<'END'
import json, hashlib
o = json.load(open("manifest.json"))["outputs"]
assert [x["name"] for x in o] == ["tone", "tone"] and o[0]["path"] == "tone.wav", o
assert o[0]["sha256"] == hashlib.sha256(open("tone.wav", "rb").read()).hexdigest()
assert o[0]["format"] == "wav" and o[1]["format"] == "mp3"
for x in o:
    assert abs(x["duration"] - 2) < 1e-4 and x["rate"] == 44100 and x["channels"] == 2, x
    assert abs(x["true_peak"] - -20) < 0.2 and abs(x["loudness"] - -20) < 0.3, x
END
    ap-manifest verify
    echo >>tone.wav
    fails 1 ap-manifest verify
    grep -q "'.*tone.wav' has changed" stderr
    ap-manifest add-output tone.wav # once more: in its place
    ap-manifest verify
    [ "$(ap-manifest get .outputs | grep -c '"path"')" -eq 2 ]
    rm tone.mp3
    fails 1 ap-manifest verify
    : >nothing.wav
    fails 1 ap-manifest add-output nothing.wav
    head -c 1000 tone.wav >cut.wav
    fails 1 ap-manifest add-output --measure cut.wav
    fails 1 ap-manifest add-output missing.wav
}
check adds_and_verifies

knows_types() {
    /usr/bin/python3 - <<'END'
import zlib, struct
def chunk(t, d): return struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
open("p", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)))
END
    sox -n -r 48000 -c 2 sine.wav synth 1 sine 440
    for format in mp3 flac wav aiff ogg opus au; do
        ap-limit -q -t "$format" sine.wav >"as-$format"
        [ "$(ap-manifest probe "as-$format")" = "audio	$format" ]
    done
    [ "$(ap-manifest probe p)" = 'image	png' ]
    echo hello >t
    [ "$(ap-manifest probe t)" = 'text	txt' ]
    zip -q z.zip t
    [ "$(ap-manifest probe z.zip)" = 'zip	zip' ]
}
check knows_types

has_a_report() {
    rm -f manifest.json && ap-manifest new '.options.<b>=<script>alert(1)</script>' '.error=<img src=x>'
    sox -n -r 44100 -c 2 -b 16 tone.wav synth 3 sine 300:3000 gain -10
    ap-limit tone.wav -o tone.mp3
    cp tone.mp3 'a & "b" <c>.mp3'
    ap-manifest exec --stage '<i>' -- bash -c 'echo "</pre><script>" >&2' 2>/dev/null
    ap-manifest add-output --measure tone.mp3 'a & "b" <c>.mp3' tone.wav manifest.json
    ap-manifest set '.id=<script>' '.state="><script>' '.created=<script>' '.outputs[0].sha256="><script>' \
        '.finished=<script>2026-01-01T00:00:00'
    ap-manifest report -o r.html
    /usr/bin/python3 - <<'END'
import base64, html.parser, re
text = open("r.html", encoding="utf-8").read()
tags, stack = [], []
class P(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "image", "path", "br", "link"): stack.append(tag)
    def handle_endtag(self, tag):
        if tag in ("th", "td", "tr"):
            while stack[-1] != tag: stack.pop()
        assert stack[-1] == tag or tag in ("path", "image"), (tag, stack)
        if stack[-1] == tag: stack.pop()
P().feed(text)
names = [t for t, _ in tags]
assert names.count("audio") == 3 and names.count("svg") == 3 and "script" not in names, names
for _, a in tags:
    for key in ("src", "href"):
        assert not (a.get(key) or "").startswith(("http", "//")), a
assert "url(" not in text and "@import" not in text
sound = [a["src"] for t, a in tags if t == "audio"][0]
assert base64.b64decode(sound.split(",")[1]) == open("tone.mp3", "rb").read()
png = base64.b64decode(re.search(r"data:image/png;base64,([^\"]*)", text).group(1))
open("s.png", "wb").write(png)
END
    ffmpeg -v error -y -i s.png -f rawvideo -pix_fmt gray s.gray # a decoder of its own takes the picture
    # large files are linked by name from a page beside them; elsewhere there is a preview
    ap-manifest report --embed 0 -o linked.html
    grep -q 'src="a%20%26%20%22b%22%20%3Cc%3E.mp3"' linked.html
    [ "$(stat -c %s linked.html)" -lt 500000 ]
    fails 75 ap-manifest report >/dev/full
    fails 1 ap-manifest report -o no/such/folder.html
}
check has_a_report

report_without_anything() {
    rm -f manifest.json && ap-manifest new
    ap-manifest report | grep -q '</html>'
    # what an input's or output's file has become in the meantime does not matter
    ap-manifest set '.outputs[0].path=gone.wav' '.outputs[0].duration:=3' '.outputs[0].name=gone'
    ap-manifest report | grep -q 'No such file'
}
check report_without_anything

finish
