/* SPDX-License-Identifier: GPL-3.0-or-later
 * Any bytes, decoded as a file. */
#include "audiopipe.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_SAMPLES (1 << 21)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libsndfile 1.2.0 forgets to free this when it gives up on the headers of a Vorbis file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_info_init\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ap_error err = {0};
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    ap_stream *s = ap_decode_fd(fd, "fuzz", NULL, &err);
    if (!s && (err.code == AP_OK || !err.message[0]))
        abort(); /* an error has to say something */
    if (s) {
        const ap_format *format = ap_stream_format(s);
        float *frames = malloc(500 * sizeof *frames * format->channels);
        uint64_t total = 0;
        ptrdiff_t n;
        while ((n = ap_read(s, frames, 500, &err)) > 0 && total < MAX_SAMPLES / format->channels)
            total += (uint64_t)n;
        if (n == 0 && format->frames != AP_UNKNOWN && total != format->frames)
            abort(); /* a promise was broken */
        free(frames);
    }
    ap_close(&s);
    close(fd);
    return 0;
}
