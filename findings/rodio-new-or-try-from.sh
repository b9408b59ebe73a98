#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# rodio 0.23.0 (crates.io), which plays sound in Rust, opens the same file differently by Decoder::new and Decoder::try_from.
#
# One would guess that the two are one: the type asks for Read and Seek both times. But "new" keeps to itself that it may seek.
# An M4A as FFmpeg writes it, whose index stands at the end, is "not recognized" then, every CAF an "IO error", and Ogg
# Vorbis has some samples of its last block too many, since the last page, which says where the sound ends, is not looked
# for. try_from(File) asks for the file's length and reads them all.
#
# Seen, 132300 frames: new: Ogg 132352, M4A and CAF errors; try_from: Ogg and CAF 132300, M4A 134144 (whole blocks).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
sox -R -n -r 44100 -b 16 -c 2 a.wav synth 3 pinknoise gain -6
ffmpeg -v error -i a.wav -c:a libvorbis a.ogg
ffmpeg -v error -i a.wav a.m4a
ffmpeg -v error -i a.wav -c:a pcm_s16le a.caf
mkdir -p play/src
cat >play/Cargo.toml <<'END'
[package]
name = "play"
version = "0.0.0"
edition = "2021"
[dependencies]
rodio = { version = "=0.23.0", default-features = false, features = ["symphonia-all"] }
END
cat >play/src/main.rs <<'END'
use rodio::{decoder::DecoderError, Decoder, Source};
use std::{fs::File, io::{BufReader, Read, Seek}};

fn frames<R: Read + Seek>(decoder: Result<Decoder<R>, DecoderError>) -> String {
    match decoder {
        Ok(sound) => {
            let channels = sound.channels().get() as usize;
            (sound.count() / channels).to_string()
        }
        Err(error) => error.to_string(),
    }
}

fn main() {
    for path in std::env::args().skip(1) {
        let open = || File::open(&path).unwrap();
        println!("{} new: {}", path, frames(Decoder::new(BufReader::new(open()))));
        println!("{} try_from: {}", path, frames(Decoder::try_from(open())));
    }
}
END
CARGO_TARGET_DIR=$folder/target cargo build -q --manifest-path play/Cargo.toml
target/debug/play a.wav a.ogg a.m4a a.caf | tee seen
diff seen - <<'END'
a.wav new: 132300
a.wav try_from: 132300
a.ogg new: 132352
a.ogg try_from: 132300
a.m4a new: The format of the data has not been recognized.
a.m4a try_from: 134144
a.caf new: An IO error occurred while reading, writing, or seeking the stream.
a.caf try_from: 132300
END
echo 'as described'
