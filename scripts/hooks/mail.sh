# SPDX-License-Identifier: GPL-3.0-or-later
# mail: says by mail how a job ended, to its owner if that is an address, else to $AUDIOPIPE_MAIL_TO
# needs: ap-manifest base64
# shellcheck shell=bash disable=SC2154

get() { ap-manifest get -m "$input" "$1" 2>/dev/null || true; }
# header TEXT: as it may stand in one (RFC 2047), whatever is in it; encoded words of at most 75 characters
header() {
    local text=$1 word LC_ALL=C.UTF-8
    while [ -n "$text" ]; do
        word=${text:0:10} text=${text:10} # of at most 4 bytes each
        printf '=?UTF-8?B?%s?=' "$(printf %s "$word" | base64 -w 0)"
        [ -z "$text" ] || printf '\n '
    done
}

id=$(get .id) state=$(get .state) name=$(get .input.name) owner=$(get .owner) error=$(get .error)
to=${AUDIOPIPE_MAIL_TO:-}
[[ $owner != ?*@?* ]] || to=$owner
[ -n "$to" ] || {
    echo 'AUDIOPIPE_MAIL_TO is not set, and the owner is no address' >&2
    exit 1
}
{
    [ -z "${AUDIOPIPE_MAIL_FROM:-}" ] || printf 'From: %s\n' "$AUDIOPIPE_MAIL_FROM"
    printf 'To: %s\nSubject: %s\n' "$to" "$(header "$name: $state")"
    printf 'Auto-Submitted: auto-generated\nMIME-Version: 1.0\n'
    printf 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n'
    {
        printf '%s (%s): %s\n' "$name" "$(get .recipe)" "$state"
        [ -z "$error" ] || [ "$state" = 'done' ] || printf '%s\n' "$error"
        printf 'job %s, from %s to %s\n' "$id" "$(get .started)" "$(get .finished)"
        for ((i = 0; ; i++)); do
            path=$(get ".outputs[$i].path")
            [ -n "$path" ] || break
            printf '%s, %s bytes\n' "${path#out/}" "$(get ".outputs[$i].bytes")"
        done
    } | base64
} >mail
"${AUDIOPIPE_SENDMAIL:-/usr/sbin/sendmail}" -t -i <mail # 75 of it is ours: try again later (sysexits.h)
printf '%s %s\n' "$(date -u +%FT%TZ)" "$to" >"$out/sent.txt"
