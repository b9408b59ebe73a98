/* SPDX-License-Identifier: GPL-3.0-or-later
 * Any bytes as an image, fitted into a small video in every way. */
#include "plugins/av/video.h"

#include <libavutil/log.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SIDE 2048 /* larger ones are right, but slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ap_error err = {0};
    ap_image image;
    av_log_set_level(AV_LOG_QUIET);
    if (!ap_image_decode(&image, data, size, "fuzz", &err)) {
        if (err.code == AP_OK || !err.message[0])
            abort(); /* an error has to say something */
        return 0;
    }
    if (image.orientation < 1 || image.orientation > 8)
        abort();
    for (int fit = AP_FIT_CONTAIN; fit <= (int)AP_FIT_BEHIND; fit++) {
        if (image.frame->width > MAX_SIDE || image.frame->height > MAX_SIDE)
            break;
        AVFrame *picture = ap_fit_image(&image, 48, 32, (ap_fit)fit, &err);
        if (!picture)
            abort();
        av_frame_free(&picture);
    }
    ap_image_free(&image);
    return 0;
}
