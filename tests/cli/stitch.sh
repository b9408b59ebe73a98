#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-stitch: videos that ffprobe and ffmpeg read as they were asked for, from images and sound of any kind.
. "$(dirname "$0")/lib.sh"

small=(--size 160x120 --fps 10 -j 1 -q)
for colour in red lime blue white; do
    ffmpeg -v error -f lavfi -i color=$colour:s=320x240 -frames:v 1 "$colour.png"
done
sox -R -n -r 44100 -c 2 -b 16 sound.wav synth 2.37 sine 440 vol 0.5

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

# Frames, seconds of both streams within a frame of each other, size, rate, codecs, colours.
streams_are_as_asked_for() { # FORMAT VIDEO AUDIO
    ap-stitch "${small[@]}" -a sound.wav red.png lime.png blue.png -o "x.$1"
    [ "$(of "x.$1" v codec_name)" = "$2" ]
    [ "$(of "x.$1" a codec_name)" = "$3" ]
    [ "$(of "x.$1" v nb_read_frames)" = 24 ]
    [ "$(of "x.$1" v width,height | tr -d '\n')" = 160120 ]
    [ "$(of "x.$1" v r_frame_rate)" = 10/1 ]
    [ "$(of "x.$1" v pix_fmt)" = yuv420p ]
    [ "$(of "x.$1" v color_range)" = tv ]
    [ "$(of "x.$1" v color_space)" = bt709 ]
    ffprobe -v error -show_entries format=duration -of csv=p=0 "x.$1" | awk '{ exit !($1 > 2.35 && $1 < 2.45) }'
    ffmpeg -v error -i "x.$1" -f f32le -ac 1 - | wc -c | awk -v rate="$(of "x.$1" a sample_rate)" '{
        exit !($1 / 4 / rate > 2.3 && $1 / 4 / rate < 2.47) }'
    python_video 'v = videos[0]
for i, colour in enumerate([red, lime, blue]):
    for frame in v[8 * i:8 * i + 8]:
        see(frame, 80, 60, colour)' "x.$1"
}
check streams_are_as_asked_for mp4 h264 aac
check streams_are_as_asked_for mkv h264 aac
check streams_are_as_asked_for webm vp9 opus

index_is_in_front() {
    ap-stitch "${small[@]}" -a sound.wav red.png -o x.mp4
    [ "$(boxes x.mp4 | grep -n moov | cut -d: -f1)" -lt "$(boxes x.mp4 | grep -n mdat | cut -d: -f1)" ]
    [ "$(boxes x.mp4 | head -1)" = ftyp ]
    ap-stitch "${small[@]}" -a sound.wav -t mp4 red.png >piped.mp4
    cmp x.mp4 piped.mp4
    ap-stitch "${small[@]}" -a sound.wav -t webm red.png | cat >piped.webm
    [ "$(of piped.webm v nb_read_frames)" = 24 ]
}
check index_is_in_front

# A still is one key frame and what changes nothing, over more than one group; a second decoder sees the same.
stills_stand_still() {
    ffmpeg -v error -y -f lavfi -i testsrc2=s=320x240 -frames:v 1 test.png
    for format in mp4 webm; do
        ap-stitch --size 320x240 -q --no-audio -d 20 test.png red.png -o "still.$format"
        [ "$(of "still.$format" v nb_read_frames)" = 1200 ]
        ffmpeg -v error -xerror -i "still.$format" -f framemd5 - | awk -F, '!/^#/ { print $6 }' | uniq -c >runs
        [ "$(awk '{ print $1 }' runs | tr '\n' ' ')" = "600 600 " ]
        ffprobe -v error -select_streams v -show_entries packet=flags -of csv=p=0 "still.$format" | grep -n K |
            cut -d: -f1 | tr '\n' ' ' >keys
        [ "$(cat keys)" = "1 251 501 601 851 1101 " ]
    done
    ffmpeg -v error -c:v libvpx-vp9 -i still.webm -f framemd5 - | awk -F, '!/^#/ { print $6 }' | uniq -c >runs
    [ "$(awk '{ print $1 }' runs | tr '\n' ' ')" = "600 600 " ]
    ffmpeg -v info -i still.mp4 -i test.png -lavfi '[0]trim=end_frame=500[a];[1]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[b];[a][b]psnr' -f null - 2>&1 |
        sed -n 's/.*average:\([0-9]*\).*/\1/p' >psnr
    [ "$(cat psnr)" -ge 40 ]
}
check stills_stand_still

# Y, Cb, Cr of a plain colour against the formulas of BT.709.
colours_are_bt709() {
    for colour in 255,0,0 0,255,0 0,0,255 255,255,255 0,0,0 128,128,128 200,30,90 10,120,240; do
        ffmpeg -v error -y -f lavfi -i "color=0x$(tr , '\n' <<<"$colour" | xargs printf %02x):s=64x64,format=rgb24" -frames:v 1 c.png
        for format in mp4 webm; do
            ap-stitch --size 64x64 --fps 5 -q -j 1 --no-audio -d 0.4 c.png -o "c.$format"
            ffmpeg -v error -i "c.$format" -f rawvideo -pix_fmt yuv420p - | /usr/bin/python3 -c '
import sys, numpy
r, g, b = (int(x) / 255 for x in sys.argv[1].split(","))
y = 0.2126 * r + 0.7152 * g + 0.0722 * b
want = [16 + 219 * y, 128 + 224 * (b - y) / 1.8556, 128 + 224 * (r - y) / 1.5748]
data = numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8)[:64 * 64 * 3 // 2].astype(int)
for plane, value in zip([data[:4096], data[4096:5120], data[5120:]], want):
    assert abs(plane - value).max() <= 2, (sys.argv, plane.min(), plane.max(), value)' "$colour"
        done
    done
}
check colours_are_bt709

# The same picture in all formats. JPEG is full range BT.601.
image_formats() {
    ffmpeg -v error -y -f lavfi -i color=0xC85028:s=100x100,format=rgb24 -frames:v 1 i.png
    ffmpeg -v error -y -i i.png -q:v 1 i.jpg -q:v 1 -pix_fmt yuvj444p i444.jpg -c:v libwebp -quality 100 i.webp \
        -c:v libwebp -lossless 1 ill.webp -pix_fmt rgb48be i16.png -pix_fmt pal8 i8.png
    ffmpeg -v error -y -i i.png -vf 'split[a][b];[a]palettegen[p];[b][p]paletteuse' i.gif
    for image in i.jpg i444.jpg i.png i16.png i8.png i.webp ill.webp i.gif; do
        ap-stitch "${small[@]}" --no-audio -d 0.2 "$image" -o i.mp4
        python_video 'see(videos[0][0], 80, 60, (200, 80, 40), 5)' i.mp4
    done
    ffmpeg -v error -y -i i.png -pix_fmt gray grey.png
    ap-stitch "${small[@]}" --no-audio -d 0.2 grey.png -o i.mp4
    python_video 'see(videos[0][0], 80, 60, (110, 110, 110))' i.mp4
    # the first picture of an animation, whatever comes after it
    ffmpeg -v error -y -f lavfi -i color=red:s=64x48:r=5:d=1 -f lavfi -i color=blue:s=64x48:r=5:d=1 -lavfi '[0][1]concat' many.gif
    ap-stitch "${small[@]}" --no-audio -d 0.2 many.gif -o i.mp4
    python_video 'see(videos[0][0], 80, 60, red); assert len(videos[0]) == 2' i.mp4
}
check image_formats

turned_as_exif_says() {
    /usr/bin/python3 -c '
import struct, subprocess, numpy
stored = numpy.zeros((80, 120, 3), numpy.uint8)
stored[:40, :60], stored[:40, 60:], stored[40:, :60], stored[40:, 60:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
subprocess.run("ffmpeg -v error -y -f rawvideo -pix_fmt rgb24 -s 120x80 -i - -q:v 1 -pix_fmt yuvj444p stored.jpg".split(),
               input=stored.tobytes(), check=True)
jpeg = open("stored.jpg", "rb").read()
for o in range(1, 9):
    tiff = b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHHI", 0x112, 3, 1, o, 0, 0)
    body = b"Exif\0\0" + tiff
    open("exif%d.jpg" % o, "wb").write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:])'
    ap-stitch --size 120x120 --fps 10 -q -j 1 --no-audio -d 0.2 exif[1-8].jpg -o exif.mp4
    python_video '
stored = numpy.array([[red, lime], [blue, white]])
upright = [stored, stored[:, ::-1], stored[::-1, ::-1], stored[::-1], stored.transpose(1, 0, 2), numpy.rot90(stored, -1),
           stored[::-1, ::-1].transpose(1, 0, 2), numpy.rot90(stored)]
for i, want in enumerate(upright):
    frame = videos[0][2 * i]
    wide, high = (60, 40) if i < 4 else (40, 60)
    for row in 0, 1:
        for column in 0, 1:
            see(frame, 60 + (column * 2 - 1) * wide // 2, 60 + (row * 2 - 1) * high // 2, want[row][column], 8)
    see(frame, 60, 5 if i < 4 else 60 - 50, black if i < 4 else want.mean(axis=(0, 1)), 300 if i >= 4 else 6)
    see(frame, 5, 60, black if i >= 4 else black, 300 if i < 4 else 6)' exif.mp4
}
check turned_as_exif_says

# Half red, half nothing at all under which there is green.
transparent_is_black() {
    /usr/bin/python3 -c '
import subprocess, numpy
image = numpy.zeros((120, 160, 4), numpy.uint8)
image[:, :80], image[:, 80:] = (255, 0, 0, 128), (0, 255, 0, 0)
for name in "alpha.png", "alpha.webp":
    subprocess.run(("ffmpeg -v error -y -f rawvideo -pix_fmt rgba -s 160x120 -i - -lossless 1 " + name).split()
                   if "webp" in name else ("ffmpeg -v error -y -f rawvideo -pix_fmt rgba -s 160x120 -i - " + name).split(),
                   input=image.tobytes(), check=True)'
    ap-stitch "${small[@]}" --no-audio -d 0.2 alpha.png alpha.webp -o alpha.mp4
    python_video '
for frame in videos[0]:
    see(frame, 40, 60, (128, 0, 0), 8)
    see(frame, 120, 60, black)
    assert frame[:, :, 1].max() < 40' alpha.mp4
}
check transparent_is_black

fits() {
    # a wide image: red, with a lime left half and a blue edge on both sides
    ffmpeg -v error -y -f lavfi -i 'color=red:s=400x100,drawbox=0:0:200:100:lime:fill,drawbox=0:0:20:100:blue:fill,drawbox=380:0:20:100:blue:fill' \
        -frames:v 1 wide.png
    for fit in contain cover blur; do
        ap-stitch --size 200x200 --fps 10 -q -j 1 --no-audio -d 0.2 --fit "$fit" wide.png -o "$fit.mp4"
    done
    python_video '
contain, cover, blur = (v[0] for v in videos)
see(contain, 50, 100, lime); see(contain, 150, 100, red); see(contain, 4, 100, blue, 12)
see(contain, 100, 60, black); see(contain, 100, 140, black)
see(cover, 50, 5, lime); see(cover, 150, 195, red); see(cover, 3, 100, lime); see(cover, 196, 100, red)
see(blur, 50, 100, lime); see(blur, 150, 100, red)
for x, channel in (20, 1), (180, 0): # the bars are the dark middle of it, without an edge
    assert 100 < blur[20, x, channel] < 200 and blur[20, x, 2] < 60, blur[20, x]
assert abs(numpy.diff(blur[20, :, :], axis=0)).max() < 30' contain.mp4 cover.mp4 blur.mp4
}
check fits

# From one pixel, and from odd and extreme shapes.
any_size() {
    for size in 1x1 1x2000 2000x1 3x5 639x481 5000x10; do
        ffmpeg -v error -y -f lavfi -i "color=red:s=$size,format=rgb24" -frames:v 1 size.png
        for fit in contain cover blur; do
            ap-stitch "${small[@]}" --no-audio -d 0.2 --ken-burns --fit "$fit" size.png -o size.mp4
            [ "$(of size.mp4 v nb_read_frames)" = 2 ]
        done
    done
    ap-stitch --size 16x16 -q --no-audio -d 0.2 --ken-burns size.png -o size.mp4
    [ "$(of size.mp4 v width,height | tr -d '\n')" = 1616 ]
}
check any_size

# Half of it before, half of it after the change, in the middle the mean; as long as without.
fades() {
    for format in mp4 webm; do
        ap-stitch --size 160x120 --fps 20 -q -j 1 --no-audio -d 2 --transition fade --transition-seconds 1 red.png blue.png \
            -o "fade.$format"
        python_video '
v = videos[0]
assert len(v) == 80
level = v[:, 60, 80, :]
for i, (r, g, b) in enumerate(level):
    part = min(max((i - 30 + 0.5) / 20, 0), 1)
    assert abs(r - 255 * (1 - part)) < 12 and abs(b - 255 * part) < 12 and g < 12, (i, r, g, b, part)' "fade.$format"
    done
    # as long as an image at most
    ap-stitch "${small[@]}" --no-audio -d 0.5 --transition fade --transition-seconds 10 red.png blue.png lime.png -o x.mp4
    [ "$(of x.mp4 v nb_read_frames)" = 15 ]
    ap-stitch "${small[@]}" --no-audio -d 0.5 --transition fade --transition-seconds 0 red.png blue.png -o x.mp4
    python_video 'see(videos[0][4], 80, 60, red); see(videos[0][5], 80, 60, blue)' x.mp4
}
check fades

# A cross in the middle grows, by a little with each frame.
ken_burns_moves() {
    ffmpeg -v error -y -f lavfi -i 'color=black:s=640x480,drawbox=200:0:240:480:white:fill' -frames:v 1 bar.png
    ap-stitch --size 320x240 --fps 25 -q -j 1 --no-audio -d 4 --ken-burns bar.png bar.png -o burns.mp4
    python_video '
width = (videos[0][:, 120, :, :].mean(axis=2) / 255).sum(axis=1) # of the white bar, in parts of pixels
first, second = width[:100], width[100:]
assert abs(first[0] - 120) < 2 and abs(first[-1] - 150) < 2, (first[0], first[-1])
assert abs(second[0] - 150) < 2 and abs(second[-1] - 120) < 2, (second[0], second[-1])
steps = numpy.diff(first)
assert steps.min() > -0.2 and steps.max() < 0.8, (steps.min(), steps.max())' burns.mp4
    ap-stitch --size 320x240 --fps 25 -q -j 1 --no-audio -d 1 --ken-burns --transition fade bar.png red.png -o burns.webm
    [ "$(of burns.webm v nb_read_frames)" = 50 ]
}
check ken_burns_moves

broken_images() {
    ffmpeg -v error -y -f lavfi -i testsrc2=s=320x240 -frames:v 1 -q:v 2 good.jpg
    ffmpeg -v error -y -i good.jpg good.png -c:v libwebp good.webp good.gif
    : >empty.jpg
    echo 'no image at all' >text.jpg
    mkdir -p folder.jpg
    for type in jpg png webp gif; do
        head -c $(($(stat -c %s "good.$type") / 2)) "good.$type" >"cut.$type"
    done
    /usr/bin/python3 -c '
data = bytearray(open("good.png", "rb").read())
data[len(data) // 2] ^= 0x55
open("flipped.png", "wb").write(data)'
    for bad in cut.jpg cut.png cut.webp cut.gif flipped.png empty.jpg text.jpg folder.jpg missing.jpg; do
        echo old >x.mp4
        fails 1 ap-stitch "${small[@]}" -a sound.wav red.png "$bad" blue.png -o x.mp4
        [ "$(wc -l <stderr)" -eq 1 ]
        grep -q "$bad" stderr
        [ "$(cat x.mp4)" = old ]
        fails 1 ap-stitch "${small[@]}" --skip-broken --no-audio "$bad" -o y.mp4
        grep -q "no image is left" stderr
        [ ! -e y.mp4 ]
    done
    [ -z "$(find . -name '.audiopipe*')" ]
    ap-stitch --size 160x120 --fps 10 -a sound.wav --skip-broken cut.jpg red.png text.jpg blue.png missing.jpg -o x.mp4 2>err.txt
    [ "$(wc -l <err.txt)" -eq 3 ]
    grep -q "warning: left out: .*cut.jpg" err.txt
    python_video 'assert len(videos[0]) == 24; see(videos[0][11], 80, 60, red); see(videos[0][12], 80, 60, blue)' x.mp4
}
check broken_images

sound_from_a_pipe() {
    ap-stitch "${small[@]}" -a sound.wav red.png blue.png -o file.mp4
    ap-decode sound.wav | ap-stitch "${small[@]}" red.png blue.png -o x.mp4
    cmp x.mp4 file.mp4
    ap-decode sound.wav | ap-stitch "${small[@]}" -a - red.png blue.png -o x.mp4
    cmp x.mp4 file.mp4
    sox sound.wav -t au - | ap-stitch "${small[@]}" red.png blue.png -o x.mp4 # of unknown length
    cmp x.mp4 file.mp4
    ap-stitch "${small[@]}" red.png blue.png -o x.mp4 <sound.wav
    cmp x.mp4 file.mp4
    fails 1 ap-stitch "${small[@]}" red.png -o y.mp4 < <(ap-decode sound.wav | head -c 50000)
    grep -q truncated stderr
    fails 1 ap-stitch "${small[@]}" red.png -o y.mp4 < <(:)
    [ ! -e y.mp4 ]
}
check sound_from_a_pipe

without_sound() {
    for audio in "</dev/null" "--no-audio <sound.wav"; do
        eval "ap-stitch ${small[*]} red.png blue.png -o x.mp4 $audio"
        [ "$(of x.mp4 v nb_read_frames)" = 60 ]
        [ -z "$(of x.mp4 a codec_name)" ]
    done
    ap-stitch "${small[@]}" --no-audio -d 0:01.5 red.png blue.png -o x.webm
    [ "$(of x.webm v nb_read_frames)" = 30 ]
}
check without_sound

# Images decide: the sound is cut off, or filled up with silence.
time_of_an_image() {
    ap-stitch --size 160x120 --fps 10 -a sound.wav -d 1 red.png blue.png -o x.mp4 2>err.txt
    grep -q 'warning: the last 0.370 seconds of the sound are cut off' err.txt
    [ "$(of x.mp4 v nb_read_frames)" = 20 ]
    [ "$(of x.mp4 a duration)" = 2.000000 ]
    ap-stitch --size 160x120 --fps 10 -a sound.wav -d 2 red.png blue.png -o x.mp4 2>err.txt
    grep -q 'warning: the last 1.630 seconds are silent' err.txt
    [ "$(of x.mp4 a duration)" = 4.000000 ]
    ffmpeg -v error -i x.mp4 -ss 2.5 -f f32le - | /usr/bin/python3 -c '
import sys, numpy
assert abs(numpy.frombuffer(sys.stdin.buffer.read(), "<f4")).max() < 0.001'
    fails 1 ap-stitch "${small[@]}" -a sound.wav -r 1 red.png blue.png lime.png -o y.mp4
    grep -q "3 images cannot be shown in 2.37 seconds" stderr
}
check time_of_an_image

sound_is_in_time() {
    sox -R -n -r 48000 -c 1 click.wav synth 48000s sine 1000 pad 48000s 48000s
    for format in mp4 mkv webm; do
        ap-stitch "${small[@]}" -a click.wav red.png -o "x.$format"
        start=$(of "x.$format" v start_time) # of MKV, after the delay of the encoder
        ffmpeg -v error -i "x.$format" -f f32le -ac 1 -ar 48000 - | /usr/bin/python3 -c '
import sys, numpy
x = abs(numpy.frombuffer(sys.stdin.buffer.read(), "<f4"))
loud = numpy.nonzero(x > 0.3)[0] - int(48000 * float(sys.argv[1]))
assert abs(loud[0] - 48000) < 480 and abs(loud[-1] - 96000) < 480, (loud[0], loud[-1])' "$start"
    done
}
check sound_is_in_time

any_sound() {
    for shape in "8000 1" "11025 2" "22050 3" "32000 4" "44100 5" "48000 6" "96000 7" "192000 8" "50000 2" "44100 12"; do
        # shellcheck disable=SC2086
        set -- $shape
        sox -R -n -r "$1" -c "$2" -e float -b 32 -t au any.au synth 0.5 sine 300 vol 0.5
        for format in mp4 webm; do
            if [ "$2" = 12 ]; then
                fails 1 ap-stitch "${small[@]}" -a any.au red.png -o "any.$format"
                grep -q "12 channels of unknown position" stderr
                continue
            fi
            ap-stitch "${small[@]}" -a any.au red.png -o "any.$format"
            channels=$2
            [ "$channels.$format" != 7.mp4 ] || channels=6 # AAC has no 6.1
            [ "$(of "any.$format" a channels)" = "$channels" ]
            [ "$(of "any.$format" v nb_read_frames)" = 5 ]
        done
    done
    sox -n -r 44100 -c 2 -e float -b 32 -t au - synth 0.5 sine 300 2>/dev/null | ap-mix -- -:+40dB >loud.au
    ap-stitch --size 160x120 -a loud.au red.png -o x.mp4 2>err.txt
    grep -q 'samples clipped, peak +3' err.txt
    printf '.snd\0\0\0\40\377\377\377\377\0\0\0\6\0\0\254\104\0\0\0\1\0\0\0\0\0\0\0\0\177\300\0\0\177\200\0\0\377\200\0\0\177\177\377\377' >nan.au
    ap-stitch "${small[@]}" -a nan.au -d 1 red.png -o x.mp4
    [ "$(of x.mp4 a duration)" = 1.000000 ]
}
check any_sound

tags_go_along() {
    ap-encode sound.wav --tag TITLE='Song & "Dance"' --tag ARTIST=Singer --tag ALBUM=Record --tag DATE=1999 --tag GENRE=Pop \
        --tag TRACKNUMBER=7 -o tagged.flac
    for format in mp4 mkv webm; do
        ap-stitch "${small[@]}" -a tagged.flac red.png -o "tagged.$format"
        ffprobe -v error -show_entries format_tags -of default=nk=0:nw=1 "tagged.$format" | tr '[:upper:]' '[:lower:]' >tags.txt
        for tag in 'title=song & "dance"' artist=singer album=record date=1999 genre=pop track=7; do
            grep -qF "$tag" tags.txt
        done
    done
    ap-decode tagged.mp4 >tagged.au
    head -c 400 tagged.au | grep -qa 'TITLE=Song & "Dance"'
}
check tags_go_along

# MP4 and WebM of the sound itself: where there is sound, there is something to see.
visualizes() { # KIND CODE
    sox -R -n -r 44100 -c 2 -b 16 tone.wav synth 1 sine 1000 vol 0.7 pad 0 5
    for format in mp4 webm; do
        sox tone.wav -t au - | ap-stitch --size 320x240 --fps 10 -q -j 1 --visualize "$1" -o "v.$format"
        [ "$(of "v.$format" v nb_read_frames)" = 60 ]
        [ -n "$(of "v.$format" a codec_name)" ]
    done
    python_video "$2" v.mp4
    ffmpeg -v error -y -f lavfi -i color=0xff8000:s=300x300 -frames:v 1 -q:v 1 cover.jpg
    ap-encode tone.wav -o cover.flac
    ffmpeg -v error -y -i cover.flac -i cover.jpg -map 0 -map 1 -c copy -disposition:v attached_pic covered.flac
    ap-stitch --size 320x240 --fps 10 -q -j 1 --visualize "$1" -a covered.flac -o v.mp4
    python_video 'see(videos[0][50], 160, 90, (255, 128, 0), 10); assert 60 < videos[0][50][10, 10, 0] < 200' v.mp4
    sox -n -r 44100 -c 2 empty.wav trim 0 0
    fails 1 ap-stitch "${small[@]}" --visualize "$1" -a empty.wav -o y.mp4
    [ ! -e y.mp4 ]
    fails 2 ap-stitch --visualize "$1" -a tone.wav red.png -o y.mp4
    fails 2 ap-stitch --visualize "$1" -o y.mp4 </dev/null
}
# High bars while there is sound within 3 seconds, dots after that.
shows_the_level() {
    visualizes waveform '
bright = (videos[0].max(axis=3) > 120).sum(axis=(1, 2))
assert bright[5] > 3 * bright[55] > 0, bright'
}
check shows_the_level

# The highest bar is that of 1 kHz: number 34 of 64, with the room of two on both sides.
shows_the_spectrum() {
    visualizes spectrum '
bright = (videos[0].max(axis=3) > 120).sum(axis=1)
assert abs(int(bright[5].argmax()) - 320 * 36.5 / 68) < 5, bright[5]
assert bright[5].max() > 100 and bright[55].max() < 10, bright[55]'
}
check shows_the_spectrum

odd_names() {
    names=($'new\nline.png' '-dash.png' 'a b.png' '%d.png' '*.png' $'byte\xff.png' "quote'\".png" '$(touch x).png' 'pipe:0' 'concat:a|b')
    mkdir -p odd
    for name in "${names[@]}"; do
        cp red.png "odd/$name"
    done
    (cd odd && ap-stitch "${small[@]}" --no-audio -d 0.2 -o '-out %d.mp4' -- "${names[@]}" && [ "$(of "./-out %d.mp4" v nb_read_frames)" = 20 ] && [ ! -e x ])
    find odd -name '*.png' -print0 | ap-stitch "${small[@]}" --no-audio -d 0.2 --list - -o list.mp4
    [ "$(of list.mp4 v nb_read_frames)" = 16 ]
    printf 'red.png\n\nblue.png\nodd/-dash.png' >list.txt
    ap-stitch "${small[@]}" --no-audio -d 0.2 --list list.txt lime.png -o list.mp4
    python_video 'assert len(videos[0]) == 8
for i, colour in enumerate([lime, red, blue, red]):
    see(videos[0][2 * i], 80, 60, colour)' list.mp4
    fails 1 ap-stitch "${small[@]}" --no-audio --list missing.txt -o y.mp4
    grep -q "cannot read the list 'missing.txt': No such file" stderr
    fails 1 ap-stitch "${small[@]}" --no-audio $'no\nsuch.png' -o y.mp4
    [ "$(wc -l <stderr)" -eq 1 ]
}
check odd_names

memory_is_constant() {
    case $AP_BUILD in
        *san) return 0 ;; # the sanitizer's own
    esac
    ffmpeg -v error -y -f lavfi -i testsrc2=s=800x600 -frames:v 1 photo.jpg
    for count in 20 1000; do
        for ((i = 0; i < count; i++)); do echo photo.jpg; done |
            /usr/bin/time -f %M -o "kb.$count" ap-stitch "${small[@]}" --no-audio -d 0.1 --list - -o "many$count.mp4"
        [ "$(of "many$count.mp4" v nb_read_frames)" = "$count" ]
    done
    [ "$(cat kb.1000)" -lt $(($(cat kb.20) + 8000)) ]
}
check memory_is_constant

exact_rates() {
    for rate in 1 12.5 23.976 29.97 60; do
        ap-stitch --size 64x64 -j 1 -q --fps "$rate" --no-audio -d 2 red.png -o rate.mp4
        /usr/bin/python3 -c '
import sys
a, b = sys.argv[2].split("/")
exact = float(sys.argv[1]) if float(sys.argv[1]) * 10 % 1 == 0 else round(float(sys.argv[1]) * 1.001) * 1000 / 1001
assert abs(int(a) / int(b) - exact) < 1e-6 and abs(int(sys.argv[3]) - 2 * exact) <= 0.5, sys.argv' \
            "$rate" "$(of rate.mp4 v r_frame_rate)" "$(of rate.mp4 v nb_read_frames)"
    done
}
check exact_rates

interrupted() {
    for ((i = 0; i < 2000; i++)); do echo red.png; done >many.txt
    for signal in INT TERM; do
        ap-stitch --size 1280x720 -q --no-audio --ken-burns -d 60 --list many.txt -o stopped.mp4 &
        sleep 1
        kill "-$signal" $!
        status=0
        wait $! || status=$?
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        [ ! -e stopped.mp4 ]
        [ -z "$(find . -name '.audiopipe*')" ]
    done
}
interrupted_as_a_shell_does() { # background jobs of a script ignore SIGINT
    set -m
    interrupted
}
check interrupted_as_a_shell_does

no_space() {
    for format in mp4 mkv webm; do
        fails 75 ap-stitch "${small[@]}" -a sound.wav -t "$format" red.png >/dev/full
        grep -q "No space left" stderr
        fails 75 ap-stitch "${small[@]}" -a sound.wav -t "$format" red.png -o /dev/full
    done
    fails 1 ap-stitch "${small[@]}" --no-audio red.png -o /proc/nowhere/folder.mp4
    grep -q "cannot create folder '/proc/nowhere'" stderr
}
check no_space

mistakes() {
    for wrong in "" "-o x" "-o x.avi" "-o x.mp4 --size 161x120" "-o x.mp4 --size 10" "-o x.mp4 --size 8x8" "-o x.mp4 --size 9000x100" \
        "-o x.mp4 --fps 0" "-o x.mp4 --fps 1000" "-o x.mp4 --fit stretch" "-o x.mp4 --transition wipe" "-o x.mp4 -d 2000000" \
        "-o x.mp4 -d -1" "-o x.mp4 -a sound.wav --no-audio" "-o x.mp4 -a - --list -" "-t avi"; do
        # shellcheck disable=SC2086
        fails 2 ap-stitch $wrong red.png >/dev/null </dev/null
        [ "$(head -1 stderr | cut -d: -f1)" = ap-stitch ]
    done
    fails 2 ap-stitch --no-audio -o x.mp4
    fails 1 ap-stitch -a missing.wav red.png -o y.mp4
    fails 1 ap-stitch -a red.png red.png -o y.mp4
    [ ! -e y.mp4 ]
    fails 2 script -qec "ap-stitch -t mp4 --no-audio red.png" /dev/null >out.txt
    grep -q "standard output is a terminal" out.txt
}
check mistakes

# Room for half of the video, and for all but the end of it, where MP4 moves its index to the front.
fill_the_disk() {
    mkdir -p disk
    for format in mp4 mkv webm; do
        ap-stitch --size 160x120 -q -a sound.wav noise.png red.png noise.png -o "whole.$format"
        pages=$((($(stat -c %s "whole.$format") - 1) / 4096))
        for room in $((pages / 2)) "$pages"; do
            mount -t tmpfs -o size=$(((room + 1) * 4))k none disk # a page for what was there before
            echo old >"disk/out.$format"
            fails 75 ap-stitch --size 160x120 -q -a sound.wav noise.png red.png noise.png -o "disk/out.$format"
            [ "$(cat stderr)" = "ap-stitch: cannot write 'disk/out.$format': No space left on device" ]
            [ "$(cat "disk/out.$format")" = old ]
            [ "$(ls -A disk)" = "out.$format" ]
            umount disk
        done
    done
}
full_disk() {
    head -c 57600 /dev/urandom | ffmpeg -v error -y -f rawvideo -pixel_format rgb24 -video_size 160x120 -i - noise.png
    in_namespace fill_the_disk
}
check full_disk

progress_as_json() {
    ap-stitch --progress=json --size 160x120 --no-audio red.png -o x.mp4 2>err.txt
    tail -1 err.txt | grep -qE '^\{"command":"ap-stitch",.*"progress":1\.0000\}$'
}
check progress_as_json

# From a folder of images and a song; from a zip, in which there may be other things, with and without sound.
recipe() {
    export AUDIOPIPE_SPOOL=$work/spool
    mkdir -p album zipped both
    cp red.png blue.png album
    cp sound.wav 'album/my song.wav'
    cp red.png lime.png zipped
    echo text >zipped/readme.txt
    (cd zipped && zip -q ../pictures.zip ./*)
    cp pictures.zip sound.wav both
    ap-job submit --recipe video --set size=160x120 album
    ap-job submit --recipe video --set size=160x120 --set format=webm both
    ap-job submit --recipe video --set size=160x120 --set seconds=1 pictures.zip
    ap-job submit --recipe video --set size=160x120 --set visualize=spectrum sound.wav
    ap-job run --once
    [ "$(ap-job list | grep -c ' done ')" = 4 ]
    [ "$(of "$(find spool/done -name 'my song.mp4')" v nb_read_frames)" = 71 ]
    [ "$(of "$(find spool/done -name 'sound.webm')" v nb_read_frames)" = 71 ]
    [ "$(of "$(find spool/done -name '*pictures.mp4')" v nb_read_frames)" = 60 ]
    [ "$(of "$(find spool/done -name '*sound.mp4')" v nb_read_frames)" = 71 ]
}
check recipe

without_the_plugin() {
    [ ! -e /usr/local/lib/audiopipe/av.so ] || return 0 # installed: it would be found
    mkdir -p alone
    cp "$AP_BUILD"/ap-stitch "$AP_BUILD"/libaudiopipe.so* alone
    fails 1 alone/ap-stitch --no-audio red.png -o y.mp4
    grep -q "the plugin av.so is missing" stderr
}
check without_the_plugin

finish
