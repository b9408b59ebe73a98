/* SPDX-License-Identifier: GPL-3.0-or-later
 * Ogg files of several links against libvorbisfile, opusdec and flac; what RFC 3533 and RFC 7845 allow
 * besides. */
#include "fixture.h"

#include <math.h>
#include <ogg/ogg.h>
#include <opusenc.h>
#include <vorbis/vorbisfile.h>

static void make_noise(const char *name, unsigned rate, unsigned channels, unsigned frames)
{
    sh("sox -R -r %u -n -c %u -b 16 %s.wav synth %us pinknoise vol 0.6", rate, channels, name, frames);
}

/* ---- pages */

/* The next page from at on; 0 at the end. */
static size_t page_at(const unsigned char *bytes, size_t at, size_t size)
{
    if (at + 27 > size)
        return 0;
    size_t n = 27 + (size_t)bytes[at + 26];
    for (size_t i = 0; i < bytes[at + 26]; i++)
        n += bytes[at + 27 + i];
    return n;
}

static void sign(unsigned char *page, size_t n)
{
    long header = 27 + page[26];
    ogg_page p = {page, header, page + header, (long)n - header};
    ogg_page_checksum_set(&p);
}

/* Clears or sets flags of every page; keep < SIZE_MAX: leaves out all pages after the first three but those
 * from keep on. */
static void edit_pages(const char *from, const char *to, unsigned char clear, size_t keep)
{
    size_t size, out = 0, number = 0;
    unsigned char *bytes = load(from, &size), *made = malloc(size);
    for (size_t at = 0, n; (n = page_at(bytes, at, size)); at += n, number++) {
        unsigned char *page = made + out;
        memcpy(page, bytes + at, n);
        page[5] &= (unsigned char)~clear;
        sign(page, n);
        out += number < 2 || number >= keep ? n : 0;
    }
    save(to, made, out);
    free(bytes);
    free(made);
}

static void set_opus_rate(const char *from, const char *to, uint32_t rate)
{
    size_t size;
    unsigned char *bytes = load(from, &size);
    memcpy(bytes + 28 + 12, &rate, 4); /* the machine is little-endian, as the header */
    sign(bytes, page_at(bytes, 0, size));
    save(to, bytes, size);
    free(bytes);
}

/* ---- oracles */

/* Decodes by libvorbisfile: appends interleaved floats of channels to the file. A mono link is doubled. */
static size_t by_vorbisfile(const char *path, const char *to, int channels)
{
    OggVorbis_File vf;
    float **planes;
    long n;
    int link;
    size_t count = 0;
    if (!CHECK(ov_fopen(path, &vf) == 0))
        return 0;
    FILE *file = fopen(to, "ab");
    while ((n = ov_read_float(&vf, &planes, 1024, &link)) > 0) {
        int there = ov_info(&vf, link)->channels;
        for (long i = 0; i < n; i++)
            for (int c = 0; c < channels; c++)
                fwrite(&planes[c % there][i], sizeof(float), 1, file);
        count += (size_t)n;
    }
    CHECK(n == 0);
    fclose(file);
    ov_clear(&vf);
    return count;
}

static void check_same(const char *path, const char *reference, double tolerance, size_t frames)
{
    decoded d = check_decodes(path, reference, tolerance, frames);
    if (!CHECK(d.format.frames == frames && !d.warned))
        fprintf(stderr, "%s: %s\n", path, d.warning);
    free(d.frames);
}

/* ---- chains */

static void make_vorbis(void)
{
    make_noise("j", 44100, 2, 44100);
    make_noise("t", 44100, 2, 100003);
    sh("oggenc -Q -s 1 -o j.ogg j.wav && oggenc -Q -s 2 -q 1 -o t.ogg t.wav && oggenc -Q -s 1 -q 8 -o u.ogg "
       "t.wav");
}

static void vorbis_joins_are_vorbisfiles(void)
{
    make_vorbis();
    sh("cat j.ogg t.ogg >chain.ogg; rm -f ref");
    CHECK(by_vorbisfile("chain.ogg", "ref", 2) == 144103);
    check_same("chain.ogg", "ref", 0, 144103);
}

static void equal_serials_are_links_too(void)
{
    make_vorbis();
    sh("cat j.ogg t.ogg j.ogg >jtj.ogg; cat j.ogg u.ogg >ju.ogg; rm -f ref ref2");
    by_vorbisfile("j.ogg", "ref", 2);
    by_vorbisfile("t.ogg", "ref", 2);
    by_vorbisfile("j.ogg", "ref", 2);
    check_same("jtj.ogg", "ref", 0, 188203);
    by_vorbisfile("j.ogg", "ref2", 2);
    by_vorbisfile("u.ogg", "ref2", 2);
    check_same("ju.ogg", "ref2", 0, 144103);
}

static void links_of_another_format_are_converted(void)
{
    make_vorbis();
    make_noise("m", 44100, 1, 30000);
    make_noise("r", 22050, 2, 30000);
    sh("oggenc -Q -s 3 -o m.ogg m.wav && oggenc -Q -s 4 -o r.ogg r.wav; rm -f ref; cat j.ogg m.ogg >jm.ogg; "
       "cat j.ogg "
       "r.ogg >jr.ogg");
    CHECK(by_vorbisfile("jm.ogg", "ref", 2) == 74100);
    decoded d = check_decodes("jm.ogg", "ref", 0, 74100); /* mono is not 3 dB lower */
    CHECK(d.format.frames == 74100 && strstr(d.warning, "1 channels"));
    free(d.frames);
    d = decode_file("jr.ogg", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.format.rate == 44100 && d.count == 44100 + 60000 &&
          d.format.frames == d.count);
    CHECK(strstr(d.warning, "22050 Hz"));
    free(d.frames);
}

static void make_opus(const char *name, const char *options, unsigned channels, unsigned frames)
{
    make_noise(name, 48000, channels, frames);
    sh("opusenc --quiet %s %s.wav %s.opus", options, name, name);
}

/* opusdec dithers nothing that it writes as floats; libopus is the same. */
static void opus_joins_are_opusdecs(void)
{
    make_opus("a", "--serial 1", 2, 48000);
    make_opus("b", "--serial 1 --bitrate 64", 2, 71111);
    sh("cat a.opus b.opus a.opus >aba.opus; for f in a b a; do opusdec --quiet --float --force-wav --rate "
       "48000 $f.opus "
       "$f.f.wav && sox $f.f.wav -t f32 -; done >ref");
    check_same("aba.opus", "ref", 1e-6, 167111);
    make_opus("m", "--serial 3", 1, 24000);
    sh("cat a.opus m.opus >am.opus");
    decoded d = decode_file("am.opus", NULL, 4096), m = decode_file("m.opus", NULL, 4096);
    CHECK(d.count == 72000 && m.count == 24000 && d.warned);
    for (size_t i = 0; i < 24000 && d.count == 72000; i++)
        if (!CHECK(d.frames[2 * (48000 + i)] == m.frames[i] && d.frames[2 * (48000 + i) + 1] == m.frames[i]))
            break;
    free(d.frames);
    free(m.frames);
}

static void flac_joins_are_exact(void)
{
    make_noise("a", 48000, 2, 48000);
    make_noise("b", 48000, 2, 23456);
    sh("flac -s -f --ogg --serial-number 1 -o a.oga a.wav && flac -s -f --ogg --serial-number 1 -o b.oga "
       "b.wav && cat "
       "a.oga b.oga a.oga >aba.oga && sox a.wav b.wav a.wav -t f32 ref && sox b.wav a.wav -t f32 ref2");
    check_same("aba.oga", "ref", 0, 119456);
    sh("sox b.wav -t raw - | flac -s -f --ogg --force-raw-format --endian=little --sign=signed --channels=2 "
       "--bps=16 "
       "--sample-rate=48000 -o s.oga - && cat s.oga a.oga >sa.oga"); /* its header tells no length */
    check_same("sa.oga", "ref2", 0, 71456);
}

static void the_headers_rate_is_no_rate(void)
{
    static const uint32_t rates[] = {0, 8000, 16000, 44100, 192000};
    make_opus("a", "--serial 1", 2, 48000);
    decoded d = decode_file("a.opus", NULL, 4096);
    for (size_t i = 0; i < 5; i++) {
        set_opus_rate("a.opus", "r.opus", rates[i]);
        decoded r = decode_file("r.opus", NULL, 4096);
        CHECK(r.format.rate == 48000);
        same_decoded(&d, &r);
        free(r.frames);
    }
    free(d.frames);
}

/* ---- begins and ends */

static void no_flag_for_the_end_is_a_warning(void)
{
    static const char *const names[] = {"a.opus", "j.ogg", "a.oga", "a.spx"};
    make_vorbis();
    make_opus("a", "", 2, 48000);
    sh("flac -s -f --ogg -o a.oga a.wav && ffmpeg -v error -y -i a.wav -ar 16000 -ac 1 -c:a libspeex a.spx");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        edit_pages(names[i], "n", 4, 0);
        decoded whole = decode_file(names[i], NULL, 4096), d = decode_file("n", NULL, 4096);
        CHECK(!whole.warned && d.warned && strstr(d.warning, "may be cut"));
        same_decoded(&whole, &d);
        free(whole.frames);
        free(d.frames);
    }
}

/* ID3v1, and APEv2 with nothing in it. */
static void a_tag_behind_is_no_damage(void)
{
    static const char *const names[] = {"a.opus", "j.ogg", "a.oga"};
    make_vorbis();
    make_opus("a", "", 2, 48000);
    sh("flac -s -f --ogg -o a.oga a.wav; printf 'TAG%%0125d' 0 >id3; printf '%%0999d' 0 >noise; "
       "printf 'APETAGEX\\320\\007\\0\\0\\040' >ape; head -c 19 /dev/zero >>ape");
    for (size_t i = 0; i < 3; i++) {
        decoded whole = decode_file(names[i], NULL, 4096);
        sh("cat %s id3 >1; cat %s ape id3 >2; cat %s noise >3; cat %s id3 %s >4", names[i], names[i],
           names[i], names[i], names[i]);
        decoded id3 = decode_file("1", NULL, 4096), ape = decode_file("2", NULL, 4096);
        decoded noise = decode_file("3", NULL, 4096), between = decode_file("4", NULL, 4096);
        CHECK(!id3.warned && !ape.warned && strstr(noise.warning, "damaged") &&
              strstr(between.warning, "damaged"));
        same_decoded(&whole, &id3);
        same_decoded(&whole, &ape);
        decoded *all[] = {&whole, &id3, &ape, &noise, &between};
        for (size_t k = 0; k < 5; k++)
            free(all[k]->frames);
    }
}

/* As from a station that one joins later: the positions do not begin at 0. Vorbis has three headers, on the
 * first two pages. */
static void a_part_of_a_stream_begins_where_it_begins(void)
{
    make_vorbis();
    edit_pages("t.ogg", "late.ogg", 0, 5);
    sh("rm -f ref");
    size_t count = by_vorbisfile("late.ogg", "ref", 2);
    CHECK(count > 10000 && count < 100003);
    check_same("late.ogg", "ref", 0, count);
}

/* Radio and what ffmpeg has cut out begin in the middle, with FLAC's own numbers or with new ones. */
static void a_part_of_flac_begins_where_it_begins(void)
{
    size_t size;
    make_noise("a", 44100, 2, 100003);
    sh("flac -s -f --ogg --no-padding --no-seektable -o a.oga a.wav");
    edit_pages("a.oga", "0.oga", 0, 5);
    sh("sox a.wav -t raw - | flac -s -f --ogg --no-padding --no-seektable --force-raw-format --endian=little "
       "--sign=signed --channels=2 "
       "--bps=16 --sample-rate=44100 -o s.oga -");
    edit_pages("s.oga", "1.oga", 4, 5); /* no length in the header, no flag at the end */
    sh("ffmpeg -v error -y -i a.wav -af atrim=0.5:2 -c:a flac 2.oga");
    static const char *const names[] = {"0.oga", "1.oga", "2.oga"};
    for (size_t i = 0; i < 3; i++) {
        sh("ffmpeg -v error -y -i %s -f f32le ref", names[i]);
        free(load("ref", &size));
        decoded d = check_decodes(names[i], "ref", 0, size / 8);
        CHECK(size > 8 * 40000 && size < 8 * 100003 && d.format.frames == size / 8 && d.warned == (i == 1));
        free(d.frames);
    }
}

static void a_cut_is_noticed(void)
{
    make_vorbis();
    size_t size = file_size("j.ogg");
    sh("cat j.ogg t.ogg >chain.ogg");
    check_fails(cut("chain.ogg", size + 10), "truncated");
    check_fails(cut("chain.ogg", size + 3), "truncated");
    check_fails(cut("chain.ogg", size + 20000), "truncated");
    decoded d = decode_file(cut("chain.ogg", size), NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == 44100 && !d.warned);
    free(d.frames);
}

/* ---- several tracks */

static void tracks_of_a_link_are_told_apart(void)
{
    ap_decode_options o;
    ap_decode_defaults(&o);
    make_noise("a", 48000, 2, 48000);
    make_noise("b", 48000, 1, 48000);
    sh("ffmpeg -v error -y -f lavfi -i testsrc=d=1:s=64x64 -i a.wav -i b.wav -map 0 -map 1 -map 2 -c:v "
       "libtheora -c:a:0 "
       "libvorbis -c:a:1 flac v.ogv");
    decoded d = decode_file("v.ogv", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.format.channels == 2 && d.count == 48000);
    free(d.frames);
    o.track = 2;
    d = decode_file("v.ogv", &o, 4096);
    CHECK(d.err.code == AP_OK && d.format.channels == 1 && d.count == 48000);
    free(d.frames);
    o.track = 3;
    d = decode_file("v.ogv", &o, 4096);
    CHECK(d.err.code == AP_FAILED && strstr(d.err.message, "track 3"));
    free(d.frames);
}

/* ---- channels that are no speakers */

static void encode_family(const char *path, int channels, int family)
{
    int error;
    OggOpusComments *comments = ope_comments_create();
    OggOpusEnc *enc = ope_encoder_create_file(path, comments, 48000, channels, family, &error);
    float frame[16] = {0};
    for (int i = 0; CHECK(enc) && i < 48000; i++) {
        frame[1] = (float)(0.3 * sin(2 * M_PI * 1000 * i / 48000));
        ope_encoder_write_float(enc, frame, 1);
    }
    ope_encoder_drain(enc);
    ope_encoder_destroy(enc);
    ope_comments_destroy(comments);
}

static void ambisonics_are_discrete(void)
{
    static const int families[] = {2, 3, 255};
    enter_folder();
    for (int i = 0; i < 3; i++) {
        encode_family("family.opus", 4, families[i]);
        decoded d = decode_file("family.opus", NULL, 4096);
        double level[4] = {0};
        CHECK(d.err.code == AP_OK && d.count == 48000 && d.format.channels == 4 &&
              d.format.mask == AP_DISCRETE);
        for (size_t k = 0; k < 4 * d.count; k++)
            level[k % 4] += (double)(d.frames[k] * d.frames[k]) / 48000;
        CHECK_NEAR(sqrt(level[1]), 0.3 / sqrt(2), 0.02); /* the second channel is the second channel */
        CHECK(level[0] + level[2] + level[3] < 1e-3);
        free(d.frames);
        ap_decode_options o;
        ap_decode_defaults(&o);
        o.channels = 2;
        d = decode_file("family.opus", &o, 4096);
        CHECK(d.err.code == AP_FAILED && strstr(d.err.message, "unknown position"));
        free(d.frames);
    }
}

static void flipped_bits_do_no_harm(void)
{
    make_noise("a", 48000, 2, 9000);
    sh("opusenc --quiet a.wav a.opus && oggenc -Q a.wav -o a.ogg && flac -s -f --ogg a.wav -o a.oga && cat "
       "a.ogg a.opus "
       "a.oga a.ogg >all.ogg");
    decoded d = decode_file("all.ogg", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == 36000);
    free(d.frames);
    flip_bits("a.ogg", 60);
    flip_bits("a.opus", 60);
    flip_bits("all.ogg", 100);
    encode_family("family.opus", 4, 3);
    flip_bits("family.opus", 60);
}

TEST_MAIN(CASE(vorbis_joins_are_vorbisfiles), CASE(equal_serials_are_links_too),
          CASE(links_of_another_format_are_converted), CASE(opus_joins_are_opusdecs),
          CASE(flac_joins_are_exact), CASE(the_headers_rate_is_no_rate),
          CASE(no_flag_for_the_end_is_a_warning), CASE(a_tag_behind_is_no_damage),
          CASE(a_part_of_a_stream_begins_where_it_begins), CASE(a_part_of_flac_begins_where_it_begins),
          CASE(a_cut_is_noticed), CASE(tracks_of_a_link_are_told_apart), CASE(ambisonics_are_discrete),
          CASE(flipped_bits_do_no_harm))
