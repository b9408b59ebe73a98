#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate with small models of random weights. What they give is compared with the original's output by
# tests/unit/plugins/neural/nets/demucs/golden.c; this is about everything around it.
. "$(dirname "$0")/lib.sh"
separate_inputs

writes_all_stems_to_a_folder() {
    "${tiny[@]}" song.wav -o all --bits float
    [ "$(cd all && echo *)" = "bass.wav drums.wav other.wav vocals.wav" ]
    for stem in "${the_stems[@]}"; do
        [ "$(soxi -r "all/$stem.wav") $(soxi -c "all/$stem.wav") $(soxi -s "all/$stem.wav")" = "44100 2 $(soxi -s song.wav)" ]
        below 0.001 "$(largest a "all/$stem.wav")"
    done
    below 0.001 "$(largest a-b all/drums.wav all/vocals.wav)"
}
check writes_all_stems_to_a_folder

one_stem_sits_in_a_pipe() {
    for stem in "${the_stems[@]}"; do
        "${tiny[@]}" song.wav -s "$stem" | samples -t au - | cmp - <(samples "all/$stem.wav")
    done
    ap-decode song.wav | "${tiny[@]}" -s vocals | ap-encode -o piped.wav --bits float
    cmp <(samples piped.wav) <(samples all/vocals.wav)
    "${tiny[@]}" -s vocals -o one.flac --bits 16 - <song.wav
    [ "$(soxi -b one.flac)" = 16 ]
    "${tiny[@]}" -s vocals -t wav --bits float song.wav | cmp - all/vocals.wav
}
check one_stem_sits_in_a_pipe

sends_stems_to_several_places() {
    mkfifo pipe
    cat pipe >from-pipe.au &
    "${tiny[@]}" song.wav -S drums=d.wav -S bass=pipe -S other=/dev/fd/3 -S no_vocals=nv.wav -S vocals=- \
        --bits float 3>o.au >v.au
    wait
    cmp d.wav all/drums.wav
    cmp <(samples from-pipe.au) <(samples all/bass.wav)
    cmp <(samples o.au) <(samples all/other.wav)
    cmp <(samples v.au) <(samples all/vocals.wav)
    below "$(largest a+b+c-d all/drums.wav all/bass.wav all/other.wav nv.wav)" 1e-6
    echo before >appended
    "${tiny[@]}" song.wav -S drums=/dev/fd/3 -S bass=/dev/null 3>>appended
    [ "$(head -1 appended)" = before ]
    cmp <(tail -n +2 appended) <("${tiny[@]}" song.wav -s drums)
}
check sends_stems_to_several_places

names_files_by_pattern() {
    "${tiny[@]}" song.wav -o out -t flac --filename '{track}.{trackext}/{stem} of {track}.{ext}'
    [ "$(ls out/song.wav)" = "$(printf '%s of song.flac\n' bass drums other vocals)" ]
    odd=$' a "b" {stem} \n\\ é*.x.wav'
    cp song.wav "$odd"
    "${tiny[@]}" "$odd" -o "odd ' folder" --filename '{track}-{stem}.{ext}' --two-stems vocals
    [ -s "odd ' folder/${odd%.wav}-vocals.wav" ]
    [ -s "odd ' folder/${odd%.wav}-no_vocals.wav" ]
    cp song.wav ./-o
    "${tiny[@]}" -o dash -- -o
    [ -s dash/vocals.wav ]
    "${tiny[@]}" <song.wav -o std --filename '{track}{trackext}{stem}.wav'
    [ -s std/stdinbass.wav ]
    fails 2 "${tiny[@]}" song.wav -o out --filename '{song}.wav'
    grep -q "'{song}.wav' has something else in braces" stderr
    fails 2 "${tiny[@]}" song.wav -o out --filename x.wav
}
check names_files_by_pattern

two_stems() {
    "${tiny[@]}" song.wav -o add --two-stems vocals --bits float
    [ "$(cd add && echo *)" = "no_vocals.wav vocals.wav" ]
    cmp add/vocals.wav all/vocals.wav
    below "$(largest a+b+c-d all/drums.wav all/bass.wav all/other.wav add/no_vocals.wav)" 1e-6
    "${tiny[@]}" song.wav -o minus --two-stems=vocals --other-method=minus --bits float
    cmp minus/vocals.wav all/vocals.wav
    below "$(largest a-b-c song.wav minus/vocals.wav minus/no_vocals.wav)" 2e-7
    below 0.001 "$(largest a-b add/no_vocals.wav minus/no_vocals.wav)"
    "${tiny[@]}" song.wav --two-stems vocals -s no_vocals -t wav --bits float | cmp - add/no_vocals.wav
    fails 2 "${tiny[@]}" song.wav -o x --two-stems piano
    grep -q "model 'tiny' has no stem 'piano'" stderr
    [ ! -e x ]
}
check two_stems

residual_nulls() {
    below 0.001 "$(largest a-b-c-d-e song.wav all/drums.wav all/bass.wav all/other.wav all/vocals.wav)"
    "${tiny[@]}" song.wav -o null --residual --bits float
    below "$(largest a-b-c-d-e song.wav null/drums.wav null/bass.wav null/other.wav null/vocals.wav)" 2e-7
    for stem in drums bass vocals; do cmp "null/$stem.wav" "all/$stem.wav"; done
    "${tiny[@]}" song.wav -o null2 --residual --two-stems bass --bits float
    below "$(largest a-b-c song.wav null2/bass.wav null2/no_bass.wav)" 2e-7
    sox song.wav -r 96000 -b 24 hires.wav vol 0.5
    "${tiny[@]}" hires.wav -o null96 --residual --bits float # all that is beyond the model's rate, too
    [ "$(soxi -r null96/bass.wav) $(soxi -s null96/bass.wav)" = "96000 $(soxi -s hires.wav)" ]
    below "$(largest a-b-c-d-e hires.wav null96/drums.wav null96/bass.wav null96/other.wav null96/vocals.wav)" 2e-7
}
check residual_nulls

other_rates_keep_length_and_time() {
    for rate in 8000 11025 48000 96000 192000; do
        sox song.wav -r "$rate" -b 24 rate.wav vol 0.5
        "${tiny[@]}" rate.wav -s other -o rate-out.wav --bits float
        [ "$(soxi -r rate-out.wav) $(soxi -s rate-out.wav)" = "$rate $(soxi -s rate.wav)" ]
    done
    # 48000 Hz there and back is the same separation
    sox song.wav -r 48000 -b 32 -e float r48.wav
    "${tiny[@]}" r48.wav -s other -o o48.wav --bits float
    sox o48.wav -r 44100 -e float -b 32 o44.wav
    below "$(largest 'a[1000:-1000]-b[1000:-1000]' o44.wav all/other.wav)" 0.06 # of 0.35
}
check other_rates_keep_length_and_time

mono_and_surround() {
    sox song.wav mono.wav remix 1,2
    sox mono.wav both.wav remix 1 1
    "${tiny[@]}" mono.wav -s other -o from-mono.wav --bits float
    "${tiny[@]}" both.wav -s other -o from-both.wav --bits float
    [ "$(soxi -c from-mono.wav)" = 2 ]
    cmp <(samples from-mono.wav) <(samples from-both.wav)
    "${tiny[@]}" mono.wav -c 1 -s other -o to-mono.wav --bits float
    [ "$(soxi -c to-mono.wav)" = 1 ]
    sox from-both.wav -e float -b 32 mean.wav remix 1v0.5,2v0.5
    below "$(largest a-b mean.wav to-mono.wav)" 1e-7
    "${tiny[@]}" mono.wav -c 1 --residual -o mono-null --bits float
    below "$(largest a-b-c-d-e mono.wav mono-null/drums.wav mono-null/bass.wav mono-null/other.wav mono-null/vocals.wav)" 2e-7
    sox song.wav -c 6 six.wav remix 1 2 0 0 0 0
    "${tiny[@]}" six.wav -s other -o from-six.wav --bits float
    [ "$(soxi -c from-six.wav)" = 2 ]
    below "$(largest a-b from-six.wav all/other.wav)" 1e-4
}
check mono_and_surround

short_and_silent_input_is_fine() {
    for frames in 0 1 2 441; do
        sox song.wav short.wav trim 0 "${frames}s"
        "${tiny[@]}" short.wav -o short --bits float
        for stem in "${the_stems[@]}"; do [ "$(soxi -s "short/$stem.wav")" = "$frames" ]; done
    done
    sox -D -n -r 44100 -c 2 -b 16 silence.wav trim 0 1
    "${tiny[@]}" silence.wav -o quiet --bits float
    for stem in "${the_stems[@]}"; do below "$(largest a "quiet/$stem.wav")" 1e-6; done
}
check short_and_silent_input_is_fine

same_input_same_output() {
    "${tiny[@]}" song.wav -o again --bits float
    for stem in "${the_stems[@]}"; do cmp "again/$stem.wav" "all/$stem.wav"; done
    ap-separate -q -n tiny -j 1 song.wav -s bass -t wav --bits float | cmp - all/bass.wav
    ap-separate -q -n tiny -j 3 --device cpu song.wav -s bass -t wav --bits float | cmp - all/bass.wav
    "${tiny[@]}" --shifts 2 --seed 1 song.wav -s bass >a.au
    "${tiny[@]}" --shifts 2 --seed 1 song.wav -s bass | cmp - a.au
    differs a.au <("${tiny[@]}" --shifts 2 --seed 2 song.wav -s bass)
    differs all/bass.wav <(ap-encode -t wav --bits float a.au)
    differs all/bass.wav <("${tiny[@]}" --segment 0.4 song.wav -s bass -t wav --bits float)
    differs all/bass.wav <("${tiny[@]}" --segment 0.4 --overlap 0.5 song.wav -s bass -t wav --bits float)
}
check same_input_same_output

formats_and_clipping() {
    "${tiny[@]}" song.wav -S vocals=v.mp3 -S bass=b.ogg -S drums=d.flac -S other=o.opus
    [ "$(soxi -t v.mp3) $(soxi -t b.ogg) $(soxi -t d.flac)" = "mp3 vorbis flac" ]
    opusinfo o.opus >/dev/null
    sox song.wav loud.wav gain -n 0 vol 30 # square waves
    ap-separate -n tiny loud.wav -o loud --residual --bits 16 2>err
    grep -q "^ap-separate: warning: [0-9]* samples clipped, peak +[0-9.]* dBFS in loud/other.wav$" err
    "${tiny[@]}" loud.wav -o loud --residual --bits 16 2>err
    [ ! -s err ]
    ap-encode song.wav -o tagged.flac --tag TITLE=Song
    "${tiny[@]}" tagged.flac -o tagged -t flac
    metaflac --export-tags-to=- tagged/bass.flac | grep -q '^TITLE=Song$'
}
check formats_and_clipping

# A network reads its whole input first, and says so meanwhile.
says_that_it_reads() {
    { head -c 40000 song.au && sleep 0.5 && tail -c +40001 song.au; } | ap-separate -j 2 -n tiny -s vocals --progress=bar - -o slow.wav 2>bar
    tr '\r' '\n' <bar | grep -q "^ap-separate: reading standard input: "
    cmp <(samples slow.wav) <("${tiny[@]}" -s vocals song.au -t wav | samples -t wav -)
}
check says_that_it_reads

finish
