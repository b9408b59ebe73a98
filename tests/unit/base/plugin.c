/* SPDX-License-Identifier: GPL-3.0-or-later
 * Plugins: what is none, of another version, or of another size is refused with a reason; a good one is
 * loaded once. Each has a name of its own, for they stay loaded. */
#include "base/plugin.h"
#include "folder.h"

/* Into the folder that is looked at first. */
static void build(const char *name, const char *source)
{
    char folder[128];
    sh("mkdir -p plugins && echo '%s' | cc -shared -fPIC -x c - -o plugins/%s", source, name);
    snprintf(folder, sizeof folder, "%s/plugins", test_folder);
    setenv("AUDIOPIPE_PLUGINS", folder, 1);
}

#define TABLE(version, size)                                                                                 \
    "const struct { unsigned version; unsigned long size, more; } ap_plugin_table = {" #version ", " #size   \
    ", 42};"

typedef struct table {
    ap_plugin_head head;
    unsigned long more;
} table;

static bool is_refused(const char *name, const char *why)
{
    ap_error err = {0};
    if (!ap_plugin_load(name, 7, sizeof(table), &err) && strstr(err.message, why) &&
        strstr(err.message, name))
        return true;
    fprintf(stderr, "%s: '%s'\n", name, err.message);
    return false;
}

static void what_is_not_right_is_refused(void)
{
    build("other.so", "int other;");
    build("older.so", TABLE(6, 24));
    build("shorter.so", TABLE(7, 16));
    save("plugins/garbage.so", "garbage", 7);
    CHECK(is_refused("none.so", "is missing"));
    CHECK(is_refused("garbage.so", "cannot load the plugin"));
    CHECK(is_refused("other.so", "has no table"));
    CHECK(is_refused("older.so", "is of another version: 6, not 7"));
    CHECK(is_refused("shorter.so", "is of another build: its table has 16 bytes, not 24"));
}

static void a_good_one_stays(void)
{
    build("good.so", TABLE(7, 24));
    const table *t = ap_plugin_load("good.so", 7, sizeof *t, NULL);
    CHECK(t && t->head.version == 7 && t->more == 42);
    CHECK(ap_plugin_load("good.so", 7, sizeof *t, NULL) == (const void *)t);
}

TEST_MAIN(CASE(what_is_not_right_is_refused), CASE(a_good_one_stays))
