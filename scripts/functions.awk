# SPDX-License-Identifier: GPL-3.0-or-later
# functions.awk - the functions that a header declares, as a synopsis in mdoc: awk -f functions.awk HEADER
# A paragraph for each part of the header, which begins with a comment "---- NAME: WHAT".
function declare(text, name, type, arguments, list, n, i) {
    gsub(/[ \t\n]+/, " ", text)
    sub(/^ /, "", text)
    if (text ~ /^(typedef|enum|struct|extern)/ || text !~ /ap_[a-z0-9_]+\(.*\)$/)
        return
    match(text, /ap_[a-z0-9_]+\(/)
    name = substr(text, RSTART, RLENGTH - 1)
    type = substr(text, 1, RSTART - 1)
    arguments = substr(text, RSTART + RLENGTH)
    sub(/\)$/, "", arguments)
    sub(/ $/, "", type)
    n = split(arguments, list, / *, */)
    if (part != "")
        printf ".Pp\n"
    part = ""
    printf ".Ft %s\n.Fn %s", type, name
    for (i = 1; i <= n; i++)
        printf " \"%s\"", list[i]
    printf "\n"
}
{
    sub(/^ *#.*/, "")
    whole = whole $0 "\n"
}
END {
    while (length(whole)) {
        if (substr(whole, 1, 2) == "/*") {
            end = index(whole, "*/")
            if (substr(whole, 1, end) ~ /^\/\* ---- /)
                part = "new"
            whole = substr(whole, end + 2)
            continue
        }
        c = substr(whole, 1, 1)
        whole = substr(whole, 2)
        depth += (c == "{") - (c == "}")
        if (c == ";" && depth <= extern) {
            declare(statement)
            statement = ""
        } else {
            statement = statement c
            if (statement ~ /extern "C" \{$/) {
                extern = depth
                statement = ""
            }
        }
    }
}
