/* SPDX-License-Identifier: GPL-3.0-or-later
 * engine.c - the choice of a backend. That of libtorch is a plugin of its own: it takes half a second and 160
 * MB to load, and need not be there. */
#include "backend.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian's OpenBLAS falls back to its slowest kernels on processors newer than itself, six times slower. It
 * reads this variable when it is loaded. */
static void prepare_openblas(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        setenv("OPENBLAS_CORETYPE", "Haswell", 0);
#endif
}

/* The plugin lies beside this one. It stays loaded: libtorch cannot be unloaded. */
static const dm_torch *load_torch(ap_error *err)
{
    Dl_info self;
    char path[4096];
    const char *slash =
        dladdr((void *)(uintptr_t)&prepare_openblas, &self) ? strrchr(self.dli_fname, '/') : NULL;
    const int folder = slash ? (int)(slash - self.dli_fname) : 1;
    snprintf(path, sizeof path, "%.*s/demucs-torch.so", folder, slash ? self.dli_fname : ".");
    prepare_openblas();
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const dm_torch *(*get)(void) = NULL;
    if (library)
        *(void **)&get = dlsym(library, "dm_torch_get");
    if (get)
        return get();
    ap_fail(err, AP_FAILED, "this needs libtorch: %s", dlerror());
    return NULL;
}

/* Without a driver there is nothing that libtorch could find. */
static bool has_gpu(void)
{
    glob_t found;
    bool there = glob("/dev/nvidia[0-9]*", 0, NULL, &found) == 0;
    globfree(&found);
    return there;
}

static bool open_torch(dm_engine *e, const char *device, ap_error *err)
{
    e->torch = load_torch(err);
    if (!e->torch)
        return false;
    e->ops = e->torch->backend;
    return e->ops->open(e, device, err);
}

static bool open_native(dm_engine *e, ap_error *err)
{
    e->torch = NULL;
    e->ops = dm_native_backend();
    return e->ops->open(e, "cpu", err);
}

static bool open_engine(dm_engine *e, const char *device, ap_error *err)
{
    if (strcmp(device, "cpu") == 0)
        return open_native(e, err);
    if (strcmp(device, "libtorch") == 0)
        return open_torch(e, "cpu", err);
    if (strcmp(device, "cuda") == 0)
        return open_torch(e, device, err);
    if (strcmp(device, "auto") == 0)
        return (has_gpu() && open_torch(e, "cuda", NULL)) || open_native(e, err);
    return ap_fail(err, AP_USAGE, "device '%s' is not one of auto, cpu, cuda, libtorch", device);
}

dm_engine *dm_engine_new(const char *device, int threads, ap_error *err)
{
    dm_engine *e = calloc(1, sizeof *e);
    if (!e) {
        ap_fail_memory(err);
        return NULL;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->threads = threads > 0 ? threads : cores > 0 ? (int)cores : 1;
    if (open_engine(e, device, err))
        return e;
    free(e);
    return NULL;
}

/* ---- TorchScript */

struct dm_script {
    const dm_torch *torch;
    void *module;
};

dm_script *dm_script_new(dm_engine *engine, const char *path, ap_error *err)
{
    dm_script *script = calloc(1, sizeof *script);
    if (!script || !engine->torch) {
        ap_fail(err, AP_FAILED, "'%s' needs libtorch", path);
        free(script);
        return NULL;
    }
    script->torch = engine->torch;
    script->module = script->torch->load(engine, path, err);
    if (script->module)
        return script;
    free(script);
    return NULL;
}

void dm_script_free(dm_script *script)
{
    if (script)
        script->torch->unload(script->module);
    free(script);
}

dm_tensor *dm_script_run(dm_tensor *x, dm_script *script, int stems)
{
    dm_tensor *y = x ? script->torch->run(x, script->module, stems) : NULL;
    dm_drop(x);
    return y;
}
