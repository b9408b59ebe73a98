/* SPDX-License-Identifier: GPL-3.0-or-later
 * The separator against the original's output (tests/data/demucs, see README there). */
#include "stages/separate/method.h"
#include "test.h"

#include <dlfcn.h>
#include <unistd.h>

#define FRAMES 83807
#define SOME 40000 /* frames: more than a segment of each */
#define DATA "tests/data/demucs/"

static const ap_method *plugin(void)
{
    static const ap_method *found;
    char path[4096];
    if (found)
        return found;
    snprintf(path, sizeof path, "%s/audiopipe/neural.so", getenv("AP_BUILD") ? getenv("AP_BUILD") : "build");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    const ap_neural_plugin *table = dlsym(library, "ap_plugin_table");
    return found = &table->method;
}

/* The mix, as floats; the caller frees it. */
static float *read_mix(void)
{
    FILE *file = fopen(DATA "mix.wav", "rb");
    short *samples = malloc(FRAMES * 2 * sizeof *samples);
    float *mix = malloc(FRAMES * 2 * sizeof *mix);
    fseek(file, 44, SEEK_SET);
    CHECK(fread(samples, 4, FRAMES, file) == FRAMES);
    for (size_t i = 0; i < FRAMES * 2; i++)
        mix[i] = samples[i] / 32768.0f;
    fclose(file);
    free(samples);
    return mix;
}

/* What to ask of a model. */
typedef struct request {
    ap_separate_options options;
    bool wanted[AP_MAX_STEMS];
} request;

static request all_stems(void)
{
    request o = {.options = {.overlap = 0.25}};
    for (int i = 0; i < AP_MAX_STEMS; i++)
        o.wanted[i] = true;
    return o;
}

/* libtorch is not everywhere. */
static bool have_torch(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/audiopipe/neural-torch.so",
             getenv("AP_BUILD") ? getenv("AP_BUILD") : "build");
    return access(path, R_OK) == 0;
}

static ap_model *open_model(const char *model, const char *device, unsigned threads, ap_error *err)
{
    const ap_separate_options o = {.model = model, .device = device, .threads = threads};
    return plugin() ? plugin()->open(&o, err) : NULL;
}

/* Separates frames of the mix. Returns them, NULL on failure. */
static float *separate_frames(const char *model, const char *device, unsigned threads, const request *o,
                              size_t block, const float *mix, size_t frames, size_t *stems)
{
    ap_error err = {0};
    float *out = NULL;
    size_t n;
    ap_format format = {44100, 2, 0, frames};
    ap_model *m = open_model(model, device, threads, &err);
    if (m) {
        ap_stream *s =
            plugin()->separate(m, ap_source_memory(&format, mix, &err), &o->options, o->wanted, &err);
        *stems = s ? ap_stream_format(s)->channels / 2 : 0;
        out = test_drain(s, block, &n);
        CHECK(!out || n == frames);
        plugin()->close(m);
    }
    if (!out)
        fprintf(stderr, "%s: %s\n", model, err.message);
    return out;
}

static float *separate(const char *model, const char *device, unsigned threads, const request *o,
                       size_t block, size_t frames, size_t *stems)
{
    float *mix = read_mix();
    float *out = separate_frames(model, device, threads, o, block, mix, frames, stems);
    free(mix);
    return out;
}

/* The golden files have frames 0..511 and then every step-th. */
static double difference(const char *path, const float *out, size_t width, size_t step)
{
    double worst = 0;
    float row[16];
    FILE *file = fopen(path, "rb");
    if (!file)
        return INFINITY;
    for (size_t frame = 0; frame < FRAMES; frame += frame < 511 ? 1 : frame == 511 ? 1 : step) {
        if (fread(row, sizeof *row, width, file) != width)
            worst = INFINITY;
        worst = fmax(worst, test_max_difference(row, out + frame * width, width));
    }
    fclose(file);
    return worst;
}

static void compare_on(const char *name, const char *file, const char *device)
{
    char golden[256], model[256];
    request o = all_stems();
    snprintf(model, sizeof model, DATA "%s", file);
    snprintf(golden, sizeof golden, DATA "%s.f32", name);
    for (unsigned threads = 1; threads <= 2; threads++) {
        size_t stems = 0;
        float *out = separate(model, device, threads, &o, 4096, FRAMES, &stems);
        double worst = out ? difference(golden, out, 2 * stems, 64) : INFINITY;
        fprintf(stderr, "%s, %s, %u threads: largest difference %.3g\n", name, device, threads, worst);
        CHECK(worst <= 1e-5);
        free(out);
    }
}

static void compare(const char *name, const char *file)
{
    compare_on(name, file, "cpu");
    if (have_torch())
        compare_on(name, file, "libtorch");
}

static void htdemucs_is_the_original(void)
{
    compare("htdemucs-tiny", "htdemucs-tiny.th");
}

static void htdemucs_6s_is_the_original(void)
{
    compare("htdemucs-6s-tiny", "htdemucs-6s-tiny.th");
}

/* The same tensors as demucs 4.1.0 itself exports them (tools/export_hf.py). */
static void safetensors_are_the_original(void)
{
    compare_on("htdemucs-6s-tiny", "htdemucs-6s-tiny.safetensors", "cpu");
}

static void hdemucs_is_the_original(void)
{
    compare("hdemucs-tiny", "hdemucs-tiny.th");
}

static void bag_is_the_original(void)
{
    compare("bag-tiny", "bag-tiny.yaml");
}

/* One stem alone is the same as among all, and any block size gives the same. */
static void a_stem_alone_is_the_same(void)
{
    size_t stems;
    request o = all_stems();
    float *all = separate(DATA "bag-tiny.yaml", "cpu", 2, &o, 1000, SOME, &stems);
    memset(o.wanted, 0, sizeof o.wanted);
    o.wanted[1] = true;
    float *one = separate(DATA "bag-tiny.yaml", "cpu", 2, &o, 77777, SOME, &stems);
    CHECK(stems == 1);
    for (size_t i = 0; all && one && i < SOME; i++)
        if (one[2 * i] != all[8 * i + 2] || one[2 * i + 1] != all[8 * i + 3])
            all[0] = NAN;
    CHECK(all && one && !isnan(all[0]));
    free(all);
    free(one);
}

static const char *const models[] = {DATA "htdemucs-tiny.th", DATA "hdemucs-tiny.th",
                                     DATA "htdemucs-6s-tiny.th"};

/* The same samples on any number of threads. */
static void threads_do_not_matter(void)
{
    size_t stems;
    request o = all_stems();
    for (size_t i = 0; i < 3; i++) {
        float *one = separate(models[i], "cpu", 1, &o, 4096, SOME, &stems);
        float *three = separate(models[i], "cpu", 3, &o, 4096, SOME, &stems);
        CHECK(one && three && memcmp(one, three, SOME * 2 * stems * sizeof *one) == 0);
        free(one);
        free(three);
    }
}

/* Nothing in, nothing but finite samples out; of any length. */
static void short_and_silent_input_is_fine(void)
{
    static const size_t lengths[] = {0, 1, 2, 441, 5000};
    float *mix = read_mix(), *silence = calloc(FRAMES * 2, sizeof *silence);
    request o = all_stems();
    size_t stems = 0;
    for (size_t m = 0; m < 3; m++)
        for (size_t l = 0; l < 5; l++)
            for (int silent = 0; silent < 2; silent++) {
                size_t n = lengths[l];
                float *out =
                    separate_frames(models[m], "cpu", 2, &o, 1000, silent ? silence : mix, n, &stems);
                bool finite = out != NULL;
                for (size_t i = 0; finite && i < n * 2 * stems; i++)
                    finite = isfinite(out[i]) && fabsf(out[i]) < 10;
                if (!CHECK(finite))
                    fprintf(stderr, "%s, %zu frames, silent %d\n", models[m], n, silent);
                free(out);
            }
    free(mix);
    free(silence);
}

/* Shifts are the same for the same seed, others for another; the result stays near that without. */
static void shifts_are_repeatable(void)
{
    size_t stems;
    request o = all_stems();
    float *none = separate(models[0], "cpu", 2, &o, 4096, SOME, &stems);
    o.options.shifts = 2;
    o.options.seed = 7;
    float *a = separate(models[0], "cpu", 2, &o, 4096, SOME, &stems);
    float *b = separate(models[0], "cpu", 2, &o, 999, SOME, &stems);
    o.options.seed = 8;
    float *c = separate(models[0], "cpu", 2, &o, 4096, SOME, &stems);
    size_t count = SOME * 2 * stems;
    CHECK(a && b && c && none && memcmp(a, b, count * sizeof *a) == 0 &&
          memcmp(a, c, count * sizeof *a) != 0);
    CHECK(test_rms(a, count) < 1.3 * test_rms(none, count) &&
          test_rms(a, count) > 0.5 * test_rms(none, count));
    free(none);
    free(a);
    free(b);
    free(c);
}

static void overlap_and_segment_change_little(void)
{
    size_t stems;
    request o = all_stems();
    o.options.overlap = 0.5;
    float *a = separate(models[0], "cpu", 2, &o, 4096, SOME, &stems);
    o.options.segment_s = 0.5;
    float *b = separate(models[0], "cpu", 2, &o, 4096, SOME, &stems);
    CHECK(a && b);
    o.options.segment_s = 0.8; /* it was trained for 0.75 */
    CHECK(!separate(models[0], "cpu", 2, &o, 4096, SOME, &stems));
    free(a);
    free(b);
}

static void a_torchscript_module_runs(void)
{
    if (!have_torch())
        return;
    size_t stems = 0;
    request o = all_stems();
    float *mix = read_mix(), *out = separate(DATA "halves.pt", "cpu", 2, &o, 4096, FRAMES, &stems);
    double worst = 0;
    CHECK(stems == 2);
    for (size_t i = 0; out && i < FRAMES * 2; i++) {
        const float *frame = out + i / 2 * 4 + i % 2;
        worst = fmax(worst, fmax(fabs(frame[0] - 0.25 * mix[i]), fabs(frame[2] - 0.75 * mix[i])));
    }
    /* Normalisation adds the mean of the mix to every stem, as it does to Demucs'. */
    CHECK(out && worst < 1e-3);
    free(mix);
    free(out);
}

/* Opening a file of these bytes fails; says why in err. */
static bool refused(const void *bytes, size_t size, ap_error *err)
{
    char path[] = "/tmp/audiopipe-test-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "wb");
    CHECK(fwrite(bytes, 1, size, out) == size);
    fclose(out);
    ap_model *m = open_model(path, "cpu", 1, err);
    CHECK(remove(path) == 0);
    return plugin() && !m;
}

/* What the files of a model say has to fit together. */
static void contradictions_are_errors(void)
{
    ap_error err = {0};
    size_t size;
    static char bytes[1 << 20];
    static const char header[] = "{\"__metadata__\":{\"klass\":\"HTDemucs\","
                                 "\"kwargs\":\"{\\\"sources\\\":[\\\"a\\\"],\\\"segment\\\":1e-5}\"}}";
    FILE *in = fopen(models[0], "rb");
    CHECK((size = fread(bytes, 1, sizeof bytes, in)) > 900000);
    fclose(in);
    CHECK(refused(bytes, size / 2, &err) && err.message[0]);
    memset(bytes, 0, 8);
    bytes[0] = sizeof header - 1;
    memcpy(bytes + 8, header, sizeof header);
    CHECK(refused(bytes, 8 + sizeof header, &err) && strstr(err.message, "settings that make no sense"));
    CHECK(plugin() && !open_model(models[0], "toaster", 1, &err) && err.code == AP_USAGE);
}

TEST_MAIN(CASE(htdemucs_is_the_original), CASE(htdemucs_6s_is_the_original),
          CASE(safetensors_are_the_original), CASE(hdemucs_is_the_original), CASE(bag_is_the_original),
          CASE(a_stem_alone_is_the_same), CASE(threads_do_not_matter), CASE(short_and_silent_input_is_fine),
          CASE(shifts_are_repeatable), CASE(overlap_and_segment_change_little),
          CASE(a_torchscript_module_runs), CASE(contradictions_are_errors))
