#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The examples in scripts/package/deploy: units, proxies, containers, Kubernetes.
. "$(dirname "$0")/lib.sh"
deploy=$(realpath "$tests_folder/../scripts/package/deploy")

units_are_hardened() {
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is missing"
    local unit
    for unit in "$deploy"/systemd/*.service; do
        systemd-analyze security --offline=yes --no-pager --threshold=20 "$unit" >exposure.txt || {
            tail -n 1 exposure.txt
            return 1
        }
        if grep -E '^[A-Za-z]+[^=A-Za-z]' "$unit"; then return 1; fi # sections, comments and Name=value
    done
}
check units_are_hardened

# commands_in FILE: command lines of ours, without quotes, commas and brackets
commands_in() { tr -d '"[],:\047`' <"$1" | grep -oE '(ap-(serve|job|slurm) [^#|)]*)' || true; }
# Every option that an example uses is one of that command.
options_exist() {
    local file line words word count=0
    for file in "$deploy"/*/* "$deploy"/README.md; do
        while read -r line; do
            read -ra words <<<"$line"
            if [ "${words[0]}" = ap-job ] && [[ ${words[1]} =~ ^[a-z-]+$ ]]; then
                "$AP_BUILD/ap-job" "${words[1]}" --help >help.txt
            elif [ -x "$AP_BUILD/${words[0]}" ]; then
                "$AP_BUILD/${words[0]}" --help >help.txt
            else
                continue # not built
            fi
            for word in "${words[@]:1}"; do
                [[ $word == --[a-z]* ]] || continue
                count=$((count + 1))
                grep -qE -- "${word%%=*}([= ]|$)" help.txt || [ "$word" = --role ] || {
                    echo "$file: ${words[0]} has no ${word%%=*}"
                    return 1
                }
            done
        done < <(commands_in "$file")
    done
    [ "$count" -gt 15 ]
}
check options_exist

documents_hold_together() {
    /usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is missing"
    local version
    version=$(sed -n 's/^.define AP_VERSION "\(.*\)"/\1/p' "$tests_folder/../lib/audiopipe.h")
    /usr/bin/python3 - "$deploy" "$version" <<'CODE'
import sys, yaml
folder, version = sys.argv[1:]

def check_pod(spec):
    volumes = {v["name"] for v in spec["volumes"]}
    for c in spec["containers"]:
        assert c["image"] == "audiopipe:" + version, c["image"]
        assert {m["name"] for m in c["volumeMounts"]} <= volumes
        assert not c["securityContext"]["allowPrivilegeEscalation"] and c["securityContext"]["readOnlyRootFilesystem"]
        assert c["resources"]["limits"]["memory"]

documents = list(yaml.safe_load_all(open(folder + "/kubernetes/audiopipe.yaml")))
kinds = {d["kind"]: d for d in documents}
assert set(kinds) == {"Namespace", "PersistentVolumeClaim", "Deployment", "Service", "TriggerAuthentication", "ScaledJob"}
assert all(d["kind"] == "Namespace" or d["metadata"]["namespace"] == "audiopipe" for d in documents)
d = kinds["Deployment"]["spec"]
labels = d["template"]["metadata"]["labels"]
assert d["selector"]["matchLabels"] == labels == kinds["Service"]["spec"]["selector"]
check_pod(d["template"]["spec"])
job = kinds["ScaledJob"]["spec"]
check_pod(job["jobTargetRef"]["template"]["spec"])
trigger = job["triggers"][0]
assert trigger["metadata"]["valueLocation"] == 'audiopipe_jobs{place="queue"}'
assert trigger["authenticationRef"]["name"] == kinds["TriggerAuthentication"]["metadata"]["name"]
ports = {p["name"] for p in d["template"]["spec"]["containers"][0]["ports"]}
assert kinds["Service"]["spec"]["ports"][0]["targetPort"] in ports

compose = yaml.safe_load(open(folder + "/containers/compose.yaml"))
for name, s in compose["services"].items():
    assert s["image"] == "audiopipe:" + version
    assert all(v.split(":")[0] in compose["volumes"] for v in s["volumes"]), name
assert "localhost/audiopipe:" + version in open(folder + "/containers/audiopipe.container").read()
CODE
}
check documents_hold_together

nginx_reads_its_part() {
    have nginx openssl || skip "nginx or openssl is missing"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=x 2>openssl.txt
    printf 'pid %s/pid;\nevents {}\nhttp { access_log off; error_log stderr;\n' "$work" >nginx.conf
    sed "s,/etc/letsencrypt/live/audio.example.org/fullchain.pem,$work/certificate.pem,
        s,/etc/letsencrypt/live/audio.example.org/privkey.pem,$work/key.pem,
        s/listen 443/listen 127.0.0.1:20443/; s/listen 80/listen 127.0.0.1:20480/; /\[::\]/d" "$deploy/proxy/nginx.conf" >>nginx.conf
    echo '}' >>nginx.conf
    nginx -t -q -c "$work/nginx.conf"
}
check nginx_reads_its_part

readme_names_what_is_there() {
    local name
    for name in $(grep -oE '`[a-z]+/[A-Za-z.@-]+`' "$deploy/README.md" | tr -d '`' | sort -u); do [ -e "$deploy/$name" ]; done
    # the programs of Slurm's power saving are what the part of slurm.conf names
    while read -r name; do [ -x "$deploy/slurm/$name" ]; done < <(sed -n 's,^.*Program=/etc/slurm/,,p' "$deploy/slurm/slurm.conf.part")
    # links within the page lead somewhere
    for name in $(grep -oE '\]\(#[a-z-]+\)' "$deploy/README.md" | tr -d '])(#'); do
        grep -qi "^## ${name//-/ }" "$deploy/README.md"
    done
}
check readme_names_what_is_there

finish
