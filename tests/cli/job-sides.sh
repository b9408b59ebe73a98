#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job doctor --two-sides: two hosts of one spool, which are two host names here.
. "$(dirname "$0")/job-lib.sh"

unshare -r --uts true 2>/dev/null || {
    echo "ok skipped: there are no namespaces of host names here"
    exit 0
}
# on NAME COMMAND...: with that host name
on() { unshare -r --uts sh -c 'hostname "$0" && exec "$@"' "$@"; }
# both [NAME NAME]: two doctors at once; sets first and second, their exit codes; what they say is in first.txt, second.txt
both() {
    local pid
    first=0 second=0
    on "${1:-one}" ${3:+env "$3"} ap-job doctor --two-sides >first.txt 2>&1 &
    pid=$!
    until_true test -e "$spool/.doctor/host-is-here"
    on "${2:-two}" ${4:+env "$4"} ap-job doctor --two-sides >second.txt 2>&1 || second=$?
    wait "$pid" || first=$?
    cat first.txt second.txt
}
# shim NAME CODE: a library to be loaded before all others
shim() {
    printf '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n%s\n' "$2" >"$1.c"
    cc -shared -fPIC -o "$1.so" "$1.c" -ldl
}
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0

good_hosts() {
    fresh
    both
    [ "$first$second" = 00 ]
    grep -q 'everything is fine' first.txt
    grep -q 'everything is fine' second.txt
    [ ! -e "$spool/.doctor" ]
    both # and again
    [ "$first$second" = 00 ]
}
check good_hosts

hosts_of_one_name() {
    fresh
    both one one
    [ "$first$second" = 11 ]
    grep -q 'both hosts have the same name' first.txt
    grep -q 'both hosts have the same name' second.txt
}
check hosts_of_one_name

locks_that_stay_at_home() {
    fresh
    shim locks 'int flock(int fd, int how) { (void)fd; (void)how; return 0; }'
    both one two '' LD_PRELOAD="$PWD/locks.so"
    [ "$first$second" = 11 ]
    grep -q 'locks do not work between these hosts' first.txt
    grep -q 'locks do not work between these hosts' second.txt
}
check locks_that_stay_at_home

clocks_that_differ() {
    fresh
    # shellcheck disable=SC2016
    shim late 'int clock_gettime(clockid_t id, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, t);
    if (id == CLOCK_REALTIME) t->tv_sec += 300;
    return result; }'
    both one two '' LD_PRELOAD="$PWD/late.so"
    [ "$first$second" = 10 ]
    grep -qE 'the clocks of the hosts differ by (299|300|301) s' first.txt
}
check clocks_that_differ

a_host_without_a_name() {
    fresh
    on localhost ap-job doctor >said 2>&1
    grep -q "this host is called 'localhost'" said
    on one ap-job doctor >said 2>&1
    if grep -q "is called" said; then return 1; fi
}
check a_host_without_a_name

finish
