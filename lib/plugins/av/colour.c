/* SPDX-License-Identifier: GPL-3.0-or-later
 * colour.c - images of any colour space to sRGB, by LittleCMS. */
#include "plugins/av/colour.h"
#include "base/error.h"

#include <lcms2.h>

static bool run(cmsHTRANSFORM transform, ap_image *image, ap_error *err)
{
    const AVFrame *from = image->frame;
    AVFrame *to = ap_rgb_new((unsigned)from->width, (unsigned)from->height);
    if (!to || !ap_picture_convert(from, to, err)) {
        av_frame_free(&to);
        return to || ap_fail_memory(err);
    }
    for (int y = 0; y < to->height; y++) {
        uint8_t *row = to->data[0] + (ptrdiff_t)y * to->linesize[0];
        cmsDoTransform(transform, row, row, (cmsUInt32Number)to->width);
    }
    av_frame_free(&image->frame);
    image->frame = to;
    return true;
}

/* Contexts of its own: images are loaded by several threads. */
bool ap_image_to_srgb(ap_image *image, const void *bytes, size_t size, ap_error *err)
{
    cmsContext context = cmsCreateContext(NULL, NULL);
    if (!context)
        return ap_fail_memory(err);
    cmsHPROFILE profile =
        size <= UINT32_MAX ? cmsOpenProfileFromMemTHR(context, bytes, (cmsUInt32Number)size) : NULL;
    cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(context);
    cmsHTRANSFORM transform = NULL;
    if (profile && srgb && cmsGetColorSpace(profile) == cmsSigRgbData)
        transform = cmsCreateTransformTHR(context, profile, TYPE_RGB_8, srgb, TYPE_RGB_8,
                                          cmsGetHeaderRenderingIntent(profile), 0);
    bool ok = !transform || run(transform, image, err);
    if (transform)
        cmsDeleteTransform(transform);
    if (profile)
        cmsCloseProfile(profile);
    if (srgb)
        cmsCloseProfile(srgb);
    cmsDeleteContext(context);
    return ok;
}
