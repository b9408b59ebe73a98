#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-transcribe: pocketsphinx for real, whisper.cpp by a stand-in of its command line; the recipes transcribe and transcode.
. "$(dirname "$0")/job-lib.sh"
export AUDIOPIPE_RECIPES=
transcribe=$tests_folder/../scripts/ap-transcribe
words='we will meet at the station tomorrow morning'

needs_a_recogniser() {
    command -v pocketsphinx_continuous >/dev/null || skip "pocketsphinx is missing"
    command -v flite >/dev/null || skip "flite is missing"
}
# wrong_words HEARD SAID: how many words to change, by Python
wrong_words() {
    /usr/bin/python3 - "$@" <<'CODE'
import sys
a, b = (s.lower().split() for s in sys.argv[1:])
row = list(range(len(b) + 1))
for i, x in enumerate(a, 1):
    last, row[0] = row[0], i
    for j, y in enumerate(b, 1):
        last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
print(row[-1])
CODE
}

understands_three_voices() {
    needs_a_recogniser
    local voice
    for voice in rms awb slt; do
        flite -voice "$voice" -t "$words." -o "$voice.wav"
        "$transcribe" -f txt "$voice.wav"
        echo "$voice: $(cat "$voice.txt")"
        [ "$(wrong_words "$(tr '\n' ' ' <"$voice.txt")" "$words")" -le 2 ]
    done
}
check understands_three_voices

# Two sentences with silence between them are two segments, at their times, in all formats alike.
writes_all_formats() {
    needs_a_recogniser
    sox rms.wav -r 16000 one.wav
    sox -R -n -r 16000 -b 16 pause.wav synth 3 whitenoise vol 0.0003
    sox one.wav pause.wav one.wav two.wav
    "$transcribe" -o said two.wav
    /usr/bin/python3 - "$(soxi -D one.wav)" <<'CODE'
import json, re, sys
length = float(sys.argv[1])
heard = json.load(open("said.json"))
s = heard["segments"]
assert heard["engine"] == "pocketsphinx" and abs(heard["duration"] - 2 * length - 3) < 0.01, heard
assert len(s) == 2 and s[0]["end"] < length and length + 3 <= s[1]["start"] < s[1]["end"] <= 2 * length + 3.1, s
texts = [x["text"] for x in s]
assert open("said.txt").read().splitlines() == texts
seconds = lambda h, m, rest: int(h) * 3600 + int(m) * 60 + float(rest.replace(",", "."))
for name, mark in [("said.srt", ","), ("said.vtt", ".")]:
    text = open(name).read()
    times = re.findall(rf"(\d\d):(\d\d):(\d\d\{mark}\d\d\d) --> (\d\d):(\d\d):(\d\d\{mark}\d\d\d)\n(.*)\n", text)
    assert [(seconds(*t[:3]), seconds(*t[3:6]), t[6]) for t in times] == [(x["start"], x["end"], x["text"]) for x in s], times
assert open("said.vtt").read().startswith("WEBVTT\n\n")
CODE
    # ffmpeg reads them
    ffmpeg -v error -i said.srt -f webvtt - >again.vtt
    ffmpeg -v error -i said.vtt -f srt - >again.srt
    [ "$(grep -c -e '-->' again.srt)" -eq 2 ]
}
check writes_all_formats

stand_in() {
    mkdir -p whisper
    cat >whisper/whisper-cli <<'STUB'
#!/bin/bash
echo "$@" >"$ARGS"
[ -z "${STUB_FAILS:-}" ] || { printf '%b' "$STUB_FAILS" >&2 && exit 3; }
while [ $# -gt 0 ]; do case $1 in -of) base=$2 ;; -f) wav=$2 ;; esac; shift; done
soxi "$wav" >"$ARGS.wav"
printf '1\n00:00:00,000 --> 00:00:01,500\n Fish & "chips" <b>\\\n\n2\n00:01:00,250 --> 01:02:03,004\n two\n lines\n\n' >"$base.srt"
STUB
    chmod +x whisper/whisper-cli
    : >model.bin
    export PATH=$PWD/whisper:$PATH ARGS=$PWD/args
}
runs_whisper() {
    stand_in
    "$transcribe" -m model.bin -l auto -j 3 -o heard tone.wav
    grep -q -- '-m model.bin .*-l auto -t 3 ' args
    grep -q 'Sample Rate *: 16000' args.wav && grep -q 'Channels *: 1' args.wav && grep -q 'Precision *: 16-bit' args.wav
    /usr/bin/python3 - <<'CODE'
import json
s = json.load(open("heard.json"))["segments"]
assert s == [{"start": 0, "end": 1.5, "text": "Fish & \"chips\" <b>\\"}, {"start": 60.25, "end": 3723.004, "text": "two lines"}], s
assert "Fish &amp; \"chips\" &lt;b&gt;\\\n" in open("heard.vtt").read()
assert "2\n00:01:00,250 --> 01:02:03,004\ntwo lines\n" in open("heard.srt").read()
CODE
    "$transcribe" -m model.bin -o only.vtt tone.wav
    "$transcribe" -m model.bin -o both.txt -f srt tone.wav
    [ "$(echo only* both*)" = 'only.vtt both.txt.srt' ]
    cmp only.vtt heard.vtt
    fails 1 "$transcribe" -m model.bin -o heard tone.wav
    grep -q "'heard.vtt' is there already" stderr
    "$transcribe" --force -m model.bin -o heard tone.wav
    AUDIOPIPE_WHISPER_MODEL=model.bin "$transcribe" -e whisper -f txt -o by-variable - <tone.wav
    [ "$(ls by-variable.*)" = by-variable.txt ]
    # As whisper.cpp says it: an error, and for what is asked wrongly a page of usage.
    STUB_FAILS="error: unknown language 'xx'\n\nusage: whisper-cli\n\n" fails 1 "$transcribe" -m model.bin -o failed tone.wav
    grep -qx "ap-transcribe: whisper failed: error: unknown language 'xx'" stderr
    STUB_FAILS='cannot read it\n\n' fails 1 "$transcribe" -m model.bin -o failed tone.wav
    grep -qx 'ap-transcribe: whisper failed: cannot read it' stderr
    STUB_FAILS='\n' fails 1 "$transcribe" -m model.bin -o failed tone.wav
    grep -qx 'ap-transcribe: whisper failed: exit status 3' stderr
    [ -z "$(compgen -G 'failed*')" ]
}
check runs_whisper

refuses() {
    stand_in
    fails 2 "$transcribe"
    fails 2 "$transcribe" -e siri tone.wav
    fails 2 "$transcribe" -f doc tone.wav
    fails 2 "$transcribe" -l 'x; rm' tone.wav
    fails 2 "$transcribe" -e whisper tone.wav
    fails 2 "$transcribe" -m model.bin -
    fails 1 "$transcribe" -m nonesuch.bin -e whisper tone.wav
    fails 1 "$transcribe" -m model.bin nonesuch.wav
    fails 1 "$transcribe" -m model.bin -o new recipes
    fails 1 env PATH="${PATH#"$PWD/whisper:"}" "$transcribe" -e pocketsphinx -l de tone.wav
    [ -z "$(compgen -G 'nonesuch*' 'new*')" ]
    fails 1 "$transcribe" -m model.bin -o /nonexistent/x tone.wav
}
check refuses

as_a_job() {
    fresh
    stand_in
    export AUDIOPIPE_WHISPER_MODEL=$PWD/model.bin
    id=$(ap-job submit --recipe transcribe tone.wav)
    ap-job run -q
    [ "$(ap-job outputs "$id" | sed 's,.*/,,' | sort | tr '\n' ' ')" = 'tone.json tone.srt tone.txt tone.vtt ' ]
}
check as_a_job

# codecs FILE: of its streams
codecs() { ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$1" | sort | tr '\n' ' '; }
transcodes() {
    fresh
    local format
    ffmpeg -v error -f lavfi -i testsrc=s=64x48:r=10 -i tone.wav -shortest -c:v libx264 -c:a aac film.mp4
    sox -R tone.wav song.flac
    for format in mp3 opus alac; do ap-job submit --recipe transcode --set "format=$format" film.mp4; done >ids
    kept=$(ap-job submit --recipe transcode --set format=opus --set video=keep --set channels=1 film.mp4)
    mp4=$(ap-job submit --recipe transcode --set format=m4a --set video=keep film.mp4)
    song=$(ap-job submit --recipe transcode --set format=wav --set rate=22050 --set channels=1 song.flac)
    none=$(ap-job submit --recipe transcode --set video=keep song.flac)
    may_fail ap-job run -q
    [ "$(while read -r id; do codecs "$(ap-job outputs "$id")"; done <ids)" = 'mp3 opus alac ' ]
    [ "$(codecs "$(ap-job outputs "$kept")")" = 'h264 opus ' ]
    [ "$(of "$(ap-job outputs "$kept")" a channels)" = 1 ]
    [ "$(codecs "$(ap-job outputs "$mp4")")" = 'aac h264 ' ]
    # the very pictures
    for film in film.mp4 "$(ap-job outputs "$kept")" "$(ap-job outputs "$mp4")"; do
        ffmpeg -v error -i "$film" -map 0:v -f framemd5 - | sed -n 's/.* //p' | tail -n +12 >pictures.txt
        [ -s pictures.txt ]
        [ -e first.txt ] || cp pictures.txt first.txt
        cmp pictures.txt first.txt
    done
    soxi "$(ap-job outputs "$song")" | grep -q 'Sample Rate *: 22050'
    [ -d "$spool/failed/$none" ] # there are no pictures to keep
}
check transcodes

# Costs are arithmetic on the records.
costs() {
    "$tests_folder/../scripts/cost" --price=cloud=3600 --per=1 >costs.txt
    grep -q '^recipe .* cloud$' costs.txt
    # at 3600 dollars a core-hour a job costs what it took in seconds
    awk '$1 == "transcode" { found = 1; cost = $NF; sub(/\$/, "", cost); if (cost - $4 > 0.06 || $4 - cost > 0.06 || $2 != 6) exit 1 }
        END { exit !found }' costs.txt || { cat costs.txt && return 1; }
    fails 2 "$tests_folder/../scripts/cost" --price=x
    fails 2 "$tests_folder/../scripts/cost" --per=0
    fails 1 env AUDIOPIPE_SPOOL=/nonexistent "$tests_folder/../scripts/cost"
}
check costs

finish
