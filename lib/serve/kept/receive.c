/* SPDX-License-Identifier: GPL-3.0-or-later
 * receive.c - a file that comes in one go. */
#include "serve/kept/receive.h"
#include "base/error.h"
#include "base/write.h"
#include "jobs/record/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ap_receive_start(ap_receiving *in, ap_uploads *uploads, const char *id, uint64_t most, ap_error *err)
{
    *in = (ap_receiving){.uploads = uploads, .most = most};
    strcpy(in->id, id);
    sha256_init(&in->hash);
    char *path = ap_upload_path(uploads, id, ".part");
    in->fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool ok = in->fd >= 0 || ap_fail_errno(err, path ? errno : ENOMEM, "cannot write the file");
    free(path);
    return ok;
}

void ap_receive(ap_receiving *in, const char *bytes, size_t size)
{
    in->too_long = in->too_long || size > in->most - in->size;
    if (in->failed || in->too_long)
        return;
    in->failed =
        !ap_write_all(in->fd, bytes, size) && !ap_fail_errno(&in->why, errno, "cannot write the file");
    sha256_update(&in->hash, size, (const unsigned char *)bytes);
    in->size += size;
}

static bool keep(ap_receiving *in, ap_upload *upload, ap_error *err)
{
    unsigned char sum[SHA256_DIGEST_SIZE];
    sha256_digest(&in->hash, sizeof sum, sum);
    base16_encode_update(upload->sha256, sizeof sum, sum);
    upload->sha256[BASE16_ENCODE_LENGTH(sizeof sum)] = 0;
    upload->length = upload->offset = in->size;
    char *part = ap_upload_path(in->uploads, in->id, ".part"),
         *path = ap_upload_path(in->uploads, in->id, "");
    bool ok = (part && path) || ap_fail_memory(err);
    /* the record first: a length without a file is an upload that is not whole */
    ok = ok && ap_upload_save(in->uploads, upload, err) &&
         (rename(part, path) == 0 || ap_fail_errno(err, errno, "cannot write the file")) &&
         ap_sync_folder(in->uploads->folder, err);
    free(part);
    free(path);
    return ok;
}

bool ap_receive_end(ap_receiving *in, ap_upload *upload, ap_error *err)
{
    if (in->too_long)
        return ap_fail(err, AP_FAILED, "it has more than %llu bytes", (unsigned long long)in->most);
    if (in->failed && err)
        *err = in->why;
    if (in->failed)
        return false;
    if (fsync(in->fd) != 0)
        return ap_fail_errno(err, errno, "cannot write the file");
    close(in->fd);
    in->fd = -1;
    return keep(in, upload, err);
}

void ap_receive_drop(ap_receiving *in)
{
    char *part = in->fd >= 0 ? ap_upload_path(in->uploads, in->id, ".part") : NULL;
    if (in->fd >= 0)
        close(in->fd);
    if (part)
        unlink(part);
    in->fd = -1;
    free(part);
}
