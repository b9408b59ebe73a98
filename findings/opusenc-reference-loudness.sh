#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# opusenc (opus-tools 0.2, Debian 12) reads REPLAYGAIN_REFERENCE_LOUDNESS=-18.00 LUFS, which tools for ReplayGain 2.0
# write, as decibels of sound pressure, and puts a gain of more than 100 dB into the header of the Opus file.
#
# One would guess that the tag is ignored, or that "LUFS" is understood. It is neither: the number is taken for the
# "89.0 dB" of ReplayGain 1, so the difference of 107 dB is added to the album's gain. A player that obeys the header
# plays noise at full scale. With a gain of the track alone nothing happens, so that a test with one song finds nothing.
#
# Seen: REPLAYGAIN_ALBUM_GAIN=-1.77 dB alone gives "Playback gain: -6.76953 dB", which is right (RFC 7845 puts 5 dB
# between the two scales); with the reference beside it 100.23 dB; a track's gain with the reference 0 dB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q download opus-tools=0.2-1+b1 libopusenc0=0.2.1-2 flac=1.4.2+ds-2 >/dev/null 2>&1
for package in *.deb; do
    dpkg-deb -f "$package" Package Version | tr '\n' ' '
    dpkg -x "$package" root
done
echo
export PATH=$folder/root/usr/bin:$PATH LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
python3 -c "
import wave
w = wave.open('tone.wav', 'wb')
w.setparams((1, 2, 48000, 48000, 'NONE', ''))
w.writeframes(bytes(i // 50 % 2 * 20 for i in range(96000)))"
# gain_of TAG...: the gain that opusinfo finds in the header
gain_of() {
    local tags=() tag
    for tag; do tags+=("--tag=$tag"); done
    flac -s -f "${tags[@]}" tone.wav -o tone.flac
    opusenc --quiet tone.flac tone.opus
    opusinfo tone.opus | sed -n 's/.*Playback gain: *//p'
}
reference='REPLAYGAIN_REFERENCE_LOUDNESS=-18.00 LUFS'
album=$(gain_of 'REPLAYGAIN_ALBUM_GAIN=-1.77 dB')
both=$(gain_of 'REPLAYGAIN_ALBUM_GAIN=-1.77 dB' "$reference")
track=$(gain_of 'REPLAYGAIN_TRACK_GAIN=-6.00 dB' "$reference")
echo "album: $album; album with the reference: $both; track with the reference: $track"
[ "$album, $both, $track" = '-6.76953 dB, 100.23 dB, 0 dB' ]
echo 'as described'
