#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-measure against ffmpeg, sox and loudgain.
. "$(dirname "$0")/measure-lib.sh"

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
        ap-measure --json silence.wav | /usr/bin/python3 -c "
import json, sys
assert json.load(sys.stdin)['files'][0]['$key'] is None"
    done
    ap-measure silence.wav | grep 'Integrated  *-inf LUFS'
    ap-measure --replaygain silence.wav | grep -x 'REPLAYGAIN_TRACK_GAIN=0.00 dB'
}
check silence_is_minus_infinity

album_is_one_programme() {
    sox music.wav -r 44100 quiet.wav gain -12
    ap-measure --tsv --album music.wav quiet.wav >table
    [ "$(tail -n 1 table | cut -f 1)" = '(album)' ]
    sox music.wav quiet.wav whole.wav
    near "$(tail -n 1 table | cut -f 5)" "$(value whole.wav integrated_lufs)" 0.1
    near "$(tail -n 1 table | cut -f 2)" 24 0
    ap-measure --json --album music.wav quiet.wav | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
assert report["album"]["true_peak_dbtp"] == max(f["true_peak_dbtp"] for f in report["files"])'
    ap-measure --album music.wav quiet.wav | grep -x '(album)'
}
check album_is_one_programme

# stream SECONDS: noise-free float stereo on standard output
stream() {
    /usr/bin/python3 - "$1" <<'END'
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
