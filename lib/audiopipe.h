/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * audiopipe.h - libaudiopipe: streams of audio that wrap streams of audio.
 *
 *     ap_error err;
 *     ap_stream *s = ap_decode("song.mp3", NULL, &err);
 *     s = ap_spatialize(s, NULL, &err);
 *     s = ap_reverb(s, NULL, &err);
 *     s = ap_limit(s, NULL, &err);
 *     if (!ap_encode(s, "song.8d.mp3", NULL, &err))
 *         fprintf(stderr, "%s\n", err.message);
 *
 * Conventions that hold for every function here:
 * - A stage takes ownership of its source, on failure too, and returns the wrapped stream. NULL as source
 *   gives NULL and leaves *err alone, so a chain needs one check, at its end.
 * - Options are a const struct that ap_<stage>_defaults() fills; NULL means the defaults. Units are in the
 *   names of the fields. A value out of range is an error with code AP_USAGE.
 * - Samples are interleaved 32-bit floats, full scale +-1.0, and may exceed it between stages. NaN, Inf and
 *   what is beyond +-2^40 count as 0 in every stage with a memory, and in every file. A frame is one
 *   sample for each channel. Positions and lengths count frames.
 * - A stage keeps time: frame n out belongs to frame n in, its latency is compensated inside it. A tail
 *   (reverb) extends the stream, and the frame count says so. The block size never changes the samples.
 * - Memory is constant in the length of the stream.
 * - The err parameter may be NULL. It is written on failure only. The message is one line of UTF-8, lower
 *   case, without a full stop, and names its subject in quotes.
 * - A signal whose handler has no SA_RESTART interrupts a read or write that waits, which then fails.
 * - Nothing prints, exits, or keeps global state. Different streams may run in different threads.
 */
#ifndef AUDIOPIPE_H
#define AUDIOPIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AP_VERSION "0.1.0"

/* A frame count that is not known, or "until the end". */
#define AP_UNKNOWN UINT64_MAX

/* What a stream can have. */
#define AP_MAX_CHANNELS 128
#define AP_MIN_RATE 1000
#define AP_MAX_RATE 768000

/* ---- error.c */

/* The outcome of a call. The values are the exit codes of the commands. */
typedef enum ap_status {
    AP_OK = 0,
    AP_FAILED = 1,                 /* bad data, input or output failed */
    AP_USAGE = 2,                  /* an option or argument makes no sense */
    AP_TRY_AGAIN = 75,             /* disk full, out of memory, busy: the same call may succeed later */
    AP_NO_AUDIO = AP_FAILED + 256, /* a file that is fine but has no sound; as an exit code it is AP_FAILED */
} ap_status;

typedef struct ap_error {
    ap_status code;
    char message[512];
    int number; /* errno of the call of the system that failed; 0: none did */
} ap_error;

/* ---- tags.c: what a file says about itself */

/* An ordered list of KEY=value in UTF-8. Keys are the names of Vorbis comments in upper case (TITLE, ARTIST,
 * ALBUM, TRACKNUMBER, DATE, GENRE, COMMENT...) and may repeat; chapters are among them, as CHAPTER001 and
 * CHAPTER001NAME. Besides, at most one picture (cover art). */
typedef struct ap_tags ap_tags;

typedef struct ap_picture {
    const char *mime; /* image/jpeg, image/png */
    const unsigned char *data;
    size_t size; /* bytes, 0 = no picture */
} ap_picture;

/* NULL when out of memory. */
ap_tags *ap_tags_new(void);
/* Frees and sets to NULL; takes NULL and a pointer to NULL. */
void ap_tags_free(ap_tags **tags);

/* Appends KEY=value, both copied. The key is folded to upper case; it has to be printable ASCII without '='.
 * A value that is not valid UTF-8 is read as ISO 8859-1. An empty value is ignored. Returns false for a bad
 * key, for more than 4096 tags, for a value beyond 1 MiB, and when out of memory. */
bool ap_tags_add(ap_tags *tags, const char *key, const char *value);
/* As ap_tags_add, but replaces all values of the key. An empty value removes the key. */
bool ap_tags_set(ap_tags *tags, const char *key, const char *value);
/* The first value of a key, or NULL. Owned by tags. */
const char *ap_tags_get(const ap_tags *tags, const char *key);
/* Pair number index, in order. false past the last one. The strings are owned by tags. */
bool ap_tags_at(const ap_tags *tags, size_t index, const char **key, const char **value);

/* Copies the picture in; size 0 removes it. false when out of memory or beyond 64 MiB. */
bool ap_tags_set_picture(ap_tags *tags, const char *mime, const void *data, size_t size);
/* The picture, size 0 if there is none. Owned by tags. */
ap_picture ap_tags_picture(const ap_tags *tags);
/* Adds all of from's tags, and its picture, to tags. */
bool ap_tags_merge(ap_tags *tags, const ap_tags *from);
/* Adds those tags of from whose key tags does not have, and the picture, if it has none. */
bool ap_tags_fill(ap_tags *tags, const ap_tags *from);

/* Removes all tags that tell players how to change the loudness (REPLAYGAIN_*, R128_*, MP3GAIN_*, iTunNORM,
 * RVA2): for stages that change it. */
void ap_tags_drop_gain(ap_tags *tags);

/* Makes these the tags of a file: mp3, flac, ogg, opus, wav, aiff, m4a, au. The bytes of the sound stay as
 * they are, and so does all in the file that is not understood here, further pictures and (unless they
 * change) chapters. ReplayGain becomes what Opus has instead of it, and the other way round. The file is
 * written anew beside itself and replaced when that is complete, with the same owner and mode; with same_time
 * it keeps its time, too. Nothing is written if nothing changes. */
bool ap_tags_write(const char *path, const ap_tags *tags, bool same_time, ap_error *err);

/* ---- stream.c: streams */

typedef struct ap_stream ap_stream;

/* Speaker positions of a channel mask: the bits of WAVEFORMATEXTENSIBLE. Channels come in bit order. */
enum {
    AP_FRONT_LEFT = 0x1,
    AP_FRONT_RIGHT = 0x2,
    AP_FRONT_CENTER = 0x4,
    AP_LOW_FREQUENCY = 0x8,
    AP_BACK_LEFT = 0x10,
    AP_BACK_RIGHT = 0x20,
    AP_FRONT_LEFT_OF_CENTER = 0x40,
    AP_FRONT_RIGHT_OF_CENTER = 0x80,
    AP_BACK_CENTER = 0x100,
    AP_SIDE_LEFT = 0x200,
    AP_SIDE_RIGHT = 0x400,
};
/* Instead of a mask, for more than two channels: they have no positions (Ambisonics, microphones, stems). */
#define AP_DISCRETE 0x80000000u

typedef struct ap_format {
    uint32_t rate;     /* Hz, AP_MIN_RATE..AP_MAX_RATE */
    uint32_t channels; /* 1..AP_MAX_CHANNELS */
    uint32_t mask;     /* speaker positions, AP_DISCRETE, 0 = the usual ones for this number of channels */
    uint64_t frames;   /* length of the whole stream, or AP_UNKNOWN */
} ap_format;

/* The usual mask for 1..8 channels (mono, stereo, 3.0, quad, 5.0, 5.1, 6.1, 7.1), 0 for any other number. */
uint32_t ap_default_mask(uint32_t channels);
/* The mask of a layout that is written as ffmpeg writes it ("5.1(side)", "FL+FR+LFE"), as a number, or as
 * "discrete". 0 if it is none of these. */
uint32_t ap_layout_mask(const char *name);
/* Whether every channel has a position. */
bool ap_has_places(const ap_format *format);

/* Both are owned by the stream and live as long as it does. */
const ap_format *ap_stream_format(const ap_stream *s);
const ap_tags *ap_stream_tags(const ap_stream *s);

/* Reads 1..max frames into frames[max * channels]. Returns how many, 0 at the end, -1 on error. Like read(2),
 * it may return fewer than max without being at the end. A stream that ends before its declared length is an
 * error; after an error every further call returns the same error. */
ptrdiff_t ap_read(ap_stream *s, float *frames, size_t max, ap_error *err);

/* The next warning (damaged input that was played all the same, samples that were not finite...) of this
 * stream or those below it that was not asked for yet, or NULL. Valid until the next call or ap_close. */
const char *ap_stream_warning(ap_stream *s);

/* Closes the whole chain, frees it and sets *s to NULL. Takes NULL and a pointer to NULL. */
void ap_close(ap_stream **s);

/* A stream over the caller's own function. pull has the contract of ap_read; close may be NULL, and is called
 * once, also when this fails. */
typedef ptrdiff_t ap_pull_fn(void *user, float *frames, size_t max, ap_error *err);
ap_stream *ap_source(const ap_format *format, ap_pull_fn *pull, void (*close)(void *user), void *user,
                     ap_error *err);
/* A stream over a caller's array of format->frames frames, which has to outlive it. */
ap_stream *ap_source_memory(const ap_format *format, const float *frames, ap_error *err);

/* Looks at what passes: see is called with each block that was read from s, and with count 0 once at the end.
 * If it returns false, having filled err, reading fails. */
typedef bool ap_tap_fn(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err);
ap_stream *ap_tap(ap_stream *s, ap_tap_fn *see, void *user, ap_error *err);

/* ---- apstream.c: audio between processes, apstream(5) */

/* Reads an apstream, or any Sun AU of linear PCM, from fd, which is not closed. name is the subject of error
 * messages. */
ap_stream *ap_apstream_read(int fd, const char *name, ap_error *err);
/* Writes the whole stream to fd, each block as soon as it is there. Closes s. NaN, Inf and samples beyond
 * +-2^40 become 0. */
bool ap_apstream_write(ap_stream *s, int fd, const char *name, ap_error *err);

/* ---- decode.c: any audio or video file */

typedef struct ap_decode_options {
    uint32_t rate;     /* Hz to resample to, 0 = the file's */
    uint32_t channels; /* 1..8 to mix to, 0 = the file's */
    double start_s;    /* skips this much */
    double duration_s; /* stops after this much, < 0 = at the end */
    unsigned track;    /* audio track of a container, 1 = the first; 0 = the default one */
    uint32_t mask;     /* what the file's channels are, whatever it says of them; 0 = believe it */
    bool drc;          /* apply the dynamic range control that AC-3 carries for small rooms */
    const char *raw;   /* what a file without a header is, as in ap_raw_check; NULL = find out */
} ap_decode_options;

void ap_decode_defaults(ap_decode_options *options);
/* Opens a file. The format is found from the content: apstream and AU, WAV RF64 W64, MP3 (libmpg123), FLAC
 * (libFLAC), Ogg Vorbis, Opus and FLAC (libvorbis, libopus), AIFF, CAF (libsndfile), everything else through
 * libav, if its plugin is installed. Encoder delay and padding are cut off where the file tells them. Opus
 * comes at 48 kHz. A file that changes its rate or channels on the way is converted to the format that it
 * starts with, with a warning. A truncated file is an error, here or in ap_read; a damaged one is played,
 * with a warning, silence in the place of what is lost. */
ap_stream *ap_decode(const char *path, const ap_decode_options *options, ap_error *err);
/* The same from a descriptor, which may be a pipe and is not closed. name is the subject of messages. */
ap_stream *ap_decode_fd(int fd, const char *name, const ap_decode_options *options, ap_error *err);
/* Whether raw says what sound without a header is: FORMAT,RATE,CHANNELS[,LAYOUT], as in "s16le,48000,2".
 * FORMAT is one of u8 s8 u16 s16 u24 s24 u32 s32 f32 f64, followed by "le" or "be" (default le), or mulaw,
 * alaw; a layout, as in ap_layout_mask, may stand for CHANNELS. Bytes behind the last frame are left out,
 * with a warning. */
bool ap_raw_check(const char *raw, ap_error *err);

/* ---- resample.c, channels.c, trim.c, gain.c */

/* Sample rate conversion by libsoxr, very high quality (28 bit). Latency 0; frames out = frames in * rate /
 * old rate, rounded up. */
ap_stream *ap_resample(ap_stream *s, uint32_t rate, ap_error *err);
/* Mixes to 1..8 channels. Mono = mean of the two channels of the stereo mix, stereo from mono = the same
 * twice; other speakers that the result lacks go to their neighbours by ITU-R BS.775-3, annex 4 (centre and
 * surrounds at -3 dB, LFE left out; full scale may be exceeded); speakers that the source lacks are silent.
 */
ap_stream *ap_remix(ap_stream *s, uint32_t channels, ap_error *err);
/* Frames [start, start + count); count AP_UNKNOWN = to the end. A start past the end is an error. */
ap_stream *ap_trim(ap_stream *s, uint64_t start, uint64_t count, ap_error *err);
/* Multiplies by a linear factor. */
ap_stream *ap_gain(ap_stream *s, double factor, ap_error *err);

/* ---- spatialize.c: rotating ("8D") audio */

typedef enum ap_spatial_mode { AP_SPATIAL_HRTF, AP_SPATIAL_PAN } ap_spatial_mode;
/* How the sound moves: smooth functions of the time alone. Elsewhere a path is that of a file. */
typedef enum ap_path {
    AP_PATH_CIRCLE,  /* once around in a period */
    AP_PATH_SWING,   /* from the front to one side, through the front to the other, and back */
    AP_PATH_FIGURE8, /* the same, twice up and down by 30 degrees: an 8 lying before the listener */
    AP_PATH_SPIRAL, /* the circle, swelling to three times its least distance and back in four turns; the mean
                       level is that of the circle */
    AP_PATH_RANDOM /* wanders everywhere within 30 degrees of the horizon, as fast as the circle on average */
} ap_path;

/* A set of head-related impulse responses from a SOFA file (AES69); any number of streams may share it.
 * Opening it takes longer than opening the rest of a stream, which does not have to wait for it when it is
 * opened before. path NULL: MIT KEMAR, as libmysofa brings it. */
typedef struct ap_sofa ap_sofa;
ap_sofa *ap_sofa_open(const char *path, ap_error *err);
void ap_sofa_close(ap_sofa *set); /* takes NULL */

typedef struct ap_spatialize_options {
    ap_spatial_mode mode; /* HRTF: binaural, for headphones; PAN: equal power between two speakers */
    const char *sofa;     /* the SOFA file to be opened, as in ap_sofa_open */
    const ap_sofa *set;   /* or one that is open, and is so until the stream is closed; NULL = open sofa */
    ap_path path;
    double period_s;      /* one turn, 0.1..100000 */
    bool clockwise;       /* seen from above: front, right, back, left */
    double start_deg;     /* azimuth at time 0, counter-clockwise, 0 = front, 90 = left, -360..360 */
    double elevation_deg; /* of the path, -90..90 */
    double distance_m;    /* 1 = unchanged; gain is 1 / distance; 0.1..100 */
    double width_deg;     /* angle between the left and the right virtual speaker, 0..360 */
    double bass_hz; /* below this nothing rotates (Linkwitz-Riley, 4th order); 0 = all rotates; 0..1000 */
    uint64_t seed;  /* of AP_PATH_RANDOM */
} ap_spatialize_options;

/* A clockwise circle of 10 s. */
void ap_spatialize_defaults(ap_spatialize_options *options);
/* Mono, stereo, or up to 7.1 (each channel a virtual speaker at its place, all rotating together; LFE does
 * not rotate) to stereo of nearly the same loudness (music over whole turns at 1 m: up to 1.4 LU quieter, the
 * more treble the quieter; dark music up to 0.4 LU louder) and timbre: the set is equalised to be flat on
 * average. Latency 0, tail: the length of the HRTF filter, about 12 ms. */
ap_stream *ap_spatialize(ap_stream *s, const ap_spatialize_options *options, ap_error *err);

/* ---- reverb.c: Freeverb */

typedef struct ap_reverb_options {
    double room;        /* 0..1 */
    double damping;     /* 0..1 */
    double wet;         /* 0..1, level of the reverberation; the gain is 3 * wet */
    double dry;         /* 0..1, level of the input; the gain is 2 * dry */
    double width;       /* 0..1, stereo width of the reverberation */
    bool freeze;        /* hold the reverberation forever: no input, no damping, no tail */
    double pre_delay_s; /* 0..1, delay of the reverberation */
    double tail_db; /* the stream is extended until the reverberation of its end has fallen by this; 0 = no
                       tail */
    bool keep_loudness; /* choose dry so that music leaves about as loud as it came */
} ap_reverb_options;

void ap_reverb_defaults(ap_reverb_options *options);
/* Any channel count. A left and a right speaker share a room; a centre is heard in that of the pair around
 * it, equally left and right; nothing is heard of or in the LFE. A speaker without a partner, and a channel
 * without a place (AP_DISCRETE), has a room of its own, so mono stays mono. Latency 0. */
ap_stream *ap_reverb(ap_stream *s, const ap_reverb_options *options, ap_error *err);

/* ---- limit.c: look-ahead limiter */

typedef struct ap_limit_options {
    double ceiling_dbtp; /* -60..0; dBFS when true_peak is false */
    double lookahead_s;  /* 0..0.1 */
    double release_s;    /* time constant, 0.001..10 */
    double gain_db;      /* before limiting, -60..60 */
    bool true_peak;      /* look at the signal oversampled 4 times (ITU-R BS.1770-4 annex 2) */
} ap_limit_options;

void ap_limit_defaults(ap_limit_options *options);
/* All channels get the same gain. No sample exceeds the ceiling. Latency 0, same length. */
ap_stream *ap_limit(ap_stream *s, const ap_limit_options *options, ap_error *err);

/* ---- sections.c, fade.c, cue.c: parts of a stream */

/* What counts as silence: frames in which no channel exceeds the level. */
typedef struct ap_silence_options {
    double level_dbfs; /* -200..0 */
    double silence_s;  /* silence shorter than this is part of the sound, 0..1e6; at least 0.02 between
                          sections */
    double sound_s;    /* sound shorter than this is a click, and counts as silence, 0..1e6 */
    double keep_s;     /* silence that stays before and after the sound, as far as there is any, 0..1e6 */
    bool start, end;   /* where ap_trim_silence cuts */
} ap_silence_options;

/* -60 dBFS, both ends. */
void ap_silence_defaults(ap_silence_options *options);
/* Cuts off silence at the ends, after reading s to its end into a temporary file. Of a silent stream no frame
 * is left, with a warning. */
ap_stream *ap_trim_silence(ap_stream *s, const ap_silence_options *options, ap_error *err);

typedef struct ap_section {
    uint64_t start, frames;
} ap_section;

/* Finds the sounds between silences. Reads s to its end into a temporary file, and returns that. *sections
 * gets count sections in order, none overlapping, to be freed by free(). */
ap_stream *ap_find_sections(ap_stream *s, const ap_silence_options *options, ap_section **sections,
                            size_t *count, ap_error *err);

/* How a fade rises, x from 0 to 1: the curves of sox's fade. */
typedef enum ap_curve {
    AP_CURVE_LINEAR,
    AP_CURVE_QUARTER, /* sin(x * pi / 2): equal power, for two sounds that differ */
    AP_CURVE_HALF,    /* (1 - cos(x * pi)) / 2: smooth at both ends */
    AP_CURVE_LOG,     /* even in dB, from -100 dB */
    AP_CURVE_PARABOLA /* 1 - (1 - x)^2 */
} ap_curve;

typedef struct ap_fade_options {
    double in_s,
        out_s; /* from the first frame, which is silent; to the last one, which is; 0..1e6, 0 = none */
    ap_curve curve;
} ap_fade_options;

/* No fades; the curve is the quarter of a sine. */
void ap_fade_defaults(ap_fade_options *options);
/* Fades in and out. With a fade-out a stream of unknown length is first read into a temporary file. Where a
 * fade is longer than the stream, or both overlap, their gains are multiplied. Same length. */
ap_stream *ap_fade(ap_stream *s, const ap_fade_options *options, ap_error *err);

#define AP_CUE_SECTORS 75 /* a second has so many */

typedef struct ap_cue_track {
    unsigned number;
    uint64_t start; /* INDEX 01, sectors */
    ap_tags *tags; /* TITLE, ARTIST, TRACKNUMBER, ISRC..., and ALBUM, ALBUMARTIST, DATE, GENRE of the sheet */
} ap_cue_track;

typedef struct ap_cue {
    char *file; /* that the sheet names, as it names it; NULL if it does not */
    ap_cue_track *tracks;
    size_t count;
} ap_cue;

/* Reads a cue sheet of one file, in UTF-8 or ISO 8859-1: its audio tracks, in order. What is before the INDEX
 * 01 of a track belongs to the track before it. To be freed by ap_cue_free, which leaves it empty, if it
 * succeeds. */
bool ap_cue_read(const char *path, ap_cue *cue, ap_error *err);
void ap_cue_free(ap_cue *cue);

/* ---- eq.c: equaliser */

typedef enum ap_eq_type {
    AP_EQ_PEAKING,   /* a bell around the frequency */
    AP_EQ_HIGH_PASS, /* 12 dB an octave; the gain plays no part in these four */
    AP_EQ_LOW_PASS,
    AP_EQ_BAND_PASS, /* 0 dB at the frequency */
    AP_EQ_NOTCH,
    AP_EQ_LOW_SHELF, /* the gain below the frequency, where it is half the dB */
    AP_EQ_HIGH_SHELF
} ap_eq_type;
typedef enum ap_eq_width {
    AP_EQ_Q,       /* 0.01..1000; 0.7071 is the flattest high-pass and low-pass, Butterworth */
    AP_EQ_OCTAVES, /* bandwidth, 0.01..10: between the points of half the gain in dB, or of -3 dB */
    AP_EQ_SLOPE    /* of a shelf, 0.01..1; 1 is as steep as it can be without overshooting */
} ap_eq_width;

typedef struct ap_eq_band {
    ap_eq_type type;
    double frequency_hz; /* above 0, below half the rate */
    double gain_db;      /* -60..60 */
    ap_eq_width width_unit;
    double width;
} ap_eq_band;

#define AP_MAX_EQ_BANDS 64

typedef struct ap_eq_options {
    const ap_eq_band *bands; /* one after the other; needed until ap_eq returns */
    size_t count;            /* 0..AP_MAX_EQ_BANDS */
    double gain_db;          /* before them, -60..60 */
} ap_eq_options;

/* No bands. */
void ap_eq_defaults(ap_eq_options *options);
/* Second-order filters in double precision, the same for every channel, by R. Bristow-Johnson's Audio EQ
 * Cookbook (W3C note of 2021). Latency 0, same length: what rings beyond the end is cut off. */
ap_stream *ap_eq(ap_stream *s, const ap_eq_options *options, ap_error *err);

/* ---- output.c: reports and pictures, written as carefully as audio */

/* Writes size bytes to a file, atomically. */
bool ap_save(const char *path, const void *bytes, size_t size, ap_error *err);

/* ---- measure.c: loudness, peaks, levels */

/* What a stream is like. Loudness as in ITU-R BS.1770-4 and EBU R 128: in memory that does not grow: blocks
 * are counted in classes of 0.01 LU, which keep their exact sums. -INFINITY stands for silence. */
typedef struct ap_measurement {
    uint32_t rate, channels; /* of the first stream */
    double duration_s;
    double integrated_lufs;    /* gated; of less than 0.4 s: of all there is, as one block */
    double range_lu;           /* EBU Tech 3342, from short-term values every 0.1 s */
    double shortterm_max_lufs; /* 3 s, a value every 10 ms */
    double momentary_max_lufs; /* 0.4 s, a value every 10 ms */
    double true_peak_dbtp;     /* BS.1770-4 annex 2; 4 times oversampled, 2 times from 96 kHz, not from 192 */
    double sample_peak_dbfs;
    double rms_dbfs;  /* over all samples of all channels; a sine of full scale has -3.01 */
    double dc_offset; /* mean of the channel where it is largest, full scale = 1 */
    uint64_t clipped; /* samples at 32767/32768 of full scale, the most that 16 bits can say, or beyond */
    double silence_start_s, silence_end_s; /* no sample above silence_dbfs; both the whole if all is silent */
} ap_measurement;

typedef struct ap_meter_options {
    double silence_dbfs; /* -200..0 */
    bool dual_mono;      /* mono counts as the same on two speakers: 3 LU more (EBU Tech 3341) */
    bool levels_only;    /* no loudness and no range: -INFINITY and 0; less than half the work */
} ap_meter_options;

void ap_meter_defaults(ap_meter_options *options);

/* Measures one stream after the other. */
typedef struct ap_meter ap_meter;

ap_meter *ap_meter_new(const ap_meter_options *options, ap_error *err);
/* Frees and sets to NULL; takes NULL and a pointer to NULL. */
void ap_meter_free(ap_meter **meter);
/* A stream begins; one that has not ended is forgotten. Fails below 4000 Hz, where K-weighting has no
 * meaning, unless only levels are asked for, and when out of memory. */
bool ap_meter_begin(ap_meter *meter, const ap_format *format, ap_error *err);
/* The next frames of the stream. The result does not depend on how it is cut. */
void ap_meter_add(ap_meter *meter, const float *frames, size_t count);
void ap_meter_end(ap_meter *meter);
/* The last stream that ended; all of them together, as one programme (an album). */
void ap_meter_result(const ap_meter *meter, ap_measurement *result);
void ap_meter_total(const ap_meter *meter, ap_measurement *result);

/* A stage that changes nothing, and begins, feeds and ends the meter, which has to outlive it. */
ap_stream *ap_measure(ap_stream *s, ap_meter *meter, ap_error *err);

/* ---- normalize.c: a constant gain that reaches a target */

typedef enum ap_normalize_unit { AP_NORMALIZE_LUFS, AP_NORMALIZE_PEAK, AP_NORMALIZE_RMS } ap_normalize_unit;

typedef struct ap_normalize_options {
    ap_normalize_unit unit; /* LUFS: integrated loudness; PEAK: the ceiling plays no part; RMS: dBFS */
    double target;          /* -70..0 LUFS, -100..0 dBTP or dBFS */
    double ceiling_dbtp;    /* -60..0; the gain is at most what the true peak leaves below it */
    bool true_peak;         /* false: ceiling and peak are those of samples, dBFS */
    bool limit;             /* reach the target all the same, through ap_limit */
    bool lower_only;        /* never raise */
    bool dual_mono;         /* mono is measured as the same on two speakers, 3 LU louder */
} ap_normalize_options;

void ap_normalize_defaults(ap_normalize_options *options);

/* What will be done, and why. */
typedef struct ap_normalization {
    double gain_db;
    bool limited;            /* through the limiter, to ceiling_dbtp */
    bool held;               /* the ceiling kept the target from being reached */
    bool silent;             /* the gain is 0 because there is nothing to measure */
    double before, after;    /* in the unit of the target */
    ap_measurement measured; /* before */
    size_t inputs;
    char warning[160]; /* silence, or a target that was not reached; empty: none */
    ap_normalize_options options;
} ap_normalization;

/* Opens input number index from its beginning, once for every pass. */
typedef ap_stream *ap_open_fn(void *user, size_t index, ap_error *err);
/* Listens to count inputs, one after the other, and finds one gain for all of them together. Takes one pass,
 * with the limiter in play three to nine. */
bool ap_normalize_plan(ap_open_fn *open, void *user, size_t count, const ap_normalize_options *options,
                       ap_normalization *plan, ap_error *err);
/* Does to s what was planned. The stream carries the warning, if it is the only input. ReplayGain and R128
 * tags, which would no longer be true, are dropped. */
ap_stream *ap_normalize_apply(ap_stream *s, const ap_normalization *plan, ap_error *err);
/* Both on one stream, which is read into a temporary file between them. plan gets what was done, unless it is
 * NULL. */
ap_stream *ap_normalize(ap_stream *s, const ap_normalize_options *options, ap_normalization *plan,
                        ap_error *err);

/* ---- level.c: speech at one level */

typedef struct ap_level_options {
    double target_lufs; /* -70..0 */
    double range_db;    /* the gain stays within +-this, 0..40 */
    double speed_db_s;  /* it changes by at most this in a second, 0.1..20 */
    double gate_lufs;   /* quieter moments are pauses, in which it rests, -100..0 */
} ap_level_options;

void ap_level_defaults(ap_level_options *options);
/* A gain that follows the loudness of the 3 s around each moment, pauses left out. Full scale may be
 * exceeded. Latency 0, same length. ReplayGain and R128 tags are dropped. */
ap_stream *ap_level(ap_stream *s, const ap_level_options *options, ap_error *err);

/* ---- tempo.c: time and pitch */

typedef struct ap_tempo_options {
    double tempo;           /* times as fast, 0.25..4 */
    double pitch_semitones; /* -24..24 */
    bool formants;          /* keep the colour of voices at another pitch */
} ap_tempo_options;

void ap_tempo_defaults(ap_tempo_options *options);
/* By Rubber Band's R3 engine. The length is frames / tempo, rounded; clicks are within 50 samples of their
 * places from tempo 0.8 to 1.25. A stream of unknown length is spooled. Chapters and BPM keep up. Needs the
 * plugin stretch.so. */
ap_stream *ap_tempo(ap_stream *s, const ap_tempo_options *options, ap_error *err);

/* ---- cat.c: one after the other */

typedef struct ap_cat_options {
    double gap_s;       /* silence between two, 0..86400 */
    double crossfade_s; /* or so much of one is faded into the next, 0..600; at most what both have */
    ap_curve curve;  /* of the crossfade; two that are alike keep their level with AP_CURVE_LINEAR and HALF */
    bool convert;    /* resample and mix all to rate and channels of the first; else other ones are refused */
    bool look_first; /* open each input twice, the first time for its length only: so that of the result is
                        known, and what does not fit is refused at once */
} ap_cat_options;

/* No gap, no crossfade: sample after sample. The curve is the quarter of a sine. */
void ap_cat_defaults(ap_cat_options *options);
/* count inputs, one after the other; open is called for number 0 at once, for the others when it is their
 * turn, and user has to live until then. It has rate, channels, speakers and tags of the first, without gain
 * tags. Latency 0. */
ap_stream *ap_cat(ap_open_fn *open, void *user, size_t count, const ap_cat_options *options, ap_error *err);

/* ---- hpss.c: harmonic-percussive separation */

enum { AP_HARMONIC = 1, AP_PERCUSSIVE = 2, AP_RESIDUAL = 4 };

typedef struct ap_hpss_options {
    unsigned parts;       /* which: a sum of AP_HARMONIC, AP_PERCUSSIVE, AP_RESIDUAL */
    unsigned window, hop; /* of the Fourier transform, frames: window 64..32768, even; hop up to window / 4,
                             which is what 0 stands for */
    unsigned kernel_harmonic, kernel_percussive; /* as librosa calls the lengths of its medians, 1..255: along
                                                    time in hops, along frequency in bins */
    double margin_harmonic, margin_percussive;   /* 1..1000: how many times stronger one side has to be; what
                                                    neither side gets is the residual */
    double power; /* exponent of the mask, 0.1..100; INFINITY: all or nothing */
    bool compat;  /* a mask for each channel, as librosa; else one for all channels, so that places stay */
} ap_hpss_options;

void ap_hpss_defaults(ap_hpss_options *options);
/* The parts that were asked for, side by side in this order: k parts of a stream of c channels are k * c
 * channels. All parts together are the input. At most 42 channels. Latency 0. Medians of spectra as in
 * D. Fitzgerald, DAFx 2010, with the margins of J. Driedger et al., ISMIR 2014; with compat the same samples
 * as librosa.effects.hpss. */
ap_stream *ap_hpss(ap_stream *s, const ap_hpss_options *options, ap_error *err);

/* ---- mix.c: sums */

typedef struct ap_mix_input {
    double gain;    /* linear factor, negative: inverted; 0: silent, but counts for the length */
    double delay_s; /* silence before it, 0..1e6, rounded to frames */
} ap_mix_input;

typedef struct ap_mix_options {
    bool shortest; /* end with the input that ends first; else with the last one */
    bool convert;  /* resample and mix all to rate and channels of the first; else other ones are refused */
    bool remove;   /* the first minus the others */
} ap_mix_options;

void ap_mix_defaults(ap_mix_options *options);
/* The sum of count streams. It has the rate, the channels, the speakers and the tags of the first; channels
 * are added by their number. Takes all sources over, also on failure, and sets them to NULL; a NULL among
 * them gives NULL. inputs NULL: gain 1, no delay. Latency 0. The length is known if it is for all. Full scale
 * may be exceeded. */
ap_stream *ap_mix(ap_stream **sources, const ap_mix_input *inputs, size_t count,
                  const ap_mix_options *options, ap_error *err);

/* ---- peaks.c: peaks for web players */

typedef struct ap_peaks_options {
    const char *format;         /* "json", "dat"; NULL = from the name's extension */
    bool keep_existing;         /* as in ap_encode_options */
    unsigned bits;              /* 8, 16 */
    unsigned samples_per_pixel; /* frames for each pair of minimum and maximum, 2.. */
    unsigned pixels_per_second; /* if not 0, used instead: samples_per_pixel = rate / this, rounded down */
    bool split_channels;        /* else one channel, their mean */
} ap_peaks_options;

void ap_peaks_defaults(ap_peaks_options *options);
/* Writes the minima and maxima of a stream in version 2 of audiowaveform's formats (its doc/DataFormat.md),
 * atomically. Closes s. */
bool ap_peaks(ap_stream *s, const char *path, const ap_peaks_options *options, ap_error *err);
/* The same to a descriptor, which may be a pipe and is not closed; options->format is needed. */
bool ap_peaks_fd(ap_stream *s, int fd, const char *name, const ap_peaks_options *options, ap_error *err);

/* ---- plot.c: pictures */

/* The panels of a picture, to be added up. */
enum { AP_PLOT_WAVEFORM = 1, AP_PLOT_SPECTROGRAM = 2, AP_PLOT_LOUDNESS = 4 };
typedef enum ap_colours { AP_COLOURS_MAGMA, AP_COLOURS_VIRIDIS, AP_COLOURS_GREY } ap_colours;

typedef struct ap_plot_options {
    const char *format;     /* "png", "svg"; NULL = from the name's extension */
    bool keep_existing;     /* as in ap_encode_options */
    unsigned panels;        /* of AP_PLOT_* */
    unsigned width, height; /* of the picture, pixels at scale 1; height 0 = what the panels need */
    double scale;           /* png: pixels for each of them, 0.5..8 */
    const char *title;      /* NULL = from the tags of the first source, else its name */
    bool fit; /* waveform: the amplitude goes up to the peak; else to full scale, or a higher peak */
    ap_colours colours;     /* of the spectrogram */
    double range_db;        /* of the spectrogram, below 0 dBFS; 10..200 */
    double low_hz, high_hz; /* of the spectrogram; high 0 = half the rate */
} ap_plot_options;

void ap_plot_defaults(ap_plot_options *options);
/* Draws count sources on one time axis. One source: a waveform for each channel. Several (stems): one for
 * each source, of all channels together, labelled with names[i]; names may be NULL with one source. They are
 * read one after another. Takes the sources over, also on failure, and sets them to NULL; a NULL among them
 * fails and leaves *err alone. Written atomically. Needs the plugin cairo.so. */
bool ap_plot(ap_stream **sources, const char *const *names, size_t count, const char *path,
             const ap_plot_options *options, ap_error *err);
/* The same to a descriptor, which may be a pipe and is not closed; options->format is needed. */
bool ap_plot_fd(ap_stream **sources, const char *const *names, size_t count, int fd, const char *name,
                const ap_plot_options *options, ap_error *err);

/* ---- separate.c: music to stems */

#define AP_MAX_STEMS 64

/* How the results of several models for the same music are combined: each stem, from the models that have
 * it */
typedef enum ap_ensemble {
    AP_ENSEMBLE_NONE,   /* a list of models is a chain */
    AP_ENSEMBLE_MEAN,   /* the mean */
    AP_ENSEMBLE_MEDIAN, /* the middle one, or the mean of both */
    AP_ENSEMBLE_MIN,    /* the smallest magnitude */
    AP_ENSEMBLE_MAX,    /* the largest */
    AP_ENSEMBLE_FIRST   /* that of the first model */
} ap_ensemble;
/* Of samples, or of the bins of short-time spectra; usual: of spectra for MIN and MAX, else of samples. */
typedef enum ap_ensemble_on { AP_ON_USUAL, AP_ON_SAMPLES, AP_ON_SPECTRA } ap_ensemble_on;

typedef struct ap_separate_options {
    /* Name, signature, or path of a .th, .ckpt, .safetensors, .pt or .yaml file; "dsp" = the one that is
     * built in, without a network; NULL = the best neural one that is installed, or else "dsp". Several with
     * commas between them: a chain, in which each takes apart one stem of that before it, MODEL:STEM, by
     * default vocals, or its first one; the stems of the second are called STEM_NAME. With ensemble, models
     * for the same music: MODEL, or MODEL:STEM:STEM... for some stems of it. A file of that name is one
     * model. */
    const char *model;
    const char *device; /* "auto" (a GPU if libtorch has one), "cpu", "cuda" */
    unsigned threads;   /* 0 = all cores. The samples do not depend on it. */
    unsigned channels;  /* of each output: 1 or 2; 0 = as the model gives them */
    ap_ensemble ensemble;
    ap_ensemble_on ensemble_on;
    /* These are for neural models only: */
    double overlap; /* the share of a segment that overlaps with the next, 0..0.95; from 1 on, how many cover
                       each moment; < 0 = as the model says */
    double segment_s;      /* 0 = as the model says; a transformer takes no longer one */
    unsigned shifts;       /* passes at random shifts up to 0.5 s to average over, 0..100; 0 = none */
    uint64_t seed;         /* of the shifts */
    unsigned chunk_frames; /* length of the segments in frames of the model's rate; 0 = by segment_s */
    const char *config;    /* the .yaml file of a .ckpt; NULL = that of the same name beside it */
    /* Called now and then while all but the last model of a chain works, before there are stems to read: with
     * the frames that are done, of total (AP_UNKNOWN: not known). If it returns false, having filled err, the
     * separation fails. May be NULL. */
    bool (*progress)(void *user, uint64_t frames, uint64_t total, ap_error *err);
    /* Called all the time while a network computes, for a segment may take a minute; by the thread that reads
     * the stems. If it returns false, having filled err, the separation fails at once. May be NULL. */
    bool (*go_on)(void *user, ap_error *err);
    void *user;        /* of both */
    const char *state; /* as ap_separate_resumable; NULL when a separator is opened */
} ap_separate_options;

void ap_separate_defaults(ap_separate_options *options);

/* A loaded model. The strings of the options have to outlive it. Neural ones need the plugin
 * audiopipe/neural.so. */
typedef struct ap_separator ap_separator;

ap_separator *ap_separator_open(const ap_separate_options *options, ap_error *err);
/* Closes and sets to NULL, after the streams that came from it; takes NULL and a pointer to NULL. */
void ap_separator_close(ap_separator **separator);
/* The name of the model, also if none was asked for. */
const char *ap_separator_model(const ap_separator *separator);
/* What computes the model's network, for people: "CPU, kernels for avx2, threads: 4"; NULL: it has none. */
const char *ap_separator_engine(const ap_separator *separator);
/* How many stems there are, and the name of each (NULL past the last), owned by the separator. */
size_t ap_separator_stems(const ap_separator *separator);
const char *ap_separator_stem(const ap_separator *separator, size_t index);
/* How many of the stems, the first ones, are the mix taken apart. Those after them are what the models of a
 * chain passed on, and are made up of others. */
size_t ap_separator_parts(const ap_separator *separator);

/* An output: the sum of the stems times these factors, and of the mix times its own. */
typedef struct ap_stem_mix {
    double stems[AP_MAX_STEMS];
    double mix;
} ap_stem_mix;

/* Mixes s to the model's channels (two), and resamples it for neural models (to 44100 Hz) and back;
 * gives one stream with the channels of the first output, then those of the second..., of the rate and length
 * of s, in time with it. Neural models read all of s first; "dsp" streams, and its stems add up to the mix.
 * Only the models of a bag that the outputs need are run. The mix is s as it was before resampling, so that
 * mix - stems is all that the stems lack. One stream at a time from a separator. Warns if the model is built
 * in and was not asked for. */
ap_stream *ap_separate(ap_stream *s, ap_separator *separator, const ap_stem_mix *outputs, size_t count,
                       ap_error *err);
/* The factors of all that is not the stem: of the other parts, or those that are not in a stem passed on. */
void ap_separator_rest(const ap_separator *separator, size_t stem, ap_stem_mix *rest);
/* ap_separate that can be interrupted, even by a kill: what neural models made is kept in the file state,
 * which a chain or an ensemble adds numbers to. The same separation of the same input goes on from it, and
 * gives the same samples; that it belongs to another one, or another process has it open, is an error. It
 * stays until ap_separate_forget. NULL: ap_separate. */
ap_stream *ap_separate_resumable(ap_stream *s, ap_separator *separator, const ap_stem_mix *outputs,
                                 size_t count, const char *state, ap_error *err);
/* Removes what is kept. */
void ap_separate_forget(const char *state);

/* Calls visit for every published model, each other one that is installed, and those that are built in.
 * missing: the files that it still needs, separated by spaces; "" if none. */
typedef void ap_model_visit(void *user, const char *name, const char *description, const char *missing);
bool ap_models_list(ap_model_visit *visit, void *user, ap_error *err);

/* ---- stitch.c: images and sound to video */

typedef enum ap_fit {
    AP_FIT_CONTAIN, /* all of the image, black bars around it */
    AP_FIT_COVER,   /* no bars; what sticks out is cut off, evenly on both sides */
    AP_FIT_BLUR     /* all of the image, in front of itself, blurred and darkened */
} ap_fit;
typedef enum ap_visual { AP_VISUAL_NONE, AP_VISUAL_WAVEFORM, AP_VISUAL_SPECTRUM } ap_visual;

/* What ap_stitch made. */
typedef struct ap_stitch_report {
    uint64_t frames;     /* of video */
    size_t images;       /* shown */
    double duration_s;   /* of the video */
    double cut_s, pad_s; /* of the sound: left out at its end; silence added there */
    uint64_t clipped;    /* samples cut off at full scale */
    double peak;         /* largest |sample| before that, linear */
} ap_stitch_report;

/* What is special about one image. */
typedef struct ap_slide {
    const char *caption; /* NULL = none */
    double seconds;      /* how long it is shown; 0 = as those without a time of their own */
} ap_slide;

typedef struct ap_stitch_options {
    const char *format; /* "mp4" (H.264, AAC, index in front), "mkv" (the same), "webm" (VP9, Opus); NULL =
                           from the name's extension */
    bool keep_existing; /* as in ap_encode_options */
    bool silent;        /* no sound: the stream is NULL */
    double image_s;     /* how long each image is shown; 0 = they share what the sound has beyond the times of
                           slides;     3 if silent */
    const ap_slide *slides; /* of each image; NULL = nothing is special */
    const char *title;      /* shown all the time, at the top; NULL = none */
    double fps;             /* 1..240; 23.976, 29.97 and 59.94 stand for 24000/1001... */
    unsigned width, height; /* 16..8192, even */
    ap_fit fit;
    double transition_s; /* cross-fade around each change; at most the time of an image; 0 = cut */
    bool ken_burns;      /* move slowly into the image, or out of it */
    ap_visual visual;   /* the sound, in front of the one image there may be, or of the cover from its tags */
    double crf;         /* quality, the constant rate factor: 0 best..51, webm 63; < 0 = 18, webm 24 */
    const char *preset; /* of x264, "ultrafast".."veryslow", also for webm; NULL = "veryfast" */
    unsigned threads;   /* of the video encoder, 0 = all cores */
    /* Called now and then with the number of frames made, of total (AP_UNKNOWN: not known). If it returns
     * false, having filled err, ap_stitch fails. May be NULL. */
    bool (*progress)(void *user, uint64_t frames, uint64_t total, ap_error *err);
    /* Called with why an image is left out; NULL: a broken image makes ap_stitch fail. */
    void (*skipped)(void *user, const ap_error *why);
    void *user;
    ap_stitch_report *report; /* filled when not NULL */
} ap_stitch_options;

void ap_stitch_defaults(ap_stitch_options *options);
/* Writes a video of constant frame rate, atomically, and closes audio. Images are JPEG (turned as EXIF says),
 * PNG, WebP, GIF (its first picture), TIFF, BMP, HEIC or AVIF, shown in the order of names; what is
 * transparent is black. With image_s, or if all have times in slides, the images decide how long the video
 * is; the sound is cut or filled up with silence. A sound of unknown length is first read into a temporary
 * file if the images share it. The video has the tags of the sound. Needs the plugin av.so, and cairo.so for
 * words. */
bool ap_stitch(ap_stream *audio, const char *const *images, size_t count, const char *path,
               const ap_stitch_options *options, ap_error *err);
/* The same to a descriptor, which may be a pipe and is not closed; options->format is needed. */
bool ap_stitch_fd(ap_stream *audio, const char *const *images, size_t count, int fd, const char *name,
                  const ap_stitch_options *options, ap_error *err);

/* ---- film.c: the sound of a film */

typedef struct ap_film_report {
    uint64_t clipped;   /* samples cut off at full scale */
    double peak;        /* largest |sample| before that, linear */
    char left_out[512]; /* streams that the format has no place for, as a text: "stream 3 (data klv)"; or
                           empty */
} ap_film_report;

typedef struct ap_film_options {
    const char *format;  /* "mp4" (also m4v), "mov", with AAC; "mkv", "webm", with Opus; NULL = by the name */
    double bitrate_kbps; /* of each new track; 0 = 96 a channel of AAC, 80 of Opus */
    bool keep_existing;  /* as in ap_encode_options */
    ap_film_report *report; /* added to when not NULL */
} ap_film_options;

void ap_film_defaults(ap_film_options *options);
/* Whether ap_film can write path, and takes the options, whose format it fills in. */
bool ap_film_check(const char *path, ap_film_options *options, ap_error *err);
/* Writes a film, a file, to path with other sound: sounds[i] in the place of its audio track i + 1; tracks
 * beyond count stay. Pictures, subtitles, attachments and GoPro's data are copied bit for bit, with their
 * times, languages, chapters and tags, but those of loudness, as far as the format has a place for them:
 * subtitles that have none fail, of the others the report tells. Takes the sounds over, also on failure, and
 * sets them to NULL; a NULL among them fails and leaves *err alone. Atomic. Needs the plugin av.so. */
bool ap_film(const char *film, ap_stream **sounds, size_t count, const char *path,
             const ap_film_options *options, ap_error *err);

/* ---- encode.c: files */

typedef enum ap_bits {
    AP_BITS_DEFAULT = 0,
    AP_BITS_16 = 16,
    AP_BITS_24 = 24,
    AP_BITS_32 = 32,
    AP_BITS_FLOAT = 1
} ap_bits;
typedef enum ap_clip_mode { AP_CLIP_CLAMP, AP_CLIP_RESCALE } ap_clip_mode;
typedef enum ap_dither { AP_DITHER_AUTO, AP_DITHER_ON, AP_DITHER_OFF } ap_dither;

/* What ap_encode met. */
typedef struct ap_encode_report {
    uint64_t frames;  /* written */
    uint32_t rate;    /* Hz; not the stream's if the format does not have that one: it is resampled then */
    uint64_t clipped; /* samples that were cut off at full scale; floats in files are not */
    double peak;      /* largest |sample| before clipping or rescaling, linear */
    double gain_db;   /* applied by AP_CLIP_RESCALE, else 0 */
} ap_encode_report;

typedef struct ap_encode_options {
    const char *format; /* "mp3" "flac" "wav" "aiff" "ogg" "opus" "m4a" (AAC) "alac" "au"; "raw", PCM without
                           a header, or a sample format as in ap_raw_check; NULL = by the name */
    ap_bits bits; /* wav, aiff, raw, flac, alac, au; default: wav, aiff, raw 16, flac, alac 24, au float */
    double bitrate_kbps;    /* mp3 (CBR, default 320 or the highest that the rate has), ogg, opus (for all
                               channels; defaults about 192 and 160 for stereo); 0 = default */
    double vbr_quality;     /* mp3, ogg: 0 best .. 9.999; < 0 = off */
    int effort;             /* mp3: LAME's -q, 0 slow .. 9 fast; flac 0..8; < 0 = default */
    ap_dither dither;       /* triangular (TPDF); AUTO = before 16-bit, from the first sample on that is not a
                               16-bit number already */
    uint64_t seed;          /* of the dither */
    ap_clip_mode clip_mode; /* beyond full scale: clamp, or scale all down (two passes) */
    unsigned threads;       /* mp3; 0 = all cores. The bytes do not depend on it. */
    const ap_tags *tags;    /* take the place of the stream's own of the same key; NULL = none */
    bool replace_tags;      /* drop all of the stream's own */
    bool keep_existing;     /* a file of that name that is there in the end is not replaced: it fails */
    ap_encode_report *report; /* filled when not NULL */
} ap_encode_options;

void ap_encode_defaults(ap_encode_options *options);
/* Writes the whole stream to a file, atomically: on failure nothing is left and an existing file stays as it
 * was. Closes s. */
bool ap_encode(ap_stream *s, const char *path, const ap_encode_options *options, ap_error *err);
/* The same to a descriptor, which may be a pipe and is not closed; options->format is needed. */
bool ap_encode_fd(ap_stream *s, int fd, const char *name, const ap_encode_options *options, ap_error *err);
/* Whether ap_encode knows the format of path and takes the options, for those who want to know before they
 * start. */
bool ap_encode_check(const char *path, const ap_encode_options *options, ap_error *err);

/* ---- stem_file.c: Stems (Native Instruments), which players for DJs mix again */

#define AP_STEM_FILE_STEMS 4

typedef struct ap_stem_file_report {
    uint64_t clipped; /* samples that were cut off at full scale */
    double peak;      /* largest |sample| before that, linear */
} ap_stem_file_report;

typedef struct ap_stem_file_options {
    const char *codec; /* "aac" (256 kbit/s for each track), "alac" (24 bits) */
    const char *names[AP_STEM_FILE_STEMS];
    const char *colours[AP_STEM_FILE_STEMS]; /* #RRGGBB */
    ap_stem_file_report *report;             /* filled when not NULL */
    bool keep_existing;                      /* as in ap_encode_options */
} ap_stem_file_options;

void ap_stem_file_defaults(ap_stem_file_options *options);
/* Writes the ten channels of s, the mix and then four stems, two each, as an MP4 file (.stem.mp4) of five
 * tracks, of which only the first is enabled, with the atom that tells of the others; atomically. Other rates
 * than 44100 and 48000 Hz are resampled. Closes s. Needs the plugin av.so. */
bool ap_encode_stem_file(ap_stream *s, const char *path, const ap_stem_file_options *options, ap_error *err);

/* ---- split.c: one stream to several outputs */

typedef struct ap_split_output {
    const char *path;
    uint32_t first, channels, mask;   /* which channels of the stream; mask 0 = the usual one */
    const ap_encode_options *options; /* NULL = the defaults; each needs a report of its own */
} ap_split_output;

/* Writes some channels of s to each output, as ap_encode does, in one pass, and closes s. Each output has a
 * thread, so it may be a FIFO: none waits for another. On failure no output that was not complete by then is
 * left. What a slow output has not taken yet waits in a temporary file. */
bool ap_encode_split(ap_stream *s, const ap_split_output *outputs, size_t count, ap_error *err);

#ifdef __cplusplus
}
#endif

#endif
