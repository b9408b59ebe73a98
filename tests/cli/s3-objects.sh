#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-s3 against a store, with boto3 as the oracle.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/data/store.sh
. "$tests_folder/data/store.sh"

head -c 3000000 /dev/urandom >data

copies() {
    ap-s3 put data s3://songs/a/data
    ap-s3 put - s3://songs/a/piped <data
    oracle "s.download_file('songs', 'a/data', 'there')" && cmp data there
    ap-s3 get s3://songs/a/piped here && cmp data here
    ap-s3 get s3://songs/a/piped | cmp - data
    : >empty
    ap-s3 put empty s3://songs/a/empty
    [ "$(ap-s3 get s3://songs/a/empty | wc -c)" -eq 0 ]
    fails 75 ap-s3 get s3://songs/a/data >/dev/full
    grep -q 'No space left on device' stderr
    fails 1 ap-s3 get s3://songs/none new
    [ ! -e new ]
}
check copies

lists() {
    oracle "[s.put_object(Bucket='songs', Key='many/%04d &<é>' % i, Body=b'x') for i in range(1100)]"
    ap-s3 ls s3://songs/many/ >here
    oracle "
for page in s.get_paginator('list_objects_v2').paginate(Bucket='songs', Prefix='many/'):
    for o in page['Contents']: print(o['Key'])" >there
    cmp here there
    [ "$(ap-s3 ls --start-after "$(sed -n 1000p there)" s3://songs/many/ | wc -l)" -eq 100 ]
    [ -z "$(ap-s3 ls s3://songs/nothing/)" ]
    ap-s3 ls -l s3://songs/a/data | grep -qE '^ *3000000	[0-9T:.Z-]+	a/data$'
    fails 75 ap-s3 ls s3://songs/many/ >/dev/full # in the middle: there are more than stdio holds
    grep -q 'No space left on device' stderr
}
check lists

looks() {
    ap-s3 put --type audio/x-test data s3://songs/typed
    ap-s3 head --format json s3://songs/typed >object.json
    /usr/bin/python3 -c "import hashlib, json; o = json.load(open('object.json'))
assert o['bytes'] == 3000000 and o['type'] == 'audio/x-test', o
assert o['etag'] == hashlib.md5(open('data', 'rb').read()).hexdigest(), o"
    ap-s3 head s3://songs/typed | grep -q '^Size *3000000 bytes$'
    ap-s3 head --format tsv s3://songs/typed | tail -n 1 | grep -q '^3000000	audio/x-test	'
    fails 1 ap-s3 head s3://songs/none
}
check looks

only_new_ones() {
    ap-s3 put --only-new data s3://songs/once
    fails 1 ap-s3 put --only-new empty s3://songs/once
    grep -q 'there is another one of that name' stderr
    ap-s3 get s3://songs/once | cmp - data
}
check only_new_ones

removes() {
    ap-s3 rm s3://songs/once s3://songs/typed
    fails 1 ap-s3 head s3://songs/once
    fails 2 ap-s3 rm s3://songs
}
check removes

links() {
    local url key="odd/a b+c=é&%.bin"
    url=$(ap-s3 presign --method PUT --expires 5m "s3://songs/$key")
    curl -fsS -T data "$url"
    url=$(ap-s3 presign --filename 'my "é".bin' "s3://songs/$key")
    curl -fsS -D headers -o there "$url" && cmp data there
    grep -qi "^content-disposition: attachment; filename\*=UTF-8''my%20%22%C3%A9%22.bin" headers
    url=$(ap-s3 presign --method HEAD "s3://songs/$key")
    curl -fsSI "$url" >headers
    if curl -fsS -o there "$url" 2>/dev/null; then return 1; fi
    url=$(ap-s3 presign --method PUT --type audio/flac --bytes 3000000 s3://songs/strict)
    if curl -fsS -T data -H 'Content-Type: audio/mpeg' "$url" 2>/dev/null; then return 1; fi
    if curl -fsS -T empty -H 'Content-Type: audio/flac' "$url" 2>/dev/null; then return 1; fi
    curl -fsS -T data -H 'Content-Type: audio/flac' "$url"
    url=$(ap-s3 presign -e 1s "s3://songs/$key")
    sleep 3
    if curl -fsS -o there "$url" 2>/dev/null; then return 1; fi
    fails 2 ap-s3 presign -e 8d "s3://songs/$key"
}
check links

# What is not s3:// is neither asked for nor written to, not as a file either.
names_no_object() {
    local verb
    for verb in ls get head rm presign cors notify 'put data'; do
        for name in songs s3:/songs/a '' /tmp; do
            # shellcheck disable=SC2086 # a verb, and maybe a file
            fails 2 ap-s3 $verb "$name"
            grep -q "'$name' is not the name of an object: s3://BUCKET/KEY" stderr
        done
    done
    [ ! -e songs ]
}
check names_no_object

# Signatures hold for a quarter of an hour; here it is an hour later.
a_wrong_clock() {
    cat >late.c <<'CODE'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
time_t time(time_t *t)
{
    time_t now = ((time_t(*)(time_t *))dlsym(RTLD_NEXT, "time"))(NULL) + 3600;
    if (t) *t = now;
    return now;
}
CODE
    cc -shared -fPIC -o late.so late.c -ldl
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
    fails 1 env LD_PRELOAD="$PWD/late.so" ap-s3 ls s3://songs
    grep -q "cannot list 's3://songs': the clock of this machine is not that of the server (403 " stderr
}
check a_wrong_clock

# The bucket before the host's name, as Amazon has it; libcurl knows that names in .localhost are here.
before_the_host() {
    local virtual=(env AUDIOPIPE_S3_STYLE=virtual AWS_ENDPOINT_URL_S3="http://store.localhost:$port") url key='virtual/a b+c=é.bin'
    "${virtual[@]}" ap-s3 put data "s3://songs/$key"
    "${virtual[@]}" ap-s3 get "s3://songs/$key" | cmp - data
    ap-s3 get "s3://songs/$key" | cmp - data
    [ "$("${virtual[@]}" ap-s3 ls s3://songs/virtual/)" = "$key" ]
    url=$("${virtual[@]}" ap-s3 presign "s3://songs/$key")
    [[ $url == "http://songs.store.localhost:$port/virtual/"* ]]
    curl -fsS -o there "$url" && cmp there data
}
check before_the_host

pages_of_a_bucket() {
    ap-s3 cors --allow https://one.example --allow 'https://two.example' s3://songs
    oracle "r = s.get_bucket_cors(Bucket='songs')['CORSRules'][0]
assert sorted(r['AllowedOrigins']) == ['https://one.example', 'https://two.example'] and 'PUT' in r['AllowedMethods'], r
assert r['ExposeHeaders'] == ['ETag'], r"
    ap-s3 cors s3://songs | grep -q 'https://two.example'
}
check pages_of_a_bucket

profiles() {
    printf '[default]\naws_access_key_id=NOBODY\naws_secret_access_key=x\n[mine]\naws_access_key_id = AKTEST\n' >credentials
    printf 'aws_secret_access_key = secret\n' >>credentials
    local clean=(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_SHARED_CREDENTIALS_FILE=credentials)
    "${clean[@]}" AWS_PROFILE=mine ap-s3 head s3://songs/a/data >/dev/null
    fails 1 "${clean[@]}" ap-s3 head s3://songs/a/data
    fails 1 "${clean[@]}" AWS_PROFILE=other ap-s3 head s3://songs/a/data
    grep -q "there is no profile 'other'" stderr
}
check profiles

finish
