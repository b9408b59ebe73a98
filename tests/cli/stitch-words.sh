#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Titles, captions and times of their own, the picture behind a visualization, quality.
. "$(dirname "$0")/lib.sh"

stitch_inputs

# words FRAME...: of what a picture lacks its colour, in the rows of its upper, middle and lower third
thirds='
def thirds(frame, colour):
    off = abs(frame - numpy.array(colour)).max(axis=2) > 24
    n = len(frame) // 3
    return [int(off[i * n:(i + 1) * n].sum()) for i in range(3)]
'

title_and_captions_are_where_they_belong() {
    printf 'red.png\t1\tFirst of all\nlime.png\t0.5\nblue.png\t1\tLast' >list
    ap-stitch "${small[@]}" --fit cover --title 'The title' -l list --no-audio -o words.mp4
    python_video "$thirds
v = videos[0]
assert len(v) == 25, len(v)
top, middle, bottom = thirds(v[4], red)
assert top > 100 and middle == 0 and bottom > 100, (top, middle, bottom)
assert (v[4][:40].min(axis=2) > 120).sum() > 20, v[4][:40].min(axis=2).max() # white letters
top, middle, bottom = thirds(v[12], lime)
assert top > 100 and middle == 0 and bottom == 0, (top, middle, bottom)
top, middle, bottom = thirds(v[20], blue)
assert top > 100 and middle == 0 and bottom > 100, (top, middle, bottom)
see(v[9], 80, 60, red), see(v[10], 80, 60, lime), see(v[14], 80, 60, lime), see(v[15], 80, 60, blue)
left = numpy.flatnonzero((abs(v[4][:40] - numpy.array(red)).max(axis=2) > 24).any(axis=0))
assert abs((left[0] + left[-1]) / 2 - 79.5) <= 2, left # in the middle
" words.mp4
}
check title_and_captions_are_where_they_belong

words_stand_still() {
    ap-stitch "${small[@]}" --fit cover --ken-burns --caption 'Here' -d 1 red.png --no-audio -o moving.mp4
    python_video "$thirds
v = videos[0]
there = [(abs(f[80:] - numpy.array(red)).max(axis=2) > 24) for f in v]
assert there[0].sum() > 100
assert all((t != there[0]).mean() < 0.01 for t in there), [int((t != there[0]).sum()) for t in there]
" moving.mp4
}
check words_stand_still

any_text_is_taken() {
    local text
    for text in "$(printf 'long %.0s' {1..200})" $'Grüße 你好 \xff\xfe' '<b>&amp;' ' ' $'two\nlines'; do
        ap-stitch "${small[@]}" --title "$text" --caption "$text" -d 0.2 red.png --no-audio -o text.mp4
        [ "$(of text.mp4 v nb_read_frames)" = 2 ]
    done
}
check any_text_is_taken

images_share_what_is_left() { # of 2.37 s of sound
    printf '\xef\xbb\xbfred.png\t0.4\r\nlime.png\r\nblue.png\t\tlast\r\n' >list
    ap-stitch "${small[@]}" --fit cover -l list -a sound.wav -o shared.mp4
    python_video "
v = videos[0]
assert len(v) == 24, len(v)
see(v[3], 80, 60, red), see(v[4], 80, 60, lime), see(v[13], 80, 60, lime), see(v[14], 80, 60, blue)" shared.mp4
    printf 'red.png\t4\nlime.png\n' >list
    fails 1 ap-stitch "${small[@]}" -l list -a sound.wav -o y.mp4
    grep -q "nothing is left for the rest" stderr
    printf 'red.png\t1\nlime.png\t1\n' >list
    ap-stitch "${small[@]}" -l list -a sound.wav -o cut.mp4
    [ "$(of cut.mp4 v nb_read_frames)" = 20 ]
    [ ! -e y.mp4 ]
}
check images_share_what_is_left

lists_are_read_with_care() {
    cp red.png $'a\tb.png'
    printf 'a\tb.png\n' >list
    ap-stitch "${small[@]}" -d 0.2 -l list --no-audio -o tab.mp4
    printf 'red.png\0a\tb.png\0' >list
    ap-stitch "${small[@]}" -d 0.2 -l list --no-audio -o zero.mp4
    [ "$(of zero.mp4 v nb_read_frames)" = 4 ]
    local time
    for time in x -1 0 1e 1:99; do
        printf 'red.png\t%s\n' "$time" >list
        fails 1 ap-stitch "${small[@]}" -l list --no-audio -o y.mp4
        grep -q "'$time' is no time for the image 'red.png'" stderr
    done
}
check lists_are_read_with_care

a_picture_is_behind_the_sound() {
    ap-stitch "${small[@]}" --visualize waveform -a sound.wav --title 'Song' red.png -o behind.mp4
    python_video "$thirds
v = videos[0]
see(v[10], 80, 60, red, 12)
top, middle, bottom = thirds(v[10], red)
assert top > 100 and middle < 800, (top, middle, bottom)
see(v[10], 2, 117, (102, 0, 0), 12) # darker below
assert (v[10][80:, :, 2] > 100).sum() > 100 # and bars on it" behind.mp4
    fails 2 ap-stitch "${small[@]}" --visualize waveform -a sound.wav red.png lime.png -o y.mp4
    fails 2 ap-stitch "${small[@]}" --visualize waveform -a sound.wav --caption x red.png -o y.mp4
    fails 1 ap-stitch "${small[@]}" --visualize waveform -a sound.wav none.png -o y.mp4
    [ ! -e y.mp4 ]
}
check a_picture_is_behind_the_sound

# Frames that change nothing are right with every preset, whatever x264 makes of them.
presets_and_quality() {
    local preset
    ffmpeg -v error -f lavfi -i mandelbrot=s=160x120 -frames:v 1 detail.png
    for preset in ultrafast superfast medium slow veryslow; do
        ap-stitch "${small[@]}" --preset "$preset" -d 30 detail.png --no-audio -o "$preset.mp4"
        ffmpeg -v error -xerror -i "$preset.mp4" -map 0:v -f framemd5 - | grep -v '^#' | awk '{ print $NF }' | sort -u >sums
        [ "$(wc -l <sums)" = 1 ]
    done
    ap-stitch "${small[@]}" --crf 40 -d 1 detail.png --no-audio -o rough.mp4
    ap-stitch "${small[@]}" --crf 5 -d 1 detail.png --no-audio -o fine.mp4
    [ "$(stat -c %s rough.mp4)" -lt "$(stat -c %s fine.mp4)" ]
    ap-stitch "${small[@]}" --crf 60 --preset ultrafast -d 0.3 detail.png --no-audio -o rough.webm
    fails 2 ap-stitch "${small[@]}" --crf 60 -d 1 detail.png --no-audio -o y.mp4
    fails 2 ap-stitch "${small[@]}" --preset placebo -d 1 detail.png --no-audio -o y.mp4
    [ ! -e y.mp4 ]
}
check presets_and_quality

finish
