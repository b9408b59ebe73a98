#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# --help of every command, and that its manual says the same.
. "$(dirname "$0")/lib.sh"

commands=()
for source in "$tests_folder"/../cmd/ap-*.c "$tests_folder"/../scripts/ap-*; do
    commands+=("$(basename "$source" .c)")
done

has_help() {
    "$1" --help >out
    head -1 out | grep -q "^Usage: $1 "
    grep -q -- '-h, --help' out
    "$1" -h | cmp - out
    "$1" --version | grep -q "^$1 (audiopipe) [0-9]"
    fails 2 "$1" --no-such-option
    grep -q "^$1: unknown option '--no-such-option'" stderr
    [ "$(wc -l <stderr)" -eq 2 ]
    fails 75 "$1" --help >/dev/full
    grep -q "^$1: cannot write 'standard output': No space left on device" stderr
}

# The page as plain text on long lines, without font changes and with ASCII hyphens.
page() {
    mandoc -T utf8 -O width=1000 "$AP_BUILD/man/$1.1" | col -bx | sed 's/−/-/g; s/‐/-/g; s/–/-/g'
}

# Every option of --help is in the manual with its argument, and the other way round.
options_agree() {
    "$1" --help | sed -n 's/^  \(-.,\|   \) \(--[^ ]*\).*/\2/p' | sort >help
    page "$1" | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z0-9-]*\(=[^ ]*\)\{0,1\}\)\(  .*\)\{0,1\}$/\2/p' | sort >page.txt
    [ -s help ]
    diff help page.txt
}

# Ranges and defaults in --help are said in the manual's paragraph about that option.
values_agree() {
    local option value
    page "$1" >page.txt
    "$1" --help | sed -n ':a;N;$!ba;s/\n \{20,\}/ /g;p' | while IFS= read -r line; do
        option=$(sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' <<<"$line")
        [ -n "$option" ] || continue
        paragraph=$(awk -v o="$option" '
            $1 == o || $2 == o || index($1, o "=") == 1 || index($2, o "=") == 1 { on = 1; print; next }
            /^ *-(-|., --)[a-z]/ || /^[A-Z]/ { on = 0 }
            on { print }' page.txt)
        for value in $(sed -n 's/.*(\(-\{0,1\}[0-9.e+]*\) to \([0-9.e+]*\).*/\1 \2/p' <<<"$line") \
            $(sed -n 's/.*default \([^ )]*\))$/\1/p' <<<"$line"); do
            [ "$value" != 1e+09 ] || continue
            grep -qF -- "$value" <<<"$paragraph" || {
                echo "$1: the manual does not say $value of $option"
                exit 1
            }
        done
    done
}

is_installed_with_manual() {
    [ -s "$AP_BUILD/man/$1.1" ]
    page "$1" >page.txt
    grep -q "^NAME" page.txt
    grep -q "^EXAMPLES" page.txt
    grep -q "^EXIT STATUS" page.txt
}

for command in "${commands[@]}"; do
    [ -x "$AP_BUILD/$command" ] || continue # what it needs was not there when it was built
    check has_help "$command"
    check options_agree "$command"
    check values_agree "$command"
    check is_installed_with_manual "$command"
done

abbreviations_are_git_s() {
    sox -n -r 44100 -c 2 tone.wav synth 0.1 sine 440
    ap-8d tone.wav --per 4 --mo=pan -o short.wav
    ap-8d tone.wav --period 4 --mode pan -o long.wav
    cmp short.wav long.wav
    fails 2 ap-8d tone.wav --p=4 -o x.wav
    grep -q "^ap-8d: option '--p' is ambiguous: --period --path --pre-delay --progress$" stderr
    fails 2 ap-8d tone.wav --zz=4 -o x.wav
    grep -q "^ap-8d: unknown option '--zz=4'" stderr
    [ ! -e x.wav ]
}
check abbreviations_are_git_s

tour_names_every_command() {
    for command in "${commands[@]}"; do
        grep -q "Xr $command 1" "$AP_BUILD/man/audiopipe.7"
        grep -q "$command" "$tests_folder/../README.md"
    done
}
check tour_names_every_command

# An example can be copied from a terminal of 80 columns: no line of it is broken, and no prompt stands before it.
examples_can_be_pasted() {
    local name line
    name=$(basename "$1")
    mandoc -T utf8 -O width=78 "$1" | col -bx | sed 's/^ *//; s/−/-/g; s/‐/-/g' >narrow
    mandoc -T utf8 -O width=1000 "$1" | col -bx | sed 's/^ *//; s/−/-/g; s/‐/-/g' >wide
    awk '/^\.(Dl|D1) / { sub(/^[^ ]* /, ""); print; next } /^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' "$1" |
        sed 's/\\e/\\/g; s/\\&//g; s/\\(dq/"/g; s/\\-/-/g; s/\\(->/→/g; s/^[ \t]*//' | grep -v '^\.' >examples || true
    while IFS= read -r line; do
        [[ $line != '$ '* ]] || { echo "$name: a prompt: $line" && return 1; }
        grep -qxF -- "$line" narrow || { echo "$name: broken: $line" && return 1; }
    done <examples
    ! grep -E '.{79}' narrow
}
for page in "$AP_BUILD"/man/*.[1-9]; do
    check examples_can_be_pasted "$page"
done

# As a newcomer runs them, in a folder with files of these names.
examples_work() {
    local name i folder="a newcomer's folder, & more"
    rm -rf "$folder" && mkdir -p "$folder/stems"
    sox -D -n -r 44100 -c 2 -b 16 "$folder/song.wav" synth 1 sine 440 sine 660 vol 0.3
    (
        cd "$folder"
        for i in vocals drums bass other; do cp song.wav "stems/$i.wav" && cp song.wav "$i.wav"; done
        for i in talk chapter-1 chapter-2; do cp song.wav "$i.wav"; done
        for i in song.mp3 music.mp3 song.flac side-a.flac side-b.flac hum.flac song.m4a song.opus; do
            ap-encode -q song.wav --tag CHAPTER001=00:00:00.000 --tag CHAPTER001NAME=One -o "$i"
        done
        cp song.m4a book.m4b
        ffmpeg -v error -f lavfi -i testsrc=s=64x64 -frames:v 1 front.jpg
        for name in ap-cat ap-eq ap-info ap-manifest ap-measure ap-mix ap-tag; do
            sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$AP_BUILD/man/$name.1" | awk '/^\.(Dl|D1) / { sub(/^[^ ]* /, ""); print }
                /^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' | sed 's/\\e/\\/g; s/\\&//g; s/\\-/-/g' >examples
            [ -s examples ]
            HOME=$PWD bash -e -o pipefail examples >said 2>&1 </dev/null || { echo "$name" && cat said && return 1; }
        done
    )
}
check examples_work

only_what_has_outputs_speaks_of_them() {
    ap-tag --help | grep -Eq -- '--recursive +go through folders and all below them$'
    ap-limit --help | grep -Eq -- '--recursive +.*; outputs keep their structure$'
}
check only_what_has_outputs_speaks_of_them

no_page_has_gaps() {
    ! grep -nE '@[A-Z]+@|^\.\\" .*(options|status|functions)$' "$AP_BUILD"/man/*.[1-9]
}
check no_page_has_gaps

library_page_is_complete() {
    mandoc -T utf8 -O width=1000 "$AP_BUILD/man/libaudiopipe.3" | col -bx >page
    sed -n '/^AUDIOPIPE_0 /,/^}/s/^    \(ap_.*\);/\1/p' "$tests_folder/../lib/libaudiopipe.map" >functions
    [ "$(wc -l <functions)" -gt 50 ]
    while read -r function; do
        grep -q "$function(" page || { echo "not in libaudiopipe(3): $function" && return 1; }
    done <functions
}
check library_page_is_complete

# The example filter of apstream(5) is what the tests compile and run.
manual_shows_the_tested_filter() {
    mandoc -T ascii -O width=200 "$AP_BUILD/man/apstream.5" | col -bx >page
    grep -v '^$' "$tests_folder/data/swap.c" | sed 's/^ *//' >source
    sed 's/^ *//' page | grep -v '^$' >text
    while IFS= read -r line; do
        grep -qxF -- "$line" text || {
            echo "not in the manual: $line"
            return 1
        }
    done <source
}
check manual_shows_the_tested_filter

finish
