/* SPDX-License-Identifier: GPL-3.0-or-later
 * plugin.c - finds and loads the parts that only some files or commands need. */
#include "base/plugin.h"
#include "base/error.h"
#include "base/path.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* NULL if it is not in this folder, or cannot be loaded; then err says so. */
static void *load_from(const char *folder, const char *below, const char *file, ap_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s%s", folder, below, file);
    if (n < 0 || n >= (int)sizeof path || access(path, R_OK) != 0)
        return NULL;
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!plugin)
        ap_fail(err, AP_FAILED, "cannot load the plugin %s: %s", file, dlerror());
    return plugin;
}

/* From beside the file that this code is in: library or executable. */
static void *load_from_here(const char *file, ap_error *err)
{
    static const char here;
    Dl_info info;
    if (!dladdr(&here, &info) || !info.dli_fname)
        return NULL;
    char *folder = ap_folder_of(info.dli_fname);
    void *plugin = folder ? load_from(folder, "audiopipe/", file, err) : NULL;
    free(folder);
    return plugin;
}

/* Its table, if it is of the version that the caller knows. */
static const ap_plugin_head *table_of(void *plugin, const char *file, unsigned version, size_t size,
                                      ap_error *err)
{
    const ap_plugin_head *head = dlsym(plugin, "ap_plugin_table");
    if (!head)
        ap_fail(err, AP_FAILED, "the plugin %s has no table: it is no plugin of audiopipe", file);
    else if (head->version != version)
        ap_fail(err, AP_FAILED, "the plugin %s is of another version: %u, not %u", file, head->version,
                version);
    else if (head->size != size)
        ap_fail(err, AP_FAILED, "the plugin %s is of another build: its table has %zu bytes, not %zu", file,
                head->size, size);
    else
        return head;
    return NULL;
}

const void *ap_plugin_load(const char *file, unsigned version, size_t size, ap_error *err)
{
    const char *folder = getenv("AUDIOPIPE_PLUGINS");
    ap_error why;
    ap_fail(&why, AP_FAILED, "the plugin %s is missing", file);
    void *plugin = folder ? load_from(folder, "", file, &why) : NULL;
    if (!plugin)
        plugin = load_from_here(file, &why);
    if (!plugin)
        plugin = load_from(AP_PLUGINDIR, "", file, &why);
    const ap_plugin_head *table = plugin ? table_of(plugin, file, version, size, &why) : NULL;
    if (!table && err)
        *err = why;
    return table;
}
