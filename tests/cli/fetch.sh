#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-fetch-model, against a server on loopback.
. "$(dirname "$0")/lib.sh"

unset AUDIOPIPE_MODELS AUDIOPIPE_MODEL_URL XDG_DATA_HOME http_proxy https_proxy all_proxy no_proxy NO_PROXY
export HOME=$PWD/home
mkdir -p server/some server/hybrid_transformer home
head -c 300000 /dev/urandom >blob
digits=$(sha256sum <blob | cut -c 1-8)
name=toy-$digits.th
cp blob "server/some/$name"
cp blob server/some/wrong-00000000.th
echo "not the model" >server/hybrid_transformer/955717e8-8726e21a.th
models=home/.local/share/audiopipe/models

# serve MODE: starts a server; $port, $requests and $url are its.
serve() {
    requests=$PWD/requests-$1
    rm -f "$requests"
    /usr/bin/python3 "$tests_folder/data/serve.py" "$PWD/server" "$1" >"$requests" &
    server=$!
    trap 'kill "$server" 2>/dev/null || true' EXIT
    until [ -s "$requests" ]; do sleep 0.05; done
    port=$(head -1 "$requests")
    url=http://127.0.0.1:$port
}

downloads_into_the_usual_folder() {
    serve ranges
    [ "$(ap-fetch-model -u "$url/" "some/$name")" = "$HOME/.local/share/audiopipe/models/$name" ]
    cmp "$models/$name" blob
    ap-fetch-model --url="$url" "some/$name" | grep -q 'is there already$'
    [ "$(grep -c "$name" "$requests")" -eq 1 ]
    [ "$(ls "$models")" = "$name" ]
}
check downloads_into_the_usual_folder

goes_where_it_is_told() {
    serve ranges
    AUDIOPIPE_MODEL_URL=$url ap-fetch-model --folder "a folder/é" "some/$name"
    cmp "a folder/é/$name" blob
    AUDIOPIPE_MODELS=first:second XDG_DATA_HOME=$PWD/data ap-fetch-model -u "$url" "some/$name"
    cmp "first/$name" blob
    XDG_DATA_HOME=$PWD/data ap-fetch-model -u "$url" "some/$name"
    cmp "data/audiopipe/models/$name" blob
}
check goes_where_it_is_told

resumes() {
    serve ranges
    mkdir part
    head -c 100000 blob >"part/$name.part"
    ap-fetch-model -u "$url" -d part "some/$name"
    cmp "part/$name" blob
    grep -qx "/some/$name bytes=100000-" "$requests"
    [ "$(ls part)" = "$name" ]
    # complete already, but not yet in place: nothing is asked for
    rm "part/$name"
    cp blob "part/$name.part"
    : >"$requests"
    ap-fetch-model -u "$url" -d part "some/$name"
    cmp "part/$name" blob
    [ ! -s "$requests" ]
}
check resumes

starts_again_if_it_has_to() {
    serve plain # a server that knows no ranges
    mkdir again
    head -c 100000 blob >"again/$name.part"
    ap-fetch-model -u "$url" -d again "some/$name"
    cmp "again/$name" blob
    kill "$server"
    serve ranges # a part of something else
    rm "again/$name"
    head -c 100000 /dev/zero >"again/$name.part"
    ap-fetch-model -u "$url" -d again "some/$name"
    cmp "again/$name" blob
    # what is there is damaged
    printf X | dd of="again/$name" conv=notrunc bs=1 seek=5000 status=none
    ap-fetch-model -u "$url" -d again "some/$name"
    cmp "again/$name" blob
}
check starts_again_if_it_has_to

interruption_leaves_a_part() {
    serve cut
    fails 75 ap-fetch-model -u "$url" -d cut "some/$name"
    tail -1 stderr | grep -q "^ap-fetch-model: cannot download 'http"
    [ "$(ls cut)" = "$name.part" ]
    kill "$server"
    serve ranges
    ap-fetch-model -u "$url" -d cut "some/$name"
    grep -q "bytes=[1-9]" "$requests"
    cmp "cut/$name" blob
}
check interruption_leaves_a_part

wrong_checksum_is_an_error() {
    serve ranges
    fails 1 ap-fetch-model -u "$url" -d bad some/wrong-00000000.th
    grep -q "^ap-fetch-model: '.*/some/wrong-00000000.th' is not what was published" stderr
    [ -z "$(ls bad)" ]
    fails 1 ap-fetch-model -u "$url" -d bad htdemucs # asks for the right file, and is not taken in
    grep -q '^/hybrid_transformer/955717e8-8726e21a.th' "$requests"
    [ -z "$(ls bad)" ]
    : >"$requests"
    fails 1 ap-fetch-model -u "$url" -d bad 955717e8
    grep -q '^/hybrid_transformer/955717e8-8726e21a.th' "$requests"
}
check wrong_checksum_is_an_error

missing_file_or_server_is_an_error() {
    serve ranges
    fails 1 ap-fetch-model -u "$url" -d none some/none-00000000.th
    grep -q 404 stderr
    [ -z "$(ls none)" ]
    kill "$server"
    fails 75 ap-fetch-model -u "$url" -d none "some/$name"
    [ -z "$(ls none)" ]
}
check missing_file_or_server_is_an_error

uses_a_proxy() {
    serve ranges
    http_proxy=$url ap-fetch-model -u http://models.invalid -d proxied "some/$name"
    cmp "proxied/$name" blob
    grep -q "^http://models.invalid/some/$name" "$requests"
}
check uses_a_proxy

takes_a_pair_from_anywhere() {
    serve ranges
    cp blob "server/some/model of mine.ckpt"
    echo 'model: {}' >server/some/config_7.yaml
    local sum bad
    sum=$(sha256sum <blob | cut -c 1-64)
    ap-fetch-model -d pair --sha256="${sum^^}" "$url/some/model%20of%20mine.ckpt" "$url/some/config_7.yaml"
    cmp "pair/model%20of%20mine.ckpt" blob
    cmp "pair/model%20of%20mine.yaml" server/some/config_7.yaml
    [ "$(find pair -type f | wc -l)" -eq 2 ]
    bad=${sum//[0-9]/a}
    fails 1 ap-fetch-model -d worse --sha256="$bad" "$url/some/model%20of%20mine.ckpt" "$url/some/config_7.yaml"
    grep -q "is not what was published" stderr
    [ -z "$(ls worse)" ]
    fails 1 ap-fetch-model -d worse --sha256="$sum" "$url/some/model%20of%20mine.ckpt" "$url/some/none.yaml"
    [ -z "$(ls worse)" ]
    fails 1 ap-fetch-model -d worse --sha256="$sum" "$url/some/none.ckpt" "$url/some/config_7.yaml"
    [ -z "$(ls worse)" ]
    fails 2 ap-fetch-model -d worse --sha256="$sum" "$url/some/model%20of%20mine.ckpt"
    fails 2 ap-fetch-model -d worse --sha256=123 "$url/some/model%20of%20mine.ckpt" "$url/some/config_7.yaml"
}
check takes_a_pair_from_anywhere

says_that_curl_is_missing() {
    mkdir bin
    for tool in bash env awk sed tr getopt mkdir sha256sum readlink; do ln -s "$(command -v "$tool")" bin; done
    fails 1 env PATH="$PWD/bin" bash "$(command -v ap-fetch-model)" htdemucs
    grep -qx "ap-fetch-model: curl is not installed, which does the downloading" stderr
}
check says_that_curl_is_missing

bad_usage_is_refused() {
    fails 2 ap-fetch-model
    fails 2 ap-fetch-model --no-such-option
    [ "$(wc -l <stderr)" -eq 2 ]
    fails 2 ap-fetch-model nothing
    grep -q "there is no model 'nothing'" stderr
    fails 2 ap-fetch-model folder/no-checksum.th
    for model in mdx mdx_q mdx_extra_q; do
        fails 1 ap-fetch-model "$model"
        grep -q "^ap-fetch-model: model '$model' is not supported: " stderr
    done
    : >file
    fails 1 ap-fetch-model -d file/folder "some/$name"
    grep -q "cannot create folder 'file/folder'" stderr
    ap-fetch-model --help | grep -q '^Usage: ap-fetch-model '
}
check bad_usage_is_refused

# The same models and files as ap-separate knows, in the same order.
knows_what_the_separator_knows() {
    ap-fetch-model --list | sed 's,\t.*/,\t,' >ours
    ap-separate --list-models | awk '$2 == "missing" { name = $1 }
        $1 == "needs" { for (i = 2; $i != ""; i++) { end = sub(":$", "", $i); print name "\t" $i; if (end) break } }' >theirs
    [ -s ours ]
    diff ours theirs
}
check knows_what_the_separator_knows

finish
