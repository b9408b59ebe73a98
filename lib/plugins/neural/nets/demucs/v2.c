/* SPDX-License-Identifier: GPL-3.0-or-later
 * v2.c - the waveform models of version 2, superseded by later ones: they are refused by name. */
#include "base/error.h"
#include "plugins/neural/nets/architectures.h"

#include <string.h>

static bool is_v2(const nn_checkpoint *checkpoint)
{
    return strcmp(checkpoint->klass, "Demucs") == 0;
}

static nn_network *refuse(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err)
{
    (void)engine;
    ap_fail(err, AP_FAILED,
            "'%s' is a Demucs v2 waveform model, which is not supported; use htdemucs or mdx_extra",
            checkpoint->path);
    return NULL;
}

const nn_architecture nn_demucs_v2 = {"demucs v2", is_v2, refuse, NULL};
