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

# what_are FILE...: a line for each, which begins with image, audio, zip...
what_are() { printf '%s\0' "$@" | xargs -0 ap-manifest probe --; }

# members ARCHIVE: its files, as unzip names them: no absolute names, none above the folder, slashes for backslashes
members() { unzip -Z1 "$1" | tr '\134' / | sed -E '/\/$/d; s#(^|/)(\.{0,2}/)+#\1#g'; }

files=() images=() sound=(--no-audio)
mapfile -t types < <(what_are "${inputs[@]}")
for i in "${!inputs[@]}"; do
    if [[ ${types[i]} == zip* ]]; then
        doubled=$(members "${inputs[i]}" | sort | uniq -d)
        [ -z "$doubled" ] || {
            echo "the archive has more than one file of the name '${doubled%%$'\n'*}'" >&2
            exit 1
        }
        # with its folders, whose files may have equal names; no file beyond 256 MiB, whatever the archive says;
        # unzip ends with 1 when it has warned of such names only
        # shellcheck disable=SC2016
        (ulimit -f $((256 << 10)) && stage unzip sh -c 'unzip -qq -n "$1" -d "$2" || [ $? -eq 1 ]' unzip "${inputs[i]}" "images$i")
        mapfile -d '' -t found < <(find "$PWD/images$i" -name '.*' -prune -o -type f -print0 | sort -zV)
        files+=("${found[@]}")
    else
        files+=("${inputs[i]}")
    fi
done
mapfile -t types < <(what_are "${files[@]}")
for i in "${!files[@]}"; do
    case ${types[i]} in
        image*) images+=("${files[i]}") ;;
        audio*)
            sound=(--audio "${files[i]}")
            track=${files[i]##*/} track=${track#[0-9][0-9][0-9][0-9]-} # inputs are numbered
            ;;
    esac
done
if [[ ${#images[@]} -eq 0 ]]; then sound+=(--visualize "$visualize"); fi
if [[ $seconds != auto ]]; then sound+=(-d "$seconds"); fi
printf '%s\0' "${images[@]}" >images.list
stage stitch ap-stitch --size "$size" --fit "$fit" --transition "$transition" "${sound[@]}" \
    -o "$out/${track%.*}.$format" --list images.list
