/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * video.h - what the files that make videos share. A picture is a frame of YUV 4:2:0, BT.709, limited range,
 * of the size of the video; an image is what a file holds. */
#ifndef AP_VIDEO_H
#define AP_VIDEO_H

#include "base/output.h"
#include "pictures/lettering.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

/* ---- picture.c */

/* A black picture. NULL when out of memory. */
AVFrame *ap_picture_new(unsigned width, unsigned height);
/* Rows of plane 0, 1, 2 of a picture, and bytes in them. */
unsigned ap_picture_rows(const AVFrame *picture, int plane);
unsigned ap_picture_columns(const AVFrame *picture, int plane);
/* Scales and converts between RGB and YUV of any kind: to the whole of to. */
bool ap_picture_convert(const AVFrame *from, AVFrame *to, ap_error *err);
/* RGB of the size, not cleared. NULL when out of memory. */
AVFrame *ap_rgb_new(unsigned width, unsigned height);

/* ---- image.c */

typedef struct ap_image {
    AVFrame *frame;  /* opaque */
    int orientation; /* as in EXIF: 1 upright... 8 */
} ap_image;

/* The first picture of a JPEG, PNG, WebP, GIF, HEIC or AVIF file, in sRGB. */
bool ap_image_load(ap_image *image, const char *path, ap_error *err);
/* The same from memory; name is for messages. */
bool ap_image_decode(ap_image *image, const void *bytes, size_t size, const char *name, ap_error *err);
void ap_image_free(ap_image *image);

/* ---- gif.c */

bool ap_gif_is_whole(const uint8_t *bytes, size_t size);

/* ---- fit.c */

/* The blurred copy of AP_FIT_BLUR alone. */
#define AP_FIT_BEHIND ((ap_fit)(AP_FIT_BLUR + 1))
/* A picture of width x height with the image fitted into it, upright. NULL on failure. */
AVFrame *ap_fit_image(const ap_image *image, unsigned width, unsigned height, ap_fit fit, ap_error *err);

/* ---- blur.c */

/* Fills an RGB frame with a blurred and darkened copy of from, which covers it. */
bool ap_blur_behind(const AVFrame *from, AVFrame *to, ap_error *err);

/* ---- ken_burns.c */

/* How much larger than the video a picture is when the view moves into it. */
#define AP_KEN_BURNS_ZOOM 1.25
/* The part of a larger picture that is seen at 0 <= t <= 1 of its time; index chooses the way. */
bool ap_ken_burns(const AVFrame *large, AVFrame *picture, size_t index, double t, ap_error *err);

/* ---- pictures one after the other: slideshow.c, visualize.c */

typedef struct ap_pictures {
    void *state;
    double ahead_s; /* of the sound that has to be read before a picture can be made */
    /* Gives the next picture, valid until the next call, and for how many frames it stays; 0: the end. */
    bool (*next)(void *state, const AVFrame **picture, uint64_t *frames, ap_error *err);
    void (*free)(void *state);
} ap_pictures;

typedef struct ap_shown {
    const char *name;    /* of an image */
    const char *caption; /* NULL: none */
    double seconds;      /* 0: not said */
    uint64_t begin;      /* the frame of the video with which it begins */
} ap_shown;

/* What pictures of both kinds are made by. */
typedef struct ap_showing {
    const ap_stitch_options *options;
    AVRational fps;
    const ap_shown *images;
    size_t count;
    ap_letter_fn *letter; /* NULL: there are no words */
} ap_showing;

/* Shows the images, one or more, for frames frames, at least one each. They have to outlive it. */
bool ap_slideshow(ap_pictures *pictures, const ap_showing *showing, uint64_t frames, ap_error *err);

/* Draws the sound of *audio, which is wrapped, as it is read, before the image if there is one; next ends
 * with the sound. */
bool ap_visualize(ap_pictures *pictures, ap_stream **audio, const ap_showing *showing, ap_error *err);

/* ---- muxer.c: packets to a file */

typedef struct ap_muxer {
    ap_output *out;
    AVFormatContext *container;
    ap_error error; /* AP_OK until writing to out fails */
} ap_muxer;

/* A muxer without streams. */
bool ap_muxer_open(ap_muxer *m, ap_output *out, const char *format, ap_error *err);
/* Adds the stream of an encoder that is open. */
bool ap_muxer_add(ap_muxer *m, const AVCodecContext *codec, int *index, ap_error *err);
/* With what the container has in it already. */
bool ap_muxer_start_as_it_is(ap_muxer *m, ap_error *err);
/* With these tags, and the chapters among them. */
bool ap_muxer_start(ap_muxer *m, const ap_tags *tags, ap_error *err);
/* The same for Stems: the index after the sound, times in units of the rate, and their brand. */
bool ap_muxer_start_stems(ap_muxer *m, int rate, const ap_tags *tags, ap_error *err);
/* Writes a packet, whose times are in units of base, and empties it. */
bool ap_muxer_write(ap_muxer *m, AVPacket *packet, int index, AVRational base, ap_error *err);
bool ap_muxer_finish(ap_muxer *m, ap_error *err);
/* Takes one that is not open, too. */
void ap_muxer_close(ap_muxer *m);
bool ap_muxer_is_webm(const ap_muxer *m);
/* Whether its sound is Opus; otherwise it is AAC. */
bool ap_muxer_has_opus(const ap_muxer *m);

/* ---- video_track.c: pictures to packets */

typedef struct ap_video_track ap_video_track;

ap_video_track *ap_video_track_open(ap_muxer *m, AVRational fps, const ap_stitch_options *options,
                                    ap_error *err);
/* Encodes a picture, which has to be shown for this many frames. */
bool ap_video_track_show(ap_video_track *t, const AVFrame *picture, uint64_t frames, ap_error *err);
/* Writes the next frame of what is shown; there has to be one. */
bool ap_video_track_write(ap_video_track *t, ap_error *err);
/* Frames that are shown but not written. */
uint64_t ap_video_track_left(const ap_video_track *t);
/* Frames written. */
uint64_t ap_video_track_position(const ap_video_track *t);
void ap_video_track_close(ap_video_track *t);

/* ---- audio_track.c: a stream to packets */

typedef struct ap_audio_track ap_audio_track;

/* Converts the stream to what the codec takes. */
ap_stream *ap_audio_track_prepare(const ap_muxer *m, ap_stream *audio, ap_error *err);
/* Takes a prepared stream over. kbps: 0, the usual bit rate. length_s: when to end, filling up with silence;
 * < 0: with the stream. */
ap_audio_track *ap_audio_track_open(ap_muxer *m, ap_stream *audio, double kbps, double length_s,
                                    ap_error *err);
/* Encodes the next block, if there is one. */
bool ap_audio_track_write(ap_audio_track *t, ap_error *err);
/* The sound begins at this time. */
void ap_audio_track_delay(ap_audio_track *t, double seconds);
/* Before the muxer starts: readers of Matroska take the delay of Opus off by themselves; else it would move
 * all other streams. */
void ap_audio_track_keep_time(ap_audio_track *t);
bool ap_audio_track_ended(const ap_audio_track *t);
/* The time up to which sound is written. */
double ap_audio_track_seconds(const ap_audio_track *t);
void ap_audio_track_report(const ap_audio_track *t, ap_stitch_report *report);
void ap_audio_track_close(ap_audio_track *t);

/* ---- video.c */

struct ap_stitch_job;
/* Makes the video of a job, into out, which stays the caller's. */
bool ap_av_stitch(const struct ap_stitch_job *job, ap_output *out, ap_error *err);

/* ---- film.c */

struct ap_film_job;
/* Writes the film of a job into out, which stays the caller's. */
bool ap_av_film(const struct ap_film_job *job, ap_output *out, ap_error *err);

/* ---- stem_file.c */

/* The tracks and the text of Stems, of a stream of ten channels, which is taken over. */
bool ap_av_write_stems(ap_stream *s, const ap_stem_file_options *options, ap_output *out, ap_error *err);

#endif
