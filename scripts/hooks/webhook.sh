# SPDX-License-Identifier: GPL-3.0-or-later
# webhook: posts a job's manifest to $AUDIOPIPE_WEBHOOK_URL, signed with $AUDIOPIPE_WEBHOOK_SECRET
# needs: curl sha256sum od
# shellcheck shell=bash disable=SC2154,SC2001

url=${AUDIOPIPE_WEBHOOK_URL:?is not set}
secret=${AUDIOPIPE_WEBHOOK_SECRET:?is not set}

hex() { od -An -v -tx1 | tr -d ' \n'; }
# bytes HEX
bytes() { printf %b "$(sed 's/../\\x&/g' <<<"$1")"; }

# hmac KEY: the HMAC-SHA-256 (RFC 2104) of standard input, in hexadecimal; the key never is an argument of a program
hmac() {
    local key i inner='' outer=''
    key=$(printf %s "$1" | hex)
    [ ${#key} -le 128 ] || key=$(printf %s "$1" | sha256sum | cut -c 1-64)
    printf -v key '%-128s' "$key"
    for ((i = 0; i < 128; i += 2)); do
        local byte=${key:i:2}
        byte=$((16#${byte// /0}))
        printf -v inner '%s%02x' "$inner" $((byte ^ 0x36))
        printf -v outer '%s%02x' "$outer" $((byte ^ 0x5c))
    done
    inner=$({ bytes "$inner" && cat; } | sha256sum | cut -c 1-64)
    bytes "$outer$inner" | sha256sum | cut -c 1-64
}

time=$(date +%s)
signature=$({ printf '%s.' "$time" && cat "$input"; } | hmac "$secret")
code=$(curl -sS --max-time 30 -o answer -w '%{http_code}' -H 'Content-Type: application/json' \
    -H "X-Audiopipe-Timestamp: $time" -H "X-Audiopipe-Signature: sha256=$signature" --data-binary @"$input" "$url") || exit 75
case $code in
    2??) printf '%s %s\n' "$(date -u +%FT%TZ)" "$code" >"$out/sent.txt" ;;
    408 | 429 | 5??) echo "the answer was $code" >&2 && exit 75 ;; # to be tried again
    *) echo "the answer was $code" >&2 && exit 1 ;;
esac
