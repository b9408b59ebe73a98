/* SPDX-License-Identifier: GPL-3.0-or-later
 * Other tags for a file that makes no sense: no crash, whatever it is taken for. The first byte chooses the
 * format. */
#include "base/error.h"
#include "formats/retag/retag.h"
#include "stream/stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ap_tags *make_tags(bool new)
{
    ap_tags *tags = ap_tags_new();
    ap_tags_add(tags, "TITLE", new ? "a longer title than before" : "old");
    ap_tags_add(tags, "TRACKNUMBER", new ? "3" : "1");
    if (new) {
        ap_tags_add(tags, "ARTIST", "one");
        ap_tags_add(tags, "ARTIST", "two");
        ap_tags_add(tags, "OTHER KEY", "value");
        ap_tags_set_picture(tags, "image/png", "\x89PNG\r\n\x1a\n", 8);
    }
    return tags;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ap_retag_fn *const formats[] = {ap_retag_mp3,  ap_retag_flac, ap_retag_ogg, ap_retag_wav,
                                           ap_retag_aiff, ap_retag_mp4,  ap_retag_au};
    static int in = -1, out = -1;
    if (size < 1)
        return 0;
    if (in < 0) {
        in = memfd_create("in", 0);
        out = open("/dev/null", O_WRONLY);
    }
    if (ftruncate(in, 0) != 0 || pwrite(in, data + 1, size - 1, 0) != (ssize_t)size - 1 ||
        lseek(in, 0, SEEK_SET) != 0)
        return 0;
    ap_error err;
    ap_tags *old = make_tags(false), *new = make_tags(true);
    ap_retag r = {.in = ap_input_new(in, false, "input", &err),
                  .out = ap_output_fd(out, "output", false, &err),
                  .old = old,
                  .tags = new,
                  .format = {44100, 2, 3, 1000},
                  .all = data[0] & 0x80,
                  .picture = true};
    if (!formats[(data[0] & 0x7f) % (sizeof formats / sizeof *formats)](&r, &err) && err.code == AP_OK)
        abort();
    ap_output_abort(r.out);
    ap_input_close(r.in);
    ap_tags_free(&old);
    ap_tags_free(&new);
    return 0;
}
