# SPDX-License-Identifier: GPL-3.0-or-later
# many-lib.sh - what the tests of many inputs share: a tree of which five files are music, and one where four of
# 13 files are bad.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p music/A/deep 'music/B side' home
sox -n -r 44100 -c 2 -b 16 tone.wav synth 0.5 sine 440 vol 0.3
chmod 755 .
cp tone.wav music/A/one.wav
cp tone.wav 'music/A/deep/zwei drei é.WAV'
sox tone.wav 'music/B side/one.flac'
sox tone.wav -t flac 'music/B side/no extension'
echo 'a picture' >'music/B side/cover.jpg'
cp tone.wav music/.hidden.wav
ln -s .. music/A/loop
ln -s ../A/one.wav 'music/B side/link.wav'
mkfifo music/A/pipe.wav

# files FOLDER: what is in it
files() { (cd "$1" && find . -type f | LC_ALL=C sort); }
bad_inputs() {
    local i
    mkdir -p bad/sub bad/z
    for i in 1 2 3 4 5 6 7 8 9; do cp tone.wav "bad/z/$i.wav"; done
    head -c 3000 tone.wav >bad/cut.wav
    echo words >bad/sub/no.mp3
    : >bad/empty.flac
    ln -s nowhere bad/gone.wav
}
