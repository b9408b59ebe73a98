#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A full disk: every command says so, exits with 75, and leaves nothing.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 4 sine 440 sine 660 vol 0.5
sox -n -r 44100 -c 2 -b 16 other.wav synth 4 pinknoise vol 0.5
ffmpeg -v error -f lavfi -i testsrc2=duration=1:size=320x240:rate=1 -frames:v 1 photo.png

# What each command is to do when the disk is full: where to write follows.
declare -A jobs=(
    [ap-8d]="tone.wav -t wav -o" [ap-decode]="tone.wav -t wav -o" [ap-encode]="tone.wav -t flac -o" [ap-hpss]="tone.wav -t wav -o"
    [ap-limit]="tone.wav -t wav -o" [ap-manifest]="" [ap-job]="" [ap-s3]="" [ap-info]="" [ap-tag]="" [ap-serve]="" [ap-measure]="tone.wav -o" [ap-mix]="tone.wav other.wav -t wav -o"
    [ap-normalize]="tone.wav -t wav -o" [ap-plot]="tone.wav -t png -o" [ap-reverb]="tone.wav -t wav -o"
    [ap-separate]="-n dsp tone.wav -t wav -o" [ap-stitch]="--no-audio -d 2 photo.png -t mp4 -o"
)
job_of() {
    local default="tone.wav -t wav -o"
    echo "${jobs[$1]-$default}"
}

# on_full_disk COMMAND ARGUMENTS: on a disk that has no room left, or not enough.
on_full_disk() {
    mkdir -p small
    mount -t tmpfs -o size=8k none small
    echo old >small/out.wav
    head -c 3000 /dev/zero >small/filler
    local arguments
    read -ra arguments <<<"$2"
    fails 75 "$1" "${arguments[@]}" small/out.wav
    grep -q "^$1: .*No space left on device" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    [ "$(cat small/out.wav)" = old ]
    [ "$(ls -A small)" = "$(printf 'filler\nout.wav')" ]
}
to_full_disk() { export tool=$1 words=$2 && in_namespace full_disk; }
full_disk() { on_full_disk "${tool:?}" "${words:?}"; }

to_dev_full() {
    local arguments
    read -ra arguments <<<"${2% -o}"
    fails 75 "$1" "${arguments[@]}" >/dev/full
    grep -q "^$1: .*No space left on device" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
}

for source in "$tests_folder"/../cmd/ap-*.c; do
    name=$(basename "$source" .c)
    job=$(job_of "$name")
    [ -n "$job" ] || continue
    case $name in
        ap-hpss | ap-separate) # -o is a folder
            stem=$([ "$name" = ap-hpss ] && echo harmonic || echo vocals)
            check to_full_disk "$name" "${job% -o} -s $stem -o"
            check to_dev_full "$name" "${job% -o} -s $stem"
            ;;
        *)
            check to_full_disk "$name" "$job"
            check to_dev_full "$name" "$job"
            ;;
    esac
done

# Folders that an album or its stems would get, where there is room for nothing.
fill_a_folder() {
    mkdir -p small
    mount -t tmpfs -o size=4k,nr_inodes=2 none small
    : >small/filler
    fails 75 ap-normalize --album tone.wav other.wav -o small/album
    grep -q "cannot create folder 'small/album': No space left on device" stderr
    fails 75 ap-hpss tone.wav -o small/stems
    grep -q "cannot create folder 'small/stems': No space left on device" stderr
    fails 75 ap-limit tone.wav -o small/there/out.wav
    [ "$(ls -A small)" = filler ]
}
full_of_folders() { in_namespace fill_a_folder; }
check full_of_folders

# The questions that a command answers on standard output.
answers_to_dev_full() {
    fails 75 "$@" >/dev/full
    grep -q "No space left on device" stderr
}
check answers_to_dev_full ap-separate --list-models
check answers_to_dev_full ap-normalize --dry-run tone.wav
check answers_to_dev_full ap-normalize --dry-run --album tone.wav other.wav
check answers_to_dev_full ap-measure --json tone.wav other.wav
check answers_to_dev_full ap-info tone.wav other.wav
check answers_to_dev_full ap-info --json tone.wav
ap-encode --tag TITLE=x tone.wav -o tagged.flac
check answers_to_dev_full ap-tag tagged.flac

# There is no room for the file with other tags beside the old one.
tags_on_full_disk() {
    mkdir -p small
    mount -t tmpfs -o size=1m none small
    cp tone.wav small/out.wav
    fails 75 ap-tag -s TITLE=new small/out.wav
    grep -q "^ap-tag: .*No space left on device" stderr
    fails 75 ap-measure -q --write-gain small/out.wav >report
    grep -q "^ap-measure: .*No space left on device" stderr
    cmp tone.wav small/out.wav
    [ "$(ls -A small)" = out.wav ]
}
full_of_tags() { in_namespace tags_on_full_disk; }
check full_of_tags

# The records of jobs: a manifest, its report, and a spool.
export AUDIOPIPE_SPOOL=$work/spool
ap-manifest new -m manifest.json
ap-job submit tone.wav >id
check answers_to_dev_full ap-manifest get -m manifest.json
check answers_to_dev_full ap-manifest list manifest.json
check answers_to_dev_full ap-manifest report manifest.json
check answers_to_dev_full ap-manifest probe tone.wav
check answers_to_dev_full ap-job list
check answers_to_dev_full ap-job status "$(cat id)"
check answers_to_dev_full ap-job stats
check answers_to_dev_full ap-job report "$(cat id)"
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=thing
check answers_to_dev_full ap-s3 presign s3://songs/a.mp3

record_on_full_disk() {
    mkdir -p small
    mount -t tmpfs -o size=8k none small
    ap-manifest new -m small/manifest.json
    head -c 8000 /dev/zero >small/filler || true
    cp small/manifest.json before.json
    fails 75 ap-manifest set -m small/manifest.json ".note=$(head -c 9000 /dev/zero | tr '\0' n)"
    grep -q "^ap-manifest: .*No space left on device" stderr
    fails 75 ap-manifest new -m small/other.json ".note=$(head -c 9000 /dev/zero | tr '\0' n)"
    fails 75 ap-manifest report -o small/report.html small/manifest.json
    cmp small/manifest.json before.json
    [ "$(ls small)" = "$(printf 'filler\nmanifest.json')" ]
}
full_of_records() { in_namespace record_on_full_disk; }
check full_of_records

# There is no room for the folders of a spool.
server_on_full_disk() {
    mkdir -p small
    mount -t tmpfs -o size=4k,nr_inodes=2 none small
    : >small/filler
    export AUDIOPIPE_SPOOL=$PWD/small/spool
    fails 75 timeout 20 ap-serve --listen 127.0.0.1:0 --run 0
    grep -q "^ap-serve: .*No space left on device" stderr
    fails 75 ap-serve token add me
    [ "$(ls -A small)" = filler ]
}
full_of_servers() { in_namespace server_on_full_disk; }
if command -v ap-serve >/dev/null; then check full_of_servers; else echo "# ap-serve is not built"; fi

# There is room for the folders of a spool, not for the input.
spool_on_full_disk() {
    mkdir -p small
    mount -t tmpfs -o size=64k none small
    export AUDIOPIPE_SPOOL=$PWD/small/spool AUDIOPIPE_MIN_FREE=0
    fails 75 ap-job submit tone.wav
    grep -qE "^ap-job: .*(No space left on device|no room in)" stderr
    [ -z "$(find small/spool/queue small/spool/tmp -mindepth 1)" ]
}
full_of_jobs() { in_namespace spool_on_full_disk; }
check full_of_jobs

# A new command has a line in jobs, or checks of its own here.
models_are_listed() {
    fails 75 ap-fetch-model --list >/dev/full
    grep -qx "ap-fetch-model: cannot write 'standard output': No space left on device" stderr
}
check models_are_listed

workers_have_help() {
    fails 75 ap-slurm --help >/dev/full
    grep -qx "ap-slurm: cannot write 'standard output': No space left on device" stderr
}
check workers_have_help

speech_has_help() {
    fails 75 ap-transcribe --help >/dev/full
    grep -qx "ap-transcribe: cannot write 'standard output': No space left on device" stderr
}
check speech_has_help

every_command_is_tried() {
    local name source
    for source in "$tests_folder"/../cmd/ap-*.c "$tests_folder"/../scripts/ap-*; do
        name=$(basename "$source" .c)
        { [[ $source == *.c ]] && [ -n "$(job_of "$name")" ]; } || grep -qE "^ *(check|fails 75) .*\b$name " "$tests_folder/cli/full.sh"
    done
}
check every_command_is_tried

finish
