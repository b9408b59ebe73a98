#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# boto3 1.44.8 (PyPI, 2026) still presigns with Signature Version 2 for a store of one's own in four regions, and leaves
# a condition out of the link without a word.
#
# One would guess that a client of 2026 signs with Version 4 everywhere: Amazon ended Version 2 for new buckets in 2020.
# But generate_presigned_url, not told otherwise, gives "AWSAccessKeyId=...&Signature=...&Expires=..." in us-east-1,
# us-west-2, eu-west-1 and ap-northeast-1, and Version 4 elsewhere. Version 2 knows no signed headers: IfNoneMatch='*',
# "only if there is no such object", is not in the link, so whoever uses it may overwrite.
# Config(signature_version='s3v4') cures both.
#
# Seen: V2 V2 V2 V2 V4 V4 for the six regions below; with s3v4: V4, and if-none-match among the signed headers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pip -q install 2>/dev/null --no-input --disable-pip-version-check --target "$folder" boto3==1.44.8 botocore==1.44.8
PYTHONPATH=$folder python3 - <<'END'
import boto3
from botocore.config import Config


def link(region, config=None, **more):
    client = boto3.client("s3", endpoint_url="https://store.example", region_name=region, aws_access_key_id="AK",
                          aws_secret_access_key="SK", config=config)
    return client.generate_presigned_url("put_object", Params={"Bucket": "songs", "Key": "a.mp3", **more})


def version(url):
    return "V2" if "AWSAccessKeyId=" in url and "X-Amz-" not in url else "V4"


regions = ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "eu-central-1", "us-east-2"]
seen = " ".join(version(link(r)) for r in regions)
print(boto3.__version__, seen)
assert seen == "V2 V2 V2 V2 V4 V4", seen
assert "none-match" not in link("us-east-1", IfNoneMatch="*").lower()
v4 = link("us-east-1", Config(signature_version="s3v4"), IfNoneMatch="*")
assert version(v4) == "V4" and "if-none-match" in v4, v4
print("as described")
END
