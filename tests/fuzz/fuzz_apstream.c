/* SPDX-License-Identifier: GPL-3.0-or-later
 * Any bytes as an apstream; what can be read has to survive being written and read again. */
#include "audiopipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_SAMPLES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/* All frames, at most MAX_SAMPLES samples. -1: it failed. */
static ptrdiff_t read_all(int fd, float *samples, ap_format *format)
{
    ap_error err = {0};
    ap_stream *s = ap_apstream_read(fd, "fuzz", &err);
    if (!s) {
        if (err.code == AP_OK || !err.message[0])
            abort();
        return -1;
    }
    *format = *ap_stream_format(s);
    ptrdiff_t n = ap_read_full(s, samples, MAX_SAMPLES / format->channels, NULL);
    ap_close(&s);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float first[MAX_SAMPLES], second[MAX_SAMPLES];
    ap_format format, again;
    int in = file_of(data, size), out = file_of("", 0);
    ptrdiff_t n = read_all(in, first, &format);
    if (n >= 0 && size < MAX_SAMPLES) {
        if (lseek(in, 0, SEEK_SET) != 0)
            abort();
        bool written = ap_apstream_write(ap_apstream_read(in, "fuzz", NULL), out, "out", NULL);
        if (!written || lseek(out, 0, SEEK_SET) != 0 || read_all(out, second, &again) != n)
            abort();
        if (again.rate != format.rate || again.channels != format.channels || again.mask != format.mask ||
            memcmp(first, second, (size_t)n * format.channels * sizeof *first) != 0)
            abort();
    }
    close(in);
    close(out);
    return 0;
}
