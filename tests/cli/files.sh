#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files: odd names, full disks, read-only folders, what was there before.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5

odd_names() {
    long=$(printf 'x%.0s' {1..251}).wav # 255 bytes
    names=('a b.wav' "it's \"quoted\".wav" $'new\nline.wav' 'ünïcode ♫.wav' 'pipe|&;$(touch pwned).wav' '%s%n.wav'
        "$long" $'latin\xe9.wav' '*.wav' '\back.wav')
    for name in "${names[@]}"; do
        cp tone.wav "$name"
        ap-limit "$name" -o "out $name" || [ "$name" = "$long" ]
        [ "$name" = "$long" ] || cmp "out $name" <(ap-limit tone.wav -o plain.wav && cat plain.wav)
        ap-limit tone.wav -o "$name"
        [ -s "$name" ]
        fails 1 ap-limit "$name/nothing" -o x.wav
        [ "$(wc -l <stderr)" -eq 1 ]
    done
    [ ! -e pwned ]
}
check odd_names

leading_dash() {
    cp tone.wav -- -dash.wav
    ap-limit -o -out.wav -- -dash.wav
    [ -s ./-out.wav ]
    ap-limit -o ./-out2.wav ./-dash.wav
    cmp -- -out.wav -out2.wav
}
check leading_dash

fill_the_disk() {
    mkdir -p small
    mount -t tmpfs -o size=200k none small
    echo old >small/out.wav
    fails 75 ap-limit tone.wav -o small/out.wav
    grep -q "No space left on device" stderr
    [ "$(cat small/out.wav)" = old ]
    [ "$(ls -A small)" = out.wav ]
    fails 75 ap-limit tone.wav -t wav >small/redirected
    # the spool, too
    fails 75 env TMPDIR=small ap-encode --clip-mode rescale tone.wav -o big.wav
    [ ! -e big.wav ]
}
check in_namespace fill_the_disk

write_read_only() {
    mkdir -p fixed
    mount -t tmpfs none fixed
    echo old >fixed/out.wav
    mount -o remount,ro fixed
    fails 1 ap-limit tone.wav -o fixed/out.wav
    grep -q "cannot create 'fixed/out.wav': Read-only file system" stderr
    [ "$(cat fixed/out.wav)" = old ]
}
read_only_folder() { in_namespace write_read_only; }
check read_only_folder

missing_and_wrong_outputs() {
    fails 1 ap-limit tone.wav -o /proc/nowhere/out.wav
    grep -q "cannot create folder '/proc/nowhere': No such file or directory" stderr
    fails 1 ap-limit tone.wav -o tone.wav/out.wav
    grep -q "Not a directory" stderr
    mkdir folder.wav
    ap-limit tone.wav -o folder.wav # an existing folder, whatever its name
    cmp folder.wav/tone.wav <(ap-limit tone.wav -t wav)
    fails 2 ap-limit tone.wav -o noextension
    grep -q "noextension" stderr
    fails 2 ap-limit tone.wav -o out.xyz
    [ ! -e noextension ]
    [ ! -e out.xyz ]
    fails 2 ap-limit tone.wav tone.wav -o out.wav
}
check missing_and_wrong_outputs

# What cannot work is said before any work: the input of these never ends.
impossible_outputs_are_refused_at_once() {
    local name
    for name in "" "$(printf 'x%.0s' {1..256})"; do
        rm -f endless
        mkfifo endless
        exec 8<>endless
        head -c 60000 tone.wav >&8
        fails 1 timeout 20 ap-limit -t wav -o "$name" <endless
        grep -q "cannot create '$name': [NF]" stderr # No such file or directory, File name too long
    done
}
check impossible_outputs_are_refused_at_once

# A long name does not hide what is wrong with it.
the_reason_is_always_told() {
    local part deep=.
    part=$(printf 'x%.0s' {1..200})
    for _ in 1 2 3; do
        deep=$deep/$part
    done
    mkdir -p "$deep"
    fails 1 ap-decode "$deep/missing.wav" >out.au
    grep -q ": No such file or directory$" stderr
}
check the_reason_is_always_told

# Root may write to everything.
write_protected() {
    mkdir -p locked
    cp tone.wav locked
    echo old >locked/out.wav
    chmod 444 locked/out.wav
    chmod 777 . locked
    as_nobody ap-limit --version >version
    fails 1 as_nobody ap-limit locked/tone.wav -o locked/out.wav
    grep -q "cannot create 'locked/out.wav': Permission denied" stderr
    [ "$(cat locked/out.wav)" = old ]
}
[ "$(id -u)" -ne 0 ] || check write_protected

replaces_atomically() {
    echo old >target.wav
    chmod 640 target.wav
    ln -s target.wav link.wav
    exec 9<target.wav
    ap-limit tone.wav -o link.wav
    [ "$(cat <&9)" = old ] # who had the old file open still has it
    [ -L link.wav ]
    [ "$(head -c 4 target.wav)" = RIFF ]
    [ "$(stat -c %a target.wav)" = 640 ]
    # in place
    cp tone.wav same.wav
    ap-limit same.wav --force -o same.wav
    cmp same.wav target.wav
    [ "$(find . -name '.audiopipe*' | wc -l)" -eq 0 ]
}
check replaces_atomically

respects_umask() {
    (umask 027 && ap-limit tone.wav -o masked.wav)
    [ "$(stat -c %a masked.wav)" = 640 ]
}
check respects_umask

bad_inputs_are_named() {
    : >empty.wav
    head -c 3000 /dev/urandom >garbage.mp3
    echo "just text" >text.flac
    head -c 2000 tone.wav >cut.wav
    mkdir dir.wav
    gzip -c tone.wav >tone.wav.gz
    for file in empty.wav garbage.mp3 text.flac cut.wav tone.wav.gz dir.wav missing.wav; do
        fails 1 ap-decode "$file" >out.au
        grep -q "^ap-decode: .*'$file'" stderr
        [ "$(wc -l <stderr)" -eq 1 ]
        fails 1 ap-8d "$file" -o out.wav
        [ ! -e out.wav ]
    done
    fails 1 ap-decode tone.wav.gz >out.au
    grep -q "is not audio in any known format" stderr
    fails 1 ap-decode garbage.mp3 >out.au
    [ ! -s out.au ]
}
check bad_inputs_are_named

resampling_is_told() {
    sox -n -r 96000 -c 2 fast.wav synth 0.1 sine 440
    for format in mp3 opus; do
        ap-limit fast.wav -o "fast.$format" 2>stderr
        [ "$(cat stderr)" = "ap-limit: note: resampled from 96000 to 48000 Hz" ]
        ap-limit -q fast.wav -o "fast.$format" 2>stderr
        [ ! -s stderr ]
    done
    ap-limit fast.wav -o fast.flac 2>stderr
    [ ! -s stderr ]
    ap-hpss fast.wav -S percussive=p.mp3 2>stderr
    grep -q "^ap-hpss: note: resampled from 96000 to 48000 Hz in p.mp3$" stderr
}
check resampling_is_told

# A chroot without /proc: a file can have no second name by way of it.
without_proc() {
    LD_LIBRARY_PATH=$(dirname "$(type -P ap-decode)") # found by way of /proc, else
    export LD_LIBRARY_PATH
    mount -t tmpfs none /proc
    ap-decode -t wav tone.wav -o out.wav
    [ -z "$(compgen -G '.audiopipe-*')" ]
}
no_proc() {
    [[ $(type -P ap-decode) != */build-san/* ]] || skip "the sanitizers need /proc"
    in_namespace without_proc
}
check no_proc

finish
