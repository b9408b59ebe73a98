/* SPDX-License-Identifier: GPL-3.0-or-later
 * sha256.c - SHA-256 of files, by Nettle. */
#include "jobs/record/sha256.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

static void finish(struct sha256_ctx *hash, char hex[AP_SHA256_HEX])
{
    unsigned char sum[SHA256_DIGEST_SIZE];
    sha256_digest(hash, sizeof sum, sum);
    base16_encode_update(hex, sizeof sum, sum);
    hex[BASE16_ENCODE_LENGTH(sizeof sum)] = 0;
}

bool ap_sha256_copy(int in, const char *name, int out, const char *copy, char hex[AP_SHA256_HEX],
                    uint64_t *bytes, ap_error *err)
{
    static _Thread_local unsigned char block[1 << 18];
    struct sha256_ctx hash;
    ssize_t n;
    sha256_init(&hash);
    for (*bytes = 0; (n = read(in, block, sizeof block)) != 0; *bytes += (uint64_t)n) {
        if (n < 0)
            return ap_fail_errno(err, errno, "cannot read '%s'", name);
        for (ssize_t done = 0, w; out >= 0 && done < n; done += w)
            if ((w = write(out, block + done, (size_t)(n - done))) < 0)
                return ap_fail_errno(err, errno, "cannot write '%s'", copy);
        sha256_update(&hash, (size_t)n, block);
    }
    finish(&hash, hex);
    return true;
}

bool ap_sha256_file(const char *path, char hex[AP_SHA256_HEX], uint64_t *bytes, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    bool ok = ap_sha256_copy(fd, path, -1, NULL, hex, bytes, err);
    close(fd);
    return ok;
}

void ap_sha256_text(const char *text, char hex[AP_SHA256_HEX])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(text), (const unsigned char *)text);
    finish(&hash, hex);
}
