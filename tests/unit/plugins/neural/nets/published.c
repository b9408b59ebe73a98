/* SPDX-License-Identifier: GPL-3.0-or-later
 * RoFormers and MDX23C against what the reference makes of the same (tests/data/roformer, see README there),
 * with the kernels of every instruction set that this processor has, and on any number of threads. */
#include "base/error.h"
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/demix.h"
#include "plugins/neural/files/yaml.h"
#include "plugins/neural/registry.h"
#include "plugins/neural/tensor/backend.h"
#include "test.h"

#define DATA "tests/data/roformer/"
#define MIX "tests/data/demucs/mix.wav"
#define MIX_FRAMES 83807
#define QUIET_FRAMES 16000
/* The sanitizers take ten times as long: only the best kernels see the whole mix there. */
#ifdef __SANITIZE_ADDRESS__
#define LONGEST 44100
#else
#define LONGEST MIX_FRAMES
#endif
#define LIMIT 2e-5 /* of the peak; a right float32 implementation differs by a few 1e-6 */

/* The linker gives the backend this one instead of the best. */
static size_t chosen;
const nn_kernels *__real_nn_kernels_usable(size_t index);
const nn_kernels *__wrap_nn_kernels_usable(size_t index);

const nn_kernels *__wrap_nn_kernels_usable(size_t index)
{
    return __real_nn_kernels_usable(index + chosen);
}

/* 16-bit stereo behind a header of 44 bytes, as floats; the caller frees them. */
static float *read_wav(const char *path, size_t frames)
{
    FILE *file = fopen(path, "rb");
    short *samples = malloc(frames * 2 * sizeof *samples);
    float *mix = malloc(frames * 2 * sizeof *mix);
    CHECK(file && fseek(file, 44, SEEK_SET) == 0 && fread(samples, 4, frames, file) == frames);
    for (size_t i = 0; i < frames * 2; i++)
        mix[i] = samples[i] / 32768.0f;
    fclose(file);
    free(samples);
    return mix;
}

typedef struct opened {
    nn_engine *engine;
    nn_checkpoint *checkpoint;
    nn_network *network;
    nn_backend composed;
} opened;

static bool open_model(opened *o, const char *name, int threads, bool fused, ap_error *err)
{
    char path[256], config[256];
    snprintf(path, sizeof path, DATA "%s.ckpt", name);
    snprintf(config, sizeof config, DATA "%s.yaml", name);
    *o = (opened){.engine = nn_engine_new("cpu", threads, err), .checkpoint = nn_checkpoint_open(path, err)};
    o->composed = *o->engine->ops;
    o->composed.fused = (nn_fused){0};
    if (!fused)
        o->engine->ops = &o->composed;
    if (o->checkpoint && (o->checkpoint->config = nn_yaml_read(config, err)))
        o->network = nn_network_new(o->checkpoint, o->engine, err);
    return o->network != NULL;
}

static void close_model(opened *o)
{
    if (o->network)
        o->network->free(o->network);
    nn_checkpoint_close(o->checkpoint);
    nn_engine_free(o->engine);
}

/* The stems that run gives, side by side; the caller frees them. wanted NULL: all of those. */
static float *separate(const char *name, int threads, bool fused, const float *mix, size_t frames,
                       const bool *wanted, const ap_separate_options *options, size_t block)
{
    const ap_separate_options usual = {.overlap = -1};
    bool computed[AP_MAX_STEMS] = {0};
    ap_error err = {0};
    float *out = NULL;
    size_t n = 0;
    opened o;
    if (open_model(&o, name, threads, fused, &err)) {
        const ap_format format = {44100, 2, 0, frames};
        for (int i = 0; i < o.network->outputs; i++)
            computed[i] = true;
        ap_stream *s = nn_demix(ap_source_memory(&format, mix, &err), o.network, options ? options : &usual,
                                wanted ? wanted : computed, &err);
        out = test_drain(s, block, &n);
        CHECK(!out || n == frames);
    }
    if (!out)
        fprintf(stderr, "%s: %s\n", name, err.message);
    close_model(&o);
    return out;
}

/* The largest difference as a share of the golden's peak: frames 0..511 and then every 16th are stored. */
static double difference(const char *key, const float *out, size_t width, size_t frames)
{
    char path[256];
    double worst = 0, peak = 0;
    float row[32];
    snprintf(path, sizeof path, DATA "%s.f32", key);
    FILE *file = fopen(path, "rb");
    for (size_t frame = 0; file && frame < frames; frame += frame < 512 ? 1 : 16) {
        if (fread(row, sizeof *row, width, file) != width)
            worst = INFINITY;
        worst = fmax(worst, test_max_difference(row, out + frame * width, width));
        for (size_t i = 0; i < width; i++)
            peak = fmax(peak, fabs((double)row[i]));
    }
    CHECK(file && fgetc(file) == EOF && peak > 0);
    fclose(file);
    return worst / peak;
}

static void compare_in(const char *key, const char *name, size_t stems, const float *mix, size_t frames,
                       int threads)
{
    float *out = separate(name, threads, true, mix, frames, NULL, NULL, 1000 + 333 * (size_t)threads);
    const double worst = out ? difference(key, out, 2 * stems, frames) : INFINITY;
    fprintf(stderr, "%s, %s, %d threads: largest difference %.3g of the peak\n", key,
            __real_nn_kernels_usable(chosen)->name, threads, worst);
    CHECK(worst <= LIMIT);
    free(out);
}

static void compare(const char *key, const char *name, size_t stems, size_t frames)
{
    const bool quiet = strstr(key, "quiet") != NULL;
    float *mix = quiet ? read_wav(DATA "quiet.wav", QUIET_FRAMES) : read_wav(MIX, MIX_FRAMES);
    for (chosen = 0; __real_nn_kernels_usable(chosen) && (chosen == 0 || frames <= LONGEST); chosen++)
        compare_in(key, name, stems, mix, frames, 1 + (int)chosen);
    chosen = 0;
    free(mix);
}

static void bs_roformer_is_the_reference(void)
{
    compare("bs-vocals", "bs-vocals", 1, MIX_FRAMES);
    compare("bs-4stem", "bs-4stem", 4, MIX_FRAMES);
}

static void mel_band_roformer_is_the_reference(void)
{
    compare("mel-vocals", "mel-vocals", 1, MIX_FRAMES);
    compare("mel-duet", "mel-duet", 2, MIX_FRAMES);
}

static void mdx23c_is_the_reference(void)
{
    compare("mdx23c", "mdx23c", 3, MIX_FRAMES);
}

static void short_input_is_the_reference(void)
{
    compare("bs-vocals-44100", "bs-vocals", 1, 44100);
    compare("bs-vocals-30000", "bs-vocals", 1, 30000);
    compare("bs-vocals-12000", "bs-vocals", 1, 12000);
    compare("mel-vocals-20000", "mel-vocals", 1, 20000);
    compare("bs-4stem-9000", "bs-4stem", 4, 9000);
    compare("mdx23c-30000", "mdx23c", 3, 30000);
}

static void quiet_input_is_the_reference(void)
{
    compare("bs-vocals-quiet", "bs-vocals", 1, QUIET_FRAMES);
    compare("mel-vocals-quiet", "mel-vocals", 1, QUIET_FRAMES);
    compare("mdx23c-quiet", "mdx23c", 3, QUIET_FRAMES);
}

static const char *const models[] = {"bs-vocals", "bs-4stem", "mel-vocals", "mel-duet", "mdx23c"};
static const size_t stems_of[] = {1, 4, 1, 2, 3};

static void fused_operations_are_optional(void)
{
    float *mix = read_wav(MIX, 9000);
    for (size_t i = 0; i < 5; i++) {
        const size_t count = 9000 * 2 * stems_of[i];
        float *a = separate(models[i], 2, true, mix, 9000, NULL, NULL, 4096);
        float *b = separate(models[i], 2, false, mix, 9000, NULL, NULL, 4096);
        CHECK(a && b && test_rms(a, count) > 1e-3 && test_max_difference(a, b, count) < 1e-5);
        free(a);
        free(b);
    }
    free(mix);
}

static void threads_and_blocks_do_not_matter(void)
{
    enum { FRAMES = 24000 };
    float *mix = read_wav(MIX, FRAMES);
    for (size_t i = 0; i < 5; i++) {
        float *a = separate(models[i], 1, true, mix, FRAMES, NULL, NULL, 77777);
        float *b = separate(models[i], 3, true, mix, FRAMES, NULL, NULL, 999);
        CHECK(a && b && memcmp(a, b, FRAMES * 2 * stems_of[i] * sizeof *a) == 0);
        free(a);
        free(b);
    }
    free(mix);
}

/* The stem that the model was not trained for is what is left. */
static void the_rest_is_the_mix_without_the_target(void)
{
    const bool both[AP_MAX_STEMS] = {true, true};
    float *mix = read_wav(MIX, 30000), *out = separate("bs-vocals", 2, true, mix, 30000, both, NULL, 4096);
    double worst = out ? 0 : INFINITY;
    for (size_t i = 0; out && i < 30000 * 2; i++) {
        const float *frame = out + i / 2 * 4 + i % 2;
        worst = fmax(worst, fabs((double)frame[0] + (double)frame[2] - (double)mix[i]));
    }
    CHECK(worst < 1e-6);
    free(out);
    free(mix);
}

static void short_and_silent_input_is_fine(void)
{
    static const size_t lengths[] = {0, 1, 2, 441, 5000};
    float *mix = read_wav(MIX, 5000), *silence = calloc(5000 * 2, sizeof *silence);
    for (size_t i = 0; i < 5; i++)
        for (size_t l = 0; l < 10; l++) {
            const size_t n = lengths[l / 2];
            float *out = separate(models[i], 2, true, l % 2 ? silence : mix, n, NULL, NULL, 1000);
            bool finite = out != NULL;
            for (size_t j = 0; finite && j < n * 2 * stems_of[i]; j++)
                finite = isfinite(out[j]) && fabsf(out[j]) < 10;
            CHECK(finite);
            free(out);
        }
    free(mix);
    free(silence);
}

static void chunk_and_overlap_can_be_chosen(void)
{
    float *mix = read_wav(MIX, 30000);
    const ap_separate_options two = {.overlap = 2}, half = {.overlap = 0.5},
                              odd = {.overlap = -1, .chunk_frames = 441};
    const ap_separate_options chunk = {.overlap = -1, .chunk_frames = 22050},
                              bad = {.overlap = -1, .chunk_frames = 22051};
    float *a = separate("mel-vocals", 2, true, mix, 30000, NULL, &two, 4096);
    float *b = separate("mel-vocals", 2, true, mix, 30000, NULL, &half, 4096);
    float *c = separate("mel-vocals", 2, true, mix, 30000, NULL, &chunk, 4096);
    CHECK(a && b && c && memcmp(a, b, 60000 * sizeof *a) == 0 && memcmp(a, c, 60000 * sizeof *a) != 0);
    CHECK(!separate("mel-vocals", 2, true, mix, 30000, NULL, &bad, 4096));
    CHECK(!separate("mel-vocals", 2, true, mix, 30000, NULL, &odd, 4096));
    free(a);
    free(b);
    free(c);
    free(mix);
}

/* user: how many times it is content. */
static bool enough(void *user, ap_error *err)
{
    int *times = user;
    return (*times)-- > 0 || ap_fail(err, AP_FAILED, "enough");
}

static void it_can_be_stopped_at_any_time(void)
{
    static const char *const names[] = {"bs-vocals", "mel-vocals", "mdx23c"};
    static const int after[] = {0, 1, 7, 50, 400};
    float *mix = read_wav(MIX, 20000), frames[256];
    const ap_separate_options usual = {.overlap = -1};
    const ap_format format = {44100, 2, 0, 20000};
    const bool wanted[AP_MAX_STEMS] = {true};
    for (size_t i = 0; i < 3 * sizeof after / sizeof *after; i++) {
        ap_error err = {0};
        opened o;
        int times = after[i / 3];
        CHECK(open_model(&o, names[i % 3], 1 + (int)(i % 2) * 2, i % 4 < 2, &err));
        nn_engine_ask(o.engine, enough, &times);
        ap_stream *s = nn_demix(ap_source_memory(&format, mix, &err), o.network, &usual, wanted, &err);
        CHECK(s && ap_read(s, frames, 128, &err) < 0);
        CHECK(strcmp(err.message, "enough") == 0 && times == -1);
        ap_close(&s);
        close_model(&o);
    }
    free(mix);
}

TEST_MAIN(CASE(bs_roformer_is_the_reference), CASE(mel_band_roformer_is_the_reference),
          CASE(mdx23c_is_the_reference), CASE(short_input_is_the_reference),
          CASE(quiet_input_is_the_reference), CASE(fused_operations_are_optional),
          CASE(threads_and_blocks_do_not_matter), CASE(the_rest_is_the_mix_without_the_target),
          CASE(short_and_silent_input_is_fine), CASE(chunk_and_overlap_can_be_chosen),
          CASE(it_can_be_stopped_at_any_time))
