#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# hound 3.5.1 (crates.io), the WAV reader of most Rust programs, does not know the padding byte behind a chunk of odd size:
# a valid WAV with such a chunk before its data is refused.
#
# One would guess that a reader which skips unknown chunks skips their padding, which RIFF has had since 1991. hound goes on
# one byte too early, takes the padding for the first letter of the next chunk's name, and loses its way: "Failed to read
# enough bytes." It is a title or a comment of odd length that makes the difference between a file that opens and one
# that does not. Writers are safe with even sizes, or with everything but fmt behind the data.
#
# Seen: without a chunk, and with one of 4 bytes, 1000 samples; with one of 3 bytes and its padding the error above.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 - <<'END'
import struct


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


for name, extra in [("none", b""), ("even", chunk(b"note", b"abcd")), ("odd", chunk(b"note", b"abc"))]:
    fmt = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    body = b"WAVE" + fmt + extra + chunk(b"data", bytes(2000))
    open(name + ".wav", "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)
END
mkdir -p reader/src
cat >reader/Cargo.toml <<'END'
[package]
name = "reader"
version = "0.0.0"
edition = "2021"
[dependencies]
hound = "=3.5.1"
END
cat >reader/src/main.rs <<'END'
fn main() {
    for path in std::env::args().skip(1) {
        match hound::WavReader::open(&path) {
            Ok(reader) => println!("{}: {} samples", path, reader.duration()),
            Err(error) => println!("{}: {}", path, error),
        }
    }
}
END
CARGO_TARGET_DIR=$folder/target cargo build -q --manifest-path reader/Cargo.toml
seen=$(target/debug/reader none.wav even.wav odd.wav)
echo "$seen"
[ "$seen" = 'none.wav: 1000 samples
even.wav: 1000 samples
odd.wav: Failed to read enough bytes.' ]
echo 'as described'
