#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: does as /openapi.json says, whatever is asked of it.
. "$(dirname "$0")/serve-lib.sh"

export PYTHONDONTWRITEBYTECODE=1
sox -n -r 8000 -c 1 -b 16 short.wav synth 1 sine 440 vol 0.3

every_answer_is_described() {
    fresh
    printf '# says: x\necho some words\ncp "$input" "$out/x.wav"\n' >recipes/says.sh
    serve --run 1 --rate 0
    token alice --role admin
    /usr/bin/python3 "$tests_folder/cli/openapi.py" "$url" "$token" short.wav
    stop_serving
}
check every_answer_is_described

odd_requests_break_nothing() {
    fresh
    serve --run 0 --rate 0 --compat --connections-each 0 # streams whose clients are gone are there for 15 s
    token alice
    /usr/bin/python3 "$tests_folder/cli/serve-fuzz.py" "$url" "$token" "$(length 10000 400)" "${AP_SEED:-1}"
    stop_serving
}
check odd_requests_break_nothing

# The same by a tool of others. It takes a minute or more.
strangers_find_no_fault() {
    fresh
    serve --run 0 --rate 0
    token alice --role admin
    PYTHONPATH=$tests_folder/web SCHEMATHESIS_HOOKS=schemathesis_hooks "$schemathesis" --config-file "$tests_folder/web/schemathesis.toml" run "$url/openapi.json" -H "Authorization: Bearer $token" \
        --phases coverage,fuzzing,stateful --max-examples 5 --seed "${AP_SEED:-1}" --no-color
    stop_serving
}
schemathesis=$tests_folder/web/venv/bin/schemathesis
if [ "${AP_LONG:-}" ] && [ -x "$schemathesis" ]; then
    check strangers_find_no_fault
else
    echo "ok strangers_find_no_fault # skipped: not AP_LONG, or schemathesis is missing (scripts/setup installs it)"
fi

# A part of a form that has no name, or one that ends at a NUL.
forms_without_names() {
    fresh
    serve --run 0
    token alice
    for part in '' '; name="a\x00b"' '; filename="a"'; do
        printf -- '--xx\r\nContent-Disposition: form-data%b\r\n\r\nwords\r\n--xx--\r\n' "$part" >form
        answers 422 -H 'Content-Type: multipart/form-data; boundary=xx' --data-binary @form /v1/files
    done
    stop_serving
}
check forms_without_names

finish
