#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve --compat: the paths that programs of other services know.
. "$(dirname "$0")/serve-lib.sh"

sox -n -r 8000 -c 1 -b 16 short.wav synth 1 sine 440 vol 0.3
echo words >words.txt
# put FILE URL: the status
put() { curl -s -o out -w '%{http_code}' -T "$1" "$2"; }
# becomes STATUS ASK...: what is asked for again and again
becomes() {
    local status=$1
    answers_so() { ask "${@:2}" >out && [ "$(cat status)" != 404 ]; }
    until_true answers_so "$status" "${@:2}"
    [ "$(cat status)" = "$status" ] || { cat body && return 1; }
}

presigned_urls() { # an upload starts the job; the output is asked for until it is there
    answers 200 -d '{"action":"getUploadUrl","fileName":"short.wav"}' /presigned-url
    key=$(member key)
    answers 404 -d "{\"action\":\"getDownloadUrl\",\"key\":\"$key\"}" /presigned-url
    answers 200 -d '{"action":"getUploadUrl","fileName":"short.wav"}' /presigned-url
    key=$(member key) link=$(member url)
    [ "$(put short.wav "${link/signature=?/signature=x}")" = 403 ]
    [ "$(put short.wav "$link")" = 200 ]
    becomes 200 -d "{\"action\":\"getDownloadUrl\",\"key\":\"$key\"}" /presigned-url
    link=$(member url)
    [ "$(curl -s -o got -w '%{http_code}' "$link")" = 200 ] # without a token
    ap-8d short.wav -o want.mp3
    cmp got want.mp3
    [ "$(curl -s -o out -w '%{http_code}' "${link/owner=alice/owner=bob}")" = 401 ]
    [ "$(curl -s -o out -w '%{http_code}' "${link/outputs/inputs}")" = 401 ]
    # what cannot be taken says so
    answers 200 -d '{"action":"getUploadUrl","fileName":"words.txt"}' /presigned-url
    key=$(member key)
    [ "$(put words.txt "$(member url)")" = 422 ]
    answers 410 -d "{\"action\":\"getDownloadUrl\",\"key\":\"$key\"}" /presigned-url
    answers 400 -d '{"action":"dance"}' /presigned-url
    answers 404 -d '{"action":"getDownloadUrl","key":"../../etc"}' /presigned-url
}

sessions_of_two_stems() {
    answers 200 -d '{"filename":"short.wav","contentType":"audio/wav"}' /upload
    session=$(member session_id)
    answers 409 -d "{\"session_id\":\"$session\"}" /process
    answers 200 "/status?session_id=$session"
    [ "$(member status)" = waiting ]
    answers 200 -d '{"filename":"short.wav"}' /upload
    session=$(member session_id)
    [ "$(put short.wav "$(member url)")" = 200 ]
    answers 200 -d "{\"session_id\":\"$session\"}" /status
    [ "$(member status)" = uploaded ]
    answers 202 -d "{\"session_id\":\"$session\"}" /process
    answers 202 -d "{\"session_id\":\"$session\"}" /process # there it is
    completed() { answers 200 "/status?session_id=$session" && [ "$(member status)" = completed ]; }
    until_true completed
    ap-separate -n dsp --two-stems vocals --filename '{stem}.{ext}' -t wav -o . short.wav
    for stem in vocals no_vocals; do
        curl -sf -o got "$(member "${stem}_url")"
        cmp got "$stem.wav"
    done
    auth=$bob
    answers 404 "/status?session_id=$session"
    answers 404 -d "{\"session_id\":\"$session\"}" /cleanup
    answers 404 -d "{\"session_id\":\"$session\"}" /process
    auth=$alice
    answers 200 -d "{\"session_id\":\"$session\"}" /cleanup
    answers 404 "/v1/jobs/$session"
    answers 404 -d "{\"session_id\":\"$session\"}" /status
}

media_of_their_owners() {
    answers 200 -d '{"fileName":"short.wav"}' /media/upload/init
    session=$(member sessionId)
    answers 409 -d "{\"sessionId\":\"$session\"}" /media/upload/complete
    answers 200 -d '{"fileName":"short.wav"}' /media/upload/init
    session=$(member sessionId)
    [ "$(put short.wav "$(member uploadUrl)")" = 200 ]
    answers 202 -d "{\"sessionId\":\"$session\",\"recipe\":\"copy\"}" /media/upload/complete
    id=$(member jobId)
    answers 200 "/jobs/$id"
    [ "$(member recipe)" = copy ]
    auth=$bob
    answers 404 "/jobs/$id"
    auth=$alice
    answers 200 -d '{"fileName":"words.txt"}' /media/upload/init
    session=$(member sessionId)
    [ "$(put words.txt "$(member uploadUrl)")" = 200 ]
    answers 422 -d "{\"sessionId\":\"$session\"}" /media/upload/complete
}

forms_and_tracks() {
    answers 200 /health
    [ "$(member status)" = ok ]
    answers 200 /config
    answers 202 -F recipe=copy -F file=@short.wav /process
    id=$(member job_id)
    ended() { answers 200 "/job/$id" && [ "$(member state)" = 'done' ]; }
    until_true ended
    answers 200 "/job/$id/outputs"
    name=$(member 'outputs[0].name')
    answers 200 "/download/$id/$name"
    cmp body short.wav
    answers 200 "/download/$id/${name%.*}"
    cmp body short.wav
    answers 404 "/download/$id/other"
    answers 200 "/download/$id/all"
    unzip -p body "$name" | cmp - short.wav
    answers 422 -F recipe=none -F file=@short.wav /process
    answers 422 -F recipe=copy /process
    answers 400 -d 'nonsense' /process
}

only_when_asked() {
    serve --run 0
    for path in /health /config /jobs/1 /job/1 /job/1/outputs /download/1/all /status; do answers 404 "$path"; done
    for path in /presigned-url /upload /process /status /cleanup /media/upload/init; do answers 404 -d '{}' "$path"; done
    stop_serving
}

fresh
serve --run 2 --rate 0 --compat
token bob
bob=$auth
token alice
alice=$auth
check presigned_urls
check sessions_of_two_stems
check media_of_their_owners
check forms_and_tracks
stop_serving
check only_when_asked
finish
