#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What all commands share: what is replaced and what is not, numbers with units, hints, bars.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 2 sine 440 sine 660 vol 0.5
cp tone.wav kept.wav

inputs_are_not_replaced() {
    local command
    for command in "ap-limit tone.wav" "ap-decode tone.wav" "ap-encode tone.wav" "ap-mix kept.wav tone.wav" "ap-hpss -s residual tone.wav" \
        "ap-normalize tone.wav" "ap-encode kept.wav --tags-from tone.wav" "ap-limit"; do
        # shellcheck disable=SC2086,SC2094
        fails 2 $command -o tone.wav <tone.wav
        grep -q "'tone.wav' would replace the input '.*' (--force allows it)$" stderr
        cmp tone.wav kept.wav
    done
    ln -sf tone.wav link.wav
    fails 2 ap-limit tone.wav -o link.wav
    # never by a report
    for command in ap-measure "ap-plot -t png" "ap-stitch --no-audio -t mp4" "ap-stitch -t mp4 tone.wav --audio"; do
        # shellcheck disable=SC2086
        fails 2 $command tone.wav -o tone.wav
        grep -q "'tone.wav' would replace the input 'tone.wav'$" stderr
        cmp tone.wav kept.wav
    done
    # shellcheck disable=SC2094
    fails 2 ap-limit kept.wav >>kept.wav
    grep -q "'kept.wav' is input and standard output at once" stderr
    ap-limit --force link.wav -o tone.wav
    ap-limit kept.wav -o other.wav
    cmp tone.wav other.wav
}
check inputs_are_not_replaced

no_clobber() {
    echo old >there.wav
    fails 1 ap-limit --no-clobber kept.wav -o there.wav
    fails 1 ap-measure --no-clobber kept.wav -o there.wav
    fails 1 ap-hpss --no-clobber kept.wav -S harmonic=there.wav
    grep -q "'there.wav' exists" stderr
    [ "$(cat there.wav)" = old ]
    ap-limit --no-clobber kept.wav -o new.wav
    [ -s new.wav ]
}
check no_clobber

# Of two at once one wins, and the other one fails and leaves nothing: the file comes to be while they work, for the pipe
# holds less than they read.
no_clobber_is_no_race() {
    local way file ways=('ap-limit --no-clobber - -o late/x.wav' 'ap-measure --no-clobber - -o late/x.wav'
        'ap-plot --no-clobber - -t svg -o late/x.wav' 'ap-plot --no-clobber - --json -o late/x.wav'
        'ap-hpss --no-clobber - -S harmonic=late/x.wav' 'ap-separate -q -n dsp --no-clobber - -o late/x.stem.mp4')
    mkdir late
    sox -D -n -r 44100 -c 2 -b 16 two.wav synth 2 sine 440 vol 0.5
    for way in "${ways[@]}"; do
        rm -f late/*
        file=late/${way##*late/}
        # shellcheck disable=SC2086
        { ap-decode two.wav && echo first >"$file"; } | fails 1 $way
        grep -q "$file.: File exists" stderr
        [ "$(cat "$file")" = first ]
        [ "late/$(ls -A late)" = "$file" ]
    done
    rm late/*
    { ap-decode two.wav && echo first >late/x.wav; } | ap-limit - -o late/x.wav
    [ "$(ap-measure --tsv late/x.wav | wc -l)" = 2 ]
}
check no_clobber_is_no_race

folders_are_made() {
    ap-limit kept.wav -o a/b/c.wav
    [ -s a/b/c.wav ]
    ap-measure kept.wav -o reports/kept.txt
    [ -s reports/kept.txt ]
    ap-plot kept.wav -o pictures/kept.png
    [ -s pictures/kept.png ]
    fails 1 ap-limit missing.wav -o not/this/c.wav
    [ ! -e not ]
}
check folders_are_made

numbers_with_units() {
    ap-encode -b 96k kept.wav -o k.mp3
    ap-encode -b 96 kept.wav -o plain.mp3
    ap-encode -b 96kbps kept.wav -o unit.mp3
    cmp k.mp3 plain.mp3
    cmp unit.mp3 plain.mp3
    for rate in 22.05k 22050 22050Hz 22.05kHz; do
        ap-decode -r "$rate" kept.wav -o rate.wav
        [ "$(soxi -r rate.wav)" = 22050 ]
    done
    fails 2 ap-decode -r 44.1x kept.wav
    fails 2 ap-8d --period 4k kept.wav
    grep -q "is not a number" stderr
}
check numbers_with_units

unknown_options_are_guessed() {
    fails 2 ap-encode --bitrat=3 --bitrates=3 kept.wav
    grep -q "unknown option '--bitrates=3': did you mean '--bitrate'?" stderr
    fails 2 ap-encode -quiet kept.wav
    grep -q "unknown option '-quiet': did you mean '--quiet'?" stderr
    fails 2 ap-8d --preiod 3 kept.wav
    grep -q "did you mean '--period'?" stderr
    fails 2 ap-encode --force -xyz kept.wav
    grep -q "unknown option '-x'$" stderr
    fails 2 ap-encode --force=3 kept.wav
    grep -q "option '--force=3' takes no argument$" stderr
    fails 2 ap-8d --xyzzy kept.wav
    grep -q "unknown option '--xyzzy'$" stderr
    fails 2 ap-fetch-model --lisst
    grep -q "^ap-fetch-model: unknown option '--lisst': did you mean '--list'?" stderr
    fails 2 ap-fetch-model --xyzzy
    grep -q "unknown option '--xyzzy'$" stderr
    fails 2 ap-fetch-model htdemcs
    grep -q "there is no model 'htdemcs': did you mean 'htdemucs'?" stderr
    fails 2 ap-job sumbit kept.wav
    grep -q "unknown command 'sumbit': did you mean 'submit'?" stderr
    fails 2 ap-s3 presing s3://a/b
    grep -q "did you mean 'presign'?" stderr
    fails 2 ap-slurm --recpie 8d
    grep -q "^ap-slurm: unknown option '--recpie': did you mean '--recipe'?" stderr
    fails 2 ap-transcribe --engin3 x kept.wav
    grep -q "^ap-transcribe: unknown option '--engin3': did you mean '--engine'?" stderr
    fails 2 ap-slurm --xyzzy
    grep -q "^ap-slurm: unknown option '--xyzzy'$" stderr
    if [ -x "$AP_BUILD/ap-serve" ]; then
        fails 2 ap-serve tokn
        grep -q "unknown command 'tokn': did you mean 'token'?" stderr
    fi
    fails 2 ap-manifest xyzzy
    grep -q "unknown command 'xyzzy'$" stderr
}
check unknown_options_are_guessed

names_tell_formats() {
    mkdir -p d.svg
    for command in "ap-plot kept.wav" "ap-limit kept.wav" "ap-stitch --no-audio kept.wav"; do
        # shellcheck disable=SC2086
        fails 2 $command -o d.svg/x
        grep -q "the name 'd.svg/x' does not tell a format; known are " stderr
    done
}
check names_tell_formats

# on_terminal COLUMNS COMMAND...: what a command writes to a terminal so wide, as lines that end where the terminal starts
# a new one; fails if a line had to be broken.
on_terminal() {
    /usr/bin/python3 - "$@" <<'END'
import fcntl, os, pty, struct, sys, termios
columns = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
out = b""
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
os.waitpid(pid, 0)
assert b"\x1b" not in out, out
for line in out.decode().replace("\r\n", "\n").split("\n"):
    for text in line.split("\r"):
        assert len(text) < columns or "warning" in text or "note" in text, (columns, text)
    print(line)
END
}
bars_fit() {
    sox -n -r 44100 -c 2 -b 16 first.wav synth 100 pinknoise vol 0.5
    sox first.wav 'a long song.wav' repeat "$([[ $AP_BUILD = *san ]] && echo 0 || echo 11)" # measuring it takes half a second
    for columns in 12 20 40 68 80 200; do
        on_terminal "$columns" env TERM=xterm ap-reverb --progress=bar 'a long song.wav' -o x.wav >bar
        grep -q '%' bar || grep -q ETA bar
        [ "$columns" -lt 68 ] || grep -q 'ap-reverb: a long song.wav:' bar
    done
    on_terminal 80 env TERM=xterm ap-measure 'a long song.wav' >bar
    grep -q 'ap-measure: measuring a long song.wav' bar
    mkdir sub
    cp 'a long song.wav' sub/another.wav
    on_terminal 80 env TERM=xterm ap-measure -j 1 'a long song.wav' sub/another.wav >bar
    grep -q 'ap-measure: 0 of 2 files, a long song' bar
    grep -q 'ap-measure: 1 of 2 files, another.wav' bar
    on_terminal 80 env TERM=xterm ap-normalize 'a long song.wav' -o x.wav >bar
    grep -q 'ap-normalize: measuring a long song.wav' bar
    on_terminal 80 env TERM=dumb ap-reverb 'a long song.wav' -o x.wav >bar
    ! grep -q '%' bar
}
check bars_fit

warnings_have_lines_of_their_own() {
    sox -n -r 44100 -c 2 -b 16 loud.wav synth 300 sine 440
    on_terminal 80 env TERM=xterm ap-mix loud.wav loud.wav -o x.wav | tr '\r' '\n' >lines
    grep -q '^ap-mix: warning: .* clipped, peak' lines
}
check warnings_have_lines_of_their_own

finish
