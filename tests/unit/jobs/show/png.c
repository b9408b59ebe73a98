/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures of levels, as ffmpeg reads them: the size, the colours of the ends, and brighter for louder. */
#include "jobs/show/png.h"
#include "folder.h"

static void levels_become_colours(void)
{
    enum { WIDTH = 256, HEIGHT = 3 };
    unsigned char pixels[HEIGHT][WIDTH];
    size_t size, got;
    for (int x = 0; x < WIDTH; x++) {
        pixels[0][x] = (unsigned char)x;
        pixels[1][x] = (unsigned char)(255 - x);
        pixels[2][x] = 0;
    }
    unsigned char *png = ap_png_levels(pixels[0], WIDTH, HEIGHT, &size);
    CHECK(png);
    save("levels.png", png, size);
    free(png);
    sh("ffmpeg -v error -xerror -y -i levels.png -f rawvideo -pix_fmt rgb24 levels.rgb");
    unsigned char *rgb = load("levels.rgb", &got);
    CHECK(rgb && got == 3 * WIDTH * HEIGHT);
    CHECK(memcmp(rgb, "\0\0\4", 3) == 0 && memcmp(rgb + 3 * 255, "\xfc\xff\xa4", 3) == 0);
    int before = -1;
    for (size_t x = 0; x < WIDTH; x++) {
        const unsigned char *p = rgb + 3 * x;
        int grey = 299 * p[0] + 587 * p[1] + 114 * p[2]; /* ITU-R BT.601 */
        CHECK(grey >= before);
        before = grey;
        CHECK(memcmp(p, rgb + 3 * (2 * WIDTH - 1 - x), 3) == 0);
        CHECK(memcmp(rgb + 3 * (2 * WIDTH + x), "\0\0\4", 3) == 0);
    }
    free(rgb);
}

TEST_MAIN(CASE(levels_become_colours))
