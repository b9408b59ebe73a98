#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The file of settings, and --verbose.
. "$(dirname "$0")/lib.sh"

unset AUDIOPIPE_CONFIG
export HOME=$PWD/home XDG_CONFIG_HOME=
mkdir -p home/.config/audiopipe xdg/audiopipe
sox -R -n -r 44100 -c 2 -b 16 tone.wav synth 0.5 sine 440 vol 0.9

# ceiling COMMAND...: that of ap-limit, as it says
ceiling() { ap-limit -v "$@" tone.wav -o x.wav 2>&1 | sed -n 's/^ap-limit: --ceiling=//p'; }

the_nearest_file_counts() {
    [ "$(ceiling)" = -1 ]
    printf '[ap-limit]\nceiling = -2\n' >home/.config/audiopipe/config
    printf '[ap-limit]\nceiling=-3\n' >xdg/audiopipe/config
    printf '\xef\xbb\xbf[ap-limit]\r\nceiling =\t-4 ; dBTP\r\n' >one
    [ "$(ceiling)" = -2 ]
    [ "$(XDG_CONFIG_HOME=$PWD/xdg ceiling)" = -3 ]
    [ "$(AUDIOPIPE_CONFIG=one ceiling)" = -4 ]
    [ "$(AUDIOPIPE_CONFIG='' ceiling)" = -1 ]
    [ "$(ceiling --config one)" = -4 ]
    [ "$(ceiling --config /dev/null)" = -1 ]
    [ "$(ceiling --config=one --ceiling -5)" = -5 ]
    [ "$(ceiling -c -5 --config one)" = -5 ]
    rm home/.config/audiopipe/config
}
check the_nearest_file_counts

sections_and_words() {
    cat >words <<'END'
# what I like
  [common] ; everywhere
bits = 24
quiet # a flag
raw = "s16le,44100,1"
[ap-limit]
output = "a # \"b\" \\ .wav"
raw = s16le,44100,2
[ap-8d]
mode = none of the command's business
[ap-8d extra]
END
    ap-decode --config /dev/null tone.wav -t s16le >tone.raw
    ap-limit --config words tone.raw
    [ "$(ffprobe -v error -show_entries stream=codec_name,channels -of csv=p=0 'a # "b" \ .wav')" = pcm_s24le,2 ]
    printf '[ap-8d]\nno-limit = no\n[ap-plot]\n' >words
    ap-8d --config words -v tone.wav -o y.wav 2>&1 >said 2>&1
    [ "$(grep -c -e --no-limit said)" = 0 ]
    printf '[ap-8d]\nno-limit\nquiet = off' >words
    ap-8d --config words -v tone.wav -o y.wav 2>&1 | grep -e '--no-limit'
}
check sections_and_words

flags_are_taken_back() {
    # flags COMMAND...: those that are set
    flags() { "$@" --config flags -v tone.wav -o y.wav 2>&1 | grep -xe "ap-.*: --\(no-limit\|no-clobber\|limit\)" || :; }
    rm -f y.wav
    printf '[ap-8d]\nno-limit\nno-clobber\n' >flags
    [ "$(flags ap-8d --clobber)" = "ap-8d: --no-limit" ]
    flags ap-8d --clobber --limit >said
    [ ! -s said ]
    [ "$(flags ap-8d --limit --no-limit --clobber)" = "ap-8d: --no-limit" ]
    fails 1 ap-8d --config flags tone.wav -o y.wav
    grep -q "'y.wav' exists" stderr
    printf '[common]\nquiet\n' >flags
    [ -n "$(ap-8d --config flags --no-quiet --progress text tone.wav -o y.wav 2>&1)" ]
    fails 2 ap-8d --no-period tone.wav -o y.wav
    fails 2 ap-8d --no-clob --no-help tone.wav -o y.wav
    fails 2 ap-8d --no-quie tone.wav -o y.wav
}
check flags_are_taken_back

mistakes_have_a_place() {
    says() { # MESSAGE FILE
        printf '%b' "$2" >mistake
        fails 2 ap-limit --config mistake tone.wav -o y.wav
        grep -q "^ap-limit: 'mistake', line $1" stderr || { cat stderr && return 1; }
    }
    says "2: --ceiling 'x' is not a number" '[ap-limit]\nceiling = x'
    says "3: --ceiling 9 is too large" '[ap-limit]\n\nceiling = 9'
    says "2: unknown option 'ceilin'" '[ap-limit]\nceilin = 1'
    says "2: 'ceiling' is no option that commands share" '[common]\nceiling = -1'
    says "2: 'qiet' is no option that commands share" '[common]\nqiet'
    says "2: --quiet 'perhaps' is neither yes nor no" '[common]\nquiet = perhaps'
    says "2: 'ceiling' needs a value" '[ap-limit]\nceiling'
    says "2: 'help' is for the command line only" '[ap-limit]\nhelp'
    says "1: a setting belongs below a section" 'quiet'
    says "1: a section is \[NAME\]" '[ap-limit'
    says "2: a quote is not closed" '[ap-limit]\noutput = "x'
    says "2: a setting is NAME = VALUE" '[ap-limit]\n= 3'
    fails 2 ap-limit --config none tone.wav -o y.wav
    grep -q "cannot read 'none': No such file" stderr
    fails 2 ap-limit --config /bin/sh tone.wav -o y.wav
    grep -q "'/bin/sh' is no file of settings" stderr
    [ ! -e y.wav ] || rm y.wav
}
check mistakes_have_a_place

models_keep_their_own() {
    fails 1 ap-separate --config none.yaml -n none.ckpt tone.wav -o y/
    printf '[ap-separate]\nmodel = none-of-them\n' >own
    fails 1 ap-separate --config own tone.wav -o y/
    grep -q "none-of-them" stderr
}
check models_keep_their_own

verbose_says_what_is_done() {
    ap-8d -v tone.wav --mode pan -o v.flac 2>said
    grep -q "^ap-8d: --mode=pan$" said
    grep -q "^ap-8d: --output='v.flac'$" said
    grep -q "^ap-8d: 'tone.wav': wav, pcm_s16le, 44100 Hz, 2 channels (stereo)$" said
    grep -q "^ap-8d: 'tone.wav': 22050 frames, 0.500 s$" said
    grep -q "^ap-8d: 'v.flac': [0-9]* frames at 44100 Hz, peak " said
    grep -q "kernels for " said
    grep -q "^ap-8d: took [0-9.]* s, [0-9.]* s of a processor$" said
    ap-8d -r -v . --mode pan -o many/ 2>said || true
    [ "$(grep -c '^ap-8d: took' said)" = 1 ]
    ap-8d tone.wav -o v.flac 2>said
    [ ! -s said ]
}
check verbose_says_what_is_done

verbose_names_every_output() {
    ap-hpss -v tone.wav -o parts/ 2>said
    grep -q "^ap-hpss: 'parts/percussive.wav': 22050 frames at 44100 Hz, peak " said
    ap-plot -v tone.wav -o v.png 2>said
    grep -q "^ap-plot: 'v.png': a picture$" said
    cp tone.wav tagged.wav
    ap-tag -v --set TITLE=x tagged.wav 2>said
    grep -q "^ap-tag: 'tagged.wav': the tags are set$" said
}
check verbose_names_every_output

verbose_says_what_was_asked_for() {
    printf '[common]\nbitrate = 96\n' >given
    ap-normalize -v --config given --peak=-3 tone.wav -o given.mp3 2>said
    for option in bitrate=96 peak=-3; do
        grep -Fxq -- "ap-normalize: --$option" said
    done
    ! grep -q -- --rms said || return 1
}
check verbose_says_what_was_asked_for

verbose_says_what_runs_a_network() {
    local seconds
    ap-separate -v -j 2 -n "$tests_folder/data/demucs/htdemucs-tiny.th" tone.wav -o stems/ 2>said
    grep -qE "^ap-separate: model '.*/htdemucs-tiny.th': CPU, kernels for (avx512|avx2|base), threads: 2$" said
    ap-separate -v -n dsp tone.wav -o stems/ 2>said
    grep -q "^ap-separate: model 'dsp'$" said
    # Processes that work for it count, too.
    mkdir -p songs
    cp tone.wav songs/a.wav && cp tone.wav songs/b.wav
    ap-separate -v -n "$tests_folder/data/demucs/htdemucs-tiny.th" songs -r -o many-stems/ 2>said
    seconds=$(sed -n 's/^ap-separate: took .* s, \([0-9.]*\) s of a processor$/\1/p' said)
    awk "BEGIN { exit !($seconds >= 0.05) }"
}
check verbose_says_what_runs_a_network

finish
