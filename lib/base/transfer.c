/* SPDX-License-Identifier: GPL-3.0-or-later
 * transfer.c - copies bytes from an input to an output. */
#include "base/transfer.h"
#include "base/error.h"

#include <stdlib.h>

#define BLOCK ((size_t)1 << 18)

static bool too_much(const ap_input *in, uint64_t most, ap_error *err)
{
    ap_fail(err, AP_FAILED, "'%s' has more than %llu bytes", ap_input_name(in), (unsigned long long)most);
    return false;
}

static bool copy(ap_input *in, ap_output *out, uint64_t most, ap_go_on_fn *go_on, ap_error *err)
{
    const uint64_t size = ap_input_size(in);
    if (size != AP_UNKNOWN && size > most)
        return too_much(in, most, err);
    char *block = malloc(BLOCK);
    ptrdiff_t n = -1;
    bool ok = block ? true : ap_fail_memory(err);
    while (ok && (!go_on || go_on(err)) && (n = ap_input_read_some(in, block, BLOCK, err)) > 0)
        ok = (ap_input_tell(in) <= most || too_much(in, most, err)) &&
             ap_output_write(out, block, (size_t)n, err);
    free(block);
    return ok && n == 0;
}

bool ap_transfer(ap_input *in, ap_output *out, uint64_t most, ap_go_on_fn *go_on, ap_error *err)
{
    bool ok = in && out && copy(in, out, most, go_on, err);
    ap_input_close(in);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

bool ap_transfer_file(const char *from, const char *to, uint64_t most, ap_go_on_fn *go_on, ap_error *err)
{
    ap_input *in = ap_input_open(from, err);
    return ap_transfer(in, in ? ap_output_create(to, false, err) : NULL, most, go_on, err);
}
