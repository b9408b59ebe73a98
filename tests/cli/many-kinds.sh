#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Many inputs: stems, measurements and pictures of them, warnings.
. "$(dirname "$0")/many-lib.sh"
bad_inputs

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

# %20 and a query are not what a file is called.
names_of_urls() {
    mkdir -p www && cp tone.wav 'www/a & b.wav'
    /usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >server.log 2>&1 &
    server=$!
    until grep -q 'port' server.log; do sleep 0.1; done
    url=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' server.log)/a%20%26%20b.wav
    ap-reverb -q "$url" -o urls/
    ap-reverb -q "$url?of=c/d.mp3" -o 'urls/{name} of {trackext}.{ext}'
    ap-normalize -q --album "$url?x" -t flac -o urls/
    ap-hpss -q "$url" -o urls/
    printf '%s\n' 'FILE "x" WAVE' 'TRACK 01 AUDIO' 'INDEX 01 00:00:00' >one.cue
    ap-trim -q --cue one.cue "$url?x" -o urls/pieces
    kill "$server"
    diff <(files urls) - <<END
./a & b of wav.wav
./a & b.flac
./a & b.wav
./harmonic.wav
./percussive.wav
./pieces/01.wav
./residual.wav
END
}
/usr/bin/python3 -c 'import http.server' && check names_of_urls

finish
