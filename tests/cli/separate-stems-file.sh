#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate -o NAME.stem.mp4: Stems, as ffprobe, ffmpeg and mutagen see them.
. "$(dirname "$0")/lib.sh"
separate_inputs
cp "$golden/htdemucs-6s-tiny.th" models/six.th
cp "$tests_folder"/data/roformer/{mdx23c,mel-duet}.{ckpt,yaml} models
ap-encode song.wav --tag TITLE="A song" --tag ARTIST=Somebody -o song.flac

entries() { ffprobe -v error -show_entries "$2" -of csv=p=0 "$1"; }
# track FILE NUMBER: its samples
track() { ffmpeg -v error -i "$1" -map "0:a:$2" -f f32le -; }
# atom FILE: the text of moov/udta/stem
atom() {
    /usr/bin/python3 - "$1" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()

def inside(at, end, kind):
    found = []
    while at < end:
        size, name = struct.unpack(">I4s", data[at:at + 8])
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
        assert 8 <= size and at + size <= end, (at, size, end)
        if name == kind:
            found.append((at + head, at + size))
        at += size
    assert at == end and len(found) == 1, (kind, found)
    return found[0]

print(data[slice(*inside(*inside(*inside(0, len(data), b"moov"), b"udta"), b"stem"))].decode())
END
}

"${tiny[@]}" song.wav -o want --bits float
"${tiny[@]}" song.flac -o song.stem.mp4

has_five_tracks() {
    [ "$(entries song.stem.mp4 stream=codec_name,sample_rate,channels | sort -u)" = aac,44100,2 ]
    [ "$(entries song.stem.mp4 stream_disposition=default | tr '\n' ' ')" = "1 0 0 0 0 " ]
    [ "$(entries song.stem.mp4 format_tags=major_brand)" = "M4A " ]
    atom song.stem.mp4 >text
    /usr/bin/python3 - <<'END'
import json
import mutagen.mp4
text = json.load(open("text"))
assert [s["name"] for s in text["stems"]] == ["Drums", "Bass", "Other", "Vocals"], text
assert all(len(s["color"]) == 7 for s in text["stems"]) and text["version"] == 1
assert not text["mastering_dsp"]["limiter"]["enabled"] and not text["mastering_dsp"]["compressor"]["enabled"]
file = mutagen.mp4.MP4("song.stem.mp4")
assert file.info.codec == "mp4a.40.2" and file.info.channels == 2 and 0.5 <= file.info.length < 0.55  # it counts the delay, too
END
}
check has_five_tracks

lossless_tracks_are_the_stems() {
    "${tiny[@]}" song.wav -o alac.stem.mp4 --stem-codec alac
    [ "$(entries alac.stem.mp4 stream=codec_name,bits_per_raw_sample | sort -u)" = alac,24 ]
    for i in 0 1 2 3 4; do
        track alac.stem.mp4 "$i" >"track$i"
    done
    ap-decode song.wav | samples -t au - >mix
    samples want/drums.wav >drums && samples want/bass.wav >bass && samples want/other.wav >other && samples want/vocals.wav >vocals
    /usr/bin/python3 - <<'END'
import numpy as np
for i, name in enumerate(["mix", "drums", "bass", "other", "vocals"]):
    a, b = (np.fromfile(path, "f4") for path in (f"track{i}", name))
    assert len(a) == len(b) == 44100 and abs(a - np.clip(b, -1, 1)).max() < 2e-7, (name, len(a), len(b))
END
    track song.stem.mp4 0 >aac # padded by ffmpeg to whole packets
    /usr/bin/python3 - <<'END'
import numpy as np
a, b = np.fromfile("aac", "f4"), np.fromfile("mix", "f4")
assert abs(len(a) - len(b)) < 2 * 1024
n = min(len(a), len(b)) // 2
a, b = a[:2 * n:2], b[:2 * n:2]
match = np.fft.irfft(np.fft.rfft(a, 4 * n) * np.conj(np.fft.rfft(b, 4 * n)))
assert match.argmax() == 0 and match[0] > 0.8 * (b ** 2).sum(), (match.argmax(), match[0] / (b ** 2).sum())
END
}
check lossless_tracks_are_the_stems

has_four_stems_of_any_model() {
    ap-separate -q -j 2 -n six song.wav -o six.stem.mp4 --stem-codec alac
    ap-separate -q -j 2 -n six song.wav -o six --bits float
    ap-mix six/other.wav six/guitar.wav six/piano.wav -t wav --bits float -o rest.wav
    track six.stem.mp4 3 >other
    samples rest.wav >want-other
    /usr/bin/python3 -c 'import numpy as np
a, b = np.fromfile("other", "f4"), np.fromfile("want-other", "f4")
assert abs(a - np.clip(b, -1, 1)).max() < 4e-7'
    fails 2 ap-separate -q -n mdx23c song.wav -o three.stem.mp4
    grep -q "a .stem.mp4 file has four stems, model 'mdx23c' 3: make four of them by --mix" stderr
    [ ! -e three.stem.mp4 ]
    ap-separate -q -n mel-duet --mix he=male --mix she=female --mix both=male+female --mix none=mix-male-female song.wav -o duet.stem.mp4
    atom duet.stem.mp4 | grep -q '"name":"He".*"name":"She".*"name":"Both".*"name":"None"'
    fails 2 "${tiny[@]}" -c 1 song.wav -o mono.stem.mp4
    fails 2 "${tiny[@]}" song.wav -o bad.stem.mp4 --stem-codec mp3
    grep -q "codec 'mp3' is not one of aac, alac" stderr
    [ ! -e mono.stem.mp4 ] && [ ! -e bad.stem.mp4 ]
}
check has_four_stems_of_any_model

tags_rates_and_many() {
    [ "$(entries song.stem.mp4 format_tags=title,artist)" = "A song,Somebody" ]
    sox song.wav -r 32000 low.wav
    "${tiny[@]}" low.wav song.wav -o 'dj/{name}.stem.mp4'
    [ "$(cd dj && echo *)" = "low.stem.mp4 song.stem.mp4" ]
    [ "$(entries dj/low.stem.mp4 stream=sample_rate | sort -u)" = 44100 ]
    atom dj/low.stem.mp4 >/dev/null
    "${tiny[@]}" song.wav -o again.stem.mp4
    cmp again.stem.mp4 dj/song.stem.mp4
}
check tags_rates_and_many

finish
