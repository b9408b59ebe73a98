#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of jobs and an object store share: a store with some sounds, a recipe, boto3 as the oracle.
. "$(dirname "$0")/job-lib.sh"
# shellcheck source=tests/data/store.sh
. "$tests_folder/data/store.sh"

cat >recipes/two.sh <<'RECIPE'
# two: two files
# input: audio
# option: pause=0 [0-9.]+ seconds
mkdir "$out/more"
cp "$input" "$out/$track.out.wav"
echo "$track" >"$out/more/notes é.txt"
sleep "$pause"
RECIPE
head -c 20000 tone.wav >cut.wav
sox tone.wav short.wav trim 0 0.2
sox tone.wav other.wav trim 0 0.1
oracle "s.create_bucket(Bucket='results')
s.upload_file('short.wav', 'songs', 'in/a b+c=é 100%25?.wav')"

# object KEY: the bytes of results/KEY
object() { KEY=$1 oracle "import os; sys.stdout.buffer.write(s.get_object(Bucket='results', Key=os.environ['KEY'])['Body'].read())"; }
keys() { ap-s3 ls s3://results/"${1:-}"; }
