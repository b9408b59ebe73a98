/* SPDX-License-Identifier: GPL-3.0-or-later
 * What stands in the headers and paths of requests: any text is read or refused, without a crash. */
#include "serve/who/parse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The result, if there is one, is a text; it is read to its end. */
static void use(char *text)
{
    if (text && strlen(text) == SIZE_MAX)
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), first[16], second[16];
    uint64_t a, b;
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (ap_parse_range(text, 1000, &a, &b) == AP_RANGE_PART && (a >= 1000 || b == 0 || b > 1000 - a))
        abort(); /* a part that is not there */
    (void)ap_parse_number(text, &a);
    (void)ap_is_file_id(text);
    (void)ap_is_owner_name(text);
    (void)ap_lists_etag(text, "\"a\"");
    (void)ap_lists_word(text, "a");
    (void)ap_is_tus_metadata(text);
    use(ap_tus_metadata(text, "filename"));
    use(ap_percent_encode(text));
    use(ap_disposition(text));
    if (ap_match_path("/v1/jobs/{id}/outputs/{name*}", text, first, second, sizeof first) &&
        (!*first || strchr(first, '/') || !*second))
        abort();
    free(text);
    return 0;
}
