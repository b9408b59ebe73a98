/* SPDX-License-Identifier: GPL-3.0-or-later
 * engine.c - the choice of a backend. That of libtorch is a plugin of its own: it takes half a second and 160
 * MB to load, and need not be there. */
#include "base/cores.h"
#include "base/error.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without a driver there is nothing that libtorch could find. */
static bool has_gpu(void)
{
    glob_t found;
    bool there = glob("/dev/nvidia[0-9]*", 0, NULL, &found) == 0;
    globfree(&found);
    return there;
}

static bool open_torch(nn_engine *e, const char *device, ap_error *err)
{
    e->torch = ap_plugin_load("neural-torch.so", NN_TORCH_VERSION, sizeof(nn_torch), err);
    if (!e->torch)
        return false;
    e->ops = e->torch->backend;
    snprintf(e->name, sizeof e->name, "libtorch, device %s", device);
    return e->ops->open(e, device, err);
}

static bool open_native(nn_engine *e, ap_error *err)
{
    e->torch = NULL;
    e->ops = nn_native_backend();
    return e->ops->open(e, "cpu", err);
}

static bool open_engine(nn_engine *e, const char *device, ap_error *err)
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

nn_engine *nn_engine_new(const char *device, int threads, ap_error *err)
{
    nn_engine *e = calloc(1, sizeof *e);
    if (!e) {
        ap_fail_memory(err);
        return NULL;
    }
    e->threads = threads > 0 ? threads : (int)ap_cores();
    if (open_engine(e, device, err))
        return e;
    free(e);
    return NULL;
}

const char *nn_engine_name(const nn_engine *engine)
{
    return engine->name;
}

/* ---- TorchScript */

struct nn_script {
    const nn_torch *torch;
    void *module;
};

nn_script *nn_script_new(nn_engine *engine, const char *path, ap_error *err)
{
    nn_script *script = calloc(1, sizeof *script);
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

void nn_script_free(nn_script *script)
{
    if (script)
        script->torch->unload(script->module);
    free(script);
}

nn_tensor *nn_script_run(nn_tensor *x, nn_script *script, int stems)
{
    nn_tensor *y = x ? script->torch->run(x, script->module, stems) : NULL;
    nn_drop(x);
    return y;
}
