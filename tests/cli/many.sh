#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Many inputs: folders, lists, patterns, what is refused, what fails while others do not.
. "$(dirname "$0")/lib.sh"

mkdir -p music/A/deep 'music/B side' home
sox -n -r 44100 -c 2 -b 16 tone.wav synth 0.5 sine 440 vol 0.3
chmod 755 .
cp tone.wav music/A/one.wav
cp tone.wav 'music/A/deep/zwei drei é.WAV'
sox tone.wav 'music/B side/one.flac'
sox tone.wav -t flac 'music/B side/no extension'
echo 'a picture' >'music/B side/cover.jpg'
cp tone.wav music/.hidden.wav
ln -s .. music/A/loop
ln -s ../A/one.wav 'music/B side/link.wav'
mkfifo music/A/pipe.wav

files() { (cd "$1" && find . -type f | LC_ALL=C sort); }

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

refused_before_any_work() {
    cp tone.wav one.wav
    fails 2 ap-limit tone.wav one.wav music/A/one.wav -o r/
    grep -q "^ap-limit: 'one.wav' and 'music/A/one.wav' would both become 'r/one.wav'$" stderr
    fails 2 ap-limit tone.wav music/A/one.wav 'music/B side/one.flac' -t wav -o r/
    fails 2 ap-limit tone.wav tone.wav -o r/
    [ ! -e r ]
    fails 2 ap-limit -r music -o music/
    grep -q "would replace the input 'music/A/deep/zwei" stderr
    # another one's input, also under another name
    ln -s tone.wav tone.loud.wav
    fails 2 ap-limit tone.loud.wav one.wav -o '{name}.wav'
    fails 2 ap-limit --force one.wav tone.loud.wav tone.wav -o '{name}.{ext}'
    cp one.wav two.wav
    fails 2 ap-limit --force one.wav one.loud.wav -o 'one.loud.{ext}'
    rm tone.loud.wav
    fails 2 ap-limit one.wav two.wav -o three.wav
    grep -q "several inputs, and 'three.wav' is no folder" stderr
    fails 2 ap-limit one.wav two.wav
    grep -q "several inputs: name a folder, -o DIR/" stderr
    fails 2 ap-limit music -o r/
    grep -q "'music' is a folder: --recursive goes into it" stderr
    fails 2 ap-limit - one.wav -o r/ <tone.wav
    mkdir -p empty
    fails 1 ap-limit -r empty -o r/
    grep -q "no audio files" stderr
    cmp one.wav tone.wav
    [ ! -e r ]
    # its own input, if that is asked for
    ap-limit --force --gain -6 one.wav two.wav -o '{path}/{name}.{ext}'
    ! cmp -s one.wav tone.wav
}
check refused_before_any_work

failures_are_told_at_the_end() {
    mkdir -p bad/sub bad/z
    for i in 1 2 3 4 5 6 7 8 9; do cp tone.wav "bad/z/$i.wav"; done
    head -c 3000 tone.wav >bad/cut.wav
    echo words >bad/sub/no.mp3
    : >bad/empty.flac
    ln -s nowhere bad/gone.wav
    fails 1 ap-limit -r bad -o done/ -j 3
    [ "$(files 'done' | wc -l)" -eq 9 ]
    [ ! -e done/sub ]
    grep -q "^ap-limit: 'bad/cut.wav' is truncated" stderr || cat stderr
    grep -q "^ap-limit: 'bad/empty.flac' is empty" stderr
    grep -q "^ap-limit: 'bad/sub/no.mp3' " stderr
    grep -q "^ap-limit: cannot open 'bad/gone.wav'" stderr
    [ "$(tail -n 1 stderr)" = "ap-limit: 4 of 13 files failed" ]
    rm -r 'done'
    fails 1 ap-limit -r bad -o done/ -j 1 --fail-fast
    [ ! -e 'done' ]
    grep -q "fail-fast" stderr
    [ ! -e done/z ]
}
check failures_are_told_at_the_end

unreadable_folders() {
    mkdir -p locked/in locked/out
    cp tone.wav locked/
    chmod 777 locked/out
    chmod 0 locked/in
    fails 1 as_nobody ap-limit -r locked -o locked/out/
    grep -q "cannot open the folder 'locked/in': Permission denied" stderr
    [ -s locked/out/tone.wav ]
}
check unreadable_folders

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

# A worker that dies takes one file with it. It waits for the writer of a FIFO when it is killed.
workers_may_die() {
    local pid worker status=0
    mkdir -p die
    cp tone.wav die/b.wav
    cp tone.wav die/c.wav
    mkfifo die/a.wav
    ap-limit -j 1 die/a.wav die/b.wav die/c.wav -o lives/ 2>stderr &
    pid=$!
    until worker=$(pgrep -P "$pid") && [ -d lives ]; do sleep 0.05; done
    kill -KILL "$worker"
    wait "$pid" || status=$?
    [ "$status" -eq 1 ]
    grep -q "'die/a.wav' has killed its process: Killed" stderr
    [ -s lives/b.wav ]
    [ -s lives/c.wav ]
}
check workers_may_die

interruption_leaves_nothing_half() {
    local signal status=0
    mkdir -p big
    for i in 1 2 3 4; do mkfifo "big/$i.wav"; done
    for signal in INT TERM; do
        (exec env --default-signal=INT ap-limit -j 2 big/*.wav tone.wav -o "cut-$signal/") &
        local pid=$!
        until [ -d "cut-$signal" ] && [ "$(pgrep -P "$pid" | wc -l)" -eq 2 ]; do sleep 0.05; done
        pgrep -P "$pid" >workers
        kill -"$signal" "$pid"
        status=0
        wait "$pid" || status=$?
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        while read -r worker; do
            if kill -0 "$worker" 2>/dev/null; then return 1; fi
        done <workers
        [ ! -e "cut-$signal" ] || [ "$(find "cut-$signal" -type f | wc -l)" -eq 0 ]
    done
}
check interruption_leaves_nothing_half

stems_of_many() {
    ap-hpss -r music -o stems/
    diff <(files stems) - <<END
./A/deep/zwei drei é/harmonic.wav
./A/deep/zwei drei é/percussive.wav
./A/deep/zwei drei é/residual.wav
./A/one/harmonic.wav
./A/one/percussive.wav
./A/one/residual.wav
./B side/link/harmonic.wav
./B side/link/percussive.wav
./B side/link/residual.wav
./B side/no extension/harmonic.wav
./B side/no extension/percussive.wav
./B side/no extension/residual.wav
./B side/one/harmonic.wav
./B side/one/percussive.wav
./B side/one/residual.wav
END
    ap-hpss tone.wav -o single
    cmp single/harmonic.wav stems/A/one/harmonic.wav
    ap-hpss -s percussive -r music/A -t flac -o only/
    [ "$(files only | tr '\n' ' ')" = './deep/zwei drei é.flac ./one.flac ' ]
    ap-hpss -r music/A -o by/ --filename '{stem}/{track}.{ext}'
    ap-hpss music/A/one.wav 'music/B side/link.wav' -o 'by/{stem}/{name}.x.{ext}'
    [ "$(cd by && echo harmonic/*)" = 'harmonic/link.x.wav harmonic/one.wav harmonic/one.x.wav' ]
    touch stems/A/one/residual.wav
    rm stems/A/one/harmonic.wav
    : >'stems/B side/link/percussive.wav'
    ap-hpss -r music -o stems/ --skip-existing --dry-run >todo
    [ "$(cut -f1 todo | tr '\n' ' ')" = 'skip make make skip skip ' ]
    [ "$(sed -n 2p todo)" = $'make\tmusic/A/one.wav\tstems/A/one/{stem}.wav' ]
    touch -d '1 hour ago' stems/A/deep/*/*
    touch -d '2 hours ago' music/A/deep/*
    ap-hpss -r music -o stems/ --skip-existing
    [ "$(find stems -mmin +30 | wc -l)" -eq 3 ]
    cmp single/harmonic.wav stems/A/one/harmonic.wav
    fails 2 ap-hpss -r music -s nothing -o none/
    [ "$(wc -l <stderr)" -eq 1 ]
    fails 2 ap-hpss -r music -o 'none/{name}.wav'
    fails 2 ap-hpss -r music -o none/ -S harmonic=x.wav
    fails 2 ap-hpss -r music
    fails 1 ap-hpss -r bad -o stems-of-bad/
    [ "$(tail -n 1 stderr)" = "ap-hpss: 4 of 13 files failed" ]
    [ "$(files stems-of-bad | wc -l)" -eq 27 ]
}
check stems_of_many

measures_in_order() {
    sox -n -r 44100 -c 2 -b 16 quiet.wav synth 20 pinknoise vol 0.1
    sox -n -r 44100 -c 2 -b 16 short.wav synth 10 sine 440 vol 0.5
    ap-measure -r music quiet.wav short.wav --tsv >all.tsv # the long one is not ready when the next one is
    cut -f1 all.tsv | diff - <(printf '%s\n' file 'music/A/deep/zwei drei é.WAV' music/A/one.wav 'music/B side/link.wav' \
        'music/B side/no extension' 'music/B side/one.flac' quiet.wav short.wav)
    ap-measure --tsv quiet.wav | tail -n 1 | diff - <(sed -n 7p all.tsv)
    # an album that is measured in pieces is as loud as one that is measured in one piece
    ap-cat quiet.wav short.wav tone.wav -o joined.wav
    ap-measure --json --album -j 3 quiet.wav short.wav tone.wav >album.json
    ap-measure --json --album -j 1 quiet.wav short.wav tone.wav | cmp - album.json
    ap-measure --json joined.wav >joined.json
    /usr/bin/python3 - <<'END'
import json
album, joined = json.load(open("album.json")), json.load(open("joined.json"))["files"][0]
assert [f["file"] for f in album["files"]] == ["quiet.wav", "short.wav", "tone.wav"]
album = album["album"]
for key in "duration_s", "true_peak_dbtp", "sample_peak_dbfs", "rms_dbfs":
    assert abs(album[key] - joined[key]) < 0.011, (key, album[key], joined[key])
assert abs(album["integrated_lufs"] - joined["integrated_lufs"]) < 0.5
END
    fails 1 ap-measure -r bad --json >bad.json
    [ "$(tail -n 1 stderr)" = "ap-measure: 4 of 13 files failed" ]
    /usr/bin/python3 -c '
import json
files = json.load(open("bad.json"))["files"]
assert [f["file"] for f in files if "error" in f] == ["bad/cut.wav", "bad/empty.flac", "bad/gone.wav", "bad/sub/no.mp3"]
assert len(files) == 13 and files == sorted(files, key=lambda f: f["file"])'
    ap-measure -r music -o report.txt
    [ "$(grep -c Integrated report.txt)" -eq 5 ]
}
check measures_in_order

pictures_of_many() {
    ap-plot -r music -o pictures/ --size 300
    [ "$(files pictures | tr '\n' '|')" = './A/deep/zwei drei é.png|./A/one.png|./B side/link.png|./B side/no extension.png|./B side/one.png|' ]
    [ "$(file -b --mime-type pictures/A/one.png)" = image/png ]
    head -c 1000 pictures/A/one.png >cut.png
    mv cut.png pictures/A/one.png
    [ "$(ap-plot -r music -o pictures/ --skip-existing --dry-run | cut -f1 | tr '\n' ' ')" = 'skip replace skip skip skip ' ]
    ap-plot music/A/one.wav 'music/B side/one.flac' -o 'peaks/{name}-{trackext}.{ext}' --json
    /usr/bin/python3 -c 'import json; json.load(open("peaks/one-wav.json")); json.load(open("peaks/one-flac.json"))'
    fails 2 ap-plot -r music -o 'x/{name}.gif'
    fails 2 ap-plot -r music --stems music -o x/
}
check pictures_of_many

progress() {
    ap-limit -r bad -o progress/ --progress=json 2>lines || true
    /usr/bin/python3 - <<'END'
import json
lines = [json.loads(line) for line in open("lines") if line.startswith("{")]
assert lines[-1]["files"] == lines[-1]["of"] == 13, lines[-1]
assert lines[-1]["failed"] == 4 and lines[-1]["progress"] == 1
assert abs(lines[-1]["seconds"] - 9 * 0.5) < 0.1, lines[-1]
END
}
check progress

warnings_name_the_file() {
    mkdir -p loud
    sox -n -r 44100 -c 2 -b 16 loud/x.wav synth 1 sine 440
    cp tone.wav loud/y.wav
    ap-reverb --dry 1 loud/x.wav loud/y.wav -o loud/out/ 2>stderr
    grep -q '^ap-reverb: loud/x.wav: warning: .* clipped' stderr
    ap-reverb -q --dry 1 loud/x.wav loud/y.wav -o loud/out/ 2>stderr
    [ ! -s stderr ]
}
check warnings_name_the_file

finish
