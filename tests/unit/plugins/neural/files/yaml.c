/* SPDX-License-Identifier: GPL-3.0-or-later
 * YAML as plain data: what published files have, and what nobody needs. */
#include "plugins/neural/files/yaml.h"
#include "test.h"

static bool reads_as(const char *text, const char *expected)
{
    ap_error err = {0};
    cJSON *root = nn_yaml_parse(text, strlen(text), "x.yaml", &err);
    char *json = cJSON_PrintUnformatted(root);
    const bool same = json && strcmp(json, expected) == 0;
    if (!same)
        fprintf(stderr, "%s: %s, expected %s\n", err.message, json ? json : "", expected);
    free(json);
    cJSON_Delete(root);
    return same;
}

static bool refused(const char *text, size_t size, const char *why)
{
    ap_error err = {0};
    cJSON *root = nn_yaml_parse(text, size, "x.yaml", &err);
    const bool ok = !root && strstr(err.message, why) && strstr(err.message, "'x.yaml'");
    if (!ok)
        fprintf(stderr, "expected '%s', got '%s'\n", why, root ? "success" : err.message);
    cJSON_Delete(root);
    return ok;
}

#define REFUSED(text, why) CHECK(refused(text, strlen(text), why))

/* As yaml.load of PyYAML, with FullLoader, gives them. */
static void scalars_have_their_types(void)
{
    CHECK(reads_as(
        "a: 1\nb: -2.5\nc: 5.0e-05\nd: text\ne: '7'\nf: true\ng: No\nh: null\ni: ~\nj:\nk: \"\"\n",
        "{\"a\":1,\"b\":-2.5,\"c\":5e-05,\"d\":\"text\",\"e\":\"7\",\"f\":true,\"g\":false,\"h\":null,"
        "\"i\":null,\"j\":null,\"k\":\"\"}"));
    CHECK(reads_as("a: 1 # one\nb: 1.2.3\nc: nan\nd:\n-\n- 2\n",
                   "{\"a\":1,\"b\":\"1.2.3\",\"c\":\"nan\",\"d\":[null,2]}"));
    CHECK(reads_as("a: 352_800\nb: _1\nc: a_b\nd: 1_0.5\ne: _\n",
                   "{\"a\":352800,\"b\":\"_1\",\"c\":\"a_b\",\"d\":10.5,\"e\":\"_\"}"));
}

static void tuples_are_lists(void)
{
    CHECK(reads_as("m:\n  t: !!python/tuple\n  - 2\n  - 4\n  u: !!python/tuple\n    - 1\n  v: [1, 2]\n",
                   "{\"m\":{\"t\":[2,4],\"u\":[1],\"v\":[1,2]}}"));
}

static void the_last_of_equal_keys_counts(void)
{
    CHECK(reads_as("a: 1\nb: 2\na: 3\n", "{\"b\":2,\"a\":3}"));
}

static void what_nobody_needs_is_refused(void)
{
    REFUSED("a: !!python/object/apply:os.system ['touch /tmp/x']\n", "python/object/apply:os.system");
    REFUSED("a: !!binary aGVsbG8=\n", "binary");
    REFUSED("a: &x [1]\nb: *x\n", "aliases");
    REFUSED("- 1\n", "not a mapping");
    REFUSED("just words\n", "not a mapping");
    REFUSED("", "empty");
    REFUSED("a: 1\n---\nb: 2\n", "more than one document");
    REFUSED("a: [1\n", "line 2");
    REFUSED("[a, b]: 1\n", "not a word");
    REFUSED("a:\n  ? [b]\n  : 1\n", "not a word");
    CHECK(refused("a: \"\\0\"\n", 8, "NUL"));
}

static void size_and_depth_are_limited(void)
{
    char *text = malloc(400000);
    strcpy(text, "a: ");
    memset(text + 3, '[', 100);
    memset(text + 103, ']', 100);
    strcpy(text + 203, "\n");
    REFUSED(text, "nested too deeply");
    size_t n = (size_t)sprintf(text, "a: [");
    for (int i = 0; i < 20000; i++)
        n += (size_t)sprintf(text + n, "%d, ", i);
    sprintf(text + n, "1]\n");
    REFUSED(text, "too large");
    free(text);
}

TEST_MAIN(CASE(scalars_have_their_types), CASE(tuples_are_lists), CASE(the_last_of_equal_keys_counts),
          CASE(what_nobody_needs_is_refused), CASE(size_and_depth_are_limited))
