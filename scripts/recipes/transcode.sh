# SPDX-License-Identifier: GPL-3.0-or-later
# transcode: any sound, or the sound of a video, to another format
# input: audio
# option: format=mp3 mp3|flac|wav|aiff|ogg|opus|m4a|alac|au the file to make
# option: bitrate=auto auto|[0-9]+ kbit/s, for mp3, ogg, opus, m4a
# option: rate=same same|[0-9]+ Hz
# option: channels=same same|[1-8] mixed to so many
# option: video=drop drop|keep of a video: only its sound, or also its pictures as they are, in MP4 or Matroska
# needs: ap-decode ap-encode
# shellcheck shell=bash disable=SC2154

decode=() encode=(-t "$format")
if [[ $rate != same ]]; then decode+=(-r "$rate"); fi
if [[ $channels != same ]]; then decode+=(-c "$channels"); fi
if [[ $bitrate != auto ]]; then encode+=(--bitrate "$bitrate"); fi
extension=$format
if [[ $format = alac ]]; then extension=m4a; fi
stage decode ap-decode "${decode[@]}" "$input" | stage encode ap-encode "${encode[@]}" -o "$track.$extension"
if [[ $video = drop ]]; then
    mv "$track.$extension" "$out/"
else
    command -v ffmpeg >/dev/null || {
        echo "to keep pictures ffmpeg is needed, which is not here" >&2
        exit 1
    }
    case $format in
        m4a | alac) film=$track.mp4 ;;
        *) film=$track.mkv ;;
    esac
    # the pictures of a video, not the cover of a song; nothing is encoded again
    stage join ffmpeg -v error -nostdin -i "file:$input" -i "file:$track.$extension" -map 0:V -map 1:a -map_metadata 0 -c copy \
        -f "$([[ $film = *.mp4 ]] && echo mp4 || echo matroska)" "file:$film"
    mv "$film" "$out/"
fi
