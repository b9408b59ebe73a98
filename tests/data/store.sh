# SPDX-License-Identifier: GPL-3.0-or-later
# store.sh - an object store for a test: Ceph's gateway, started here, and boto3 as the oracle. Source it after lib.sh: it
# ends the test with a reason where there is none. sets port.
# shellcheck shell=bash disable=SC2154
if ! { have radosgw ceph-mon ceph-osd && /usr/bin/python3 -c 'import boto3' 2>/dev/null; }; then
    echo "skipped: radosgw, ceph-mon, ceph-osd or python3-boto3 is not installed"
    echo "ok skipped without an object store"
    exit 0
fi
stop_store() {
    local pid
    for pid in "$work"/ceph/run/*.pid; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null
    done
    [ ! -e "$work/relay.pid" ] || kill "$(cat "$work/relay.pid")" 2>/dev/null
    sleep 1
    for pid in "$work"/ceph/run/*.pid; do
        [ ! -e "$pid" ] || kill -9 "$(cat "$pid")" 2>/dev/null
    done
    rm -rf "$work/ceph"
}
trap 'cd /; stop_store; rm -rf "$work"' EXIT

# One at a time: two clusters on a machine have been seen to mix up their monitors.
exec 9>"${TMPDIR:-/tmp}/audiopipe-test-store.lock"
flock 9

# Another may take the ports meanwhile.
started=no
for _ in 1 2 3; do
    port=$(free_ports 3)
    if "$tests_folder/data/start-radosgw" "$work/ceph" "$port" >start.log 2>&1 9>&-; then
        started=yes
        break
    fi
    stop_store
done
if [ "$started" = no ]; then
    echo "skipped: the object store did not start here:"
    cat start.log
    echo "ok skipped without an object store"
    exit 0
fi
export AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port
export AWS_SHARED_CREDENTIALS_FILE=/nonexistent AWS_CONFIG_FILE=/nonexistent

# oracle STATEMENT: python with a client s
oracle() {
    /usr/bin/python3 -c "import boto3, sys
s = boto3.client('s3', endpoint_url='http://127.0.0.1:$port', aws_access_key_id='AKTEST', aws_secret_access_key='secret',
                 region_name='us-east-1')
$1"
}

oracle "s.create_bucket(Bucket='songs')"
