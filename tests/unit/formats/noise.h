/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * noise.h - for tests of the decoders: noise of any shape, and a file of it against ffmpeg. */
#ifndef NOISE_H
#define NOISE_H

#include "fixture.h"

/* noise.wav: pink noise. */
static inline void make_noise(unsigned rate, unsigned channels, unsigned bits, unsigned frames)
{
    sh("sox -R -r %u -n -c %u -b %u noise.wav synth %us pinknoise vol 0.6", rate, channels, bits, frames);
}

/* Fails the case unless ffmpeg decodes the file to the same, and it says how long it is. */
static inline void check_file(const char *path, double tolerance, uint64_t frames)
{
    sh("ffmpeg -v error -y -i %s -f f32le ref.f32", path);
    decoded d = check_decodes(path, "ref.f32", tolerance, frames);
    if (!CHECK(d.format.frames == frames && !d.warned))
        fprintf(stderr, "%s: %s\n", path, d.warning);
    free(d.frames);
}

#endif
