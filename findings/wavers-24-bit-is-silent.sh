#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# wavers 1.5.1 (crates.io), a WAV reader for Rust, gives the samples of 24-bit files as floats that are 256 times too small:
# everything is 48 dB softer.
#
# One would guess that "as f32" puts full scale at 1 whatever the size of the file's samples, as it does for 16 and 32 bits. Of 24
# bits the three bytes are taken as a number of 24 bits and divided by the full scale of 32. Nothing is refused, and a program
# that normalises afterwards hides it; one that measures loudness or mixes a 24-bit file with a 16-bit one does not.
#
# Seen, the peak of a square wave of half of full scale: 16 bits 0.5, 24 bits 0.00195, 32 bits 0.5, float 0.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for bits in 16 24 32; do sox -D -r 8000 -n -c 1 -b "$bits" "$bits.wav" synth 1 square 500 vol 0.5; done
sox -D -r 8000 -n -c 1 -e floating-point -b 32 float.wav synth 1 square 500 vol 0.5
mkdir -p peak/src
cat >peak/Cargo.toml <<'END'
[package]
name = "peak"
version = "0.0.0"
edition = "2021"
[dependencies]
wavers = "=1.5.1"
END
cat >peak/src/main.rs <<'END'
fn main() {
    for path in std::env::args().skip(1) {
        let mut wav = wavers::Wav::<f32>::from_path(&path).unwrap();
        let peak = wav.read().unwrap().iter().fold(0f32, |peak, sample| peak.max(sample.abs()));
        println!("{} {:.5}", path, peak);
    }
}
END
CARGO_TARGET_DIR=$folder/target cargo build -q --manifest-path peak/Cargo.toml
target/debug/peak 16.wav 24.wav 32.wav float.wav | tee seen
diff seen - <<'END'
16.wav 0.50002
24.wav 0.00195
32.wav 0.50000
float.wav 0.50000
END
echo 'as described'
