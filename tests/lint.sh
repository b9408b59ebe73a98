#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the linters say of the tree.
. "$(dirname "$0")/cli/lib.sh"
cd "$tests_folder/.." || exit 1

formatted() {
    local files
    mapfile -t files < <(git ls-files '*.c' '*.h' '*.cpp')
    clang-format --dry-run -Werror "${files[@]}"
}

clean_for_cppcheck() {
    cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
        --suppressions-list=tests/cppcheck-suppressions -D__x86_64__ -D__SSE__ -Ilib -Icmd lib cmd
}

clean_for_shellcheck() {
    local files
    mapfile -t files < <(git ls-files | while read -r f; do head -c 64 "$f" | grep -aqE '^#!.*(bash|sh)$' && echo "$f"; done)
    shellcheck -x "${files[@]}" scripts/recipes/*.sh scripts/hooks/*.sh scripts/*.bash-completion scripts/front.sh tests/cli/*lib.sh
}

clean_man_pages() {
    mandoc -Tlint -Wwarning "$AP_BUILD"/man/*.[1-9]
}

# The one C++ file is the libtorch shim.
no_other_cpp() {
    ! git ls-files '*.cpp' '*.cc' '*.hpp' | grep -v '^lib/plugins/neural/torch/torch.cpp$'
}

# Includes lead downwards only.
clean_layers() {
    /usr/bin/python3 tests/layers.py
}

# The names in a part of the list of exports: AUDIOPIPE_0, AUDIOPIPE_PRIVATE_0.
listed() { sed -n "/^$1 /,/^}/s/^    \(ap_.*\);/\1/p" lib/libaudiopipe.map | sort; }

# The functions that a header declares.
declared() {
    gcc -fpreprocessed -dD -E -P "$1" | grep -v '^ *typedef' | grep -v '^#' | tr '\n' ' ' | sed 's/{[^}]*}//g' |
        grep -oE '\bap_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}

# What plugins, jobs and commands take from the library.
used() {
    find "$AP_BUILD"/lib/{plugins,jobs,serve} "$AP_BUILD"/cmd -name '*.o' -exec nm -u {} + 2>/dev/null |
        awk '{ print $NF }' | grep '^ap_' | sort -u
}

# The library exports its public functions, and what its own plugins and commands use, and no more.
exports_what_is_listed() {
    diff <(listed AUDIOPIPE_0) <(declared lib/audiopipe.h)
    diff <({ listed AUDIOPIPE_0 && listed AUDIOPIPE_PRIVATE_0; } | sort) \
        <(nm -D --defined-only "$AP_BUILD/libaudiopipe.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
    diff <(listed AUDIOPIPE_PRIVATE_0) \
        <(comm -12 <(comm -23 <(used) <(listed AUDIOPIPE_0)) <(nm "$AP_BUILD/libaudiopipe.a" | awk '$2 == "T" { print $3 }' | sort -u))
}

# Every hot loop is there for AVX2, too: the macro that says so needs to know the C library.
hot_loops_have_clones() {
    local marked clones
    [[ "$(uname -m) $(ldd --version 2>&1)" == x86_64*G*LIBC* ]] || return 0
    ! nm "$AP_BUILD/libaudiopipe.a" 2>/dev/null | grep -q __asan || return 0
    marked=$(git grep -hE '^(static )?AP_HOT|^static AP_HOT|AP_HOT static' -- lib/dsp lib/stream lib/formats lib/stages lib/pictures lib/base | wc -l)
    clones=$(nm "$AP_BUILD/libaudiopipe.a" 2>/dev/null | grep -c '\.avx2$')
    echo "$marked marked, $clones clones"
    [ "$clones" -ge "$marked" ]
}

# What somebody has tried out in the checkout does not belong to it.
nothing_has_strayed_in() {
    diff <(printf '%s\n' .ci .clang-format .gitignore .shellcheckrc COPYING Makefile README.md cmd findings lib man scripts tests | sort) \
        <(git ls-files | cut -d/ -f1 | sort -u)
}

# A word that is no build is not taken for one.
the_runner_says_how_it_is_used() {
    [[ $(tests/run --help) = "Usage: tests/run BUILD... "* ]]
    local status=0
    tests/run nowhere -- lint 2>"$work/said" || status=$?
    [ "$status" = 2 ]
    grep -Fxq "tests/run: 'nowhere' is no folder with a build" "$work/said"
    ! tests/run -- lint 2>"$work/said" || return 1
}

check formatted
check the_runner_says_how_it_is_used
check nothing_has_strayed_in
check clean_for_cppcheck
check clean_for_shellcheck
check clean_man_pages
check no_other_cpp
check clean_layers
check exports_what_is_listed
check hot_loops_have_clones
finish
