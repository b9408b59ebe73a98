#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The readers of model files under libFuzzer: the seeds, and a few seconds of what comes of them. A long run is
# made by hand: build-fuzz/fuzz_th CORPUS tests/fuzz/corpus_th.
. "$(dirname "$0")/lib.sh"

survives_what_the_fuzzer_thinks_of() {
    mkdir corpus
    "$tests_folder/../build-fuzz/fuzz_th" -runs=30000 -seed=1 -rss_limit_mb=512 -timeout=10 corpus \
        "$tests_folder/fuzz/corpus_th"
    [ -n "$(ls corpus)" ]
}
check survives_what_the_fuzzer_thinks_of

finish
