/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * internal.h - what the files of libaudiopipe share with each other, grouped by the file that implements it.
 */
#ifndef AP_INTERNAL_H
#define AP_INTERNAL_H

#include "audiopipe.h"

#include <sys/types.h>

/* Frames that a stage asks its source for at a time: big enough to amortise calls, small enough for the
 * cache. */
#define AP_BLOCK 4096

/* Hot loops, also compiled for AVX2. No contraction to FMA: the same samples everywhere. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define AP_HOT __attribute__((target_clones("default", "avx2")))
#else
#define AP_HOT
#endif

/* Samples beyond this are garbage, like NaN and Inf: no recording is 240 dB above full scale. */
#define AP_SANE_MAX 0x1p40f

/* ---- error.c */

/* Fills err (which may be NULL); returns false so that a caller can return the call. Control characters in
 * the message are replaced by '?', so it stays one line. */
bool ap_fail(ap_error *err, ap_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": strerror(number)" appended; ENOSPC, EDQUOT, ENOMEM, EMFILE, EAGAIN... become AP_TRY_AGAIN.
 */
bool ap_fail_errno(ap_error *err, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool ap_fail_memory(ap_error *err);
/* Checks lo <= value <= hi (NaN fails), else AP_USAGE naming the option. */
bool ap_check_range(const char *name, double value, double lo, double hi, ap_error *err);

/* ---- stream.c */

/* What a stage implements. read has the contract of ap_read, but it is never called again after it returned
 * 0 or -1, and need not check the length: ap_read holds the stream to format.frames. */
typedef struct ap_stage {
    ptrdiff_t (*read)(ap_stream *s, float *frames, size_t max, ap_error *err);
    void (*close)(void *state);               /* frees state, not the source; may be NULL */
    bool (*end)(ap_stream *s, ap_error *err); /* told once that the stream has ended; may be NULL */
} ap_stage;

struct ap_stream {
    const ap_stage *stage;
    void *state;
    ap_stream *source; /* NULL for a decoder */
    ap_format format;
    ap_tags *tags;     /* NULL: the source's */
    char *name;        /* subject of messages; NULL: the source's */
    uint64_t position; /* frames read so far */
    bool ended;
    bool failed;
    ap_error error;
    char warning[512]; /* empty: none */
};

/* Takes state and source over, also when it fails (NULL; then both are closed). The format is copied and
 * checked. */
ap_stream *ap_stream_new(const ap_stage *stage, void *state, ap_stream *source, const ap_format *format,
                         ap_error *err);
/* Names a decoder's stream and gives it its tags (taken over; NULL is fine). */
bool ap_stream_describe(ap_stream *s, const char *name, ap_tags *tags, ap_error *err);
const char *ap_stream_name(const ap_stream *s);
/* Keeps the first warning of a stage, later ones are dropped. */
void ap_warn(ap_stream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fills exactly max frames unless the stream ends before. Returns how many, -1 on error. */
ptrdiff_t ap_read_full(ap_stream *s, float *frames, size_t max, ap_error *err);
/* Replaces NaN, Inf and samples beyond AP_SANE_MAX by 0; returns how many. */
size_t ap_sanitize(float *samples, size_t count);
/* a + b: AP_UNKNOWN if either is, or the sum is too large. */
uint64_t ap_frames_add(uint64_t a, uint64_t b);

/* ---- kernel.c: the wrapper around a kernel that works in blocks and has latency or a tail */

typedef struct ap_kernel {
    /* Reads frames * channels in, writes frames * channels out; both never overlap. */
    void (*process)(void *state, const float *in, float *out, size_t frames);
    void (*free)(void *state);
    size_t block;     /* process always gets exactly this many frames (the last block is padded with zeros);
                         0 = any number from 1 to AP_BLOCK */
    uint64_t latency; /* leading output frames to drop */
    uint64_t tail;    /* frames by which the output is longer than the input */
} ap_kernel;

/* Lets this thread compute with denormal numbers taken as zero, and ends that: they are 160 dB below the
 * quietest 16-bit sample, and a decaying filter that computes with them is ten times slower. */
unsigned ap_ignore_denormals(void);
void ap_restore_denormals(unsigned saved);

/* A stage of rate and length (plus tail) of its source, with channels channels of the given mask. Takes
 * source and state over, also on failure. */
ap_stream *ap_kernel_stream(ap_stream *source, uint32_t channels, uint32_t mask, const ap_kernel *kernel,
                            void *state, ap_error *err);

/* ---- input.c: bytes from a file or a pipe */

typedef struct ap_input ap_input;

/* name is copied. fd is not closed by ap_input_close, unless owned. NULL on failure (an owned fd is closed).
 */
ap_input *ap_input_new(int fd, bool owned, const char *name, ap_error *err);
ap_input *ap_input_open(const char *path, ap_error *err);
void ap_input_close(ap_input *in);
const char *ap_input_name(const ap_input *in);
/* Bytes read, short only at the end; -1 on error. */
ptrdiff_t ap_input_read(ap_input *in, void *buffer, size_t size, ap_error *err);
/* As read(2): what is there now, at least one byte; 0 at the end; -1 on error. */
ptrdiff_t ap_input_read_some(ap_input *in, void *buffer, size_t size, ap_error *err);
/* Looks at the next bytes, at most 65536 of them, without consuming them; returns how many there are. -1 on
 * error. */
ptrdiff_t ap_input_peek(ap_input *in, const unsigned char **bytes, size_t size, ap_error *err);
bool ap_input_seekable(const ap_input *in);
/* Total size in bytes, AP_UNKNOWN for a pipe. */
uint64_t ap_input_size(const ap_input *in);
uint64_t ap_input_tell(const ap_input *in);
/* Bytes from here to the end, AP_UNKNOWN for a pipe. */
uint64_t ap_input_left(const ap_input *in);
/* Seekable input only. */
bool ap_input_seek(ap_input *in, uint64_t position, ap_error *err);
/* Skips forward, on a pipe too. false at the end of the input as well. */
bool ap_input_skip(ap_input *in, uint64_t bytes, ap_error *err);
/* Reads exactly size bytes into a malloc'ed block, which grows as they come: a size from a file is safe. */
unsigned char *ap_input_load(ap_input *in, size_t size, ap_error *err);
/* Makes a pipe seekable: copies what is left to an unlinked temporary file. No-op for a file. */
bool ap_input_spool(ap_input *in, ap_error *err);

/* ---- output.c: bytes to a file, written atomically, or to a descriptor */

typedef struct ap_output ap_output;

/* Starts a temporary file without a name in the folder of path. A path that is a device, a FIFO, or the name
 * of a descriptor (/dev/stdout, /dev/fd/N) is written to as by ap_output_fd. */
ap_output *ap_output_create(const char *path, bool seekable, ap_error *err);
/* Writes to fd, which is not closed. With seekable, ap_output_seek works on a pipe too: everything goes to an
 * unlinked temporary file first and is copied by ap_output_commit. */
ap_output *ap_output_fd(int fd, const char *name, bool seekable, ap_error *err);
const char *ap_output_name(const ap_output *out);
bool ap_output_write(ap_output *out, const void *bytes, size_t size, ap_error *err);
/* Whether ap_output_seek works: in a file always, elsewhere if that was asked for. */
bool ap_output_seekable(const ap_output *out);
bool ap_output_seek(ap_output *out, uint64_t position, ap_error *err);
/* Reads back what was written, from position. false when fewer bytes are there. */
bool ap_output_read_at(ap_output *out, uint64_t position, void *bytes, size_t size, ap_error *err);
/* Current position and size in bytes. */
uint64_t ap_output_tell(const ap_output *out);
uint64_t ap_output_size(const ap_output *out);
/* fsync and rename into place (file), or copy (spooled descriptor). Frees out. */
bool ap_output_commit(ap_output *out, ap_error *err);
/* Drops everything. Takes NULL. */
void ap_output_abort(ap_output *out);

/* ---- bytes.c: numbers in bytes, and bytes under construction */

/* A number of so many bytes, 1 to 8. */
uint64_t ap_get_big(const unsigned char *p, size_t size);
uint64_t ap_get_little(const unsigned char *p, size_t size);

/* Starts as {0}. After running out of memory it stays as it is, and failed. */
typedef struct ap_bytes {
    unsigned char *data; /* free() it */
    size_t size, capacity;
    bool failed;
} ap_bytes;

void ap_bytes_add(ap_bytes *b, const void *data, size_t size);
void ap_bytes_text(ap_bytes *b, const char *text); /* without the NUL */
void ap_bytes_zeros(ap_bytes *b, size_t size);
/* A number in so many bytes, 1 to 8. */
void ap_bytes_big(ap_bytes *b, uint64_t value, int size);
void ap_bytes_little(ap_bytes *b, uint64_t value, int size);
/* The same into memory that is there. */
void ap_put_big(unsigned char *p, uint64_t value, int size);
void ap_put_little(unsigned char *p, uint64_t value, int size);

/* ---- spool.c: frames parked in an unlinked temporary file ($TMPDIR, else /var/tmp) */

/* An unlinked temporary file. -1 on failure. */
int ap_temporary_file(ap_error *err);
/* Writes all of it at the position. */
bool ap_temporary_write(int fd, const void *bytes, size_t size, ap_error *err);
/* Reads the whole of s, closes it, and returns an equal stream that starts from the beginning, of known
 * length. visit, if not NULL, sees each block on the way. */
typedef void ap_visit_fn(void *user, const float *frames, size_t count);
ap_stream *ap_spool(ap_stream *s, ap_visit_fn *visit, void *user, ap_error *err);
/* Makes a stream that ap_spool returned start from the beginning again. */
bool ap_spool_rewind(ap_stream *spool, ap_error *err);

/* ---- queue.c: bytes that wait in an unlinked temporary file, between one writer and one reader, which may
 * be two threads */

typedef struct ap_queue ap_queue;

ap_queue *ap_queue_new(ap_error *err);
bool ap_queue_put(ap_queue *q, const void *bytes, size_t size, ap_error *err);
/* The next size bytes, which have to have been put already. The file system gets their room back. */
bool ap_queue_take(ap_queue *q, void *bytes, size_t size, ap_error *err);
/* Takes NULL. */
void ap_queue_free(ap_queue *q);

/* ---- truepeak.c: the signal between samples (ITU-R BS.1770-4, annex 2) */

#define AP_TRUEPEAK_PHASES 4
#define AP_TRUEPEAK_TAPS 24                        /* of one phase, at most */
#define AP_TRUEPEAK_HISTORY (AP_TRUEPEAK_TAPS - 1) /* samples that have to be there before the block */

/* The interpolation filter for a rate. */
typedef struct ap_truepeak {
    unsigned phases; /* 1: there is nothing to interpolate */
    unsigned taps;   /* of one phase */
    float coefficients[AP_TRUEPEAK_PHASES][AP_TRUEPEAK_TAPS];
    float overshoot; /* the interpolated signal is at most this times the largest sample around */
} ap_truepeak;

/* For sample peaks only when true_peak is false. */
void ap_truepeak_make(ap_truepeak *t, bool true_peak, uint32_t rate);
/* y[i] = max(y[i], the peak of |x| between the frames i - taps / 2 and i - taps / 2 + 1), for n frames of one
 * channel. May leave y as it is where that peak is at most floor. */
void ap_truepeak_between(const ap_truepeak *t, const float *x, float *y, size_t n, float floor);
/* The largest of these peaks, or floor if that is larger. */
float ap_truepeak_most(const ap_truepeak *t, const float *x, size_t n, float floor);

/* ---- histogram.c: energies of blocks (BS.1770-4: 1 = -0.691 LUFS), counted in classes of 0.01 LU */

#define AP_CLASSES 16000 /* from -130 to +30 LUFS */

/* How many blocks were in each class, and the sum of their energies. */
typedef struct ap_histogram {
    uint64_t counts[AP_CLASSES];
    double energies[AP_CLASSES];
} ap_histogram;

double ap_loudness_of(double energy);
double ap_energy_of(double lufs);
void ap_histogram_add(ap_histogram *h, double energy);
void ap_histogram_join(ap_histogram *h, const ap_histogram *more);
/* LUFS, gated, if all blocks were louder by gain_db; -INFINITY if none passes the gate. */
double ap_histogram_integrated(const ap_histogram *h, double gain_db);
/* LU */
double ap_histogram_range(const ap_histogram *h);

/* ---- measure.c */

/* Integrated loudness of all streams, if they were louder by this: more blocks may pass the gate at -70. */
double ap_meter_loudness_at(const ap_meter *meter, double gain_db);

/* ---- pcm.c: linear PCM in files to floats */

typedef enum ap_pcm {
    AP_PCM_U8,
    AP_PCM_S8,
    AP_PCM_S16,
    AP_PCM_S24,
    AP_PCM_S32,
    AP_PCM_F32,
    AP_PCM_F64
} ap_pcm;

size_t ap_pcm_size(ap_pcm type);

/* A decoder for interleaved PCM that follows in the input: format->frames of it, AP_UNKNOWN = until the end.
 * Takes in and tags over, also on failure. A NaN or Inf in the data becomes 0, with a warning. */
ap_stream *ap_pcm_stream(ap_input *in, ap_pcm type, bool big_endian, const ap_format *format, ap_tags *tags,
                         ap_error *err);

/* ---- apstream.c */

/* Takes in over, also on failure. */
ap_stream *ap_apstream_open(ap_input *in, ap_error *err);
/* Writes the header of an apstream (AP_BITS_FLOAT), or of an AU file of integers with the same annotation. */
bool ap_apstream_header(const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err);

/* ---- vorbiscomment.c: the tags and pictures of FLAC, Ogg Vorbis and Opus */

/* A comment block: vendor, count, entries (METADATA_BLOCK_PICTURE among them). false if malformed; what was
 * good is kept. */
bool ap_vorbiscomment_parse(const unsigned char *bytes, size_t size, ap_tags *tags);
/* One KEY=value of it. */
bool ap_vorbiscomment_add(const unsigned char *bytes, size_t size, ap_tags *tags);
/* The speakers, as flac notes unusual ones; 0 = does not say. The tag goes: it would be wrong after a remix.
 */
uint32_t ap_vorbiscomment_take_mask(ap_tags *tags);
/* The body of a FLAC PICTURE block. */
bool ap_flac_picture_parse(const unsigned char *bytes, size_t size, ap_tags *tags);
/* The same made of a picture, as a front cover; malloc'ed. NULL when out of memory. */
unsigned char *ap_flac_picture_make(const ap_picture *picture, size_t *size);
/* A malloc'ed string, NULL when out of memory. */
char *ap_base64_encode(const unsigned char *bytes, size_t size);
/* Sets the picture, unless there is one already and this is not a front cover (type 3). false if it is not
 * an image. */
bool ap_picture_add(ap_tags *tags, unsigned type, const char *mime, const unsigned char *data, size_t size);

/* ---- id3.c, id3v1.c: the tags of MP3 */

/* Bytes of the ID3v2 tag that begins here, by its header of 10 bytes; 0 if there is none. */
size_t ap_id3_size(const unsigned char *bytes, size_t size);
/* Parses an ID3v2 tag, and scribbles over it. false if it is malformed; what was good is kept. */
bool ap_id3_parse(unsigned char *bytes, size_t size, ap_tags *tags);
/* The 128 bytes of an ID3v1 tag; false if they are none. */
bool ap_id3v1_parse(const unsigned char *bytes, ap_tags *tags);
/* The name of a numbered genre, or NULL. */
const char *ap_genre_name(unsigned number);

/* ---- plugin.c */

/* A function of a plugin: looked for in $AUDIOPIPE_PLUGINS, in audiopipe/ beside this library, and where it
 * is to be installed. It stays loaded. NULL if there is none; err says why. */
void *ap_plugin(const char *file, const char *symbol, ap_error *err);

/* ---- decode.c and what it chooses from: each takes in over, also on failure */

/* Checks the rate and the channels that a file declares; the message names it. */
bool ap_check_format(const char *name, const ap_format *format, ap_error *err);

/* riff.c: whether this begin of a WAV, RF64 or Wave64 file shows linear PCM, which ap_riff_open reads. */
bool ap_riff_is_pcm(const unsigned char *bytes, size_t size);
ap_stream *ap_riff_open(ap_input *in, ap_error *err);

/* mpeg.c: the header of an MPEG audio frame, and the tag that LAME and others put into the first one. */
typedef struct ap_mpeg {
    uint32_t header; /* its 32 bits */
    uint32_t rate, channels;
    uint32_t samples; /* of each channel in an MPEG frame */
    uint32_t slot;    /* unit of the size */
    uint32_t size;    /* in bytes, 0 = free format */
} ap_mpeg;
typedef struct ap_mpeg_info {
    uint32_t frames, bytes; /* MPEG frames after this one, bytes with this one; 0 = does not say */
} ap_mpeg_info;
/* Parses 4 bytes. */
bool ap_mpeg_parse(const unsigned char *bytes, ap_mpeg *m);
/* Whether both may belong to one stream. */
bool ap_mpeg_same(const ap_mpeg *a, const ap_mpeg *b);
/* false if this MPEG frame carries no such tag. */
bool ap_mpeg_info_parse(const unsigned char *bytes, size_t size, ap_mpeg_info *info);
/* How many bytes of junk are before the first MP3 frame, SIZE_MAX if this is no MP3. complete:
 * the bytes are the whole file. */
size_t ap_mp3_find(const unsigned char *bytes, size_t size, bool complete);
/* decode_mp3.c: the input stands at the first MP3 frame, after any ID3v2 tag. */
ap_stream *ap_mp3_open(ap_input *in, ap_error *err);

/* decode_flac.c. */
ap_stream *ap_flac_open(ap_input *in, bool ogg, ap_error *err);

/* decode_sndfile.c: whether this is the begin of a file in a format of libsndfile. */
bool ap_sndfile_knows(const unsigned char *bytes, size_t size);
/* Sets *unsupported when the file is to be tried with libav; then in is not taken over. */
ap_stream *ap_sndfile_open(ap_input *in, bool *unsupported, ap_error *err);

/* chunks.c: fails when the samples that the headers of an AIFF, CAF, W64, WAV or AU file declare are not all
 * there. Collects ID3 tags in chunks. The position does not change. */
bool ap_chunks_check(ap_input *in, ap_tags *tags, ap_error *err);

/* ogg.c: what there is in an Ogg file besides the audio. */
typedef struct ap_ogg {
    bool several;      /* there is more than one stream in it */
    bool vorbis_order; /* the channels come in the order of Vorbis */
} ap_ogg;
/* Collects the comments of the first stream. Fails when the file is truncated. The position does not change.
 */
bool ap_ogg_inspect(ap_input *in, ap_tags *tags, ap_ogg *ogg, ap_error *err);

#endif
