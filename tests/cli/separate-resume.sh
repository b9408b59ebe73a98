#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate --resume: what was done before a kill is not done again, and the output is the same.
. "$(dirname "$0")/lib.sh"
separate_inputs
cp "$tests_folder"/data/roformer/{bs-4stem,mdx23c}.{ckpt,yaml} models
mix=$golden/mix.wav
fast=(ap-separate -q -j 2 --bits float)
bs=("${fast[@]}" -n bs-4stem --overlap 1)

# killed_at KILOBYTES COMMAND...: a signal kills it when a file, which is that of --resume, would get larger than that.
killed_at() {
    local status=0
    (ulimit -c 0 -f "$1" && exec "${@:2}") || status=$?
    [ "$status" -eq $((128 + $(kill -l XFSZ))) ]
}

goes_on_after_a_kill() { # MODEL OPTION...
    local model=$1
    shift
    "${fast[@]}" -n "$model" "$mix" -o "want-$model" "$@"
    killed_at 3000 "${fast[@]}" -n "$model" "$mix" -o "got-$model" --resume "$@"
    [ ! -e "got-$model/drums.wav" ]
    [ "$(stat -c %s "got-$model/drums.wav.resume")" -eq 3072000 ]
    cp "got-$model/drums.wav.resume" "kept-$model"
    "${fast[@]}" -n "$model" "$mix" -o "got-$model" --resume "$@"
    for stem in "${the_stems[@]}"; do
        cmp "want-$model/$stem.wav" "got-$model/$stem.wav"
    done
    [ ! -e "got-$model/drums.wav.resume" ]
}
check goes_on_after_a_kill bs-4stem --overlap 1
check goes_on_after_a_kill tiny --shifts 2 --overlap 0.5

# The same with kill -9, in the middle of whatever it does then.
goes_on_after_kill_9() {
    local pid
    for size in 700000 2000000; do
        "${bs[@]}" "$mix" -o got --resume &
        pid=$!
        while kill -0 "$pid" 2>/dev/null && [ "$(stat -c %s got/drums.wav.resume 2>/dev/null || echo 0)" -lt "$size" ]; do
            sleep 0.01
        done
        kill -KILL "$pid" || true
        wait "$pid" || true
    done
    "${bs[@]}" "$mix" -o got --resume
    for stem in "${the_stems[@]}"; do
        cmp want-bs-4stem/"$stem.wav" got/"$stem.wav"
    done
    [ ! -e got/drums.wav.resume ]
}
check goes_on_after_kill_9

# The results in the file are used: with one of them exchanged for that of another run, with its right checksum,
# the output is another one; with one that is broken it is the same.
takes_what_is_kept() {
    /usr/bin/python3 - kept-bs-4stem <<'END'
import struct
import sys
import zlib
data = bytearray(open(sys.argv[1], "rb").read())
tag, count, total = struct.unpack("<QQQ", data[1024:1048])
floats = bytearray(count * 4)
open("silent", "wb").write(data[:1040] + struct.pack("<Q", zlib.crc32(data[1024:1040] + floats)) + floats + data[1048 + 4 * count:])
data[5000] ^= 1
open("broken", "wb").write(data)
open("torn", "wb").write(data[:3000])
END
    for state in silent broken torn; do
        mkdir "$state-out"
        cp "$state" "$state-out/drums.wav.resume"
        "${bs[@]}" "$mix" -o "$state-out" --resume
    done
    differs silent-out/bass.wav want-bs-4stem/bass.wav
    cmp broken-out/bass.wav want-bs-4stem/bass.wav
    cmp torn-out/bass.wav want-bs-4stem/bass.wav
}
check takes_what_is_kept

belongs_to_its_input_model_and_options() {
    refused() {
        fails 1 "${fast[@]}" --resume "$@"
        grep -q "^ap-separate: '[^']*drums.wav.resume' belongs to a separation of another input, or by another model or options: remove it$" stderr
    }
    mkdir other
    cp kept-bs-4stem other/drums.wav.resume
    refused -n bs-4stem --overlap 1 song.wav -o other
    refused -n bs-4stem "$mix" -o other --overlap 2
    cp models/bs-4stem.ckpt models/changed.ckpt
    sed 's/zero_dc:.*//; s/^model:/model:\n  zero_dc: false/' models/bs-4stem.yaml >models/changed.yaml
    refused -n changed --overlap 1 "$mix" -o other
    refused -n tiny "$mix" -o other
    cmp kept-bs-4stem other/drums.wav.resume
    (
        flock 9
        fails 75 "${bs[@]}" "$mix" -o other --resume
        grep -q "another process is working with 'other/drums.wav.resume'" stderr
    ) 9<>other/drums.wav.resume
    fails 2 "${fast[@]}" -n tiny song.wav -s bass --resume >/dev/null
    grep -q -- "--resume keeps what is done beside the output" stderr
}
check belongs_to_its_input_model_and_options

each_model_of_several_has_its_file() {
    "${fast[@]}" -n tiny,mdx23c "$mix" -s vocals_toms -t wav >want.wav
    killed_at 6000 "${fast[@]}" -n tiny,mdx23c "$mix" -s vocals_toms -o got.wav --resume
    [ -s got.wav.resume.1 ] && [ -s got.wav.resume.2 ]
    "${fast[@]}" -n tiny,mdx23c "$mix" -s vocals_toms -o got.wav --resume
    cmp got.wav want.wav
    [ ! -e got.wav.resume.1 ] && [ ! -e got.wav.resume.2 ]
}
check each_model_of_several_has_its_file

# Of many songs what is done stays, and the one that was interrupted goes on; some at a time, too.
many_songs_go_on_after_a_kill() {
    mkdir songs
    local i pid done_at jobs=$1
    for i in 1 2 3; do sox -D "$mix" "songs/$i.flac"; done
    many=("${bs[@]}" --jobs "$jobs" --resume --skip-existing)
    "${bs[@]}" songs/*.flac -o all
    setsid "${many[@]}" songs/*.flac -o out &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && [ "$(cd out/1 2>/dev/null && echo *.wav)" != "$(cd all/1 && echo *.wav)" ]; do sleep 0.01; done
    kill -KILL -- "-$pid" || true
    wait "$pid" || true
    while kill -0 -- "-$pid" 2>/dev/null; do sleep 0.01; done # its workers, too: they hold locks
    done_at=$(stat -c %y out/1/vocals.wav)
    "${many[@]}" songs/*.flac -o out
    diff -r all out # and nothing else is there
    [ "$(stat -c %y out/1/vocals.wav)" = "$done_at" ]
    # ended when all was there but for the end of what was kept
    : >out/2/drums.wav.resume
    "${many[@]}" --dry-run songs/*.flac -o out >plan
    [ -e out/2/drums.wav.resume ] && [ "$(cut -f 1 plan | paste -sd ' ')" = 'skip skip skip' ]
    "${many[@]}" songs/*.flac -o out
    diff -r all out
    rm -r songs all out
}
check many_songs_go_on_after_a_kill 1
check many_songs_go_on_after_a_kill 2

finish
