/* SPDX-License-Identifier: GPL-3.0-or-later
 * lame_tag.c - the first MP3 frame of a file, which holds no audio but its length, a table for seeking, and
 * how many samples the encoder put before and after the music. LAME makes it; what one instance of LAME
 * cannot know is filled in here. Layout: LAME's VbrTag.c and the "Mp3 Info Tag rev 1 specifications". */
#include "base/error.h"
#include "formats/mp3/mp3.h"

#include <string.h>

/* Offsets from the word "Xing" or "Info". */
enum {
    AT_FRAMES = 8,
    AT_BYTES = 12,
    AT_TOC = 16,
    TOC_SIZE = 100,
    AT_DELAY = 141, /* delay and padding, 12 bits each */
    AT_LENGTH = 148,
    AT_MUSIC_CRC = 152,
    AT_TAG_CRC = 154,
};

/* LAME's delay, ENCDELAY in encoder.h. */
#define DELAY 576

/* CRC-16 with the polynomial 0x8005, bits reversed, two bytes at a time: what the first and what the second
 * of two bytes contribute. */
static void make_crc_table(uint16_t table[2][256])
{
    for (unsigned i = 0; i < 256; i++) {
        unsigned crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
        table[1][i] = (uint16_t)crc;
    }
    for (unsigned i = 0; i < 256; i++)
        table[0][i] = (uint16_t)(table[1][i] >> 8 ^ table[1][table[1][i] & 255]);
}

static uint16_t crc16(uint16_t table[2][256], uint16_t crc, const unsigned char *bytes, size_t size)
{
    size_t i = 0;
    for (; i + 2 <= size; i += 2) {
        crc = (uint16_t)(crc ^ (bytes[i] | bytes[i + 1] << 8));
        crc = table[0][crc & 255] ^ table[1][crc >> 8];
    }
    if (i < size)
        crc = (uint16_t)(crc >> 8 ^ table[1][(crc ^ bytes[i]) & 255]);
    return crc;
}

/* A big-endian number. What is too large for its field becomes the largest that fits. */
static void put(unsigned char *p, uint64_t value, int bytes)
{
    if (value >> 8 * bytes)
        value = UINT64_MAX;
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        p[i] = (unsigned char)value;
}

/* LAME's tag frame for this configuration; size 0 when it does not fit into an MP3 frame. */
static bool make_template(ap_mp3_tag *tag, const ap_mp3_config *config, ap_error *err)
{
    static const float silence[2 * AP_MP3_MAX_FRAME];
    unsigned char scratch[16384];
    lame_t lame = ap_mp3_lame(config, true, err);
    if (!lame)
        return false;
    bool ok = lame_encode_buffer_interleaved_ieee_float(lame, silence, AP_MP3_MAX_FRAME, scratch,
                                                        sizeof scratch) >= 0 &&
              lame_encode_flush(lame, scratch, sizeof scratch) >= 0;
    tag->size = ok ? lame_get_lametag_frame(lame, tag->frame, sizeof tag->frame) : 0;
    lame_close(lame);
    return ok || ap_fail(err, AP_FAILED, "LAME failed to encode silence");
}

bool ap_mp3_tag_start(ap_mp3_tag *tag, const ap_mp3_config *config, ap_error *err)
{
    ap_mp3_config c = *config;
    *tag = (ap_mp3_tag){.stride = 1};
    make_crc_table(tag->crc_table);
    if (!make_template(tag, &c, err))
        return false;
    /* At the lowest bitrates an MP3 frame is too small: this one gets the first bitrate that is enough. */
    for (const int *b = ap_mp3_bitrates(c.rate); tag->size == 0 && *b; b++) {
        c.bitrate_kbps = *b;
        if (*b > config->bitrate_kbps && !make_template(tag, &c, err))
            return false;
    }
    tag->bytes = tag->size;
    return tag->size > 0 || ap_fail(err, AP_FAILED, "LAME failed to make its tag");
}

static void add_mark(ap_mp3_tag *tag)
{
    if (tag->frames / tag->stride == AP_MP3_MARKS) {
        for (size_t i = 0; i < AP_MP3_MARKS / 2; i++)
            tag->marks[i] = tag->marks[2 * i];
        tag->stride *= 2;
    }
    if (tag->frames % tag->stride == 0)
        tag->marks[tag->frames / tag->stride] = tag->bytes;
}

void ap_mp3_tag_add(ap_mp3_tag *tag, const unsigned char *frame, size_t size)
{
    add_mark(tag);
    tag->crc = crc16(tag->crc_table, tag->crc, frame, size);
    tag->frames++;
    tag->bytes += size;
}

/* Where the music is after i percent of its time, in 256ths of the bytes. */
static unsigned char toc_entry(const ap_mp3_tag *tag, unsigned i)
{
    uint64_t frame = tag->frames * i / TOC_SIZE;
    uint64_t place = tag->marks[frame / tag->stride] * 256 / tag->bytes;
    return place > 255 ? 255 : (unsigned char)place;
}

void ap_mp3_tag_finish(ap_mp3_tag *tag, const ap_mp3_config *config, uint64_t frames)
{
    unsigned char *info = tag->frame + ap_mp3_main_data(tag->frame);
    uint64_t padding = tag->frames * config->frame - DELAY - frames;
    put(info + AT_FRAMES, tag->frames, 4);
    put(info + AT_BYTES, tag->bytes, 4);
    for (unsigned i = 0; i < TOC_SIZE; i++)
        info[AT_TOC + i] = toc_entry(tag, i);
    put(info + AT_DELAY, (uint64_t)DELAY << 12 | padding, 3);
    put(info + AT_LENGTH, tag->bytes, 4);
    put(info + AT_MUSIC_CRC, tag->crc, 2);
    put(info + AT_TAG_CRC, crc16(tag->crc_table, 0, tag->frame, (size_t)(info - tag->frame) + AT_TAG_CRC), 2);
}
