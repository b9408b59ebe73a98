#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-job: hooks tell of the end of jobs; what becomes of them changes nothing for the job.
. "$(dirname "$0")/job-lib.sh"
export AUDIOPIPE_HOOKS=$work/hooks
mkdir hooks
echo 'cp "$input" "$out/manifest.json"' >hooks/note.sh
echo 'exit 1' >hooks/broken.sh

# notes: what the hook "note" was given, one file a job
notes() { find "$spool/done" -name manifest.json -path '*/out/*'; }

each_end_is_told() {
    fresh
    id=$(ap-job submit --recipe copy --notify note "$(text 1)")
    may_fail ap-job run -q
    counts 0 0 2 0
    [ "$(ap-manifest get -m "$(notes)" .id)" = "$id" ]
    [ "$(ap-manifest get -m "$(notes)" .state)" = 'done' ]
    told=$(notes) told=${told%/out/*}
    [ "$(ap-manifest get -m "$told/manifest.json" .about)" = "$id" ]
    # the default of all; a failure is told, too, and each end of the same job
    fresh
    export AUDIOPIPE_NOTIFY=note
    id=$(ap-job submit --recipe copy --set exit=1 "$(text 2)")
    may_fail ap-job run -q
    counts 0 0 1 1
    [ "$(ap-manifest get -m "$(notes)" .state)" = failed ]
    sleep 1.1 # the names of jobs have whole seconds
    ap-job retry "$id"
    may_fail ap-job run -q
    counts 0 0 2 1
    # none for this one
    ap-job submit --recipe copy --notify '' "$(text 3)"
    ap-job run -q
    counts 0 0 3 1
}
check each_end_is_told

a_failing_hook_fails_alone() {
    fresh
    id=$(ap-job submit --recipe copy --notify 'broken,note' "$(text 1)")
    may_fail ap-job run -q
    counts 0 0 2 1
    [ -e "$spool/done/$id" ]
    fails 2 ap-job submit --recipe copy --notify 'note,missing' "$(text 2)"
    grep -q "there is no hook 'missing'" stderr
    # gone after the submission: the hook's job fails, not the job
    fresh
    cp hooks/note.sh hooks/gone.sh
    id=$(ap-job submit --recipe copy --notify gone "$(text 3)")
    rm hooks/gone.sh
    may_fail ap-job run -q
    counts 0 0 1 1
    [ -e "$spool/done/$id" ]
}
check a_failing_hook_fails_alone

# A runner that is killed between the end and the move, in steps: it is told once.
kills_do_not_double() {
    fresh
    id=$(ap-job submit --recipe copy --notify note "$(text 1)")
    ap-job run -q
    counts 0 0 2 0
    mv "$spool/done/$id" "$spool/running/$id"
    ap-job run -q
    counts 0 0 2 0
    told=$(notes) told=${told%/out/*} told=${told##*/}
    rm -r "$spool/done/$told"
    mkdir "$spool/tmp/$told" # a submission that died
    mv "$spool/done/$id" "$spool/running/$id"
    ap-job run -q
    counts 0 0 2 0
    [ -n "$(notes)" ]
}
check kills_do_not_double

webhooks_are_signed() {
    fresh
    cat >receiver.py <<'END2'
import hashlib, hmac, http.server, json, sys
answers = [500, 200, 400]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time = self.headers["X-Audiopipe-Timestamp"]
        want = "sha256=" + hmac.new(open("secret", "rb").read(), time.encode() + b"." + body, hashlib.sha256).hexdigest()
        code = answers.pop(0) if want == self.headers["X-Audiopipe-Signature"] else 401
        print(code, json.loads(body)["id"], time, flush=True)
        self.send_response(code)
        self.end_headers()
    def log_message(self, *rest): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END2
    unset AUDIOPIPE_NOTIFY
    printf '%s' 'a secret "with" %s \x and ä, longer than a block of SHA-256: 64 bytes of it' >secret
    /usr/bin/python3 receiver.py >received &
    until_true test -s received
    AUDIOPIPE_WEBHOOK_URL=http://127.0.0.1:$(head -n 1 received)/ AUDIOPIPE_WEBHOOK_SECRET=$(cat secret)
    export AUDIOPIPE_WEBHOOK_URL AUDIOPIPE_WEBHOOK_SECRET
    id=$(ap-job submit --recipe copy --notify webhook "$(text 1)")
    all_is_done() { ap-job run -q && counts 0 0 2 0; }
    until_true all_is_done # after the first answer it is tried again
    grep -q "^500 $id [0-9]*$" received
    grep -q "^200 $id [0-9]*$" received
    printf short >secret
    AUDIOPIPE_WEBHOOK_SECRET=short
    ap-job submit --recipe copy --notify webhook "$(text 2)"
    may_fail ap-job run -q
    counts 0 0 3 1 # 400 is the last word
    ! grep -q ^401 received
}
check webhooks_are_signed

mails_are_whole() {
    fresh
    printf '#!/bin/sh\necho "$@" >%s/arguments\ncat >%s/mail\n' "$work" "$work" >sendmail
    chmod +x sendmail
    export AUDIOPIPE_SENDMAIL=$work/sendmail AUDIOPIPE_MAIL_TO=all@example.org AUDIOPIPE_MAIL_FROM=audio@example.org
    name=$'Grüße, ein langes Lied\nBcc: evil@example.org.txt'
    ap-job submit --recipe copy --notify mail --name "$name" "$(text 1)"
    ap-job run -q
    grep -q -- '-t' arguments
    cat >look.py <<'END2'
import email, email.policy, sys
m = email.message_from_file(open("mail"), policy=email.policy.default)
assert m["To"] == sys.argv[1] and not m["Bcc"] and m["From"] == "audio@example.org", m.items()
assert m["Subject"].startswith("Grüße, ein langes Lied"), m["Subject"]
assert m["Subject"].endswith(": done"), m["Subject"]
assert all(len(line) < 100 for line in open("mail"))
text = m.get_content()
assert "copy" in text and "bytes" in text, text
END2
    /usr/bin/python3 look.py all@example.org
    # an owner that is an address gets it
    ap-job submit --recipe copy --notify mail --name "$name" --owner me@example.org "$(text 2)"
    ap-job run -q
    /usr/bin/python3 look.py me@example.org
    # try again later
    printf '#!/bin/sh\nexit 75\n' >sendmail
    ap-job submit --recipe copy --notify mail "$(text 3)"
    AUDIOPIPE_BACKOFF=600 ap-job run -q
    counts 1 0 5 0
}
check mails_are_whole

finish
