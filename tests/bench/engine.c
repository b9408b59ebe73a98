/* SPDX-License-Identifier: GPL-3.0-or-later
 * engine - how near the engine comes to what the processor can do.
 *
 * engine [-j THREADS] [-n CHUNKS] [-k] [CHECKPOINT [YAML]]: the peak of fused multiply-adds of each thread
 * and of all of them; then the checkpoint's start-up and its chunks, a line of "name value" pairs. -k: and a
 * table of what each kernel and shape of matrix takes, on one thread. Times are of the processor, so that
 * other programs disturb little. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/files/yaml.h"
#include "plugins/neural/registry.h"
#include "plugins/neural/tensor/tensor.h"
#include "profile.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PEAK_S 0.2 /* how long a peak is measured */
#define CHAINS 12  /* of independent operations: more than latency x units of any processor */
#define MAX_THREADS 256

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the peak */

/* A million rounds of CHAINS vectors of floats, in registers. */
#define ROUNDS 1000000
#define DEFINE_ROUNDS(name, width, isa)                                                                      \
    __attribute__((target(isa), optimize("O3", "fp-contract=fast"))) static float name(float factor)         \
    {                                                                                                        \
        typedef float vector __attribute__((vector_size(4 * (width))));                                      \
        vector sum[CHAINS], f = {0};                                                                         \
        f += factor;                                                                                         \
        _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++) sum[c] = f;                                \
        for (int i = 0; i < ROUNDS; i++)                                                                     \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++)                                        \
            {                                                                                                \
                sum[c] = sum[c] * f + f;                                                                     \
                __asm__("" : "+v"(sum[c]));                                                                  \
            }                                                                                                \
        _Pragma("GCC unroll 12") for (int c = 1; c < CHAINS; c++) sum[0] += sum[c];                          \
        return sum[0][0];                                                                                    \
    }

#ifdef __x86_64__
DEFINE_ROUNDS(rounds_avx512, 16, "avx512f")
DEFINE_ROUNDS(rounds_avx2, 8, "avx2,fma")
DEFINE_ROUNDS(rounds_base, 4, "sse2")
#else
static float rounds_base(float factor)
{
    float sum[4 * CHAINS] = {0};
    for (int i = 0; i < ROUNDS; i++)
        for (int c = 0; c < 4 * CHAINS; c++)
            sum[c] = sum[c] * factor + factor;
    return sum[0];
}
#endif

/* The rounds for the engine's best kernels, and their vectors' width. */
static float (*rounds_of(const nn_kernels *k, int *width))(float)
{
    *width = 4;
#ifdef __x86_64__
    if (k->width == 16)
        return *width = 16, rounds_avx512;
    if (k->width == 8)
        return *width = 8, rounds_avx2;
#endif
    (void)k;
    return rounds_base;
}

/* GFLOP/s of a thread's processor time, to *result. */
static void *measure_peak(void *result)
{
    int width;
    float (*rounds)(float) = rounds_of(nn_kernels_usable(0), &width), sink = 0;
    const double start = now(CLOCK_THREAD_CPUTIME_ID);
    double seconds = 0, count = 0;
    for (; seconds < PEAK_S; seconds = now(CLOCK_THREAD_CPUTIME_ID) - start, count++)
        sink += rounds(0.5F);
    *(double *)result = isfinite(sink) ? 2e-9 * width * CHAINS * ROUNDS * count / seconds : 0;
    return NULL;
}

/* The mean of all threads, while all of them are at it. */
static double peak(int threads)
{
    pthread_t ids[MAX_THREADS];
    double results[MAX_THREADS], sum = 0;
    int started = 0;
    while (started < threads && pthread_create(&ids[started], NULL, measure_peak, &results[started]) == 0)
        started++;
    for (int i = 0; i < started; i++) {
        pthread_join(ids[i], NULL);
        sum += results[i];
    }
    return started ? sum / started : 0;
}

/* ---- a network */

static double processor_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double largest_megabytes(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

/* A chunk of noise; returns processor seconds, below 0 on failure. */
static double run_chunk(nn_network *n, float *mix, float *stems)
{
    unsigned seed = 1;
    for (int64_t i = 0; i < n->segment_frames * n->channels; i++)
        mix[i] = (float)(seed = seed * 1664525U + 1013904223U) * 0x1p-32F - 0.5F;
    const double start = processor_seconds();
    const bool ok =
        nn_tensor_read(n->run(n, nn_tensor_new(n->engine, 1, n->channels, n->segment_frames, mix)), stems);
    return ok ? processor_seconds() - start : -1;
}

static bool run_network(nn_network *n, int threads, int chunks, bool table)
{
    const size_t stems = (size_t)(n->outputs ? n->outputs : n->stem_count);
    const size_t floats = (size_t)(n->segment_frames * n->channels);
    float *mix = malloc((stems + 1) * floats * sizeof *mix);
    double total = 0, wall = 0, all = 0, last = 0;
    bool ok = mix != NULL;
    for (int i = 0; ok && i < chunks; i++) {
        all += peak(threads);
        profile_clear();
        const double start = now(CLOCK_MONOTONIC), seconds = run_chunk(n, mix, mix + floats);
        ok = seconds >= 0;
        total += last = seconds;
        wall += now(CLOCK_MONOTONIC) - start;
    }
    free(mix);
    if (!ok)
        return false;
    printf(" cpu_s %.3f wall_s %.3f peak %.2f chunk_s %.3f mb %.0f", total / chunks, wall / chunks,
           all / chunks, (double)n->segment_frames / n->rate, largest_megabytes());
    if (table) {
        printf("\n");
        profile_print(last, all / chunks);
    }
    return true;
}

static bool measure(char **paths, int threads, int chunks, bool table, ap_error *err)
{
    const double start = now(CLOCK_MONOTONIC), used = processor_seconds();
    const bool known = nn_checkpoint_was_intact(paths[0]);
    nn_checkpoint *c = known ? nn_checkpoint_open_trusted(paths[0], err) : nn_checkpoint_open(paths[0], err);
    nn_engine *engine = nn_engine_new("cpu", threads, err);
    nn_network *n = NULL;
    if (c && engine && (!paths[1] || (c->config = nn_yaml_read(paths[1], err))))
        n = nn_network_new(c, engine, err);
    if (n && !known)
        nn_checkpoint_is_intact(c);
    printf("start_wall_s %.3f start_cpu_s %.3f", now(CLOCK_MONOTONIC) - start, processor_seconds() - used);
    const bool ok = n && run_network(n, threads, chunks, table);
    printf("\n");
    if (n && !ok)
        nn_engine_check(engine, err);
    nn_network_free(n);
    nn_engine_free(engine);
    nn_checkpoint_close(c);
    return ok;
}

int main(int argc, char **argv)
{
    int threads = (int)sysconf(_SC_NPROCESSORS_ONLN), chunks = 1;
    bool table = false;
    ap_error err = {0};
    for (int option; (option = getopt(argc, argv, "j:n:k")) != -1;)
        if (option == 'k')
            table = true;
        else
            *(option == 'j' ? &threads : &chunks) = atoi(optarg);
    if (table) {
        threads = 1;
        profile_start();
    }
    threads = threads < MAX_THREADS ? threads : MAX_THREADS;
    if (threads < 1 || chunks < 1)
        return 2;
    if (optind < argc) {
        if (measure(argv + optind, threads, chunks, table, &err))
            return 0;
        fprintf(stderr, "engine: %s\n", err.message);
        return 1;
    }
    printf("kernel %s one %.2f all %.2f\n", nn_kernels_usable(0)->name, peak(1), threads * peak(threads));
    return 0;
}
