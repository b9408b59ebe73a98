/* SPDX-License-Identifier: GPL-3.0-or-later
 * The networks on a backend that has none of the fused operations: what tensor.c composes has to be the same.
 */
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/registry.h"
#include "plugins/neural/tensor/backend.h"
#include "test.h"

#define DATA "tests/data/"
#define FRAMES 16384

/* Stems of noise; the caller frees them. fused: with the operations that a backend may leave out. */
static float *separate(const char *path, bool fused, size_t *count)
{
    ap_error err = {0};
    float *mix = malloc(2 * FRAMES * sizeof *mix), *out = NULL;
    uint64_t seed = 7;
    nn_engine *engine = nn_engine_new("cpu", 2, &err);
    nn_backend composed = *engine->ops;
    composed.fused = (nn_fused){0};
    if (!fused)
        engine->ops = &composed;
    for (size_t i = 0; i < 2 * FRAMES; i++)
        mix[i] = (float)((double)test_random(&seed) / UINT32_MAX - 0.5);
    nn_checkpoint *c = nn_checkpoint_open(path, &err);
    nn_network *n = c ? nn_network_new(c, engine, &err) : NULL;
    if (n) {
        nn_tensor *y = n->run(n, nn_tensor_new(engine, 1, 2, FRAMES, mix));
        *count = (size_t)(nn_rows(y) * nn_channels(y) * nn_time(y));
        out = malloc((*count + 1) * sizeof *out);
        CHECK(*count > FRAMES && nn_tensor_read(y, out));
        CHECK(nn_engine_check(engine, &err));
        nn_network_free(n);
    }
    if (!out)
        fprintf(stderr, "%s: %s\n", path, err.message);
    nn_checkpoint_close(c);
    nn_engine_free(engine);
    free(mix);
    return out;
}

static void compare(const char *path)
{
    size_t count = 0, other = 0;
    float *a = separate(path, true, &count), *b = separate(path, false, &other);
    if (CHECK(a && b && count == other)) {
        const double worst = test_max_difference(a, b, count), rms = test_rms(a, count);
        fprintf(stderr, "%s: composed differs by %.3g, rms %.3g\n", path, worst, rms);
        CHECK(rms > 1e-4 && worst <= 1e-4 * rms);
    }
    free(a);
    free(b);
}

static void demucs_needs_no_fused_operation(void)
{
    compare(DATA "demucs/htdemucs-tiny.th");
    compare(DATA "demucs/htdemucs-6s-tiny.th");
    compare(DATA "demucs/hdemucs-tiny.th");
}

TEST_MAIN(CASE(demucs_needs_no_fused_operation))
