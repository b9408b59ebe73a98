#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# LAME 3.100 (Debian 12: lame 3.100-6) makes everything quieter at the bit rates of podcasts, by 5 % up to 160 kbit/s,
# and at every bit rate when the sample rate is 22.05 kHz. "--scale 1" does not prevent it.
#
# One would guess that an encoder keeps the level: neither --help nor the summary that it prints says otherwise. The
# presets behind -b set the scale for headroom, so a file that was normalised to -16.0 LUFS is at -16.45 afterwards, and
# no measurement of the source shows it. The preset's factor multiplies that of --scale: only its inverse, 1.0526, gives
# the level back.
#
# Seen, a sine of half of full scale, RMS after decoding by mpg123 over RMS before: 0.950 at 96, 128 and 160 kbit/s,
# 1.000 at 256 and 320, 0.950 at 22.05 kHz and 160; the same six with --scale 1; 1.000 at 128 with --scale 1.0526.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q download lame=3.100-6 libmp3lame0=3.100-6 mpg123=1.31.2-1+deb12u1 libmpg123-0=1.31.2-1+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export PATH=$folder/root/usr/bin:$PATH LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
python3 - <<'END'
import array
import math
import subprocess
import wave


def ratio(rate, kbps, *more):
    frames = [int(16384 * math.sin(2 * math.pi * 441 * i / rate)) for i in range(4 * rate)]
    with wave.open("in.wav", "wb") as w:
        w.setparams((2, 2, rate, 0, "NONE", ""))
        w.writeframes(array.array("h", [v for f in frames for v in (f, f)]).tobytes())
    subprocess.run(["lame", "--quiet", "-b", str(kbps), "--resample", str(rate / 1000), *more, "in.wav", "x.mp3"], check=True)
    raw = subprocess.run(["mpg123", "-q", "-s", "x.mp3"], check=True, capture_output=True).stdout
    out = array.array("h", raw)[2 * rate:4 * rate]
    rms = math.sqrt(sum(v * v for v in out) / len(out))
    return round(rms / (16384 / math.sqrt(2)), 2)


cases = [(44100, 96), (44100, 128), (44100, 160), (44100, 256), (44100, 320), (22050, 160)]
seen = [ratio(*c) for c in cases]
told = [ratio(*c, "--scale", "1") for c in cases]
cured = ratio(44100, 128, "--scale", "1.0526")
print(dict(zip(cases, seen)), told, cured)
assert seen == [0.95, 0.95, 0.95, 1.0, 1.0, 0.95], seen
assert told == seen and cured == 1.0, (told, cured)
print("as described")
END
