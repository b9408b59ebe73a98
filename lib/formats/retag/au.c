/* SPDX-License-Identifier: GPL-3.0-or-later
 * au.c - tags in AU, as apstream(5) has them: the annotation is made again. */
#include "base/error.h"
#include "formats/apstream.h"
#include "formats/retag/retag.h"

#include <stdlib.h>

#define HEADER 24

bool ap_retag_au(ap_retag *r, ap_error *err)
{
    unsigned char *old = ap_retag_load(r, 0, HEADER, err);
    if (!old)
        return false;
    uint64_t start = ap_get_big(old + 4, 4);
    ap_bytes head = {0};
    ap_bytes_add(&head, old, HEADER);
    ap_apstream_annotation(&head, &r->format, r->tags);
    bool ok = !head.failed || ap_fail_memory(err);
    if (ok)
        ap_put_big(head.data + 4, head.size, 4);
    ok = ok && ap_output_write(r->out, head.data, head.size, err) &&
         ap_retag_copy(r, start < HEADER ? HEADER : start, AP_UNKNOWN, err);
    free(head.data);
    free(old);
    return ok;
}
