/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plugin.h - finds and loads the parts that only some files or commands need.
 *
 * A plugin is a shared object that exports one symbol, its table, which begins with an ap_plugin_head. The
 * header of the code that uses the plugin declares the rest of the table. */
#ifndef AP_BASE_PLUGIN_H
#define AP_BASE_PLUGIN_H

#include "audiopipe.h"

typedef struct ap_plugin_head {
    unsigned version; /* of the table's layout: a plugin of another version is refused */
    size_t size;      /* of the whole table, bytes */
} ap_plugin_head;

/* The name of the table in every plugin. */
#define AP_PLUGIN_TABLE ap_plugin_table
/* Before the definition of the table. */
#define AP_PLUGIN_EXPORT __attribute__((visibility("default")))

/* The table of the plugin file (av.so): looked for in $AUDIOPIPE_PLUGINS, in audiopipe/ beside this library,
 * and where it is to be installed. It stays loaded. NULL if there is none of this version; err says why. */
const void *ap_plugin_load(const char *file, unsigned version, size_t size, ap_error *err);

#endif
