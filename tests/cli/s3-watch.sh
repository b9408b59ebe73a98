#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job watch-bucket: what lies below a prefix becomes jobs.
. "$(dirname "$0")/s3-jobs-lib.sh"

watches() {
    fresh
    oracle "s.upload_file('short.wav', 'songs', 'drop/a.wav'); s.upload_file('tone.wav', 'songs', 'drop/b/b.wav')
s.put_object(Bucket='songs', Key='drop/notes.txt', Body=b'no sound'); s.put_object(Bucket='songs', Key='drop/folder/', Body=b'')
s.upload_file('short.wav', 'songs', 'dropped.wav')"
    watch() { ap-job watch-bucket --recipe two --once --to s3://results/dropped/ s3://songs/drop/ >ids 2>said; }
    watch
    [ "$(wc -l <ids)" -eq 2 ]
    grep -q "^ap-job: 's3://songs/drop/notes.txt' is text, and recipe" said
    grep -rq "refused: 's3://songs/drop/notes.txt' is " "$spool/.sources"
    watch
    [ ! -s ids ] && [ ! -s said ]
    counts 2 0 0 0
    # other content under a name is another job
    oracle "s.upload_file('other.wav', 'songs', 'drop/a.wav'); s.upload_file('cut.wav', 'songs', 'drop/c.wav')"
    watch
    grep -q "c.wav" said
    [ "$(wc -l <ids)" -eq 1 ]
    ap-job run -q
    [ "$(keys dropped/ | grep -c manifest.json)" -eq 3 ]
}
check watches

# What was taken is remembered while the object is there, and no longer: a day's listing forgets what is gone for two.
forgets_what_is_gone() {
    fresh
    oracle "s.upload_file('short.wav', 'songs', 'go/a.wav'); s.upload_file('other.wav', 'songs', 'go/b.wav')
s.upload_file('tone.wav', 'songs', 'stay/c.wav')"
    watch_below() { ap-job watch-bucket --recipe two --once "s3://songs/$1/" 2>said; }
    notes() { grep -lr "s3://songs/" "$spool/.sources" | wc -l; }
    watch_below go >ids
    watch_below stay >>ids
    [ "$(wc -l <ids) $(notes)" = '3 3' ]
    oracle "s.delete_object(Bucket='songs', Key='go/a.wav')"
    watch_below go # today it has forgotten once
    find "$spool/.sources" -type f -exec touch -d '-3 days' {} +
    [ "$(watch_below go | wc -l) $(notes)" = '0 2' ] # b is listed, c is of another watch
    if grep -qr 's3://songs/go/a.wav' "$spool/.sources"; then return 1; fi
    [ "$(watch_below go | wc -l) $(watch_below stay | wc -l)" = '0 0' ]
    oracle "s.upload_file('short.wav', 'songs', 'go/a.wav')"
    [ "$(watch_below go | wc -l) $(notes)" = '1 3' ]
}
check forgets_what_is_gone

# A store that is away for the moment does not end a watch, and nothing is forgotten.
watches_on() {
    fresh
    AWS_ENDPOINT_URL_S3=http://127.0.0.1:9 ap-job watch-bucket --interval 0.5 s3://songs/later/ >ids 2>said &
    local pid=$!
    until_true grep -q 'cannot reach' said
    kill -0 "$pid"
    kill "$pid"
    wait "$pid" || true
    ap-job watch-bucket --recipe two --interval 0.5 s3://songs/later/ >ids 2>said &
    pid=$!
    until_true test -d "$spool/.events"
    oracle "s.upload_file('short.wav', 'songs', 'later/x.wav')"
    until_true test -s ids
    fails 75 ap-job watch-bucket s3://songs/later/
    grep -q 'is being watched already' stderr
    kill "$pid"
    wait "$pid" || true
    counts 1 0 0 0
}
check watches_on

finish
