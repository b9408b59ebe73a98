#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-measure: its reports, as others import them.
. "$(dirname "$0")/measure-lib.sh"

one_line_a_file() {
    ap-measure --tsv music.wav tone.wav silence.wav >table
    [ "$(wc -l <table)" -eq 4 ]
    [ "$(awk -F'\t' '{ print NF }' table | sort -u)" = 15 ]
    [ "$(tail -n +2 table | cut -f 1 | xargs)" = "music.wav tone.wav silence.wav" ]
    ap-measure --tsv - tone.wav <music.wav >mixed
    cmp <(tail -n +2 mixed | cut -f 2-) <(sed -n 2,3p table | cut -f 2-)
    cmp <(ap-measure --tsv <music.wav | tail -n 1 | cut -f 2-) <(sed -n 2p table | cut -f 2-)
}
check one_line_a_file

a_report_of_each_file() {
    mkdir -p tree/sub
    cp music.wav tree/m.wav
    cp tone.wav tree/sub/t.wav
    fails 1 ap-measure -q --json -r tree missing.wav -o reports/
    grep -q "missing.wav" stderr
    [ "$(find reports -type f | sort | xargs)" = "reports/m.json reports/sub/t.json" ]
    ap-measure --json tree/sub/t.wav | cmp - reports/sub/t.json
    ap-measure -q -r tree -o 'each/{name}.{ext}'
    ap-measure tree/m.wav | cmp - each/m.txt
    echo old >each/t.txt
    touch -d tomorrow each/t.txt
    ap-measure -q -r tree -o 'each/{name}.{ext}' --skip-existing
    [ "$(cat each/t.txt)" = old ]
    ap-measure --tsv -r tree -o none/ --dry-run >said
    [ "$(wc -l <said)" -eq 2 ]
    [ ! -e none ]
    fails 2 ap-measure --album tree/m.wav -o reports/
    fails 2 ap-measure --dry-run tree/m.wav
}
check a_report_of_each_file

odd_names() {
    names=('a b.wav' "it's \"quoted\".wav" $'new\nline.wav' $'tab\there.wav' 'ünïcode ♫.wav' '%s%n.wav' '\back.wav' $'\x1besc.wav' '{}.wav')
    for name in "${names[@]}" $'latin\xe9.wav' $'cut\xe2\x99.wav'; do
        cp tone.wav "$name"
    done
    printf '%s\0' "${names[@]}" >names
    ap-measure --json "${names[@]}" missing$'\n\xff'.wav 2>log >report.json || [ $? -eq 1 ]
    /usr/bin/python3 - <<'END'
import json
names = open("names", "rb").read().decode().split("\0")[:-1]
files = json.load(open("report.json", encoding="utf-8"))["files"]
assert [f["file"] for f in files] == names + ["missing\n\ufffd.wav"], files
assert all(abs(f["integrated_lufs"] + 23) < 0.5 for f in files[:-1])
assert set(files[-1]) == {"file", "error"}
END
    ap-measure --json $'latin\xe9.wav' $'cut\xe2\x99.wav' | /usr/bin/python3 -c '
import json, sys
files = json.loads(sys.stdin.buffer.read().decode("utf-8"))["files"]
assert [f["file"] for f in files] == ["latin\ufffd.wav", "cut\ufffd\ufffd.wav"], files'
    ap-measure --tsv "${names[@]}" >table
    [ "$(wc -l <table)" -eq $((${#names[@]} + 1)) ]
    grep -qF 'new\nline.wav' table
    grep -qF 'tab\there.wav' table
    grep -qF '\\back.wav' table
}
check odd_names

a_bad_file_among_many() {
    head -c 3000 /dev/urandom >garbage.mp3
    head -c 100000 music.wav >cut.wav
    for style in --tsv --json --replaygain; do
        fails 1 ap-measure "$style" music.wav garbage.mp3 missing.wav cut.wav tone.wav >report
        [ "$(wc -l <stderr)" -eq 4 ] # and how many
        for name in garbage.mp3 missing.wav cut.wav; do
            grep -q "^ap-measure: .*'$name'" stderr
        done
    done
    fails 1 ap-measure --tsv music.wav garbage.mp3 tone.wav >report
    [ "$(tail -n +2 report | cut -f 1 | xargs)" = "music.wav tone.wav" ]
    fails 1 ap-measure --json garbage.mp3 >report
    /usr/bin/python3 -c 'import json; assert "error" in json.load(open("report"))["files"][0]'
}
check a_bad_file_among_many

replaygain_tags_can_be_imported() {
    flac -s -f music.wav -o music.flac
    ap-measure --replaygain music.flac | metaflac --import-tags-from=- music.flac
    gain=$(metaflac --show-tag=REPLAYGAIN_TRACK_GAIN music.flac | tr -d '=A-Z_ dB')
    near "$gain" "$(value music.wav integrated_lufs | awk '{ print -18 - $1 }')" 0.011
    ap-measure --replaygain --album music.wav tone.wav >tags
    [ "$(grep -c '^# ' tags)" -eq 3 ]
    grep -q '^REPLAYGAIN_ALBUM_GAIN=-*[0-9.]* dB$' tags
    grep -q '^REPLAYGAIN_ALBUM_PEAK=0\.[0-9]*$' tags
}
check replaygain_tags_can_be_imported

tee_passes_everything() {
    ap-decode music.wav >music.au
    ap-measure --tee --tsv <music.au >out.au 2>report
    cmp music.au out.au
    cmp <(cut -f 2- report) <(ap-measure --tsv music.wav | cut -f 2-)
    ap-decode music.wav | ap-measure --tee --json -o report.json | cmp - music.au
    /usr/bin/python3 -c 'import json; json.load(open("report.json"))'
    fails 1 ap-measure --tee <(head -c 500000 music.au) -o late.json >out.au
    grep -q "is truncated" stderr
}
check tee_passes_everything

reports_appear_when_complete() {
    echo old >report
    ap-measure --tsv music.wav -o report
    cmp report <(ap-measure --tsv music.wav)
    mkdir folder
    ap-measure -q music.wav -o folder
    [ "$(ls folder)" = music.txt ]
    fails 1 ap-measure music.wav -o /proc/nowhere/report
    fails 75 ap-measure music.wav >/dev/full
    [ "$(find . -name '.audiopipe*' | wc -l)" -eq 0 ]
    ap-measure music.wav -o /dev/stdout | grep Integrated
}
check reports_appear_when_complete

usage() {
    fails 2 ap-measure --tsv --json music.wav
    fails 2 ap-measure --tee music.wav tone.wav
    fails 2 ap-measure --silence 1 music.wav
    fails 2 script -qec "ap-measure" /dev/null </dev/null >out.txt
    fails 2 script -qec "ap-measure --tee music.wav" /dev/null >out.txt
}
check usage

finish
