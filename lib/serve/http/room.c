/* SPDX-License-Identifier: GPL-3.0-or-later
 * room.c - whether there is room for what is announced. */
#include "serve/http/room.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <sys/statvfs.h>

bool ap_room_for(ap_request *r, uint64_t bytes)
{
    const ap_serve_options *o = r->server->options;
    struct statvfs disk;
    const char *owner = r->person.owner;
    if ((double)bytes > o->max_bytes) {
        ap_reply_problem(r, 413, "size", "a file may have %.0f bytes", o->max_bytes);
        return false;
    }
    size_t count;
    double used =
        (double)ap_uploads_of(&r->server->uploads, owner, &count) + ap_index_bytes(r->server->index, owner);
    if (o->uploads > 0 && count >= o->uploads) {
        ap_reply_problem(r, 507, NULL, "%s has %zu uploads: some have to be removed, or to expire", owner,
                         count);
        return false;
    }
    if (o->quota_bytes > 0 && used + (double)bytes > o->quota_bytes) {
        ap_reply_problem(r, 507, "size", "%.0f of the %.0f bytes that %s may keep are used", used,
                         o->quota_bytes, owner);
        return false;
    }
    if (statvfs(r->server->home, &disk) == 0 &&
        (double)disk.f_bavail * (double)disk.f_frsize < (double)bytes + o->min_free_bytes) {
        ap_reply_problem(r, 507, NULL, "no room on the disk");
        return false;
    }
    return true;
}
