#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-hpss, and with it the front end of all commands that make several stems.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tones.wav synth 3 sine 440 sine 660 vol 0.3
sox -n -r 44100 -c 2 -b 16 clicks.wav synth 0.01 noise fade 0 0.01 0.01 pad 0 0.24 repeat 11 vol 0.5
sox -D -m -v 1 tones.wav -v 1 clicks.wav -b 16 song.wav trim 0 3
sox -D song.wav -t au -e float -b 32 song.au
parts=(harmonic percussive residual)

# Samples of the same name in a folder add up to those of a file.
add_up() { # FOLDER FILE TOLERANCE
    sox -D -V1 -m -v 1 "$1/harmonic.wav" -v 1 "$1/percussive.wav" -v 1 "$1/residual.wav" -t f32 sum.f32
    samples "$2" >want.f32
    /usr/bin/python3 - "$3" <<'END'
import sys
import numpy as np
a, b = np.fromfile("sum.f32", "f4"), np.fromfile("want.f32", "f4")
assert len(a) == len(b), (len(a), len(b))
assert abs(a - b).max() <= float(sys.argv[1]), abs(a - b).max()
END
}

parts_add_up() {
    ap-hpss song.wav -o all --bits float
    add_up all song.wav 1e-6
    ap-hpss --margin 3 --compat song.wav -o margins --bits float
    add_up margins song.wav 1e-6
}
check parts_add_up

each_part_goes_to_standard_output() {
    ap-hpss song.wav -o all --bits float -m 2
    for part in "${parts[@]}"; do
        ap-hpss -m 2 -s "$part" song.wav | samples -t au - | cmp - <(samples "all/$part.wav")
        ap-hpss -m 2 -s "$part" song.au >one.au
        ap-hpss -m 2 -s "$part" <song.au | cmp - one.au
        ap-hpss -m 2 -s "$part" song.wav -o one.flac
        ap-hpss -m 2 -s "$part" song.wav -t flac | cmp - one.flac
    done
}
check each_part_goes_to_standard_output

finds_tones_and_clicks() {
    ap-hpss song.wav -o all --bits float
    level() { sox "$1" -n trim 0.5 2 stat 2>&1 | awk '/^RMS *amplitude/ { print $3 }'; }
    awk -v h="$(level all/harmonic.wav)" -v t="$(level tones.wav)" 'BEGIN { exit !(h > 0.95 * t && h < 1.05 * t) }'
    awk -v p="$(level all/percussive.wav)" -v c="$(level clicks.wav)" 'BEGIN { exit !(p > 0.8 * c && p < 1.1 * c) }'
}
check finds_tones_and_clicks

# The files of librosa's algorithm, through the command.
compat_is_librosa() {
    samples song.wav >in.f32
    /usr/bin/python3 "$tests_folder/data/hpss.py" in.f32 want.f32 2 1024 256 17 31 1 2 1
    ap-hpss --compat -n 1024 -k 17,31 -m 1,2 -p 1 song.wav -o compat --bits float
    /usr/bin/python3 - <<'END'
import subprocess
import numpy as np
want = np.fromfile("want.f32", "f4").reshape(-1, 6)
for i, part in enumerate(["harmonic", "percussive", "residual"]):
    raw = subprocess.run(["sox", f"compat/{part}.wav", "-t", "f32", "-"], stdout=subprocess.PIPE, check=True).stdout
    got = np.frombuffer(raw, "f4").reshape(-1, 2)
    assert abs(got - want[:, 2 * i:2 * i + 2]).max() < 1e-4
END
}
check compat_is_librosa

names_by_pattern() {
    ap-hpss song.wav -o out -t flac --filename '{track}/{stem} of {track}.{ext}'
    [ "$(cd out/song && ls)" = "$(printf '%s of song.flac\n' "${parts[@]}")" ]
    ap-hpss <song.au -o out --filename '{track}-{stem}.mp3' -t mp3
    [ -s out/stdin-harmonic.mp3 ]
    fails 2 ap-hpss song.wav -o out --filename same.wav
    grep -q "'out/same.wav' is named twice" stderr
    fails 2 ap-hpss song.wav -s harmonic --filename '{stem}' -o x.wav
}
check names_by_pattern

saves_to_several_places_at_once() {
    ap-hpss song.wav -o all --bits float
    mkfifo pipe
    cat pipe >from-pipe.au &
    ap-hpss song.wav -S harmonic=h.wav -S percussive=pipe -S percussive=/dev/fd/3 -S residual=r.aiff \
        -s harmonic --bits float 3>p.au >h.au
    wait
    cmp h.wav all/harmonic.wav
    samples h.au | cmp - <(samples all/harmonic.wav)
    samples from-pipe.au | cmp - <(samples all/percussive.wav)
    samples p.au | cmp - <(samples all/percussive.wav)
    [ -s r.aiff ]
}
check saves_to_several_places_at_once

# One reader waits for the other, in any order: nothing hangs.
readers_need_not_keep_step() {
    mkfifo first second
    for order in "first second" "second first"; do
        read -r a b <<<"$order"
        { cat "$a" && cat "$b"; } >both.au &
        timeout 60 ap-hpss song.wav -S harmonic=first -S percussive=second
        wait
        [ "$(wc -c <both.au)" -gt $((2 * 3 * 44100 * 8)) ]
    done
}
check readers_need_not_keep_step

failure_leaves_nothing() {
    head -c 500000 song.au | fails 1 ap-hpss -o new/folder
    grep -q "^ap-hpss: 'standard input' is truncated" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    [ ! -e new ]
    mkdir there
    head -c 500000 song.au | fails 1 ap-hpss -o there
    [ -d there ]
    [ -z "$(ls -A there)" ]
    fails 2 ap-hpss song.wav -o there -t xyz
    fails 1 ap-hpss song.wav -S harmonic=there/h.wav -S percussive=/proc/nowhere/p.wav
    grep -q "/proc/nowhere" stderr
    [ -z "$(ls -A there)" ]
    fails 1 ap-hpss no-such.wav -o new
    [ ! -e new ]
    fails 1 ap-hpss song.wav -o song.wav/x
    grep -q "cannot create folder 'song.wav': " stderr || grep -q "cannot create folder 'song.wav/x': " stderr
}
check failure_leaves_nothing

# Nobody opens the FIFO, and the input fails: the command ends.
failure_waits_for_no_reader() {
    mkfifo nobody
    head -c 500000 song.au | fails 1 timeout 60 ap-hpss -S harmonic=nobody -S percussive=some.wav
    grep -q "'standard input' is truncated" stderr
    [ ! -e some.wav ]
}
check failure_waits_for_no_reader

interrupt_leaves_nothing() {
    mkfifo feed
    { head -c 900000 song.au; sleep 60; } >feed &
    feeder=$!
    env --default-signal=INT ap-hpss -o parts <feed 2>err.txt &
    filter=$!
    sleep 0.7
    kill -INT "$filter"
    status=0
    wait "$filter" || status=$?
    pkill -P "$feeder" || true
    kill "$feeder" || true
    [ "$status" -eq 130 ]
    [ ! -s err.txt ]
    [ -z "$(find parts -type f 2>/dev/null)" ]
}
check interrupt_leaves_nothing

bad_usage_is_refused() {
    fails 2 ap-hpss song.wav
    grep -q "where to" stderr
    fails 2 ap-hpss song.wav -s vocals
    grep -q "^ap-hpss: stem 'vocals' is unknown; known are harmonic percussive residual$" stderr
    for bad in --margin=0.5 --margin=2,x --margin= --kernel=0 --kernel=1.5 --kernel=31,256 --power=0 --power=1,2 \
        --n-fft=63 --save=harmonic --save==x --save=harmonic=; do
        fails 2 ap-hpss song.wav -s harmonic "$bad" >out.au
        [ ! -s out.au ]
    done
    fails 2 ap-hpss song.wav -s harmonic --n-fft 1023
    fails 2 ap-hpss song.wav -s harmonic --n-fft 1024 --hop 257
    grep -q "hop 257 is out of range (1 to 256" stderr
}
check bad_usage_is_refused

tags_reach_every_file() {
    ap-encode song.wav -o tagged.flac --tag TITLE=Song --tag ARTIST=Us
    ap-hpss tagged.flac -o tagged -t flac
    for part in "${parts[@]}"; do
        metaflac --export-tags-to=- "tagged/$part.flac" | grep -q '^TITLE=Song$'
    done
}
check tags_reach_every_file

# Twenty minutes in less than 64 MB, all parts at once.
memory_is_constant() {
    case $AP_BUILD in *san) seconds=20 ;; *) seconds=1200 ;; esac
    sox -R -n -r 44100 -c 2 -t au -e float -b 32 - synth "$seconds" pinknoise vol 0.3 |
        /usr/bin/time -f %M -o memory ap-hpss -q -m 2 -S harmonic=/dev/null \
            -S percussive=>(cat >/dev/null) -S residual=>(cat >/dev/null)
    cat memory
    [ "$seconds" = 20 ] || [ "$(cat memory)" -lt 65536 ]
}
check memory_is_constant

finish
