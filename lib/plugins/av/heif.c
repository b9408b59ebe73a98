/* SPDX-License-Identifier: GPL-3.0-or-later
 * heif.c - HEIC and AVIF, by libheif: the main image, turned as the file says. */
#include "plugins/av/heif.h"
#include "base/error.h"

#include <libheif/heif.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 16384

static bool copy_pixels(ap_image *image, const struct heif_image *pixels, bool alpha, ap_error *err)
{
    int stride, width = heif_image_get_width(pixels, heif_channel_interleaved),
                height = heif_image_get_height(pixels, heif_channel_interleaved);
    const uint8_t *from = heif_image_get_plane_readonly(pixels, heif_channel_interleaved, &stride);
    AVFrame *f = from ? av_frame_alloc() : NULL;
    if (f) {
        f->width = width;
        f->height = height;
        f->format = alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
    }
    if (!f || av_frame_get_buffer(f, 0) < 0) {
        av_frame_free(&f);
        return ap_fail_memory(err);
    }
    for (int y = 0; y < height; y++)
        memcpy(f->data[0] + (ptrdiff_t)y * f->linesize[0], from + (ptrdiff_t)y * stride,
               (size_t)width * (alpha ? 4 : 3));
    *image = (ap_image){.frame = f, .orientation = 1};
    return true;
}

/* false without an error when there is none. */
static void copy_profile(const struct heif_image_handle *handle, void **profile, size_t *size)
{
    *size = heif_image_handle_get_raw_color_profile_size(handle);
    *profile = *size ? malloc(*size) : NULL;
    if (*profile && heif_image_handle_get_raw_color_profile(handle, *profile).code != heif_error_Ok) {
        free(*profile);
        *profile = NULL;
    }
}

static struct heif_image *decode(const struct heif_image_handle *handle, bool alpha, struct heif_error *e)
{
    struct heif_image *pixels = NULL;
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    options->convert_hdr_to_8bit = 1;
    options->strict_decoding = 1;
    *e = heif_decode_image(handle, &pixels, heif_colorspace_RGB,
                           alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, options);
    heif_decoding_options_free(options);
    return pixels;
}

bool ap_heif_decode(ap_image *image, void **profile, size_t *profile_size, const void *bytes, size_t size,
                    const char *name, ap_error *err)
{
    struct heif_context *context = heif_context_alloc();
    struct heif_image_handle *handle = NULL;
    struct heif_image *pixels = NULL;
    if (!context)
        return ap_fail_memory(err);
    heif_context_set_maximum_image_size_limit(context, MAX_SIDE);
    struct heif_error e = heif_context_read_from_memory_without_copy(context, bytes, size, NULL);
    if (e.code == heif_error_Ok)
        e = heif_context_get_primary_image_handle(context, &handle);
    bool alpha = handle && heif_image_handle_has_alpha_channel(handle);
    if (handle)
        pixels = decode(handle, alpha, &e);
    bool ok = pixels ? copy_pixels(image, pixels, alpha, err)
                     : ap_fail(err, AP_FAILED, "the image '%s' cannot be decoded: %s", name,
                               e.message ? e.message : "it is damaged");
    if (ok)
        copy_profile(handle, profile, profile_size);
    heif_image_release(pixels);
    heif_image_handle_release(handle);
    heif_context_free(context);
    return ok;
}
