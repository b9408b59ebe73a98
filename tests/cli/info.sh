#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-info: what ffprobe and soxi say of the same files; tags, chapters, tracks; lengths without decoding.
. "$(dirname "$0")/lib.sh"

sox -D -R -n -r 44100 -c 2 -b 16 tone.wav synth 1.5 pinknoise vol 0.3
ffmpeg -v error -f lavfi -i testsrc2=duration=1:size=64x48:rate=1 -frames:v 1 cover.png
ffmpeg -v error -i cover.png cover.jpg

# json FILE PYTHON: an expression over f, what ap-info says of the file
json() {
    ap-info --json "$1" | /usr/bin/python3 -c "import json, sys; f = json.load(sys.stdin)['files'][0]; print($2)"
}
# probe FILE ENTRY: what ffprobe says of its first audio stream
probe() { ffprobe -v error -select_streams a:0 -show_entries "stream=$2" -of csv=p=0 "$1" | head -n 1; }

as_ffprobe() {
    local file
    for file; do
        [ "$(json "$file" "'{codec},{rate},{channels}'.format(**f)")" = "$(probe "$file" codec_name,sample_rate,channels)" ]
    done
}
formats_are_ffprobes() {
    local format codec
    for format in mp3 flac wav aiff ogg opus au; do
        ap-encode -q tone.wav -o "x.$format"
        as_ffprobe "x.$format"
    done
    ap-encode --bits 24 tone.wav -o x24.wav
    ap-encode --bits float tone.wav -o xf.wav
    ap-encode --bits 24 tone.wav -o x24.aiff
    for codec in aac:m4a alac:m4a wavpack:wv ac3:ac3 wmav2:wma pcm_s24le:caf pcm_mulaw:wav mp2:mp2; do
        ffmpeg -v error -y -i tone.wav -c:a "${codec%:*}" "y.${codec#*:}"
        as_ffprobe "y.${codec#*:}"
    done
    as_ffprobe x24.wav xf.wav x24.aiff
}
check formats_are_ffprobes

# Bits, samples and the bit rate are those of soxi.
figures_are_soxis() {
    local file
    ap-encode --bits 24 tone.wav -o x24.flac
    ap-encode --bits 16 tone.wav -o x16.flac
    ap-encode --bits 32 tone.wav -o x32.wav
    ap-encode tone.wav -o x.aiff
    ap-decode -c 1 -r 8000 tone.wav -o x8.wav
    for file in tone.wav x24.flac x16.flac x32.wav x.aiff x8.wav; do
        [ "$(json "$file" "f['bits']")" -eq "$(soxi -b "$file")" ]
        [ "$(json "$file" "f['samples']")" -eq "$(soxi -s "$file")" ]
        [ "$(json "$file" "f['counted']")" = False ]
        [ "$(json "$file" "f['bytes']")" -eq "$(stat -c %s "$file")" ]
    done
    [ "$(json tone.wav "round(f['bitrate_kbps'])")" = 1411 ]
}
check figures_are_soxis

# The samples of a WAV file of 16 bits in stereo from a pipe.
wav_samples() { echo $((($(wc -c) - 44) / 4)); }

# Lossy formats tell the length of the music, and the delay of their encoder.
lengths_are_exact() {
    local format
    for format in mp3 ogg opus; do
        ap-encode -q tone.wav -o "x.$format"
        [ "$(json "x.$format" "f['duration_s'], f['counted']")" = "1.5 False" ]
    done
    [ "$(json x.opus "f['delay']")" -eq 312 ]
    lame --quiet tone.wav lame.mp3
    [ "$(json lame.mp3 "f['samples'], f['delay']")" = "66150 576" ]
    ffmpeg -v error -y -i tone.wav x.m4a
    [ "$(json x.m4a "f['samples'], f['delay'], f['counted']")" = "$(ap-decode x.m4a -t wav | wav_samples) 1024 False" ]
    ffmpeg -v error -y -i tone.wav -c:a alac y.m4a
    [ "$(json y.m4a "f['samples'], f['bits'], f['format']")" = "66150 16 mp4" ]
}
check lengths_are_exact

# What no header tells is counted, unless that is not wanted.
counts_what_no_header_tells() {
    ffmpeg -v error -y -i tone.wav -f adts x.aac
    [ "$(json x.aac "f['samples'], f['counted']")" = "$(ap-decode x.aac -t wav | wav_samples) True" ]
    ap-info x.aac >out
    grep -q "samples (counted)$" out
    ap-info --quick x.aac >out
    grep -q "Length  *unknown$" out
    lame --quiet -t tone.wav bare.mp3
    [ "$(json bare.mp3 "f['counted']")" = True ]
    ap-decode tone.wav >x.au
    ap-info <x.au >out
    grep -q "= 66150 samples$" out
}
lame --quiet tone.wav lame.mp3
check counts_what_no_header_tells

tags_and_picture() {
    ap-encode tone.wav --tag TITLE="Grüße	an alle" --tag ARTIST=one --tag ARTIST=two -o t.flac
    metaflac --import-picture-from=cover.jpg t.flac
    [ "$(json t.flac "f['tags']['ARTIST']")" = "['one', 'two']" ]
    [ "$(json t.flac "f['tags']['TITLE']")" = "['Grüße\\tan alle']" ]
    [ "$(json t.flac "f['picture']")" = "{'mime': 'image/jpeg', 'width': 64, 'height': 48, 'bytes': $(stat -c %s cover.jpg)}" ]
    ap-info t.flac >out
    grep -qF '  TITLE            Grüße\tan alle' out
    grep -q "  Picture  *image/jpeg, 64x48, " out
    ap-info --tsv t.flac lame.mp3 >table
    [ "$(wc -l <table)" -eq 3 ]
    [ "$(awk -F'\t' '{ print NF }' table | sort -u)" = 23 ]
    awk -F'\t' 'NR == 2 && $17 == "Grüße\\tan alle" && $18 == "one" { found = 1 } END { exit !found }' table
    metaflac --remove --block-type=PICTURE t.flac
    metaflac --import-picture-from=cover.png t.flac
    [ "$(json t.flac "f['picture']['mime'], f['picture']['width'], f['picture']['height']")" = "image/png 64 48" ]
}
check tags_and_picture

chapters_and_tracks() {
    printf ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=First\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1500\ntitle=Second\n' >meta
    ffmpeg -v error -y -i tone.wav -i meta -map_chapters 1 book.m4a
    [ "$(json book.m4a "f['chapters']")" = "[{'start_s': 0.0, 'title': 'First'}, {'start_s': 0.5, 'title': 'Second'}]" ]
    ap-info book.m4a >out
    grep -q "0:00:00.500 Second$" out
    printf '1\n00:00:00,000 --> 00:00:01,000\nhello\n' >x.srt
    ffmpeg -v error -y -f lavfi -i testsrc2=d=1:s=64x48 -i tone.wav -i lame.mp3 -i x.srt -map 0 -map 1 -map 2 -map 3 -c:v mpeg4 \
        -c:a:0 flac -c:a:1 mp3 -metadata:s:a:1 language=deu -metadata:s:a:1 title=Kommentar film.mkv
    [ "$(json film.mkv "[(t['kind'], t['codec'], t['chosen']) for t in f['tracks']]")" = \
        "[('video', 'mpeg4', False), ('audio', 'flac', True), ('audio', 'mp3', False), ('subtitle', 'ass', False)]" ]
    ap-info --track 2 film.mkv >out
    grep -q "matroska, mp3$" out
    grep -qE "3\* audio, mp3, 44100 Hz, 2 channels, (deu|ger), Kommentar$" out
    grep -q "1 video, mpeg4, 64x48$" out
    fails 1 ap-info --track 3 film.mkv
    grep -q "has no audio track 3: it has 2" stderr
}
check chapters_and_tracks

channels_have_names() {
    sox -D -n -r 48000 -c 6 -b 16 six.wav synth 0.1 sine 440
    ap-info six.wav >out
    grep -qF "6 (5.1: FL+FR+FC+LFE+BL+BR)" out
    ap-decode --layout discrete six.wav -o six.flac
    ap-info six.flac >out
    grep -qF "6 (discrete)" out
    ap-decode --layout '5.1(side)' six.wav -o side.wav
    [ "$(json side.wav "f['layout']")" = "5.1(side)" ]
    ap-decode -c 1 tone.wav >mono.au
    ap-info <mono.au >out
    grep -qF "1 (mono: FC)" out
}
check channels_have_names

# One bad file does not stop the others, and a name is one field whatever it holds.
goes_on_after_failures() {
    echo "no sound" >bad.txt
    cp tone.wav $'odd\n"name.wav'
    fails 1 ap-info --json bad.txt $'odd\n"name.wav' missing.wav >out
    [ "$(grep -c "^ap-info: " stderr)" -eq 2 ]
    /usr/bin/python3 -c 'import json; f = json.load(open("out"))["files"]
assert [("error" in x, x["file"]) for x in f] == [(True, "bad.txt"), (False, "odd\n\"name.wav"), (True, "missing.wav")], f'
    fails 1 ap-info bad.txt tone.wav >out
    [ "$(head -n 1 out)" = tone.wav ]
    fails 2 ap-info --tsv --json tone.wav
    fails 1 ap-info </dev/null
    grep -q "'standard input' is empty" stderr
}
check goes_on_after_failures

# Sound without a header, in folders too, is what --raw says.
raw_is_told() {
    mkdir -p raws
    ap-decode tone.wav -t s16le >raws/tone.pcm
    cp tone.wav raws/other.wav
    ap-info --raw s16le,44100,2 -r raws --tsv >out
    [ "$(cut -f 1-4,8 out | tail -n +2)" = "raws/tone.pcm"$'\t'"raw"$'\t'"pcm_s16le"$'\t'"44100"$'\t'"$(soxi -s tone.wav)" ]
    [ "$(wc -l <out)" -eq 2 ]
    ap-info --raw s24be,8k,1 --json <raws/tone.pcm >out
    [ "$(/usr/bin/python3 -c 'import json; print(json.load(open("out"))["files"][0]["samples"])')" -eq "$(($(stat -c %s raws/tone.pcm) / 3))" ]
    fails 2 ap-info --raw s16le raws/tone.pcm
}
check raw_is_told

finish
