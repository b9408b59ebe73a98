#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: jobs from an object store and to it.
. "$(dirname "$0")/s3-jobs-lib.sh"

there_and_back() {
    fresh
    local id
    id=$(ap-job submit --recipe two --to s3://results/made 's3://songs/in/a b+c=é 100%25?.wav')
    [ "$(ap-manifest get -m "$spool/queue/$id" .input.name)" = 'a b+c=é 100%25?.wav' ]
    ap-job run -q
    counts 0 0 1 0
    [ "$(keys made/ | wc -l)" -eq 3 ]
    object "made/$id/manifest.json" >manifest.json
    /usr/bin/python3 - "$id" <<'CODE'
import hashlib, json, os, sys
m = json.load(open("manifest.json"))
assert m["state"] == "done" and m["finished"] and m["id"] == sys.argv[1] and m["to"] == "s3://results/made/", m
assert m["input"]["url"] == "s3://songs/in/a b+c=é 100%25?.wav", m["input"]
assert sorted(os.path.dirname(o["path"]) for o in m["outputs"]) == ["", "more"], m["outputs"]
CODE
    # what the record says is what lies beside it
    mkdir -p got/more
    ap-s3 ls "s3://results/made/$id/" | while read -r key; do ap-s3 get "s3://results/$key" "got/${key#"made/$id/"}"; done
    ap-manifest verify got
    cmp got/*.out.wav short.wav
}
check there_and_back

# Two runners that both believe the job theirs: the second finds the record of the first, and leaves all as it is.
one_attempt_wins() {
    fresh
    local id
    id=$(ap-job submit --recipe two --to s3://results/once/ short.wav)
    cp -r spool other # as a file system without locks would have it
    ap-job run -q
    object "once/$id/manifest.json" >first.json
    sleep 0.01
    AUDIOPIPE_SPOOL=$work/other ap-job run -q
    object "once/$id/manifest.json" | cmp - first.json
    [ "$(keys once/ | wc -l)" -eq 3 ]
    ap-manifest get -m "other/done/$id" .state | grep -q "done"
}
check one_attempt_wins

# as_recorded PREFIX/ID/: what the record names is there and as it says, and nothing else is
as_recorded() {
    local key
    rm -rf recorded
    ap-s3 ls "s3://results/$1" >listed.txt
    while read -r key; do
        mkdir -p "$(dirname "recorded/${key#"$1"}")"
        ap-s3 get "s3://results/$key" "recorded/${key#"$1"}"
    done <listed.txt
    ap-manifest verify recorded
    [ "$(wc -l <listed.txt)" -eq 3 ]
}

# Both are at it at the same time, and make different things; the store decides.
attempts_race() {
    fresh
    local id i
    printf '# differ: two files, never the same\nsleep 0.3\nhead -c 1000000 /dev/urandom >"$out/a"\nhead -c 50 /dev/urandom >"$out/b"\n' \
        >recipes/differ.sh
    for _ in 1 2 3; do
        id=$(ap-job submit --recipe differ --to s3://results/race/ short.wav)
        for i in 1 2 3; do rm -rf "spool$i" && cp -r spool "spool$i"; done
        for i in 1 2 3; do AUDIOPIPE_SPOOL=$work/spool$i ap-job run -q & done
        wait
        for i in 1 2 3; do ap-manifest get -m "spool$i/done/$id" .state | grep -q "done"; done
        as_recorded "race/$id/"
        rm -rf "spool/queue/$id"
    done
}
check attempts_race

# One that was killed while it delivered has left its claim and a part; one that is slow is overtaken, and says no more.
a_claim_is_there() {
    fresh
    local id
    id=$(ap-job submit --recipe two --to s3://results/killed/ short.wav)
    ap-s3 put short.wav "s3://results/killed/$id/.claim"
    oracle "s.put_object(Bucket='results', Key='killed/$id/more/notes é.txt', Body=b'of another')"
    ap-job run -q
    as_recorded "killed/$id/"
    [ "$(grep -c "^killed/$id/attempt-[0-9a-f]*/" listed.txt)" -eq 2 ]
    ap-manifest get -m "$spool/done/$id" .delivered | grep -q "^\"*s3://results/killed/$id/attempt-[0-9a-f]*/\"*$"
}
check a_claim_is_there

a_store_that_is_away() {
    fresh
    local id
    id=$(ap-job submit --recipe two --to s3://results/away/ short.wav)
    AUDIOPIPE_ATTEMPTS=2 AWS_ENDPOINT_URL_S3=http://127.0.0.1:9 may_fail ap-job run -q --once
    [ -e "$spool/queue/$id" ] || [ -e "$spool/failed/$id" ]
    fails 75 env AWS_ENDPOINT_URL_S3=http://127.0.0.1:9 ap-job submit s3://songs/in/x.wav
    fails 1 ap-job submit s3://songs/none.wav
    grep -q "there is no such object" stderr
    [ "$(wc -l <stderr)" -eq 1 ]
    # a bucket that is not there is a failure at once
    fresh
    id=$(ap-job submit --recipe two --to s3://nobucket/away/ short.wav)
    fails 1 ap-job run -q
    error_of "$id" | grep -q 'there is no such bucket'
}
check a_store_that_is_away

refuses_circles() {
    fails 2 ap-job submit --to s3://songs/in/ s3://songs/in/a.wav
    grep -q 'overlap' stderr
    fails 2 ap-job submit --to s3://songs s3://songs/in/a.wav
    fails 2 ap-job watch-bucket --once --to s3://songs/in/out s3://songs/in
    fails 2 ap-job watch-bucket --once --to s3://songs/ s3://songs/in/
    fails 2 ap-job submit --to /tmp short.wav
    fails 2 ap-job submit --to s3:// short.wav
    fails 2 ap-job watch-bucket --once /tmp
}
check refuses_circles

# A store that takes a part and does not answer. Who ends the runner meanwhile has the job back in the queue as if it had not
# been tried, and the upload is given up.
told_to_end_while_it_delivers() {
    fresh
    cat >slow.py <<'CODE'
import http.server, sys, threading
hold = threading.Event()
class Store(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, body=b""):
        print(self.command, self.path.split("?")[0], "uploadId" in self.path, flush=True)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_HEAD(self): self.answer(404)
    def do_POST(self): self.answer(200, b"<R><UploadId>u1</UploadId></R>")
    def do_DELETE(self): self.answer(204)
    def do_PUT(self):
        if self.path.endswith("/.claim"):
            self.rfile.read(int(self.headers["Content-Length"]))
            return self.answer(200)
        print("PUT began", flush=True)
        hold.wait()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
server.daemon_threads = True
print("port", server.server_port, flush=True)
server.serve_forever()
CODE
    /usr/bin/python3 slow.py >slow.log 2>&1 9>&- &
    until_true grep -q ^port slow.log
    printf '# large: 9 MiB\nhead -c 9500000 /dev/zero >"$out/zeros"\n' >recipes/large.sh
    id=$(ap-job submit --recipe large --to s3://results/slow/ short.wav)
    AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(sed -n 's/^port //p' slow.log) ap-job run -q &
    runner=$!
    until_true grep -q '^PUT began' slow.log
    kill -TERM "$runner"
    wait "$runner"
    until_true in_place queue 1
    [ "$(ap-manifest get -m "$spool/queue/$id" .attempts)" = 0 ]
    grep -q "^DELETE /results/slow/$id/zeros True" slow.log
    if grep -q 'PUT .*manifest.json' slow.log; then return 1; fi
    # the next attempt may have the plain names
    grep -q "^DELETE /results/slow/$id/.claim" slow.log
}
check told_to_end_while_it_delivers

finish
