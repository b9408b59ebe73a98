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
        --suppressions-list=tests/cppcheck-suppressions -D__x86_64__ -D__SSE__ -Ilib lib cmd
}

clean_for_shellcheck() {
    local files
    mapfile -t files < <(git ls-files | while read -r f; do head -c 64 "$f" | grep -aqE '^#!.*(bash|sh)$' && echo "$f"; done)
    shellcheck -x "${files[@]}" scripts/*.bash-completion tests/cli/lib.sh
}

clean_man_pages() {
    mandoc -Tlint -Wwarning "$AP_BUILD"/man/*.[1-9]
}

# The one C++ file is the libtorch shim.
no_other_cpp() {
    ! git ls-files '*.cpp' '*.cc' '*.hpp' | grep -v '^lib/demucs/tensor_torch.cpp$'
}

check formatted
check clean_for_cppcheck
check clean_for_shellcheck
check clean_man_pages
check no_other_cpp
finish
