/* SPDX-License-Identifier: GPL-3.0-or-later
 * The laws of telephones, against the tables of the Recommendation. */
#include "formats/g711.h"
#include "test.h"

/* ITU-T G.711, tables 1a and 2a, in 16 bits: the largest and smallest magnitudes, and both ends of a segment.
 */
static void tables_of_the_recommendation(void)
{
    CHECK(ap_mulaw_decode(0x80) == 32124 && ap_mulaw_decode(0x00) == -32124);
    CHECK(ap_mulaw_decode(0xff) == 0 && ap_mulaw_decode(0x7f) == 0);
    CHECK(ap_mulaw_decode(0xfe) == 8 && ap_mulaw_decode(0x8f) == 16764);
    CHECK(ap_mulaw_encode(8159 * 4) == 0x80 && ap_mulaw_encode(-32768) == 0x00);
    CHECK(ap_mulaw_encode(4063 * 4) == 0x8f && ap_mulaw_encode(4063 * 4 - 1) == 0x90);
    CHECK(ap_alaw_decode(0xaa) == 32256 && ap_alaw_decode(0x2a) == -32256);
    CHECK(ap_alaw_decode(0xd5) == 8 && ap_alaw_decode(0x55) == -8);
    CHECK(ap_alaw_encode(2048 * 8) == 0xa5 && ap_alaw_encode(2048 * 8 - 1) == 0xba);
}

/* Each code comes back, and no code is farther off than a step. */
static void codes_come_back(void)
{
    int wrong = 0, far = 0;
    for (int code = 0; code < 256; code++) {
        wrong += code != 0x7f && ap_mulaw_encode(ap_mulaw_decode((unsigned char)code)) != code;
        wrong += ap_alaw_encode(ap_alaw_decode((unsigned char)code)) != code;
    }
    for (int x = -32768; x < 32768; x++) {
        const int magnitude = x < 0 ? -x : x, step = 16 + magnitude / 16;
        const int mulaw = ap_mulaw_decode(ap_mulaw_encode((int16_t)x)) - x;
        const int alaw = ap_alaw_decode(ap_alaw_encode((int16_t)x)) - x;
        far += (mulaw < 0 ? -mulaw : mulaw) > step || (alaw < 0 ? -alaw : alaw) > step;
    }
    CHECK(wrong == 0);
    CHECK(far == 0);
}

TEST_MAIN(CASE(tables_of_the_recommendation), CASE(codes_come_back))
