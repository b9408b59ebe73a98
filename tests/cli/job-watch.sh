#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: folders that are watched.
. "$(dirname "$0")/job-lib.sh"

watches_a_folder() {
    fresh
    rm -rf drop && mkdir drop
    cp tone.wav drop/there.wav
    cp tone.wav drop/.hidden.wav
    cp tone.wav drop/loading.wav.part
    echo words >drop/words.mp3
    ap-job watch-folder --settle=1 drop 2>watch.log &
    watcher=$!
    until_true in_place queue 1
    until_true [ -s drop/submitted/there.wav ]
    [ ! -e drop/there.wav ]
    until_true [ -s drop/refused/words.mp3.txt ]
    # one that is still being written is left alone, however slowly that goes
    sox -n -r 44100 -c 2 -b 16 big.wav synth 3 noise
    (head -c 100000 big.wav && sleep 3 && tail -c +100001 big.wav) >drop/slow.wav &
    # a rename is complete at once
    sox -n -r 44100 -c 2 -b 16 moved.wav synth 1 noise
    mv drop/loading.wav.part loading && mv moved.wav drop/moved.wav
    until_true in_place queue 2
    sleep 1.5
    in_place queue 2
    wait %?slow.wav 2>/dev/null || true
    until_true in_place queue 3
    until_true [ -e drop/submitted/slow.wav ]
    cmp drop/submitted/slow.wav big.wav
    [ -e drop/.hidden.wav ]
    # one watcher is enough
    fails 75 ap-job watch-folder drop
    ap-job watch-folder --once drop
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
}
check watches_a_folder

watches_once() {
    fresh
    rm -rf drop && mkdir drop
    printf 'x' >"drop/$(printf 'new\nline').txt"
    echo y >'drop/-y $(touch pwned).txt'
    ap-job watch-folder --recipe=copy --settle=0.2 --once drop 2>/dev/null
    in_place queue 2
    [ ! -e pwned ]
    [ "$(find drop -maxdepth 1 -type f | wc -l)" -eq 0 ]
    # a wrong option is nothing to blame the files for
    echo z >drop/z.txt
    fails 2 ap-job watch-folder --recipe=none --settle=0 --once drop
    [ -e drop/z.txt ]
    rm drop/z.txt
    # killed between the submission and the move: the same file is the same job
    cp 'drop/submitted/-y $(touch pwned).txt' drop/y.txt
    ap-job watch-folder --recipe=copy --settle=0.2 --once drop 2>/dev/null
    in_place queue 2
}
check watches_once

takes_folders_in_it() {
    fresh
    rm -rf drop && mkdir -p drop/album/cd1 drop/.git
    cp tone.wav drop/album/cd1/a.wav && echo words >drop/album/b.mp3
    ln -s "$PWD/tone.wav" drop/link.wav
    ap-job watch-folder --settle=0.2 --once drop 2>said
    counts 0 0 0 0
    grep -q "'.*/drop/album' is a folder, and is left alone (--recursive takes what is in it)" said
    grep -q "'.*/drop/link.wav' is a link, and is left alone" said
    [ "$(wc -l <said)" -eq 2 ]
    ap-job watch-folder --settle=0.2 --once --recursive drop 2>said
    counts 1 0 0 0
    [ -e drop/submitted/album/cd1/a.wav ] && [ -s drop/refused/album/b.mp3 ] && [ -s drop/refused/album/b.mp3.txt ]
    # a name that is mistyped makes no folder
    fails 1 ap-job watch-folder --once dorp
    grep -q "cannot open 'dorp'" stderr
    [ ! -e dorp ]
}
check takes_folders_in_it

# A name may be so long that nothing can be added to it.
takes_long_names() {
    fresh
    rm -rf drop && mkdir drop
    echo words >"drop/$(printf 'a%.0s' $(seq 248)).txt"
    echo more >"drop/$(printf 'ぬ%.0s' $(seq 83)).txt"
    cp tone.wav drop/song.wav
    ap-job watch-folder --once --settle=0.2 drop 2>/dev/null
    [ -e drop/submitted/song.wav ]
    [ "$(find drop/refused -name '*.txt.txt' | wc -l)" -eq 2 ]
    [ "$(find drop -maxdepth 1 -type f | wc -l)" -eq 0 ]
}
check takes_long_names

# A sender that pauses for longer than --settle, and then goes on.
looks_back() {
    fresh
    rm -rf drop && mkdir drop
    seq 100000 >whole.txt
    head -c 200000 whole.txt >drop/paused.txt
    ap-job watch-folder --recipe=copy --settle=1 drop >ids 2>said &
    watcher=$!
    until_true [ -e drop/submitted/paused.txt ]
    tail -c +200001 whole.txt >>drop/submitted/paused.txt # as through a descriptor that was open
    until_true grep -q 'goes on' said
    until_true in_place queue 1
    counts 1 0 0 1
    cmp "$spool/queue/$(tail -1 ids)/input/paused.txt" whole.txt
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
}
check looks_back

# A sender that begins again, and one whose first part was no sound yet.
looks_back_at_more() {
    fresh
    export AUDIOPIPE_RECIPES=
    rm -rf drop && mkdir drop
    sox -D -n -r 44100 -c 1 -b 16 again.wav synth 2 pinknoise
    lame --quiet again.wav again.mp3
    ffmpeg -v error -y -i again.wav -c:a alac late.m4a # what tells of the sound is at the end
    head -c 9000 again.mp3 >drop/again.mp3
    head -c 9000 late.m4a >drop/late.m4a
    ap-job watch-folder --settle=0.5 drop >ids 2>said &
    watcher=$!
    until_true [ -e drop/submitted/again.mp3 ]
    until_true [ -e drop/refused/late.m4a.txt ]
    tail -c +9001 late.m4a >>drop/refused/late.m4a
    cp again.mp3 drop/again.mp3
    until_true in_place queue 2
    until_true [ -e drop/submitted/late.m4a ]
    until_true grep -q "^ap-job: '.*/again.mp3' came again: $(head -n 1 ids) is cancelled, the whole" said
    grep -q "^ap-job: '.*/late.m4a' goes on$" said
    counts 2 0 0 1
    cmp drop/submitted/late.m4a late.m4a
    [ -z "$(ls drop/refused)" ]
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
}
check looks_back_at_more

finish
