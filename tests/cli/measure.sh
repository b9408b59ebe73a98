#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-measure against ffmpeg, sox and loudgain, and its reports.
. "$(dirname "$0")/lib.sh"

sox -R -n -r 44100 -c 2 -b 16 music.wav synth 12 pinknoise tremolo 0.3 90 vol 0.4 dcshift 0.01
sox -R -n -r 48000 -c 1 -b 24 tone.wav synth 5 sine 997 vol 0.1 pad 0.5 0.25
sox -D -n -r 44100 -c 2 -b 16 silence.wav trim 0 2

# value FILE KEY [OPTION...]: one field of the report
value() {
    local file=$1 key=$2
    shift 2
    ap-measure --tsv "$@" "$file" | awk -F'\t' -v key="$key" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) n = i }
        NR == 2 { print $n }'
}

# near A B TOLERANCE
near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }' || {
        echo "$1 is not $2 +- $3"
        return 1
    }
}

agrees_with_ffmpeg() {
    for file in music.wav tone.wav; do
        ffmpeg -hide_banner -nostats -i "$file" -af ebur128=peak=true:framelog=verbose -f null - 2>&1 | sed -n '/Summary/,$p' >summary
        near "$(value "$file" integrated_lufs)" "$(awk '$1 == "I:" { print $2 }' summary)" 0.06
        near "$(value "$file" range_lu)" "$(awk '$1 == "LRA:" { print $2 }' summary)" 0.11
        near "$(value "$file" true_peak_dbtp)" "$(awk '$1 == "Peak:" { print $2 }' summary)" 0.11
    done
}
check agrees_with_ffmpeg

agrees_with_sox() {
    sox music.wav -n stats 2>levels
    near "$(value music.wav sample_peak_dbfs)" "$(awk '/^Pk lev/ { print $4 }' levels)" 0.011
    near "$(value music.wav rms_dbfs)" "$(awk '/^RMS lev/ { print $4 }' levels)" 0.011
    near "$(value music.wav dc_offset)" "$(awk '/^DC offset/ { print $3 }' levels)" 0.0005
    near "$(value music.wav duration_s)" 12 0
    [ "$(value music.wav rate) $(value music.wav channels)" = "44100 2" ]
}
check agrees_with_sox

agrees_with_loudgain() {
    loudgain -q -O music.wav tone.wav | tr -d ' LUFSdBTP' >loudgain.txt
    for file in music.wav tone.wav; do
        near "$(value "$file" integrated_lufs)" "$(awk -F'\t' -v f="$(tr -d ' LUFSdBTP' <<<"$file")" '$1 == f { print $2 }' loudgain.txt)" 0.011
        near "$(value "$file" true_peak_dbtp)" "$(awk -F'\t' -v f="$(tr -d ' LUFSdBTP' <<<"$file")" '$1 == f { print $5 }' loudgain.txt)" 0.011
    done
}
check agrees_with_loudgain

silence_at_the_ends() {
    near "$(value tone.wav silence_start_s)" 0.5 0.001
    near "$(value tone.wav silence_end_s)" 0.25 0.001
    [ "$(value tone.wav silence_start_s --silence -10)" = 5.750 ]
}
check silence_at_the_ends

clipping_is_counted() {
    sox -D -V1 music.wav loud.wav gain 20 2>log
    [ "$(value loud.wav clipped_samples)" -gt 1000 ]
    [ "$(value music.wav clipped_samples)" = 0 ]
}
check clipping_is_counted

silence_is_minus_infinity() {
    for key in integrated_lufs shortterm_max_lufs momentary_max_lufs true_peak_dbtp sample_peak_dbfs rms_dbfs; do
        [ "$(value silence.wav "$key")" = -inf ]
        ap-measure --json silence.wav | python3 -c "
import json, sys
assert json.load(sys.stdin)['files'][0]['$key'] is None"
    done
    ap-measure silence.wav | grep 'Integrated  *-inf LUFS'
    ap-measure --replaygain silence.wav | grep -x 'REPLAYGAIN_TRACK_GAIN=0.00 dB'
}
check silence_is_minus_infinity

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

odd_names() {
    names=('a b.wav' "it's \"quoted\".wav" $'new\nline.wav' $'tab\there.wav' 'ünïcode ♫.wav' '%s%n.wav' '\back.wav' $'\x1besc.wav' '{}.wav')
    for name in "${names[@]}" $'latin\xe9.wav' $'cut\xe2\x99.wav'; do
        cp tone.wav "$name"
    done
    printf '%s\0' "${names[@]}" >names
    ap-measure --json "${names[@]}" missing$'\n\xff'.wav 2>log >report.json || [ $? -eq 1 ]
    python3 - <<'END'
import json
names = open("names", "rb").read().decode().split("\0")[:-1]
files = json.load(open("report.json", encoding="utf-8"))["files"]
assert [f["file"] for f in files] == names + ["missing\n\ufffd.wav"], files
assert all(abs(f["integrated_lufs"] + 23) < 0.5 for f in files[:-1])
assert set(files[-1]) == {"file", "error"}
END
    ap-measure --json $'latin\xe9.wav' $'cut\xe2\x99.wav' | python3 -c '
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
    python3 -c 'import json; assert "error" in json.load(open("report"))["files"][0]'
}
check a_bad_file_among_many

album_is_one_programme() {
    sox music.wav -r 44100 quiet.wav gain -12
    ap-measure --tsv --album music.wav quiet.wav >table
    [ "$(tail -n 1 table | cut -f 1)" = '(album)' ]
    sox music.wav quiet.wav whole.wav
    near "$(tail -n 1 table | cut -f 5)" "$(value whole.wav integrated_lufs)" 0.1
    near "$(tail -n 1 table | cut -f 2)" 24 0
    ap-measure --json --album music.wav quiet.wav | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert report["album"]["true_peak_dbtp"] == max(f["true_peak_dbtp"] for f in report["files"])'
    ap-measure --album music.wav quiet.wav | grep -x '(album)'
}
check album_is_one_programme

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
    python3 -c 'import json; json.load(open("report.json"))'
    fails 1 ap-measure --tee <(head -c 500000 music.au) -o late.json >out.au
    grep -q "is truncated" stderr
}
check tee_passes_everything

reports_appear_when_complete() {
    echo old >report
    ap-measure --tsv music.wav -o report
    cmp report <(ap-measure --tsv music.wav)
    mkdir folder
    fails 1 ap-measure music.wav -o folder
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

# stream SECONDS: noise-free float stereo on standard output
stream() {
    python3 - "$1" <<'END'
import struct, sys
out = sys.stdout.buffer
out.write(struct.pack(">4s5I8x", b".snd", 32, 0xffffffff, 6, 44100, 2))
block = struct.pack(">882f", *[0.1 * (i % 7 - 3) for i in range(882)]) * 100
for _ in range(int(sys.argv[1])):
    out.write(block)
END
}

memory_is_constant() {
    stream 10 | command time -f %M -o short ap-measure >out
    stream 600 | command time -f %M -o long ap-measure >out
    [ $(($(cat long) - $(cat short))) -lt 1000 ]
    [ "$AP_BUILD" != "${AP_BUILD%-san}" ] || [ "$(cat long)" -lt 16000 ]
}
check memory_is_constant

# BS.1770-4: surrounds are 1.5 dB up, LFE is nothing; six channels without positions are six.
channels_count_by_their_places() {
    local layout
    sox -D -n -r 48000 -c 6 -b 16 six.wav synth 2 sine 997 vol 0.1
    sox -D -n -r 48000 -c 1 -b 16 single.wav synth 2 sine 997 vol 0.1
    for layout in 5.1:5.8251 discrete:6; do
        ap-decode six.wav --layout "${layout%:*}" >six.au
        near "$(value six.au integrated_lufs)" "$(awk -v x="$(value single.wav integrated_lufs)" -v n="${layout#*:}" 'BEGIN { print x + 10 * log(n) / log(10) }')" 0.011
    done
}
check channels_count_by_their_places

finish
