#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sound from and to an object store; boto3 is the oracle.
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/data/store.sh
. "$tests_folder/data/store.sh"
sox -n -r 44100 -c 2 -b 16 song.wav synth 3 pinknoise
sox -n -r 44100 -c 2 -b 16 long.wav synth 90 brownnoise
ap-decode song.wav >song.au

goes_there_and_back() {
    local format
    for format in wav flac mp3 ogg opus aiff au; do
        ap-encode song.wav -o "s3://songs/out/song.$format"
        ap-encode song.wav -o "here.$format"
        oracle "s.download_file('songs', 'out/song.$format', 'there.$format')"
        cmp "here.$format" "there.$format"
        ap-decode "s3://songs/out/song.$format" >there.raw
        ap-decode "here.$format" >here.raw
        cmp here.raw there.raw
    done
}
check goes_there_and_back

in_parts() {
    AUDIOPIPE_S3_PART_MIB=5 ap-encode long.wav -o s3://songs/long.wav
    oracle "h = s.head_object(Bucket='songs', Key='long.wav'); assert h['ETag'].endswith('-4\"'), h['ETag']
s.download_file('songs', 'long.wav', 'there.wav')"
    ap-encode long.wav -o here.wav
    cmp here.wav there.wav
    ap-decode long.wav | AUDIOPIPE_S3_PART_MIB=5 ap-encode -t au -o s3://songs/long.au
    oracle "s.download_file('songs', 'long.au', 'there.au'); assert not s.list_multipart_uploads(Bucket='songs').get('Uploads')"
    ap-decode there.au >a.au && ap-decode long.wav >b.au && cmp a.au b.au
}
check in_parts

# There are 10,000 parts at most: they become larger after each 2,000, here after each two.
parts_grow() {
    head -c 70000000 /dev/urandom >large
    AUDIOPIPE_S3_GROWS_AFTER=2 AUDIOPIPE_S3_PART_MIB=5 ap-s3 put - s3://songs/large <large
    oracle "h = s.head_object(Bucket='songs', Key='large'); assert h['ETag'].endswith('-6\"'), h['ETag']
s.download_file('songs', 'large', 'there')"
    cmp large there
    rm large there
}
check parts_grow

odd_keys() {
    local key
    for key in 'a b' 'a+b' 'a=b' 'a&b' '100%' 'é/ü' 'x//y' '[a];b' "it's" 'a%20b' '~tilde' 'a?b' 'a#b'; do
        ap-encode song.wav -o "s3://songs/odd/$key.wav"
        KEY=odd/$key.wav oracle "import os; s.download_file('songs', os.environ['KEY'], 'odd.wav')"
        ap-encode song.wav -o here.wav && cmp here.wav odd.wav
        ap-decode "s3://songs/odd/$key.wav" | cmp - song.au
    done
}
check odd_keys

# A second slash would be another name.
folders_end_with_one_slash() {
    sox -n -r 44100 sounds.wav synth 1 sine 400 pad 1 1 repeat 1
    ap-hpss song.wav -o s3://songs/below/stems/
    ap-normalize --album song.wav sounds.wav -o s3://songs/below/album/
    ap-trim --split sounds.wav -o s3://songs/below/pieces/
    ap-encode song.wav sounds.wav -t flac -o s3://songs/below/many/
    ap-s3 ls s3://songs/below/ >listed
    printf 'below/%s\n' {album/{song,sounds}.wav,many/{song,sounds}.flac,pieces/sounds-0{1,2}.wav} \
        stems/{harmonic,percussive,residual}.wav | diff listed -
}
check folders_end_with_one_slash

# What is heard becomes objects, too; whisper.cpp is a stand-in.
transcripts_go_there() {
    mkdir -p whisper && : >model.bin
    cat >whisper/whisper-cli <<'STUB'
#!/bin/bash
while [ $# -gt 0 ]; do case $1 in -of) base=$2 ;; esac; shift; done
printf '1\n00:00:00,000 --> 00:00:01,500\n noise\n' >"$base.srt"
STUB
    chmod +x whisper/whisper-cli
    local transcribe=(env PATH="$PWD/whisper:$PATH" ap-transcribe -m model.bin)
    "${transcribe[@]}" -o s3://songs/heard/song s3://songs/out/song.wav
    [ "$(ap-s3 ls s3://songs/heard/ | paste -sd ' ')" = 'heard/song.json heard/song.srt heard/song.txt heard/song.vtt' ]
    [ "$(ap-s3 get s3://songs/heard/song.txt)" = noise ]
    fails 1 "${transcribe[@]}" -o s3://songs/heard/song.txt song.wav
    grep -q "cannot write 's3://songs/heard/song.txt': there is another one of that name" stderr
    "${transcribe[@]}" --force -o s3://songs/heard/song.txt song.wav
}
check transcripts_go_there

refusals_say_why() {
    fails 1 ap-decode s3://songs/none.wav
    grep -q "^ap-decode: cannot read 's3://songs/none.wav': there is no such object (404 NoSuchKey" stderr
    fails 1 ap-decode s3://nobucket/none.wav
    grep -q "there is no such bucket" stderr
    fails 1 env AWS_SECRET_ACCESS_KEY=other ap-decode s3://songs/long.wav
    grep -q "access denied (403 SignatureDoesNotMatch" stderr
    fails 1 env -u AWS_ACCESS_KEY_ID ap-decode s3://songs/long.wav
    grep -q "access denied (403" stderr
    fails 1 env AWS_SECRET_ACCESS_KEY=other ap-encode song.wav -o s3://songs/new.wav
    grep -q "cannot write 's3://songs/new.wav': access denied" stderr
    fails 75 env AWS_ENDPOINT_URL_S3=http://127.0.0.1:9 ap-decode s3://songs/long.wav
    grep -q "cannot reach" stderr
    fails 2 ap-decode s3://
    fails 2 ap-encode song.wav -o http://127.0.0.1:9/song.wav
    if grep -r 'secret\|other' stderr; then return 1; fi
}
check refusals_say_why

# A failed command leaves nothing, not even a started upload.
nothing_half_written() {
    ap-decode long.wav -o whole.au
    head -c 15000000 whole.au >cut.au
    cat_cut() { AUDIOPIPE_S3_PART_MIB=5 ap-decode -t au -o s3://songs/cut.au < <(cat cut.au); } # it notices at the end
    fails 1 cat_cut
    oracle "assert not s.list_multipart_uploads(Bucket='songs').get('Uploads')
assert 'cut.au' not in [o['Key'] for o in s.list_objects_v2(Bucket='songs')['Contents']]"
}
check nothing_half_written

uploads() { oracle "print(len(s.list_multipart_uploads(Bucket='songs').get('Uploads', [])))"; }
has_uploads() { [ "$(uploads)" -gt 0 ]; }
signals_leave_nothing() {
    local signal pid
    mkfifo feed
    for signal in INT TERM HUP; do
        AUDIOPIPE_S3_PART_MIB=5 env --default-signal=INT ap-encode -t wav -o s3://songs/half.wav <feed 2>stderr &
        pid=$!
        exec 8>feed
        ap-decode long.wav >&8 &
        for _ in $(seq 100); do
            ! has_uploads || break
            sleep 0.1
        done
        has_uploads
        kill "-$signal" "$pid"
        wait "$pid" || true
        exec 8>&-
        wait || true
        [ "$(uploads)" -eq 0 ]
        fails 1 ap-s3 head s3://songs/half.wav
    done
}
check signals_leave_nothing

# start_relay BYTES TIMES: between us and the store; sets relayed, its address
start_relay() {
    relayed=http://127.0.0.1:$((port + 2))
    stop_relay
    "$tests_folder/data/cutter.py" $((port + 2)) "$port" "$1" "$2" >relay.log 9>&- &
    echo $! >"$work/relay.pid"
    until grep -q ready relay.log; do sleep 0.1; done
}

stop_relay() {
    [ -e "$work/relay.pid" ] || return 0
    kill "$(cat "$work/relay.pid")" || true
    rm "$work/relay.pid"
}

goes_on_after_a_cut() {
    start_relay 3000000 3
    ap-decode long.wav | sha256sum >here
    AWS_ENDPOINT_URL_S3=$relayed ap-decode s3://songs/long.wav | sha256sum >there
    cmp here there
    [ "$(grep -c cut relay.log)" -eq 3 ]
    stop_relay
}
check goes_on_after_a_cut

waits_for_a_busy_store() {
    start_relay 0 2
    AWS_ENDPOINT_URL_S3=$relayed ap-decode s3://songs/out/song.wav | cmp - song.au
    [ "$(grep refused relay.log | sort | cut -d ' ' -f 2 | paste -sd ' ')" = '500 503' ]
    stop_relay
    start_relay 0 99
    fails 75 env AWS_ENDPOINT_URL_S3="$relayed" ap-decode s3://songs/out/song.wav
    grep -qE "cannot read 's3://songs/out/song.wav': the server cannot do it now \(50[03]" stderr
    stop_relay
}
check waits_for_a_busy_store

# An object that is another one after the cut.
a_replaced_object_is_noticed() {
    start_relay 3000000 9 # each connection: the end of the file is looked at by one of its own
    oracle "s.upload_file('long.wav', 'songs', 'changing.wav')"
    mkfifo slow
    AWS_ENDPOINT_URL_S3=$relayed ap-decode s3://songs/changing.wav >slow 2>stderr &
    local pid=$! status=0
    exec 7<slow
    head -c 100000 <&7 >/dev/null
    oracle "s.upload_file('song.wav', 'songs', 'changing.wav')"
    cat <&7 >/dev/null
    wait "$pid" || status=$?
    cat stderr relay.log
    [ "$status" -eq 1 ]
    grep -q "'s3://songs/changing.wav' was replaced while it was read" stderr
    stop_relay
}
check a_replaced_object_is_noticed

plain_http() {
    oracle "print(s.generate_presigned_url('get_object', Params={'Bucket': 'songs', 'Key': 'out/song.wav'}))" >url
    ap-decode "$(cat url)" | cmp - song.au
    fails 1 ap-decode "$(sed 's/Signature=[^&]*/Signature=x/' url)"
    # it is in no message, report or title either
    oracle "s.put_object(Bucket='songs', Key='junk.wav', Body=b'junk' * 999)
print(s.generate_presigned_url('get_object', Params={'Bucket': 'songs', 'Key': 'junk.wav'}))" >junk
    {
        cat stderr
        for option in '' --json --tsv --replaygain; do
            ap-measure ${option:+"$option"} -v --progress=json "$(cat url)" song.wav
            ap-measure ${option:+"$option"} -v --progress=json -j2 "$(cat url)" song.wav "$(cat junk)" || true
        done
        for option in '' --json --tsv; do ap-info ${option:+"$option"} "$(cat url)" "$(cat junk)" || true; done
        ap-encode -v --progress=json -t flac "$(cat url)" "$(cat junk)" -o many/ || true
        ap-encode --dry-run -t flac "$(cat url)" "$(cat junk)" -o many/
        ap-encode -t flac "$(cat url)" "$(cat url)" -o many/ || true # both would become the same
        ap-decode "$(cat url)" "$(cat junk)" || true # one at a time
        ap-tag --json "$(cat url)" || true
    } >told 2>&1
    grep -q 'out/song.wav' told && grep -q junk.wav told
    if grep 'Signature=' told; then return 1; fi
}
check plain_http

finish
