#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-plot: of anything, the same from a pipe, of stems; in constant memory.
. "$(dirname "$0")/plot-lib.sh"

sox -n -r 44100 -c 2 silence.wav trim 0 3
sox -n -r 44100 -c 2 empty.wav trim 0 0
sox -n -r 44100 -c 1 one.wav synth 1s square
sox -n -r 8000 -c 1 short.wav synth 0.01 sine 1000
sox -n -r 192000 -c 1 fast.wav synth 0.5 pinknoise
sox -n -r 48000 -c 8 eight.wav synth 2 sine 50 sine 100 sine 200 pinknoise sine 1000 sine 2000 sine 4000 whitenoise
sox -n -r 1000 -c 30 many.wav synth 1 sine 100
sox -n -r 44100 -c 2 -e float -b 32 -t au - synth 2 pinknoise | ap-mix -- -:+40dB >loud.au
printf '.snd\0\0\0\40\377\377\377\377\0\0\0\6\0\0\254\104\0\0\0\1\0\0\0\0\0\0\0\0\177\300\0\0\177\200\0\0\377\200\0\0\177\177\377\377' >nan.au
odd=(silence.wav empty.wav one.wav short.wav fast.wav eight.wav many.wav loud.au nan.au)

# All of them in one process, which loads fonts once; the sanitizers speak on stderr.
anything() { # KIND
    local type file
    for type in png svg; do
        ap-plot -q -j 1 -k "$1" --size 400 -t "$type" "${odd[@]}" -o "$1/" 2>stderr
        [ ! -s stderr ]
    done
    for file in "${odd[@]}"; do
        [ "$(image "$1/${file%.*}.png" | cut -d, -f1)" = 400 ]
        grep -q '</svg>' "$1/${file%.*}.svg"
    done
    case $1 in waveform | all) ;; *) return ;; esac
    ap-plot -q -j 1 -k "$1" --size 400 --fit "${odd[@]}" -o "$1 to fit/" -t png 2>stderr
    [ ! -s stderr ]
    [ "$(find "$1 to fit" -name '*.png' -size +0 | wc -l)" -eq ${#odd[@]} ]
}
for kind in "${kinds[@]}"; do
    check anything "$kind"
done

a_pipe_gives_the_same_picture() {
    for kind in waveform loudness; do
        ap-plot -k "$kind" --title x tone.wav -o file.png
        sox tone.wav -t au - | ap-plot -k "$kind" --title x >pipe.png
        cmp file.png pipe.png
        ap-decode tone.wav | ap-plot -k "$kind" --title x - | cmp - file.png
    done
    ap-plot -k spectrogram --title x tone.wav -o file.png
    sox tone.wav -t au - | ap-plot -k spectrogram --title x >pipe.png
    python_image 'assert abs(images[0] - images[1]).max() <= 4' file.png pipe.png # sums in another order
}
check a_pipe_gives_the_same_picture

stems() {
    mkdir -p stems none
    cp tone.wav stems/bass.wav
    sox tone.wav -r 22050 -c 1 stems/vocals.flac trim 0 3
    echo '{}' >stems/manifest.json
    for kind in "${kinds[@]}"; do
        ap-plot --stems stems -k "$kind" -o "stems $kind.png"
        [ "$(image "stems $kind.png" | cut -d, -f1)" = 800 ]
    done
    cmp <(ap-plot --stems stems) <(ap-plot --stems stems/ --title stems)
    (cd stems && ap-plot --stems .) | cmp - "stems waveform.png"
    fails 1 ap-plot --stems none -o x.png
    grep -q "no audio files in 'none'" stderr
    fails 1 ap-plot --stems missing -o x.png
    grep -q "cannot open 'missing': No such file" stderr
    head -c 5000 tone.wav >stems/cut.wav
    fails 1 ap-plot --stems stems -o x.png
    grep -q "stems/cut.wav' is truncated" stderr
    fails 2 ap-plot --stems stems tone.wav -o x.png
    fails 2 ap-plot --stems stems --json
    [ ! -e x.png ]
}
check stems

memory_is_constant() {
    case $AP_BUILD in
        *san) return 0 ;; # the sanitizer's own
    esac
    for seconds in 10 1000; do
        sox -n -r 44100 -c 2 -t au -e float -b 32 - synth "$seconds" pinknoise |
            /usr/bin/time -f %M -o "kb.$seconds" ap-plot -k all - >/dev/null
    done
    [ "$(cat kb.1000)" -lt 64000 ]
    [ "$(cat kb.1000)" -lt $(($(cat kb.10) + 8000)) ]
}
check memory_is_constant

progress_as_json() {
    ap-plot --progress=json tone.wav -o x.png 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-plot",.*"progress":1\.0000\}$'
}
check progress_as_json

finish
