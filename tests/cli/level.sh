#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-level: loud and quiet speakers become alike, pauses do not swell, the gain is slow and bounded; mono as dual mono.
. "$(dirname "$0")/lib.sh"

# Noise like speech: bursts of 0.6 s and pauses of 0.3 s with a faint floor; 20 s at -15, 20 s at -33, 10 s of floor only,
# 20 s at -20 dBFS RMS.
/usr/bin/python3 - <<'END'
import numpy, wave
r, rng = 16000, numpy.random.default_rng(1)
x = rng.standard_normal(70 * r) * 10 ** (-75 / 20)
for begin, end, level in ((0, 20, -15), (20, 40, -33), (50, 70, -20)):
    for k in numpy.arange(begin, end, 0.9):
        i, n = int(k * r), int(min(0.6, 70 - k) * r)
        x[i:i + n] += rng.standard_normal(n) * 10 ** (level / 20)
x = numpy.clip(x, -0.99, 0.99)
with wave.open("talk.wav", "wb") as w:
    w.setparams((1, 2, r, 0, "NONE", ""))
    w.writeframes((x * 32767).astype("<i2").tobytes())
END

lufs() { ap-decode -s "$2" -d "$3" "$1" | ap-measure --tsv | awk -F'\t' 'NR == 2 { print $5 }'; }
near() { awk -v a="$1" -v b="$2" -v d="$3" 'BEGIN { exit !(a - b <= d && b - a <= d) }'; }

speakers_become_alike() {
    ap-level talk.wav --bits float -t wav -o out.wav
    [ "$(soxi -s out.wav)" -eq "$(soxi -s talk.wav)" ]
    near "$(lufs out.wav 4 14)" -20 1
    near "$(lufs out.wav 32 8)" -20 1
    near "$(lufs out.wav 58 12)" -20 1
    awk -v a="$(lufs talk.wav 4 14)" -v b="$(lufs talk.wav 32 8)" 'BEGIN { exit !(a - b > 15) }' # before, they were not
}
check speakers_become_alike

# The gain that was applied, sample by sample: bounded, slow, and at rest in the long pause.
gain_is_slow_and_bounded() {
    ap-level -r 8 -s 1.5 talk.wav | ffmpeg -v error -y -f au -i - -f f32le out
    ap-decode talk.wav | ffmpeg -v error -y -f au -i - -f f32le in
    /usr/bin/python3 - <<'END'
import numpy
a, b = numpy.fromfile("in", "<f4").astype(float), numpy.fromfile("out", "<f4").astype(float)
assert len(a) == len(b)
i = numpy.flatnonzero(abs(a) > 1e-3)
gain = 20 * numpy.log10(b[i] / a[i])
assert gain.max() <= 8.01 and gain.min() >= -8.01 and gain.max() > 7.5, (gain.min(), gain.max())
slope = (gain[2000:] - gain[:-2000]) / ((i[2000:] - i[:-2000]) / 16000)
assert abs(slope).max() < 1.6, abs(slope).max()
pause = (numpy.arange(len(a)) > 42 * 16000) & (numpy.arange(len(a)) < 48 * 16000) & (abs(a) > 1.5e-4)
still = 20 * numpy.log10(b[pause] / a[pause])
assert pause.sum() > 1000 and still.max() - still.min() < 0.01, (still.min(), still.max())
END
}
check gain_is_slow_and_bounded

keeps_time_and_drops_gain_tags() {
    ap-encode talk.wav --tag TITLE=x --tag REPLAYGAIN_TRACK_GAIN="1 dB" -o talk.flac
    ap-level talk.flac -o out.flac
    [ "$(ap-tag out.flac)" = TITLE=x ]
    sox -n -r 44100 -c 2 silence.wav trim 0 3
    ap-level silence.wav -t wav -o out.wav
    cmp <(ap-decode out.wav) <(ap-decode silence.wav)
    ap-decode -d 0.01 talk.wav | ap-level >short.au
    [ "$(soxi -s short.au)" -eq 160 ]
    ap-level <talk.wav >a
    ap-level talk.wav >b
    cmp a b
    fails 2 ap-level -s 0 talk.wav -o out.wav
    fails 2 ap-level -r 41 talk.wav -o out.wav
}
check keeps_time_and_drops_gain_tags

# ffmpeg's ebur128 has dual mono, too.
mono_as_dual_mono() {
    local theirs
    theirs=$(ffmpeg -nostats -i talk.wav -af ebur128=dualmono=true:framelog=verbose -f null - 2>&1 |
        sed -n 's/^ *I: *\(-[0-9.]*\) LUFS/\1/p' | tail -n 1)
    near "$(ap-measure --dual-mono --tsv talk.wav | awk -F'\t' 'NR == 2 { print $5 }')" "$theirs" 0.1
    near "$(ap-measure --dual-mono --tsv talk.wav | awk -F'\t' 'NR == 2 { print $5 }')" \
        "$(ap-measure --tsv talk.wav | awk -F'\t' 'NR == 2 { print $5 + 3.01 }')" 0.011
    sox talk.wav -c 2 both.wav
    near "$(ap-measure --dual-mono --tsv talk.wav | awk -F'\t' 'NR == 2 { print $5 }')" \
        "$(ap-measure --tsv both.wav | awk -F'\t' 'NR == 2 { print $5 }')" 0.011
    cmp <(ap-measure --dual-mono both.wav) <(ap-measure both.wav)
    ap-normalize --dual-mono --lufs -30 talk.wav --bits float -t wav -o out.wav
    near "$(ap-measure --tsv out.wav | awk -F'\t' 'NR == 2 { print $5 }')" -33.01 0.06
}
check mono_as_dual_mono

finish
