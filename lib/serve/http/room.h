/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * room.h - whether there is room for what is announced. */
#ifndef AP_SERVE_HTTP_ROOM_H
#define AP_SERVE_HTTP_ROOM_H

#include "serve/http/request.h"

/* Answers when it says false: 413 larger than any file may be, 507 more than the owner may keep, or than the
 * disk has. */
bool ap_room_for(ap_request *r, uint64_t bytes);

#endif
