#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The tests themselves: what is interrupted or fails leaves no process and no folder, and says why.
. "$(dirname "$0")/lib.sh"

# a_test BODY: a test with one check
a_test() {
    printf '#!/usr/bin/env bash\n. "%s"\nbody() {\n%s\n}\necho $$ "$work" >"%s"\ncheck body\nfinish\n' "$tests_folder/cli/lib.sh" \
        "$1" "$PWD/about" >a_test.sh
}

interrupted_tests_end_what_they_started() {
    a_test '(while :; do echo x; sleep 0.02; done >'"$PWD"'/grows) & sleep 100'
    bash a_test.sh &
    local pid=$! folder size
    until [ -s grows ]; do sleep 0.05; done
    kill "$pid"
    wait "$pid" || true
    read -r _ folder <about
    sleep 0.3
    size=$(stat -c %s grows)
    sleep 0.3
    [ "$(stat -c %s grows)" -eq "$size" ]
    [ ! -e "$folder" ]
}
check interrupted_tests_end_what_they_started

failures_say_why() {
    a_test '[ 1 = 2 ]'
    fails 1 bash a_test.sh >out
    [ "$(cat out)" = "not ok body" ]
    grep -q "exit 1 of: \[ 1 = 2 \]" stderr
    a_test 'exit 3'
    fails 1 bash a_test.sh >out
    grep -q "exit 3" stderr
}
check failures_say_why

skipped_tests_say_why() {
    a_test 'skip "there is no sun"'
    bash a_test.sh >out
    [ "$(cat out)" = "ok body # skipped: there is no sun" ]
    a_test 'skip "there is no sun" >elsewhere 2>&1'
    bash a_test.sh >out
    [ "$(cat out)" = "ok body # skipped: there is no sun" ]
}
check skipped_tests_say_why

finish
