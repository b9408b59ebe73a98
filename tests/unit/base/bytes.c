/* SPDX-License-Identifier: GPL-3.0-or-later
 * Numbers in bytes of both orders, and bytes under construction. */
#include "base/bytes.h"
#include "test.h"

static void numbers_have_two_orders(void)
{
    static const unsigned char p[] = {1, 2, 3, 4, 5, 6, 7, 0x88};
    unsigned char to[9] = {0};
    CHECK(ap_get_big(p, 1) == 1 && ap_get_little(p, 1) == 1);
    CHECK(ap_get_big(p, 3) == 0x010203 && ap_get_little(p, 3) == 0x030201);
    CHECK(ap_get_big(p, 8) == 0x0102030405060788 && ap_get_little(p, 8) == 0x8807060504030201);
    for (int size = 1; size <= 8; size++) {
        to[size] = 0xaa;
        ap_put_big(to, ap_get_big(p, (size_t)size), size);
        CHECK(memcmp(to, p, (size_t)size) == 0 && to[size] == 0xaa);
        ap_put_little(to, ap_get_little(p, (size_t)size), size);
        CHECK(memcmp(to, p, (size_t)size) == 0 && to[size] == 0xaa);
    }
}

static void bytes_grow(void)
{
    ap_bytes b = {0};
    ap_bytes_text(&b, "RIFF");
    ap_bytes_little(&b, 0x12345678, 4);
    ap_bytes_big(&b, 0x12345678, 3); /* what does not fit is cut off */
    ap_bytes_zeros(&b, 2);
    ap_bytes_add(&b, "x", 0);
    CHECK(!b.failed && b.size == 13 && memcmp(b.data, "RIFF\x78\x56\x34\x12\x34\x56\x78\0\0", 13) == 0);
    for (int i = 0; i < 100000; i++)
        ap_bytes_add(&b, "ab", 2);
    CHECK(!b.failed && b.size == 200013 && memcmp(b.data + 200011, "ab", 2) == 0);
    free(b.data);
}

static void out_of_memory_stays(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which ends a program that asks for so much */
    ap_bytes b = {0};
    ap_bytes_text(&b, "kept");
    ap_bytes_zeros(&b, SIZE_MAX / 2);
    CHECK(b.failed && b.size == 4);
    ap_bytes_text(&b, "more");
    CHECK(b.failed && b.size == 4 && memcmp(b.data, "kept", 4) == 0);
    free(b.data);
#endif
}

TEST_MAIN(CASE(numbers_have_two_orders), CASE(bytes_grow), CASE(out_of_memory_stays))
