#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-mix: sums as sox makes them, settings behind names, inputs that do not fit.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do
    sox -n -r 44100 -c 2 -b 16 $i.wav synth $i sine $((200 * i)) pinknoise vol 0.2
done
sox -n -r 48000 -c 2 -b 16 fast.wav synth 1 sine 440
sox -n -r 44100 -c 1 -b 16 mono.wav synth 1 sine 440

# difference A B LIMIT: fails when the samples of two files differ by more
difference() {
    /usr/bin/python3 - "$@" <<'END'
import subprocess, sys, numpy
a, b = (numpy.frombuffer(subprocess.run(["ffmpeg", "-v", "error", "-i", f, "-f", "f32le", "-"], check=True,
                                        stdout=subprocess.PIPE).stdout, "<f4") for f in sys.argv[1:3])
limit = float(sys.argv[3])
if len(a) != len(b) or (len(a) and abs(a - b).max() > limit):
    sys.exit(f"lengths {len(a)} {len(b)}, difference {abs(a - b).max() if len(a) == len(b) else '-'}")
END
}

sums_like_sox() {
    ap-mix 1.wav 2.wav 3.wav >sum.au
    sox -D -m -v 1 1.wav -v 1 2.wav -v 1 3.wav -e float -b 32 sox.wav
    difference sum.au sox.wav 2e-7
    ap-mix 1.wav:-3dB 2.wav:+1.5dB:-0.5db 3.wav:mute >sum.au
    sox -D -m -v 0.70794578 1.wav -v 1.12201845 2.wav -v 0 3.wav -e float -b 32 sox.wav
    difference sum.au sox.wav 2e-7
}
check sums_like_sox

delays_like_sox() {
    ap-mix 1.wav 2.wav:delay=0.5:-6dB 3.wav:delay=0.25s >sum.au
    sox -D 2.wav -e float -b 32 d2.wav pad 0.5 vol -6dB
    sox -D 3.wav -e float -b 32 d3.wav pad 0.25
    sox -D -m -v 1 1.wav -v 1 d2.wav -v 1 d3.wav -e float -b 32 sox.wav
    difference sum.au sox.wav 2e-7
}
check delays_like_sox

removes() {
    ap-mix 1.wav 2.wav -o sum.wav --bits float
    ap-mix --remove sum.wav 2.wav:-0dB >rest.au
    sox -D 1.wav -e float -b 32 one.wav pad 0 1
    difference rest.au one.wav 2e-7
    ap-mix -r 3.wav 3.wav | ap-decode >zero.au
    [ "$(tail -c +100 zero.au | tr -d '\0' | wc -c)" -eq 0 ]
}
check removes

longest_or_shortest() {
    cmp <(ap-mix 3.wav 1.wav | wc -c) <(ap-mix 3.wav 2.wav:mute | wc -c)
    ap-mix --shortest 3.wav 1.wav >short.au
    grep -qa '^frames=44100$' short.au
    ap-mix 1.wav 3.wav >long.au
    grep -qa '^frames=132300$' long.au
    sox 3.wav -t au - | ap-mix 1.wav - >unknown.au
    cmp <(tail -c 1000000 unknown.au) <(tail -c 1000000 long.au)
}
check longest_or_shortest

one_input_may_be_a_pipe() {
    ap-decode 2.wav | ap-mix 1.wav - | tail -c 705600 | cmp - <(ap-mix 1.wav 2.wav | tail -c 705600)
    ap-decode 2.wav | ap-mix -- -:-6dB 1.wav:delay=1 | tail -c 705600 |
        cmp - <(ap-mix 2.wav:-6dB 1.wav:delay=1 | tail -c 705600)
    fails 2 ap-mix - - <1.wav
    grep -q "once" stderr
    ap-mix 1.wav <(ap-decode 2.wav) | tail -c 705600 | cmp - <(ap-mix 1.wav 2.wav | tail -c 705600)
}
check one_input_may_be_a_pipe

misfits_are_refused_or_converted() {
    fails 1 ap-mix 1.wav fast.wav -o out.wav
    grep -q "^ap-mix: .*'fast.wav'.*48000 Hz.*'1.wav'.*44100 Hz" stderr
    grep -q -- "--convert" stderr
    fails 1 ap-mix 1.wav mono.wav -o out.wav
    grep -q "'mono.wav'.*1 channel.*'1.wav'" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    [ ! -e out.wav ]
    ap-mix --convert 1.wav fast.wav mono.wav >sum.au
    ap-mix 1.wav <(ap-decode -r 44100 fast.wav) <(ap-decode -c 2 mono.wav) | cmp - sum.au
    ap-mix -c mono.wav 1.wav >sum.au
    ap-mix mono.wav <(ap-decode -c 1 1.wav) | cmp - sum.au
}
check misfits_are_refused_or_converted

names_with_colons() {
    cp 1.wav 'take:mute'
    cp 2.wav 'take:-3dB'
    cp 3.wav 'a:b:c.wav'
    ap-mix 'take:mute' | cmp - <(ap-mix 1.wav)
    ap-mix 'take:mute:-3dB' | cmp - <(ap-mix 1.wav:-3dB)
    ap-mix 'take:-3dB:-3dB' | cmp - <(ap-mix 2.wav:-3dB)
    ap-mix a:b:c.wav:delay=1 | cmp - <(ap-mix 3.wav:delay=1)
    fails 1 ap-mix no:such.wav
    grep -q "cannot open 'no:such.wav'" stderr
    fails 1 ap-mix nosuch.wav:-3dB
    grep -q "cannot open 'nosuch.wav'" stderr
}
check names_with_colons

mistakes() {
    for wrong in 3 -3 -3dBx muted delay=x delay= delay=-1 delay=1e9 200dB nandB ''; do
        fails 2 ap-mix "1.wav:$wrong"
        grep -q "^ap-mix: .*$wrong" stderr
    done
    fails 2 ap-mix -o x.wav
    grep -q "no input" stderr
    fails 1 ap-mix 1.wav 2.wav missing.wav -o x.wav
    grep -q "missing.wav" stderr
    head -c 100000 2.wav >cut.wav
    fails 1 ap-mix 1.wav cut.wav -o x.wav
    grep -q "'cut.wav' is truncated" stderr
    [ ! -e x.wav ]
}
check mistakes

tags_of_the_first() {
    ap-encode 1.wav --tag TITLE=one --tag ARTIST=me -o 1.flac
    ap-encode 2.wav --tag TITLE=two --tag ALBUM=other -o 2.flac
    ap-mix 1.flac 2.flac >out.au
    grep -qa 'TITLE=one$' out.au
    [ "$(grep -ca 'two\|other' out.au)" -eq 0 ]
}
check tags_of_the_first

warns_of_clipping() {
    ap-mix 1.wav:12dB 1.wav:12dB 2.wav:12dB -o loud.wav 2>err.txt
    grep -q "samples clipped" err.txt
}
check warns_of_clipping

memory_is_constant() {
    ap-decode <(sox -n -r 44100 -c 2 -t au -e float -b 32 - synth 600 whitenoise vol 0.1) >long.au
    /usr/bin/time -f %M -o kb ap-mix long.au 1.wav long.au:-3dB >/dev/null
    case $AP_BUILD in
        *san) ;; # the sanitizer's own
        *) [ "$(cat kb)" -lt 20000 ] ;;
    esac
}
check memory_is_constant

finish
