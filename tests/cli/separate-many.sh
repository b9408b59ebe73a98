#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate with many songs: a folder for each, and a model that is loaded once.
. "$(dirname "$0")/lib.sh"
separate_inputs
cp "$tests_folder"/data/roformer/mdx23c.{ckpt,yaml} models
mkdir songs
for i in 1 2 3; do
    sox -D song.wav "songs/song $i.flac" trim 0 "0.$i"
done
head -c 3000 "songs/song 2.flac" >"songs/song 2b.flac" # broken
many=(ap-separate -q -j 2 --bits float)

a_folder_for_each_song() {
    fails 1 "${many[@]}" -n tiny songs/*.flac -o out
    [ "$(grep -c . stderr)" -le 3 ]
    grep -q "song 2b.flac" stderr
    [ "$(cd out && echo */vocals.wav)" = "song 1/vocals.wav song 2/vocals.wav song 3/vocals.wav" ]
    for i in 1 2 3; do
        "${many[@]}" -n tiny "songs/song $i.flac" -o "single $i"
        for stem in "${the_stems[@]}"; do
            cmp "out/song $i/$stem.wav" "single $i/$stem.wav"
        done
    done
}
check a_folder_for_each_song

the_model_is_loaded_once() {
    export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer cannot work under strace
    strace -f -e trace=openat -o opens "${many[@]}" -n tiny songs/song\ [123].flac -o again
    [ "$(grep -c 'models/tiny.th"' opens)" -eq 1 ]
    cmp "again/song 3/bass.wav" "out/song 3/bass.wav"
}
check the_model_is_loaded_once

some_at_a_time() {
    "${many[@]}" -n tiny --jobs 2 songs/song\ [123].flac -o two
    for i in 1 2 3; do
        cmp "two/song $i/vocals.wav" "single $i/vocals.wav"
    done
    export ASAN_OPTIONS=detect_leaks=0
    strace -f -e trace=openat -o opens "${many[@]}" -n tiny --jobs 2 songs/song\ [123].flac -o again
    [ "$(grep -c 'models/tiny.th"' opens)" -eq 2 ]
}
check some_at_a_time

chains_and_mixes_of_many() {
    "${many[@]}" -n tiny,mdx23c --mix 'band=mix-vocals' songs/song\ [13].flac -o chain --resume
    [ "$(cd chain && echo *)" = "song 1 song 3" ]
    [ "$(cd "chain/song 3" && echo *)" = "band.wav bass.wav drums.wav other.wav vocals_kick.wav vocals_snare.wav vocals_toms.wav" ]
    "${many[@]}" -n tiny,mdx23c "songs/song 3.flac" -s vocals_toms -o one.wav
    cmp one.wav "chain/song 3/vocals_toms.wav"
}
check chains_and_mixes_of_many

finish
