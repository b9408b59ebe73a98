#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-tempo: exact lengths, clicks in their places, pitch, pipes; what Rubber Band's own program does.
. "$(dirname "$0")/lib.sh"

[ -e "$AP_BUILD/audiopipe/stretch.so" ] || {
    echo "ok tempo # skipped: built without Rubber Band"
    exit 0
}

/usr/bin/python3 - <<'END'
import numpy, wave
n = 44100 * 9
x = numpy.zeros((n, 2), "<i2")
x[44100::44100] = 29000
t = numpy.arange(44100 * 3)
sine = numpy.repeat((12000 * numpy.sin(2 * numpy.pi * 440 * t / 44100)).astype("<i2")[:, None], 2, 1)
for name, data in (("clicks", x), ("sine", sine)):
    with wave.open(name + ".wav", "wb") as w:
        w.setparams((2, 2, 44100, 0, "NONE", ""))
        w.writeframes(data.tobytes())
END

raw() { ffmpeg -v error -y -f au -i - -f f32le "$1"; }

# Each click within so many samples of its place, and the whole of the right length.
clicks_are_in_place() {
    local tempo
    for tempo in 0.8 0.9 1 1.1 1.25; do
        ap-tempo --tempo "$tempo" clicks.wav | raw out
        /usr/bin/python3 - "$tempo" <<'END'
import numpy, sys
tempo = float(sys.argv[1])
x = numpy.fromfile("out", "<f4").reshape(-1, 2)
assert len(x) == round(44100 * 9 / tempo), len(x)
assert abs(x[:, 0] - x[:, 1]).max() < 1e-3
for k in range(1, 9):
    place = k * 44100 / tempo
    part = abs(x[int(place) - 2000:int(place) + 2000, 0])
    off = part.argmax() + int(place) - 2000 - place
    assert part.max() > 0.1 and abs(off) <= 50, (tempo, k, off)
END
    done
}
check clicks_are_in_place

# frequency FILE: of what is in the middle
frequency() {
    /usr/bin/python3 - "$1" <<'END'
import numpy, sys
x = numpy.fromfile(sys.argv[1], "<f4").reshape(-1, 2)[:, 0]
x = x[len(x) // 2 - 16384:len(x) // 2 + 16384] * numpy.hanning(32768)
s = abs(numpy.fft.rfft(x, 1 << 18))
print(round(s.argmax() * 44100 / (1 << 18), 1))
END
}
pitch_and_tempo_are_apart() {
    ap-tempo --pitch 12 sine.wav | raw up
    [ "$(stat -c %s up)" -eq $((44100 * 3 * 8)) ]
    awk -v f="$(frequency up)" 'BEGIN { exit !(f > 878 && f < 882) }'
    ap-tempo --pitch -3.5 sine.wav | raw down
    awk -v f="$(frequency down)" 'BEGIN { exit !(f > 358.4 && f < 360.4) }' # 440 * 2^(-3.5/12) = 359.46
    ap-tempo --tempo 2 sine.wav | raw fast
    [ "$(stat -c %s fast)" -eq $((22050 * 3 * 8)) ]
    awk -v f="$(frequency fast)" 'BEGIN { exit !(f > 439 && f < 441) }'
    ap-tempo --tempo 0.5 --pitch 7 --formants sine.wav | raw slow
    [ "$(stat -c %s slow)" -eq $((88200 * 3 * 8)) ]
    awk -v f="$(frequency slow)" 'BEGIN { exit !(f > 658 && f < 661) }' # 659.26
}
check pitch_and_tempo_are_apart

# A length that nobody told makes no difference, nor does how the input comes; nothing to do changes nothing.
pipes() {
    ap-tempo --tempo 1.2 sine.wav >a
    sox sine.wav -t au -e float -b 32 - | ap-tempo --tempo 1.2 | raw b
    raw a.raw <a
    cmp a.raw b
    ap-decode sine.wav | raw same
    ap-tempo sine.wav | raw out
    cmp same out
    ap-tempo -x 1.5 sine.wav -o out.flac
    [ "$(soxi -s out.flac)" -eq 88200 ]
    ap-decode -d 0 sine.wav | ap-tempo --tempo 2 >empty.au
    [ "$(soxi -s empty.au)" -eq 0 ]
    ap-decode -d 0.0001 sine.wav | ap-tempo --tempo 0.5 | raw tiny
    [ "$(stat -c %s tiny)" -eq 64 ] # 4 frames become 8
}
check pipes

channels_and_rates() {
    local rate channels
    for rate in 8000 96000; do
        for channels in 1 6; do
            sox -n -r "$rate" -c "$channels" x.wav synth 1 sine 300 vol 0.5
            ap-tempo --tempo 1.25 x.wav -t wav -o y.wav
            [ "$(soxi -s y.wav):$(soxi -c y.wav)" = "$((rate * 4 / 5)):$channels" ]
        done
    done
}
check channels_and_rates

tags_keep_up() {
    ap-encode sine.wav --tag CHAPTER001=00:00:02.000 --tag CHAPTER001NAME=Two --tag BPM=120 --tag TITLE=x -o tagged.flac
    ap-tempo --tempo 1.25 tagged.flac -o out.flac
    [ "$(ap-tag out.flac | sort)" = "$(printf '%s\n' BPM=150 CHAPTER001=00:00:01.600 CHAPTER001NAME=Two TITLE=x)" ]
}
check tags_keep_up

mistakes() {
    fails 2 ap-tempo --tempo 5 sine.wav -o out.wav
    fails 2 ap-tempo --pitch 25 sine.wav -o out.wav
    AUDIOPIPE_PLUGINS=/nonexistent ap-tempo -x 2 sine.wav -o out.wav
    head -c 5000 sine.wav >cut.wav
    fails 1 ap-tempo -x 2 cut.wav -o cut.out.wav
    [ ! -e cut.out.wav ]
}
check mistakes

finish
