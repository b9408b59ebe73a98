#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate with several models: chains, ensembles, and mixes of stems.
. "$(dirname "$0")/lib.sh"

unset AUDIOPIPE_MODELS XDG_DATA_HOME
export HOME=$PWD/home
cp "$tests_folder"/data/roformer/{bs-vocals,mel-vocals,mdx23c}.{ckpt,yaml} "$tests_folder"/data/demucs/htdemucs-tiny.th .
sox -D "$tests_folder/data/demucs/mix.wav" song.wav trim 0 12000s vol 0.25
separate() { ap-separate -q -j 2 song.wav -t wav --bits float "$@"; }
bs=./bs-vocals.ckpt mel=./mel-vocals.ckpt mdx=./mdx23c.ckpt ht=./htdemucs-tiny.th

# numbers FILE... CODE: the code, with a, b, c... as arrays of the files' samples, [frame][channel]
numbers() {
    /usr/bin/python3 - "$@" <<'END'
import sys
import warnings
import numpy as np
import scipy.io.wavfile
warnings.simplefilter("ignore")
values = dict(zip("abcdefgh", [scipy.io.wavfile.read(path)[1].astype(float) for path in sys.argv[1:-1]]))

def spectra(x, window=6144, hop=1024):
    """As librosa.stft."""
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    x = np.pad(x, ((window // 2, window // 2), (0, 0)))
    return np.stack([np.fft.rfft(x[s:s + window] * w[:, None], axis=0) for s in range(0, len(x) - window + 1, hop)])

def signal(z, length, window=6144, hop=1024):
    """As librosa.istft."""
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    y, total = np.zeros((window + hop * (len(z) - 1), z.shape[2])), np.zeros(window + hop * (len(z) - 1))
    for t in range(len(z)):
        y[t * hop:t * hop + window] += np.fft.irfft(z[t], window, axis=0) * w[:, None]
        total[t * hop:t * hop + window] += w ** 2
    return (y / np.maximum(total, 1e-9)[:, None])[window // 2:window // 2 + length]

def pick(values, which):
    """At each place the value of smallest or largest magnitude."""
    values = np.stack(values)
    return np.take_along_axis(values, which(abs(values), 0)[None], 0)[0]

def same(x, y, limit=1e-6):
    assert abs(y).max() > 1e-3
    assert abs(x - y).max() <= limit, abs(x - y).max()
exec(sys.argv[-1], dict(globals(), **values))
END
}

separate -n "$bs" -o bs
separate -n "$mel" -o mel
separate -n "$mdx" -o mdx
separate -n "$ht" -o ht

# The second model takes the voice of the first apart.
a_chain_is_one_after_the_other() {
    separate -n "$bs,$mdx" -o chain
    [ "$(cd chain && echo *)" = "other.wav vocals_kick.wav vocals_snare.wav vocals_toms.wav" ]
    cmp chain/other.wav bs/other.wav
    ap-separate -q -j 2 -n "$mdx" bs/vocals.wav -t wav --bits float -o second
    for stem in kick snare toms; do
        cmp "chain/vocals_$stem.wav" "second/$stem.wav"
    done
}
check a_chain_is_one_after_the_other

the_stem_that_goes_on_can_be_named() {
    separate -n "$bs:other,$mdx" -o named
    [ "$(cd named && echo *)" = "other_kick.wav other_snare.wav other_toms.wav vocals.wav" ]
    ap-separate -q -j 2 -n "$mdx" bs/other.wav -s kick -t wav --bits float | cmp - named/other_kick.wav
    separate -n "$mdx:snare,$bs" -s snare_vocals >deep.wav # no vocals: it has to be named, or is the first
    separate -n "$mdx,$bs" -s kick_vocals >first.wav
    ap-separate -q -j 2 -n "$bs" mdx/snare.wav -s vocals -t wav --bits float | cmp - deep.wav
    ap-separate -q -j 2 -n "$bs" mdx/kick.wav -s vocals -t wav --bits float | cmp - first.wav
    separate -n "$ht,$bs:other,$mdx" -s vocals_other_toms >third.wav
    ap-separate -q -j 2 -n "$bs" ht/vocals.wav -s other -t wav --bits float >between.wav
    ap-separate -q -j 2 -n "$mdx" between.wav -s toms -t wav --bits float | cmp - third.wav
}
check the_stem_that_goes_on_can_be_named

# What goes on is a stem, too, but no part of the mix; the parts of models with a rest add up to it.
what_went_on_can_be_asked_for() {
    separate -n "$bs,$mel" -S vocals=went.wav -S no_vocals=without.wav -S no_other=sum.wav -o parts
    cmp went.wav bs/vocals.wav
    cmp without.wav bs/other.wav
    [ "$(cd parts && echo *)" = "other.wav vocals_other.wav vocals_vocals.wav" ]
    numbers parts/*.wav went.wav sum.wav 'same(b + c, d); same(e, d)'
    separate -n "$bs,$mel" --other-method minus -s no_vocals >minus.wav
    numbers minus.wav bs/other.wav 'same(a, b)'
}
check what_went_on_can_be_asked_for

an_ensemble_is_of_all() {
    local models=$bs,$mel:vocals,$ht:vocals
    for way in mean median; do
        separate -n "$models" --ensemble "$way" -s vocals >"$way.wav"
    done
    for way in min max; do
        separate -n "$models" --ensemble "$way" -s vocals >"$way.wav"
        separate -n "$models" --ensemble "$way" --ensemble-on samples -s vocals >"$way-samples.wav"
    done
    separate -n "$models" --ensemble median --ensemble-on spectra -s vocals >median-spectra.wav
    numbers {bs,mel,ht}/vocals.wav mean.wav median.wav 'same(d, (a + b + c) / 3); same(e, np.median([a, b, c], 0))'
    numbers {bs,mel,ht}/vocals.wav min-samples.wav max-samples.wav \
        'same(d, pick([a, b, c], np.argmin)); same(e, pick([a, b, c], np.argmax))'
    numbers {bs,mel,ht}/vocals.wav min.wav max.wav median-spectra.wav '
z = [spectra(x) for x in (a, b, c)]
same(d, signal(pick(z, np.argmin), len(a)))
same(e, signal(pick(z, np.argmax), len(a)))
same(f, signal(pick(z, lambda m, axis: np.argsort(m, axis)[1]), len(a)))'
    numbers min.wav max.wav mean.wav 'assert (a ** 2).sum() < (c ** 2).sum() < (b ** 2).sum()'
}
check an_ensemble_is_of_all

# A stem that only some of them have is of those; the first that has a stem, where that is asked for.
stems_come_from_several_models() {
    separate -n "$ht:drums:bass,$bs,$mdx:toms" --ensemble first -o mixed
    [ "$(cd mixed && echo *)" = "bass.wav drums.wav other.wav toms.wav vocals.wav" ]
    cmp mixed/bass.wav ht/bass.wav
    cmp mixed/vocals.wav bs/vocals.wav
    cmp mixed/toms.wav mdx/toms.wav
    separate -n "$bs,$ht" --ensemble first -s vocals | cmp - bs/vocals.wav
    separate -n "$bs,$ht" --ensemble mean -S drums=drums.wav -S other=other.wav
    numbers drums.wav ht/drums.wav other.wav bs/other.wav ht/other.wav 'same(a, b); same(c, (d + e) / 2)'
    separate -n "dsp,$bs" --ensemble first -s other >other.wav # the one without a network may be among them
    separate -n dsp -s other >want.wav
    numbers other.wav want.wav 'same(a, b)'
}
check stems_come_from_several_models

mixes_are_sums_of_stems() {
    separate -n "$ht" --mix 'beat=drums+0.5*bass' --mix no-drums=vocals+bass+other --mix "rest=mix-vocals" -o mixes
    [ "$(cd mixes && echo *)" = "bass.wav beat.wav drums.wav no-drums.wav other.wav rest.wav vocals.wav" ]
    numbers mixes/{beat,drums,bass}.wav 'same(a, b + 0.5 * c)'
    numbers mixes/{no-drums,vocals,bass,other}.wav 'same(a, b + c + d)'
    sox -D song.wav -b 32 -e float float.wav
    numbers mixes/{rest,vocals}.wav float.wav 'same(a, c - b)'
    separate -n "$ht" --mix 'beat=drums+0.5*bass' -s beat | cmp - mixes/beat.wav
    separate -n "$ht" --two-stems vocals --mix 'sing=2*vocals+drums' -o two
    [ "$(cd two && echo *)" = "no_vocals.wav sing.wav vocals.wav" ]
    numbers two/sing.wav mixes/{vocals,drums}.wav 'same(a, 2 * b + c)'
    separate -n "$ht" --residual --mix 'all=drums+bass+other+vocals' -s all >all.wav
    numbers all.wav float.wav 'same(a, b)'
}
check mixes_are_sums_of_stems

mistakes_are_named() {
    wrong() { # WORDS OPTION...
        fails 2 separate -o none "${@:2}"
        grep -qF -- "$1" stderr || { cat stderr >&2 && return 1; }
        [ "$(grep -c ^ap-separate: stderr)" -eq 1 ] && [ ! -e none ]
    }
    wrong "model './bs-vocals.ckpt' has no stem 'guitar'" -n "$bs:guitar,$mdx"
    wrong "one stem of './mdx23c.ckpt' goes on to the next model, not 'kick' and others" -n "$mdx:kick:toms,$bs"
    wrong "nothing comes behind './mdx23c.ckpt' that could take its stem 'kick'" -n "$bs,$mdx:kick"
    wrong "a name is missing in the list of models" -n "$bs,"
    wrong "a name is missing in the list of models" -n ",$bs"
    wrong "the stems of './bs-vocals.ckpt' are no list of names" -n "$bs::vocals,$mdx"
    wrong "at most 8 models at a time" -n dsp,dsp,dsp,dsp,dsp,dsp,dsp,dsp,dsp
    wrong "an ensemble takes several models" -n "$bs" --ensemble mean
    wrong "one description is for one model" -n "$bs,$mdx" --config bs-vocals.yaml
    wrong "mix 'x' is not NAME=STEM+STEM..." -n "$ht" --mix x
    wrong "mix 'x=drums+piano' has a stem that is none: 'piano'" -n "$ht" --mix x=drums+piano
    wrong "mix 'x=drums+' ends with a sign" -n "$ht" --mix x=drums+
    wrong "mix 'bass=drums' has a name that is taken: 'bass'" -n "$ht" --mix bass=drums
    wrong "mix '../x=drums' cannot be a file: '../x'" -n "$ht" --mix ../x=drums
    fails 1 separate -n "$bs,nonsense" -o none
    grep -q "there is no model 'nonsense'" stderr
    cp bs-vocals.ckpt "one,two.ckpt"
    cp bs-vocals.yaml "one,two.yaml"
    separate -n "./one,two.ckpt" -s vocals | cmp - bs/vocals.wav # a file of that name is one model
}
check mistakes_are_named

finish
