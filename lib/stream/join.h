/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * join.h - streams one after the other as one. */
#ifndef AP_STREAM_JOIN_H
#define AP_STREAM_JOIN_H

#include "stream/stream.h"

typedef struct ap_join_ops {
    /* The next part, which the join closes; NULL at the end, or on failure: then err is filled. */
    ap_stream *(*next)(void *user, ap_error *err);
    void (*close)(void *user);
} ap_join_ops;

/* Parts of another rate or number of channels are converted to format, with a warning. Takes user over, also
 * when it fails. */
ap_stream *ap_join(const ap_format *format, const ap_join_ops *ops, void *user, ap_error *err);

/* s with the channels and the rate of format. Channels without positions keep their numbers. */
ap_stream *ap_conform(ap_stream *s, const ap_format *format, ap_error *err);

#endif
