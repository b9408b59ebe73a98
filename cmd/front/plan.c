/* SPDX-License-Identifier: GPL-3.0-or-later
 * plan.c - what is to be made of many files. */
#include "front/plan.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/net.h"
#include "base/temporary.h"
#include "front/naming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- hashes: what has equal ones is looked at again */

static uint64_t hash_file(const struct stat *st)
{
    const uint64_t parts[2] = {st->st_dev, st->st_ino};
    return ap_hash(AP_HASH_START, parts, sizeof parts);
}

static bool hash_add(hash_list *l, uint64_t hash, ap_error *err)
{
    if (l->count == l->room) {
        const size_t room = l->room ? l->room + l->room / 2 : 256;
        uint64_t *larger = realloc(l->at, room * sizeof *larger);
        if (!larger)
            return ap_fail_memory(err);
        l->at = larger;
        l->room = room;
    }
    l->at[l->count++] = hash;
    return true;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void hash_sort(hash_list *l)
{
    if (l->count)
        qsort(l->at, l->count, sizeof *l->at, by_value);
}

static bool hash_has(const hash_list *l, uint64_t hash)
{
    return l->count && bsearch(&hash, l->at, l->count, sizeof *l->at, by_value);
}

/* Keeps only those that are there more than once, each once. */
static void hash_keep_doubles(hash_list *l)
{
    size_t kept = 0;
    for (size_t i = 1; i < l->count; i++)
        if (l->at[i] == l->at[i - 1] && (kept == 0 || l->at[kept - 1] != l->at[i]))
            l->at[kept++] = l->at[i];
    l->count = kept;
}

/* ---- the items, in their file */

static bool put(plan *p, uint64_t bytes, const char *input, const char *folder, const char *output,
                ap_error *err)
{
    const char *const texts[] = {input, folder, output};
    bool ok = fwrite(&bytes, sizeof bytes, 1, p->items) == 1;
    for (int i = 0; i < 3; i++)
        ok = ok && fwrite(texts[i], 1, strlen(texts[i]) + 1, p->items) == strlen(texts[i]) + 1;
    p->count++;
    p->bytes += bytes;
    return ok || ap_fail_errno(err, errno, "cannot write a temporary file");
}

void plan_rewind(plan *p)
{
    rewind(p->items);
    p->next = 0;
}

bool plan_next(plan *p, plan_item *item)
{
    *item = (plan_item){.number = p->next};
    if (p->next == p->count || fread(&item->bytes, sizeof item->bytes, 1, p->items) != 1)
        return false;
    for (int i = 0; i < 3; i++)
        if (getdelim(&p->text[i], &p->room[i], 0, p->items) < 0)
            return false;
    item->input = p->text[0];
    item->folder = p->text[1];
    item->output = p->text[2];
    p->next++;
    return true;
}

void plan_free(plan *p)
{
    if (p->items)
        fclose(p->items);
    for (int i = 0; i < 3; i++)
        free(p->text[i]);
    free(p->outputs.at);
    free(p->inputs.at);
}

/* ---- making it */

static bool check_own(const plan *p, const char *input, const char *output, ap_error *err)
{
    char *names[] = {(char *)input};
    const plan_rules *r = p->rules;
    const sources in = {names, 1, r->groups};
    /* where --no-clobber refuses one, the others go on */
    const target_rule rule = r->rule == TARGET_NEW ? TARGET_NO_INPUT : r->rule;
    if (strcmp(input, "-") == 0)
        return ap_fail(err, AP_USAGE, "standard input has no name for its output: write it to -o FILE");
    return (!r->check || r->check(r->user, output, err)) && target_check(output, &in, rule, err);
}

static bool add(void *user, const char *path, const char *folder, ap_error *err)
{
    plan *p = user;
    const plan_rules *r = p->rules;
    struct stat st;
    bool is_file = !ap_net_is_url(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    uint64_t bytes = is_file ? (uint64_t)st.st_size : 0;
    if (!r->pattern)
        return put(p, bytes, path, folder, "", err);
    char *extension = naming_extension(r->format, path, r->fallback);
    const name_words words = {folder, path, r->stem, extension};
    char *output = extension || ap_fail_memory(err) ? naming_expand(r->pattern, &words, err) : NULL;
    bool ok = output && check_own(p, path, output, err) &&
              hash_add(&p->outputs, ap_hash(AP_HASH_START, output, strlen(output)), err) &&
              (!is_file || hash_add(&p->inputs, hash_file(&st), err)) &&
              put(p, bytes, path, folder, output, err);
    free(output);
    free(extension);
    return ok;
}

/* A place among the items, to come back to. */
typedef struct place {
    uint64_t next;
    long at;
} place;

static place where(const plan *p)
{
    return (place){p->next, ftell(p->items)};
}

static void go_back(plan *p, const place *to)
{
    fseek(p->items, to->at, SEEK_SET);
    p->next = to->next;
}

/* Fails if a later item has the same output. */
static bool check_equal(plan *p, const char *input, const char *output, ap_error *err)
{
    const place here = where(p);
    plan_item other;
    bool ok = true;
    while (ok && plan_next(p, &other))
        if (strcmp(other.output, output) == 0)
            ok = ap_fail(err, AP_USAGE, "'%s' and '%s' would both become '%s'", input, other.input, output);
    go_back(p, &here);
    return ok;
}

/* Fails if the output of the item of this number, which exists, is the input of another one. */
static bool check_input(plan *p, uint64_t number, const char *output, const struct stat *st, ap_error *err)
{
    const place here = where(p);
    struct stat in;
    plan_item other;
    bool ok = true;
    plan_rewind(p);
    while (ok && plan_next(p, &other))
        if (other.number != number && stat(other.input, &in) == 0 && in.st_dev == st->st_dev &&
            in.st_ino == st->st_ino)
            ok = ap_fail(err, AP_USAGE, "'%s' would replace the input '%s'", output, other.input);
    go_back(p, &here);
    return ok;
}

/* Whether an item's output is that of a later one, or another's input. Most are neither by their hashes. */
static bool check_others(plan *p, const plan_item *item, ap_error *err)
{
    struct stat st;
    const bool twice = hash_has(&p->outputs, ap_hash(AP_HASH_START, item->output, strlen(item->output)));
    const bool read = !ap_net_is_url(item->output) && stat(item->output, &st) == 0 && S_ISREG(st.st_mode) &&
                      hash_has(&p->inputs, hash_file(&st));
    if (!twice && !read)
        return true;
    const uint64_t number = item->number;
    char *input = strdup(item->input), *output = strdup(item->output);
    bool ok = (input && output) || ap_fail_memory(err);
    ok = ok && (!twice || check_equal(p, input, output, err)) &&
         (!read || check_input(p, number, output, &st, err));
    free(input);
    free(output);
    return ok;
}

static bool check_all(plan *p, ap_error *err)
{
    plan_item item;
    hash_sort(&p->inputs);
    hash_sort(&p->outputs);
    hash_keep_doubles(&p->outputs);
    plan_rewind(p);
    while (plan_next(p, &item))
        if (!check_others(p, &item, err))
            return false;
    return true;
}

static bool pass_failure(void *user, const char *path, const ap_error *why, ap_error *err)
{
    const plan_rules *r = ((plan *)user)->rules;
    (void)path;
    return r->failed(r->failed_user, why, err);
}

bool plan_make(plan *p, const plan_rules *rules, walk *w, ap_error *err)
{
    *p = (plan){.rules = rules};
    w->visit = add;
    w->failed = pass_failure;
    w->user = p;
    int fd = ap_temporary_file(err);
    if (fd < 0)
        return false;
    if (!(p->items = fdopen(fd, "w+"))) {
        close(fd);
        return ap_fail_memory(err);
    }
    if (!walk_files(w, err) || (rules->pattern && !check_all(p, err)))
        return false;
    return p->count || ap_fail(err, AP_FAILED, "there are no audio files in what was named");
}
