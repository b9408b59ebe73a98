# SPDX-License-Identifier: GPL-3.0-or-later
# lib.sh - what the command line tests share. Source it; each test is a function whose name is passed to `check`:
#
#     . "$(dirname "$0")/lib.sh"
#     keeps_the_length() { ...; [ "$a" = "$b" ]; }
#     check keeps_the_length
#     finish
#
# Tests run in a folder of their own, with the built commands first in PATH.
# shellcheck shell=bash
set -uo pipefail
tests_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export tests_folder
work=$(mktemp -d)
# What a test or a check leaves running ends with it, also when it fails or is interrupted.
end_children() { pkill -TERM -P "$BASHPID" || true; }
trap 'end_children; cd /; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
export AUDIOPIPE_CONFIG= # not what the user of this machine wants

# check NAME [ARGS...]: runs the function; every command in it has to succeed unless it is part of a condition.
check() {
    local status
    (
        set -eE
        trap 'echo "line $LINENO: exit $? of: $BASH_COMMAND" >&2' ERR
        trap end_children EXIT
        "$@"
    ) >"$work/.log" 2>&1 # not inside a condition, which would switch set -e off
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok $*"
    elif [ $status -eq $skipped ]; then
        echo "ok $* # skipped: $(tail -n 1 "$work/.log")"
    else
        failures=$((failures + 1))
        sed 's/^/    /' "$work/.log" >&2
        [ -s "$work/.log" ] || echo "    exit $status, and nothing was printed" >&2
        echo "not ok $*"
    fi
}

# skip REASON: ends the running check, which counts as passed and says why it was not made.
skipped=77
skip() {
    echo "$*" >>"$work/.log" # wherever the output goes at the moment
    exit $skipped
}

finish() {
    [ "$failures" -eq 0 ]
    exit
}

# fails STATUS COMMAND...: succeeds when the command exits with the status; its stderr is kept in ./stderr.
fails() {
    local want=$1 got=0
    shift
    "$@" 2>stderr || got=$?
    [ "$got" -eq "$want" ] && return
    echo "exit $got, not $want: $*" >&2
    cat stderr >&2
    return 1
}

# free_ports COUNT: the first of so many free ones in a row
free_ports() {
    /usr/bin/python3 -c 'import random, socket, sys
while True:
    port = random.randrange(20000, 32000)
    try:
        servers = [socket.create_server(("127.0.0.1", port + i)) for i in range(int(sys.argv[1]))]
        break
    except OSError:
        pass
print(port)' "$1"
}

# have COMMAND...: whether all of them are here; of several "command -v" asks for one only
have() {
    local name
    for name; do command -v "$name" >/dev/null || return 1; done
}

# in_namespace FUNCTION: runs it in a mount namespace of its own, where it may mount. Containers may forbid that.
in_namespace() {
    local functions
    unshare -rm mount -t tmpfs none /mnt 2>/dev/null || skip "nothing may be mounted here"
    mapfile -t functions < <(compgen -A function)
    declare -fx "${functions[@]}"
    unshare -rm bash -ec "$1"
}

# as_nobody COMMAND...: runs it as a user without any rights.
as_nobody() {
    local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${user[@]}" true 2>/dev/null || skip "no other user can be taken on here"
    "${user[@]}" test -x "$(command -v "$1")" || skip "other users cannot read this folder"
    "${user[@]}" "$@"
}

# is_running PID: and no zombie that nobody has reaped
is_running() { [ -e "/proc/$1/stat" ] && [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" != Z ]; }

# ---- sounds

# samples FILE [OPTION...]: raw float samples of any file that sox reads
samples() { sox -V1 "$@" -t f32 -; }

# frames FILE: how many a file has by its header
frames() { soxi -s "$1"; }

# near A B TOLERANCE: numbers
near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }' || {
        echo "$1 is not $2 +- $3"
        return 1
    }
}

# ---- videos

# stitch_inputs: images, a sound, and options for a video that is made soon.
# shellcheck disable=SC2034
stitch_inputs() {
    local colour
    small=(--size 160x120 --fps 10 -j 1 -q)
    for colour in red lime blue white; do
        ffmpeg -v error -f lavfi -i color=$colour:s=320x240 -frames:v 1 "$colour.png"
    done
    sox -R -n -r 44100 -c 2 -b 16 sound.wav synth 2.37 sine 440 vol 0.5
}

# of FILE STREAM ENTRY: what ffprobe says of a stream (v, a)
of() {
    ffprobe -v error -count_frames -select_streams "$2" -show_entries "stream=$3" -of csv=p=0 "$1" | head -1 | tr -d ,
}
# python_video CODE FILE...: runs the code with videos as arrays of [frame][row][column][colour]; see says whether a
# frame has about this colour at a place
python_video() {
    /usr/bin/python3 - "$@" <<'END'
import subprocess, sys, numpy

def load(name):
    probe = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", name]
    size = subprocess.run(probe, check=True, stdout=subprocess.PIPE).stdout.decode().strip().split(",")
    decode = ["ffmpeg", "-v", "error", "-xerror", "-i", name, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(decode, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not raw.stderr, raw.stderr
    return numpy.frombuffer(raw.stdout, numpy.uint8).reshape(-1, int(size[1]), int(size[0]), 3).astype(int)

def see(frame, x, y, colour, tolerance=6):
    found = frame[y - 1:y + 2, x - 1:x + 2].mean(axis=(0, 1))
    assert abs(found - colour).max() <= tolerance, (x, y, found, colour)

red, lime, blue, white, black = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
videos = [load(name) for name in sys.argv[2:]]
exec(sys.argv[1])
END
}
# boxes FILE: the types of an MP4 file's outermost boxes
boxes() {
    /usr/bin/python3 -c '
import struct, sys
data, at = open(sys.argv[1], "rb").read(), 0
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    print(kind.decode())
    at += size' "$1"
}

# ---- stems

# separate_inputs: a small model of random weights, half a second of music, and how to separate it.
# shellcheck disable=SC2034
separate_inputs() {
    golden=$tests_folder/data/demucs
    export HOME=$PWD/home AUDIOPIPE_MODELS=$PWD/models
    unset XDG_DATA_HOME XDG_CACHE_HOME TORCH_HOME
    mkdir -p home models
    cp "$golden/htdemucs-tiny.th" models/tiny.th
    tiny=(ap-separate -q -j 2 -n tiny)
    the_stems=(drums bass other vocals)
    sox -D "$golden/mix.wav" song.wav trim 0 0.5 vol 0.25 # so that sox, which clips, can read the stems
    ap-decode song.wav >song.au
}

# largest EXPRESSION FILE...: the largest |sample| of an expression of the files' samples a, b, c...
largest() {
    /usr/bin/python3 - "$@" <<'END'
import subprocess
import sys
import numpy as np
values = [np.frombuffer(subprocess.run(["sox", "-V1", path, "-t", "f32", "-"], stdout=subprocess.PIPE,
                                       check=True).stdout, "f4").astype("f8") for path in sys.argv[2:]]
assert len(set(map(len, values))) == 1, list(map(len, values))
print("%.9f" % abs(eval(sys.argv[1], dict(zip("abcdefgh", values)))).max())
END
}

differs() { # FILE FILE
    if cmp -s "$1" "$2"; then return 1; fi
}

below() { awk -v x="$1" -v y="$2" 'BEGIN { exit !(x <= y) }'; }
