#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-8d --sofa: sets that libmysofa cannot read are said to be that, and the way out that is told works.
. "$(dirname "$0")/lib.sh"

kemar=/usr/share/libmysofa/default.sofa
sox -n -r 44100 -c 2 -b 16 tone.wav synth 1 pinknoise vol 0.3
with_set() { ap-8d -q --sofa "$1" --wet 0 --no-limit tone.wav -t wav; }
with_set "$kemar" >expected.wav

# stored_as OPTION...: what h5repack makes of the set with these options is refused; repacked as the message says, it is the
# same set.
stored_as() {
    command -v h5repack >/dev/null || skip "h5repack is missing (hdf5-tools)"
    local way
    rm -f stored.sofa again.sofa
    h5repack "$@" "$kemar" stored.sofa
    fails 1 with_set stored.sofa >/dev/null
    [ "$(wc -l <stderr)" -eq 1 ]
    grep -q "cannot use 'stored.sofa' as HRTF set" stderr
    way=$(sed -n 's/.*\(h5repack .*\) OLD NEW$/\1/p' stderr)
    $way stored.sofa again.sofa
    with_set again.sofa | cmp - expected.wav
}
check stored_as -f GZIP=4
check stored_as -f SHUF
check stored_as -f NONE
check stored_as -f FLET
check stored_as -l Data.IR:CHUNK=17x1x13
check stored_as -f NONE -l Data.IR:CHUNK=64x2x64
check stored_as -l COMPA

# broken_by VALUE: one response of the set is this value throughout
broken_by() {
    python3 -c 'import h5py' || skip "python3-h5py is missing"
    cp "$kemar" broken.sofa
    chmod u+w broken.sofa
    python3 -c "
import h5py
with h5py.File('broken.sofa', 'r+') as f:
    f['Data.IR'][100, 1, :] = float('$1')"
    fails 1 with_set broken.sofa >/dev/null
    grep -q "responses are silent or not numbers" stderr
}
python3() { if command python3 -c 'import h5py' 2>/dev/null; then command python3 "$@"; else /usr/bin/python3 "$@"; fi; }
check broken_by 0
check broken_by nan
check broken_by inf

no_sofa_at_all() {
    fails 1 with_set tone.wav >/dev/null
    grep -q "cannot use 'tone.wav' as HRTF set: not a SOFA file$" stderr
    head -c 100000 "$kemar" >cut.sofa
    fails 1 with_set cut.sofa >/dev/null
    fails 1 with_set missing.sofa >/dev/null
    grep -q "No such file or directory" stderr
}
check no_sofa_at_all

finish
