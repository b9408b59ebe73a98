# SPDX-License-Identifier: GPL-3.0-or-later
# front.sh - what commands in shell say to people, as cmd/front has it for those in C. They set $share, the folder of this.
# shellcheck shell=bash

program=${0##*/}

complain() {
    printf '%s: %s\n' "$program" "${*//[[:cntrl:]]/?}" >&2
}

fail() { # STATUS MESSAGE
    complain "$2"
    exit "$1"
}

usage_error() {
    complain "$1"
    echo "Try '$program --help' for more information." >&2
    exit 2
}

# To standard output. There may be room later on a disk that is full.
put() { # TEXT
    local why status=0
    { why=$(LC_ALL=C cat <<<"$1" 2>&1 >&3) || status=$?; } 3>&1
    case $status$why in
        0*) ;;
        141) exit 141 ;; # nobody reads it
        *": No space left on device") fail 75 "cannot write 'standard output': No space left on device" ;;
        *) fail 1 "cannot write 'standard output': ${why##*: }" ;;
    esac
}

print_version() {
    local version
    version=$(sed -n 's/^.define AP_VERSION "\(.*\)"/\1/p' "${share:?}/../lib/audiopipe.h") # make install writes it here
    put "$program (audiopipe) $version"
}

# The name that a word may stand for, as cmd/front/guess.c has it: less than a third of its letters are wrong, missing or too many.
guess() { # WORD ELSE, and the names on standard input
    awk -v word="$1" -v otherwise="$2" '
        function least(a, b) { return a < b ? a : b }
        {
            n = length(word); m = length($0)
            for (j = 0; j <= m; j++) row[0, j] = j
            for (i = 1; i <= n; i++) {
                row[i, 0] = i
                for (j = 1; j <= m; j++)
                    row[i, j] = least(least(row[i - 1, j], row[i, j - 1]) + 1,
                                      row[i - 1, j - 1] + (substr(word, i, 1) != substr($0, j, 1)))
            }
            if (row[n, m] < int(n / 3) + 1 && (!best || row[n, m] < edits)) { best = $0; edits = row[n, m] }
        }
        END { print best ? ": did you mean \047" best "\047?" : otherwise }'
}

# Prints arguments as getopt orders them, for eval. What is no option ends the program.
parsed() { # SHORT LONG ARGUMENT...
    local short=$1 long=$2 said word
    shift 2
    if said=$(LC_ALL=C getopt -n "$program" -o "$short" -l "$long" -- "$@" 2>&1); then
        echo "$said"
        return
    fi
    said=$(head -n 1 <<<"${said#"$program: "}")
    word=${said#unrecognized option \'} # of which this is the one message with a word to guess at
    [ "$word" != "$said" ] || usage_error "$said"
    word=${word%\'}
    usage_error "unknown option '$word'$(tr -d : <<<"--${long//,/$'\n'--}" | guess "$word" "")"
}
