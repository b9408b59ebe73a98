/* SPDX-License-Identifier: GPL-3.0-or-later
 * Edit lists of MP4 and the delays of Matroska: what is heard is a part of the whole track, to the sample. */
#include "fixture.h"

#define FRAMES 132300 /* three seconds at 44.1 kHz */

static void make_m4a(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth %ds pinknoise vol 0.6 && ffmpeg -v error -y -i "
       "noise.wav -c:a aac -aac_pns 0 "
       "whole.m4a",
       FRAMES);
}

static void put(unsigned char *p, uint64_t v, int size)
{
    for (int i = 0; i < size; i++)
        p[i] = (unsigned char)(v >> 8 * (size - 1 - i));
}

static uint32_t get(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* An edit: milliseconds, and where in the track, in samples; -1: nothing. */
typedef struct edit {
    uint32_t ms;
    int32_t start;
} edit;

/* whole.m4a with other edits as edited.m4a. Its index is at its end, so that only four sizes change. */
static void set_edits(const edit *edits, size_t count)
{
    static const char *const outer[] = {"moov", "trak", "edts", "elst"};
    size_t size, more = 12 * (count - 1);
    unsigned char *b = load("whole.m4a", &size), *made = malloc(size + more), *elst = b;
    for (int i = 0; i < 4; i++) {
        elst = memmem(elst, size - (size_t)(elst - b), outer[i], 4);
        if (!CHECK(elst))
            abort();
        put(elst - 4, get(elst - 4) + more, 4);
    }
    size_t head = (size_t)(elst - b) + 8; /* type, version */
    CHECK(get(b + head) == 1);
    memcpy(made, b, head);
    put(made + head, count, 4);
    for (size_t i = 0; i < count; i++) {
        unsigned char *e = made + head + 4 + 12 * i;
        put(e, edits[i].ms, 4);
        put(e + 4, (uint32_t)edits[i].start, 4);
        put(e + 8, 0x10000, 4);
    }
    memcpy(made + head + 4 + 12 * count, b + head + 16, size - head - 16);
    save("edited.m4a", made, size + more);
    free(b);
    free(made);
}

/* Frames of the edited file from at on are those of the whole from start on. */
static void check_part(const decoded *d, size_t at, const decoded *whole, size_t start, size_t count)
{
    if (CHECK(at + count <= d->count && start + count <= whole->count))
        CHECK(memcmp(d->frames + 2 * at, whole->frames + 2 * start, 8 * count) == 0);
}

static void parts_are_exact(void)
{
    make_m4a();
    decoded whole = decode_file("whole.m4a", NULL, 4096);
    CHECK(whole.err.code == AP_OK && whole.count == FRAMES);
    set_edits((edit[]){{1000, 1024 + 44100}}, 1);
    decoded d = decode_file("edited.m4a", NULL, 4096), odd = decode_file("edited.m4a", NULL, 331);
    CHECK(d.count == 44100 && !d.warned);
    check_part(&d, 0, &whole, 44100, 44100);
    same_decoded(&d, &odd);
    free(d.frames);
    free(odd.frames);
    set_edits((edit[]){{500, 1024}, {500, 1024 + 88200}}, 2);
    d = decode_file("edited.m4a", NULL, 4096);
    CHECK(d.count == 44100 && !d.warned);
    check_part(&d, 0, &whole, 0, 22050);
    check_part(&d, 22050, &whole, 88200, 22050);
    free(d.frames);
    free(whole.frames);
}

static void nothing_is_silence(void)
{
    make_m4a();
    decoded whole = decode_file("whole.m4a", NULL, 4096);
    set_edits((edit[]){{500, -1}, {3000, 1024}}, 2);
    decoded d = decode_file("edited.m4a", NULL, 4096);
    CHECK(d.count == 22050 + FRAMES && !d.warned);
    for (size_t i = 0; i < 2 * 22050 && i < d.count; i++)
        CHECK(d.frames[i] == 0);
    check_part(&d, 22050, &whole, 0, FRAMES);
    free(d.frames);
    free(whole.frames);
}

/* The decoder starts anew: from its second packet on it gives the same. */
static void parts_may_come_in_any_order(void)
{
    make_m4a();
    decoded whole = decode_file("whole.m4a", NULL, 4096);
    set_edits((edit[]){{1000, 1024 + 88200}, {1000, 1024 + 44100}, {1000, 1024 + 44100}}, 3);
    decoded d = decode_file("edited.m4a", NULL, 4096);
    CHECK(d.count == FRAMES && !d.warned);
    check_part(&d, 0, &whole, 88200, 44100);
    check_part(&d, 44100, &whole, 44100, 44100);
    check_part(&d, 88200, &whole, 44100, 44100);
    free(d.frames);
    free(whole.frames);
}

static void an_edit_beyond_the_end_ends_there(void)
{
    make_m4a();
    set_edits((edit[]){{60000, 1024 + 88200}}, 1);
    decoded d = decode_file("edited.m4a", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == FRAMES - 88200);
    free(d.frames);
    set_edits((edit[]){{1000, 10 * FRAMES}}, 1);
    d = decode_file("edited.m4a", NULL, 4096);
    CHECK(d.count == 0);
    free(d.frames);
}

/* libav makes the length of the last sample up, but the file tells it. */
static void fragments_are_the_same(void)
{
    make_m4a();
    sh("ffmpeg -v error -y -i noise.wav -c:a aac -aac_pns 0 -movflags empty_moov+delay_moov+frag_keyframe "
       "frag.m4a");
    decoded whole = decode_file("whole.m4a", NULL, 4096), d = decode_file("frag.m4a", NULL, 4096);
    CHECK(d.err.code == AP_OK && !d.warned);
    same_decoded(&d, &whole);
    free(d.frames);
    sh("ffmpeg -v error -y -i noise.wav -c:a aac -aac_pns 0 -movflags empty_moov+frag_keyframe "
       "-frag_duration 500000 delay.m4a");
    d = decode_file("delay.m4a", NULL, 4096); /* without an edit list for the delay of the encoder */
    CHECK(d.err.code == AP_OK && d.count == FRAMES + 1024 && !d.warned);
    check_part(&d, 1024, &whole, 0, FRAMES);
    free(whole.frames);
    free(d.frames);
}

/* What was recorded of a stream that has run for some time begins with its first sound. */
static void fragments_may_begin_late(void)
{
    make_m4a();
    sh("rm -rf dash && mkdir dash && ffmpeg -v error -y -i noise.wav -c:a aac -aac_pns 0 -seg_duration 1 -f "
       "dash "
       "dash/all.mpd && cat dash/init* dash/chunk* >all.mp4 && cat dash/init* dash/chunk*[2-9].m4s "
       ">late.mp4");
    decoded all = decode_file("all.mp4", NULL, 4096), late = decode_file("late.mp4", NULL, 4096);
    CHECK(all.err.code == AP_OK && all.count == FRAMES && !all.warned);
    if (CHECK(late.err.code == AP_OK && late.count > FRAMES / 2 && late.count < FRAMES && !late.warned))
        check_part(&late, 2048, &all, FRAMES - late.count + 2048, late.count - 2048);
    free(all.frames);
    free(late.frames);
}

/* Any start is exact: decoding never seeks. */
static void a_start_is_exact(void)
{
    ap_decode_options o;
    ap_decode_defaults(&o);
    make_m4a();
    decoded whole = decode_file("whole.m4a", NULL, 4096);
    for (int i = 1; i < 6; i++) {
        o.start_s = 0.37 * i;
        decoded d = decode_file("whole.m4a", &o, 4096);
        size_t start = (size_t)(o.start_s * 44100 + 0.5);
        CHECK(d.count == FRAMES - start);
        check_part(&d, 0, &whole, start, FRAMES - start);
        free(d.frames);
    }
    free(whole.frames);
}

/* ---- Matroska */

/* The length of an EBML number, and its value. */
static size_t number(const unsigned char *p, uint64_t *v)
{
    size_t n = (size_t)__builtin_clz(*p) - 23;
    *v = *p & (0xffu >> n);
    for (size_t i = 1; i < n; i++)
        *v = *v << 8 | p[i];
    return n;
}

/* Adds CodecDelay (RFC 9559, 5.1.4.1.28) to the only track, as newer versions of FFmpeg do. */
static void add_delay(const char *from, const char *to, uint64_t ns)
{
    static const unsigned char tracks[] = {0x16, 0x54, 0xae, 0x6b};
    size_t size;
    uint64_t whole, track;
    unsigned char *b = load(from, &size), *made = malloc(size + 11);
    unsigned char *t = memmem(b, size, tracks, 4); /* in the list of what is where */
    t = (unsigned char *)memmem(t + 4, size - (size_t)(t + 4 - b), tracks, 4) + 4;
    size_t n = number(t, &whole);
    unsigned char *e = t + n;
    if (*e == 0xbf) /* CRC-32, of any value */
        e += 6;
    if (!CHECK(*e == 0xae))
        abort();
    size_t k = number(++e, &track);
    put(t, (whole + 11) | UINT64_C(1) << 7 * n, (int)n);
    put(e, (track + 11) | UINT64_C(1) << 7 * k, (int)k);
    size_t at = (size_t)(e - b) + k + track;
    memcpy(made, b, at);
    memcpy(made + at, "\x56\xaa\x88", 3);
    put(made + at + 3, ns, 8);
    memcpy(made + at + 11, b + at, size - at);
    save(to, made, size + 11);
    free(b);
    free(made);
}

/* FFmpeg 9.0.2 reads as many frames of what it wrote itself from 441000. */
static void matroskas_delay_is_left_out(void)
{
    static const struct {
        const char *codec;
        unsigned delay, frames;
    } ways[] = {{"aac", 1024, 441344}, {"libmp3lame", 1105, 441000}, {"ac3", 256, 442112}};
    sh("sox -R -r 44100 -n -c 2 -b 16 long.wav synth 441000s pinknoise vol 0.6");
    for (size_t i = 0; i < 3; i++) {
        sh("ffmpeg -v error -y -i long.wav -c:a %s -f matroska - | cat >late.mkv", ways[i].codec);
        add_delay("late.mkv", "told.mkv", 1000000000ull * ways[i].delay / 44100);
        decoded late = decode_file("late.mkv", NULL, 4096), d = decode_file("told.mkv", NULL, 4096);
        if (!CHECK(d.err.code == AP_OK && d.count == ways[i].frames && !d.warned))
            fprintf(stderr, "%s: %zu frames\n", ways[i].codec, d.count);
        check_part(&d, 0, &late, ways[i].delay, ways[i].frames);
        free(d.frames);
        free(late.frames);
    }
}

/* mkvmerge takes the MPEG frame with LAME's tag along, as ffmpeg does from a WAV: it is no sound, and says
 * what the delay and the padding are. Of two files that were joined nothing is cut at the end. */
static void lames_tag_counts_in_containers(void)
{
    static const char *const names[] = {"tag.mka", "tag.avi", "tag.flv"};
    sh("sox -R -r 44100 -n -c 2 -b 16 long.wav synth 100001s pinknoise vol 0.6 && lame --quiet -b 128 "
       "long.wav "
       "tag.mp3 && { printf 'RIFF\\377\\377\\377\\377WAVEfmt \\036\\0\\0\\0\\125\\0\\2\\0\\104\\254\\0\\0"
       "\\200\\76\\0\\0\\1\\0\\0\\0\\014\\0\\1\\0\\2\\0\\0\\0\\241\\1\\1\\0\\161\\5data\\377\\377\\377\\377';"
       " "
       "cat tag.mp3; } >tag.wav");
    decoded all = decode_file("tag.mp3", NULL, 4096);
    for (size_t i = 0; i < 3; i++) {
        sh("ffmpeg -v error -y -i tag.wav -c copy %s", names[i]);
        decoded d = decode_file(names[i], NULL, 4096);
        if (!CHECK(d.err.code == AP_OK && d.count == 100001 && !d.warned))
            fprintf(stderr, "%s: %zu frames\n", names[i], d.count);
        for (size_t k = 0; k < 2 * d.count && k < 2 * all.count; k++)
            if (!CHECK_NEAR(d.frames[k], all.frames[k], 1e-5))
                break;
        free(d.frames);
    }
    free(all.frames);
    sh("cat tag.mp3 >>tag.wav && ffmpeg -v error -y -i tag.wav -c copy two.mka");
    decoded two = decode_file("two.mka", NULL, 4096);
    CHECK(two.err.code == AP_OK && two.count >= 200002);
    free(two.frames);
}

/* CodecDelay before, DiscardPadding behind: the length is that of the source, to the sample. */
static void opus_in_matroska_is_exact(void)
{
    static const unsigned lengths[] = {960, 48000, 100001};
    for (size_t i = 0; i < 3; i++) {
        sh("sox -R -r 48000 -n -c 2 -b 16 o.wav synth %us pinknoise vol 0.6", lengths[i]);
        for (int webm = 0; webm < 2; webm++) {
            const char *name = webm ? "o.webm" : "o.mkv";
            sh("ffmpeg -v error -y -i o.wav -c:a libopus %s && ffmpeg -v error -y -i %s -f f32le o.f32", name,
               name);
            decoded d = check_decodes(name, "o.f32", 0, lengths[i]);
            CHECK(!d.warned);
            free(d.frames);
        }
    }
}

static void flipped_bits_do_no_harm(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth 9000s pinknoise vol 0.6 && ffmpeg -v error -y -i "
       "noise.wav -c:a aac -aac_pns 0 "
       "-movflags faststart flip.m4a");
    flip_bits("flip.m4a", 150);
    sh("ffmpeg -v error -y -i noise.wav -c:a aac -aac_pns 0 -movflags empty_moov+delay_moov+frag_keyframe "
       "flip.m4a");
    flip_bits("flip.m4a", 150);
}

TEST_MAIN(CASE(parts_are_exact), CASE(nothing_is_silence), CASE(parts_may_come_in_any_order),
          CASE(an_edit_beyond_the_end_ends_there), CASE(fragments_are_the_same),
          CASE(fragments_may_begin_late), CASE(a_start_is_exact), CASE(matroskas_delay_is_left_out),
          CASE(lames_tag_counts_in_containers), CASE(opus_in_matroska_is_exact),
          CASE(flipped_bits_do_no_harm))
