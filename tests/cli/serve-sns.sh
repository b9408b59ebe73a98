#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages of SNS, as they are taken by ap-serve as it is: in namespaces of its own, where the name of SNS leads to a stand-in and
# an authority of the test is the only one that the system trusts. OpenSSL signs.
if [ -z "${AP_ALONE:-}" ]; then
    missing=
    unshare -rmn true 2>/dev/null || missing='there are no namespaces for users'
    command -v openssl >/dev/null || missing='there is no openssl'
    [ -z "$missing" ] || {
        echo "ok serve_sns # skipped: $missing"
        exit 0
    }
    AP_ALONE=1 exec unshare -rmn "$0" "$@"
fi
. "$(dirname "$0")/serve-lib.sh"

# certificate NAME SUBJECT BY EXTENSION...: NAME.pem and NAME.key
certificate() {
    local name=$1 subject=$2 by=$3
    openssl req -newkey rsa:2048 -nodes -keyout "$name.key" -subj "/CN=$subject" -out "$name.csr" 2>/dev/null
    printf '%s\n' "${@:4}" >extensions
    if [ "$by" = "$name" ]; then
        openssl x509 -req -days 9 -in "$name.csr" -signkey "$name.key" -extfile extensions -out "$name.pem" 2>/dev/null
    else
        openssl x509 -req -days 9 -in "$name.csr" -CA "$by.pem" -CAkey "$by.key" -CAcreateserial -extfile extensions -out "$name.pem" 2>/dev/null
    fi
}
export host=sns.eu-west-1.amazonaws.com
export topic=arn:aws:sns:eu-west-1:123456789012:songs
certificate root 'our root' root basicConstraints=critical,CA:TRUE
certificate stranger 'our root' stranger basicConstraints=critical,CA:TRUE
certificate issuer 'our issuer' root basicConstraints=critical,CA:TRUE
certificate server "$host" root "subjectAltName=DNS:$host"
# as Amazon's are: alone in their file, which says where that of the issuer is
certificate leaf sns.amazonaws.com issuer subjectAltName=DNS:sns.amazonaws.com 'authorityInfoAccess=OCSP;URI:http://crt.example/ocsp,caIssuers;URI:http://crt.example/issuer.cer'
certificate false sns.amazonaws.com stranger subjectAltName=DNS:sns.amazonaws.com
mkdir files
cp leaf.pem false.pem files
openssl x509 -in issuer.pem -outform DER -out files/issuer.cer

printf '127.0.0.1 localhost %s crt.example\n' "$host" >hosts
mount --bind hosts /etc/hosts
mount --bind root.pem /etc/ssl/certs/ca-certificates.crt
"$tests_folder/data/sns.py" "$work" >stand-in.log 2>&1 &
until_true grep -qs ready stand-in.log
serve --run 0 --topics "arn:aws:sns:eu-west-1:123456789012:others,$topic"
auth="Authorization: Bearer $(ap-serve token add store --role machine)"

# message KEY CERTIFICATE NAME=VALUE...: as SNS sends it, of the topic, with a certificate at its host; in ./message. What is signed is put together here as its guide says
message() {
    /usr/bin/python3 - "$@" <<'CODE'
import base64, json, os, subprocess, sys
key, url, *pairs = sys.argv[1:]
m = {"Type": "Notification", "MessageId": "22b80b92", "Timestamp": "2026-11-30T04:37:04.321Z", "SignatureVersion": "2",
     "TopicArn": os.environ["topic"]}
m.update(p.split("=", 1) for p in pairs)
names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
if m["Type"] != "Notification":
    names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
text = "".join(f"{n}\n{m[n]}\n" for n in names if n in m)
digest = "-sha1" if m["SignatureVersion"] == "1" else "-sha256"
m["Signature"] = base64.b64encode(subprocess.run(["openssl", "dgst", digest, "-sign", key], input=text.encode(),
                                                 stdout=subprocess.PIPE, check=True).stdout).decode()
m["SigningCertURL"] = url if "://" in url else f"https://{os.environ['host']}/{url}"
json.dump(m, open("message", "w"))
CODE
}
# confirmation URL: asks whether messages are wanted
confirmation() { message leaf.key leaf.pem Type=SubscriptionConfirmation Message='You have chosen' Token=t SubscribeURL="$1"; }
# event KEY: a record of S3, as text
event() { printf '{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"songs"},"object":{"key":"%s","eTag":"1"}}}]}' "$1"; }
send() { answers "$1" -H 'Content-Type: text/plain; charset=UTF-8' -H 'x-amz-sns-message-type: Notification' --data-binary @message /v1/events/s3; }
asked() { [ "$(sort asked | uniq -c | awk '{ print $1 ":" $2 $3 }' | paste -sd ' ')" = "$*" ]; }
said() { tail -n 5 serve.log | grep -q "\"level\":\"warning\".*$1"; }

notes_what_sns_signed() {
    message leaf.key leaf.pem Message="$(event in/a+b.wav)"
    send 200
    [ "$(member noted)" = 1 ]
    message leaf.key leaf.pem Message="$(event in/c.wav)" Subject='Amazon S3 Notification' SignatureVersion=1
    send 200
    [ "$(sort "$spool"/.events/* | paste -sd ' ')" = 's3://songs/in/a b.wav s3://songs/in/c.wav' ]
    asked 1:443/leaf.pem 1:80/issuer.cer # once, for both
}
check notes_what_sns_signed

confirms() {
    rm -f asked
    confirmation "https://$host/?Action=ConfirmSubscription&Token=t"
    send 200
    asked '1:443/?Action=ConfirmSubscription&Token=t'
}
check confirms

refuses() {
    rm -f asked
    message leaf.key leaf.pem TopicArn="${topic}2" Message="$(event in/x.wav)"
    send 403
    said "songs2' is not among the topics"
    message root.key leaf.pem Message="$(event in/x.wav)"
    send 403
    said 'its signature is wrong'
    message leaf.key leaf.pem Message="$(event in/x.wav)"
    sed -i 's,in/x,in/y,' message
    send 403
    message leaf.key https://evil.example/leaf.pem Message="$(event in/x.wav)"
    send 403
    said 'not where those of SNS are'
    message false.key false.pem Message="$(event in/x.wav)"
    send 403
    said 'is not trusted'
    message leaf.key none.pem Message="$(event in/x.wav)"
    send 403
    message leaf.key busy.pem Message="$(event in/x.wav)"
    send 503 # SNS comes again
    [ "$(sort "$spool"/.events/* | wc -l)" -eq 2 ]
    asked 1:443/busy.pem 1:443/false.pem 1:443/none.pem
    auth='X-Nothing: 1' send 401 # the token is asked for first
}
check refuses

# Not for a certificate, not for a confirmation: whoever can say where SNS leads would have it asked for anything.
goes_nowhere_else() {
    rm -f asked
    message leaf.key moved.pem Message="$(event in/x.wav)"
    send 403
    confirmation "https://$host/?Action=ConfirmSubscription&moved"
    send 422
    confirmation http://169.254.169.254/
    send 422
    asked '1:443/?Action=ConfirmSubscription&moved' 1:443/moved.pem
}
check goes_nowhere_else

# The host that has the certificates has to be who it says.
mount --bind stranger.pem /etc/ssl/certs/ca-certificates.crt
stop_serving
serve --run 0 --topics "$topic"
server_is_checked() {
    rm -f asked
    message leaf.key leaf.pem Message="$(event in/z.wav)"
    send 403
    [ ! -e asked ]
}
check server_is_checked

stop_serving
serve --run 0
no_topics_no_messages() {
    message leaf.key leaf.pem Message="$(event in/z.wav)"
    send 403
    said 'not among the topics'
    fails 2 ap-serve --topics arn:aws:sqs:eu-west-1:123456789012:songs
    grep -q "'arn:aws:sqs:eu-west-1:123456789012:songs' is not a topic" stderr
    # what could never be checked is no setting
    [ ! -e /usr/local/lib/audiopipe/net.so ] || return 0 # installed: it would be found
    mkdir bare
    cp -d "$AP_BUILD"/{ap-serve,libaudiopipe.so*} bare
    ln -sfn "$tests_folder/../scripts/recipes" bare/recipes
    ln -sfn "$tests_folder/../scripts/recipe-shell" bare/recipe-shell
    ln -sfn "$tests_folder/../scripts/hooks" bare/hooks
    fails 1 bare/ap-serve --listen 127.0.0.1:0 --topics "$topic"
    grep -q 'the plugin net.so is missing' stderr
}
check no_topics_no_messages

stop_serving
umount /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt /etc/hosts
finish
