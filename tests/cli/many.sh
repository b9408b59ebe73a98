#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Many inputs: folders, lists, patterns; what their outputs are called, and which of them are there already.
. "$(dirname "$0")/many-lib.sh"

structure_is_kept() {
    ap-limit -r music -o out/
    diff <(files out) - <<END
./A/deep/zwei drei é.WAV
./A/one.wav
./B side/link.wav
./B side/no extension.wav
./B side/one.flac
END
    ap-limit tone.wav -o alone.wav
    cmp alone.wav out/A/one.wav
    ap-limit 'music/B side/one.flac' -o alone.flac
    cmp alone.flac 'out/B side/one.flac'
    ap-limit -r music/A 'music/B side' -t flac -o apart/
    diff <(files apart) - <<END
./A/deep/zwei drei é.flac
./A/one.flac
./B side/link.flac
./B side/no extension.flac
./B side/one.flac
END
    # the folder of the outputs is no input
    cp -r music inside
    ap-limit -r inside -o inside/out/
    ap-limit -r inside -o inside/out/
    [ "$(files inside/out | wc -l)" -eq 5 ]
    [ ! -e inside/out/out ]
    # an existing folder needs no slash, and files that are named go into it
    mkdir there
    ap-limit tone.wav 'music/B side/one.flac' -o there
    [ "$(files there | tr '\n' ' ')" = './one.flac ./tone.wav ' ]
}
check structure_is_kept

patterns() {
    ap-limit -r music/A music/B* -o 'p/{name}-{dir}.{trackext}.{ext}' --dry-run | cut -f3 >names
    diff names - <<END
p/zwei drei é-A/deep.WAV.WAV
p/one-A.wav.wav
p/link-B side.wav.wav
p/no extension-B side..wav
p/one-B side.flac.flac
END
    ap-limit music/A/one.wav -o '{path}/{name}.loud.{ext}'
    [ -s music/A/one.loud.wav ]
    rm music/A/one.loud.wav
    ap-limit tone.wav -o '{dir}/{name}.8d.flac'
    [ -s tone.8d.flac ]
    ap-limit "$PWD/tone.wav" -o '{path}/absolute-{name}.wav'
    [ -s absolute-tone.wav ]
    fails 2 ap-limit tone.wav -o '{name}.{what}.wav'
    grep -q "'{name}.{what}.wav' has something else in braces than" stderr
    # braces in names are not words
    cp tone.wav '{name} {x}.wav'
    ap-limit '{name} {x}.wav' -o 'p/{name}.flac'
    [ -s 'p/{name} {x}.flac' ]
    # a single input and a file stay what they are
    ap-limit tone.wav -o 'x{1}.wav'
    [ -s 'x{1}.wav' ]
}
check patterns

formats() {
    ap-decode --recursive 'music/B side' -o decoded/
    [ "$(files decoded | tr '\n' ' ')" = './link.wav ./no extension.wav ./one.wav ' ] || files decoded
    fails 2 ap-encode -r music -o x/
    grep -q 'which format? Name it with -t' stderr
    ap-encode -r 'music/A' -o x/ -t opus --tag ALBUM=all
    [ "$(ffprobe -v error -show_entries stream_tags=album -of csv=p=0 x/one.opus)" = all ]
    cp tone.wav other.xyz
    ap-limit other.xyz -o x/
    [ "$(soxi -t x/other.wav)" = wav ]
    fails 2 ap-limit -r music -b 192 -o y/
    [ ! -e y ]
}
check formats

# Tags of one file do not get into the next one.
files_know_nothing_of_each_other() {
    mkdir -p tagged
    sox tone.wav tagged/a.flac
    metaflac --set-tag=TITLE=first --set-tag=ARTIST=somebody tagged/a.flac
    sox tone.wav tagged/b.flac
    ap-encode -j 1 tagged/a.flac tagged/b.flac -t ogg -o tagged/
    [ "$(ffprobe -v error -show_entries stream_tags=title -of csv=p=0 tagged/a.ogg)" = first ]
    [ -z "$(ffprobe -v error -show_entries stream_tags=title,artist -of csv=p=0 tagged/b.ogg)" ]
}
check files_know_nothing_of_each_other

skip_existing() {
    ap-limit -r music -o s/ -t flac
    cp -rp s before
    touch -d '1 hour ago' before/A/one.flac s/A/one.flac
    touch -d '2 hours ago' music/A/one.wav music/A/deep/* 'music/B side'/*
    ap-limit -r music -o s/ -t flac --skip-existing --dry-run | cut -f1 | sort -u >todo
    [ "$(cat todo)" = skip ]
    ap-limit -r music -o s/ -t flac --skip-existing
    [ "$(stat -c %Y s/A/one.flac)" = "$(stat -c %Y before/A/one.flac)" ]
    # newer input, empty output, no audio, cut off
    touch music/A/one.wav
    : >'s/B side/one.flac'
    echo words >'s/B side/link.flac'
    head -c 100 before/A/deep/*.flac >"$(echo s/A/deep/*.flac)"
    ap-limit -r music -o s/ -t flac --skip-existing --dry-run | cut -f1 | tr '\n' ' ' >todo
    [ "$(cat todo)" = 'replace replace replace skip replace ' ]
    ap-limit -r music -o s/ -t flac --skip-existing
    diff -r s before
}
check skip_existing

no_clobber() {
    mkdir -p nc
    echo old >nc/one.wav
    fails 1 ap-limit --no-clobber music/A/one.wav 'music/B side/link.wav' -o nc/
    grep -q "'nc/one.wav' exists" stderr
    [ "$(cat nc/one.wav)" = old ]
    [ -s nc/link.wav ]
}
check no_clobber

lists() {
    printf '\xef\xbb\xbfmusic/A/one.wav\r\n\r\n../%s/tone.wav\r\n/%s/one.wav\r\n' "$(basename "$PWD")" "$PWD" >list
    ap-limit --list list -o l/ --dry-run | cut -f3 >names
    printf '%s\n' l/music/A/one.wav "l/$(basename "$PWD")/tone.wav" "l$PWD/one.wav" | diff names -
    cp tone.wav $'music/new\nline.wav'
    find music -type f -name '*.wav' ! -name '.*' -print0 | ap-limit -0 --list - -t flac -o zeros/
    [ -s $'zeros/music/new\nline.flac' ]
    [ -s zeros/music/A/one.flac ]
    find music -print0 >list
    fails 2 ap-limit --list list -o l/
    grep -q "the names in 'list' end with zero bytes: --null says so" stderr
    rm $'music/new\nline.wav'
    echo music/A >list
    ap-limit -r --list list -o folders/
    [ -s 'folders/music/A/deep/zwei drei é.WAV' ]
    fails 1 ap-limit --list missing -o l/
    [ ! -e l ]
}
check lists

# Names are not kept in memory: 24 bytes of each at most, and those of one folder.
memory_is_flat() {
    [ "$(ldd "$AP_BUILD/ap-limit" | grep -c libasan)" -eq 0 ] || skip "sanitizers keep what is freed"
    seq -f 'a folder with a long name/another one/song number %06g.wav' 100000 >names
    head -n 100 names >few
    /usr/bin/time -f %M -o small ap-limit --dry-run --list few -o out/ >/dev/null
    /usr/bin/time -f %M -o large ap-limit --dry-run --list names -o out/ >made
    [ "$(wc -l <made)" -eq 100000 ]
    echo "$(cat small) KB, $(cat large) KB"
    [ $(($(cat large) - $(cat small))) -lt 5000 ]
    { cat names && sed -n 54321p names; } >twice
    fails 2 ap-limit --dry-run --list twice -o out/
    grep -q "song number 054321.wav' would both become" stderr
}
check memory_is_flat

finish
