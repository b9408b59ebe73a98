# SPDX-License-Identifier: GPL-3.0-or-later
# video: images and a sound track become a film; sound alone is made visible
# input: many image audio zip
# option: size=1280x720 [0-9]+x[0-9]+ of the picture
# option: fit=contain contain|cover|blur what to do with images of another shape
# option: transition=fade cut|fade between images
# option: seconds=auto auto|[0-9.]+ for each image; auto: they share the length of the sound
# option: visualize=waveform waveform|spectrum what to show of a sound without images
# option: format=mp4 mp4|mkv|webm the file to make
# needs: ap-stitch unzip
# shellcheck shell=bash disable=SC2154

images=() audio=()
mapfile -t types < <(ap-manifest probe -- "${inputs[@]}")
for i in "${!inputs[@]}"; do
    case ${types[i]} in
        image*) images+=("${inputs[i]}") ;;
        audio*)
            audio=(--audio "${inputs[i]}")
            track=${inputs[i]##*/} track=${track#????-} # inputs are numbered
            ;;
        zip*)
            # names without folders; no file beyond 256 MiB, whatever the archive says
            (ulimit -f $((256 << 10)) && stage unzip unzip -qq -j -n "${inputs[i]}" -d "images$i")
            mapfile -d '' -t found < <(find "$PWD/images$i" -type f ! -name '.*' -print0 | sort -zV)
            images+=("${found[@]}")
            ;;
    esac
done
if [[ ${#images[@]} -eq 0 ]]; then images=(--visualize "$visualize"); fi
if [[ $seconds != auto ]]; then audio+=(-d "$seconds"); fi
stage stitch ap-stitch --size "$size" --fit "$fit" --transition "$transition" "${audio[@]}" \
    -o "$out/${track%.*}.$format" "${images[@]}"
