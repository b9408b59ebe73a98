#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-manifest: the document, its locks, stages, outputs, the report.
. "$(dirname "$0")/lib.sh"
long=${AP_LONG:-0}

# is_running PID: and no zombie that nobody has reaped
is_running() { [ -e "/proc/$1/stat" ] && [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" != Z ]; }
get() { ap-manifest get -m "${2:-manifest.json}" "$1"; }

makes_and_reads() {
    ap-manifest new -m new.json .recipe=8d .options.period=12 .n:=3 '.deep:={"a":[1,2,{"b":null}]}'
    [ "$(get .recipe new.json)" = 8d ]
    [ "$(get .options.period new.json)" = 12 ]
    [ "$(get '.deep.a[1]' new.json)" = 2 ]
    [ "$(get '.deep.a[-1].b' new.json)" = null ]
    [ "$(get .state new.json)" = queued ]
    ap-manifest get -m new.json | python3 -m json.tool >/dev/null
    [ "$(ap-manifest get -m new.json .version .n)" = $'1\n3' ]
    [ "$(ap-manifest get -m new.json -0 .recipe .options | tr '\0' '|')" = '8d|period=12|' ]
    mkdir folder && ap-manifest new -m folder && [ -s folder/manifest.json ]
    fails 1 ap-manifest new -m new.json
    grep -q "File exists" stderr
    [ "$(get .recipe new.json)" = 8d ]
}
check makes_and_reads

sets_members() {
    ap-manifest new -m set.json
    ap-manifest set -m set.json '.outputs[0].name=a' '.outputs[1].name=b' '.x.y.z:=true' '.text=line "one"
two ü'
    [ "$(get '.outputs[1].name' set.json)" = b ]
    [ "$(get .text set.json)" = 'line "one"
two ü' ]
    ap-manifest set -m set.json $'.latin=\xe9t\xe9'
    [ "$(get .latin set.json)" = été ]
    cp set.json before.json
    fails 2 ap-manifest set -m set.json nonsense
    fails 2 ap-manifest set -m set.json '.bad:={'
    fails 2 ap-manifest set -m set.json '..=1'
    fails 1 ap-manifest set -m set.json '.outputs[7]=far'
    fails 1 ap-manifest set -m set.json '.text.inside=1' || fails 2 ap-manifest set -m set.json '.text.inside=1'
    cmp set.json before.json
    fails 1 ap-manifest get -m set.json .missing
    grep -q "there is no '.missing'" stderr
    [ "$(find . -name '.set.json*' | wc -l)" -eq 0 ]
}
check sets_members

refuses_what_is_no_manifest() {
    echo '{"half":' >half.json
    echo '[]' >list.json
    echo '{"version": 2}' >newer.json
    printf '%0*d' 5000 0 | tr 0 '[' >deep.json
    : >empty.json
    mkfifo fifo.json
    for file in half list newer deep empty fifo missing; do
        fails 1 timeout 5 ap-manifest get -m "$file.json"
        [ "$(wc -l <stderr)" -eq 1 ]
        fails 1 timeout 5 ap-manifest set -m "$file.json" .a=1
    done
    fails 1 ap-manifest get -m newer.json
    grep -q "has version 2" stderr
    [ "$(cat newer.json)" = '{"version": 2}' ]
}
check refuses_what_is_no_manifest

loses_no_change() {
    local writers=6 changes=$((long ? 100 : 15)) pids=()
    ap-manifest new -m shared.json .marks:={}
    for w in $(seq "$writers"); do
        for c in $(seq "$changes"); do ap-manifest set -m shared.json ".marks.w${w}c$c:=1"; done &
        pids+=($!)
    done
    while kill -0 "${pids[@]}" 2>/dev/null; do
        python3 -c 'import json; json.load(open("shared.json"))'
    done
    wait "${pids[@]}"
    [ "$(get .marks shared.json | grep -c :)" -eq $((writers * changes)) ]
}
check loses_no_change

# A reader sees the old document or the new one, whenever the writer was killed.
survives_kills() {
    ap-manifest new -m killed.json '.text=start'
    for i in $(seq $((long ? 200 : 30))); do
        ap-manifest set -m killed.json ".text=$(head -c 20000 /dev/zero | tr '\0' x)$i" &
        sleep 0.00$((RANDOM % 10))
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        python3 -c 'import json; d = json.load(open("killed.json")); assert d["text"] == "start" or d["text"].startswith("x" * 20000)'
    done
    ap-manifest set -m killed.json .text=after
    [ "$(get .text killed.json)" = after ]
    [ "$(find . -name '.killed.json*' | wc -l)" -eq 0 ]
}
check survives_kills

keeps_links_and_modes() {
    ap-manifest new -m real.json
    chmod 640 real.json
    ln -s real.json link.json
    ap-manifest set -m link.json .a=1
    [ -L link.json ] && [ "$(get .a real.json)" = 1 ] && [ "$(stat -c %a real.json)" = 640 ]
}
check keeps_links_and_modes

# ---- stages

passes_everything_through() {
    ap-manifest new
    head -c 3000000 /dev/urandom >bytes
    # shellcheck disable=SC2094
    ap-manifest exec --stage copy -- cat <bytes >copy
    cmp copy bytes
    [ "$(get '.stages[0].state')" = 'done' ]
    [ "$(get '.stages[0].command[0]')" = cat ]
    [ "$(get '.stages[0].exit_code')" = 0 ]
    # the command ends when its reader goes, and its reader when it does
    (set +o pipefail && ap-manifest exec --stage yes -- yes | head -1 | grep -q y)
    [ "$(get '.stages[1].signal')" = 13 ]
    echo three | ap-manifest exec --stage early -- true
}
check passes_everything_through

returns_the_exit_code() {
    rm -f manifest.json && ap-manifest new
    fails 7 ap-manifest exec --stage seven -- bash -c 'echo one >&2; echo two >&2; exit 7'
    [ "$(cat stderr)" = $'one\ntwo' ]
    [ "$(get '.stages[0].exit_code')" = 7 ]
    [ "$(get '.stages[0].state')" = failed ]
    [ "$(get '.stages[0].stderr[1]')" = two ]
    fails 137 ap-manifest exec --stage killed -- bash -c 'kill -9 $$'
    [ "$(get '.stages[1].signal')" = 9 ]
    [ "$(get '.stages[1].exit_code')" = 137 ]
    fails 127 ap-manifest exec --stage none -- no-such-command
    fails 126 ap-manifest exec --stage folder -- ./
    fails 2 ap-manifest exec --stage nothing
}
check returns_the_exit_code

keeps_the_last_lines() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage many -- bash -c 'for i in $(seq 1000); do echo "line $i" >&2; done; printf tail >&2' 2>err
    [ "$(wc -l <err)" -eq 1001 ]
    [ "$(get '.stages[0].stderr[-1]')" = tail ]
    [ "$(get '.stages[0].stderr[0]')" = 'line 982' ]
    ap-manifest exec --stage long -- bash -c 'head -c 100000 /dev/zero | tr "\0" x >&2' 2>err
    [ "$(tr -d '\n' <err | wc -c)" -eq 100000 ]
    ap-manifest exec --stage bytes -- bash -c 'printf "\xff\0\1\n" >&2' 2>err
    cmp err <(printf '\xff\0\1\n')
    ap-manifest get | python3 -m json.tool >/dev/null
}
check keeps_the_last_lines

measures_time_and_memory() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage work -- python3 -c 'x = bytearray(100 << 20)
import time
t = time.process_time()
while time.process_time() - t < 0.3: pass
time.sleep(0.2)'
    python3 - <<'END'
import json
s = json.load(open("manifest.json"))["stages"][0]
assert 0.5 <= s["seconds"] < 30, s
assert 0.25 <= s["cpu_user"] + s["cpu_system"] < 2, s
assert 100 << 20 <= s["peak_memory"] < 160 << 20, s
END
}
check measures_time_and_memory

follows_progress() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage slow -- bash -c 'echo "{\"command\":\"x\",\"seconds\":1,\"progress\":0.25}" >&2
        echo "{\"other\":1}" >&2; sleep 2' 2>err &
    for _ in $(seq 50); do
        [ "$(get '.stages[0].progress' 2>/dev/null)" != 0.25 ] || break
        sleep 0.1
    done
    [ "$(get '.stages[0].progress')" = 0.25 ]
    wait $!
    [ "$(get '.stages[0].progress')" = 1 ]
    [ "$(cat err)" = '{"other":1}' ]
    # the filters show it without being asked
    sox -n -r 44100 -c 2 tone.wav synth 60 sine 440
    ap-manifest exec --stage limit -- ap-limit tone.wav 2>err | cat >/dev/null
    [ ! -s err ]
    ap-manifest exec --stage told -- bash -c 'ap-limit tone.wav | cat >/dev/null' 2>err
    [ ! -s err ]
}
check follows_progress

forwards_signals() {
    rm -f manifest.json && ap-manifest new
    ap-manifest exec --stage trap -- bash -c 'trap "echo got >trapped; exit 5" TERM; touch ready; while :; do sleep 0.05; done' &
    while [ ! -e ready ]; do sleep 0.05; done
    kill -TERM $!
    fails 5 wait $!
    [ "$(cat trapped)" = got ]
    [ "$(get '.stages[0].exit_code')" = 5 ]
    # when it is killed itself the command dies with it
    rm -f ready
    ap-manifest exec --stage orphan -- bash -c 'echo $$ >ready; exec sleep 1000' &
    while [ ! -s ready ]; do sleep 0.05; done
    kill -9 $!
    wait $! 2>/dev/null || true
    for _ in $(seq 50); do is_running "$(cat ready)" || break; sleep 0.1; done
    ! is_running "$(cat ready)" || fails 1 true
}
check forwards_signals

ends_a_stubborn_group() {
    rm -f manifest.json ready && ap-manifest new
    ap-manifest exec --stage deaf --group --grace 0.3 -- bash -c 'trap "" TERM; sleep 1000 & echo $! >ready; wait' &
    while [ ! -s ready ]; do sleep 0.05; done
    kill -TERM $!
    fails 137 wait $!
    ! is_running "$(cat ready)" || fails 1 true
    [ "$(get '.stages[0].signal')" = 9 ]
    # what a command leaves behind ends with it, too
    ap-manifest exec --stage leaves --group -- bash -c 'sleep 1000 >/dev/null 2>&1 & echo $! >ready'
    ! is_running "$(cat ready)" || fails 1 true
}
check ends_a_stubborn_group

parallel_stages() {
    rm -f manifest.json && ap-manifest new
    for i in 1 2 3 4 5 6 7 8; do
        ap-manifest exec --stage "s$i" -- sleep "0.0$i" &
    done
    wait
    [ "$(ap-manifest get .stages | grep -c '"done"')" -eq 8 ]
}
check parallel_stages

unwritable_record() {
    fails 1 ap-manifest exec -m /nonexistent/manifest.json --stage x -- touch ran
    [ ! -e ran ]
}
check unwritable_record

# By a record that someone wrote by hand.
no_tools_in_record() {
    echo '{"version":1,"stages":[],"outputs":[]}' >bare.json
    ap-manifest exec -m bare.json --stage x -- ap-measure --version
    [ "$(ap-manifest get -m bare.json '.stages[0].state')" = 'done' ]
}
check no_tools_in_record

# ---- outputs

adds_and_verifies() {
    rm -f manifest.json && ap-manifest new
    sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 997 gain -20
    ap-limit tone.wav -o tone.mp3
    ap-manifest add-output --measure tone.wav tone.mp3
    python3 - <<'END'
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
    python3 - <<'END'
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

lists() {
    mkdir -p jobs/a jobs/b jobs/.hidden jobs/none
    ap-manifest new -m jobs/a .id=1-a .recipe=8d
    ap-manifest new -m jobs/b .id=1-b $'.error=bad\tthing' .state=failed
    echo broken >jobs/.hidden/manifest.json
    [ "$(ap-manifest list jobs | wc -l)" -eq 3 ]
    ap-manifest list --format=json jobs | while read -r line; do python3 -m json.tool <<<"$line" >/dev/null; done
    [ "$(ap-manifest list --format=tsv jobs | awk -F '\t' 'NF != 12 { bad++ } END { print NR, bad + 0 }')" = '3 0' ]
    fails 1 ap-manifest list nowhere
    fails 75 ap-manifest list --format=tsv jobs >/dev/full
}
check lists

# ---- the report

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
    python3 - <<'END'
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
