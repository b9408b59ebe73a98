/* SPDX-License-Identifier: GPL-3.0-or-later
 * index.c - the file index.txt of a folder with models. */
#include "plugins/neural/files/index.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 20)
#define MAX_WORD 255

typedef struct reader {
    char *at;
    size_t line;
    const char *name;
    ap_error *err;
} reader;

static bool fail(const reader *r, const char *what)
{
    return ap_fail(r->err, AP_FAILED, "'%s', line %zu: %s", r->name, r->line, what);
}

/* Cuts the next word out of the line; NULL at its end. false: it is none that could be a file's. */
static bool take_word(reader *r, const char **word)
{
    *word = NULL;
    r->at += strspn(r->at, " \t\r");
    if (!*r->at || *r->at == '#')
        return true;
    const bool quoted = *r->at == '"';
    char *start = r->at + quoted, *end = start + strcspn(start, quoted ? "\"" : " \t\r");
    if (quoted && !*end)
        return fail(r, "a quote is not closed");
    if (end == start || end - start > MAX_WORD)
        return fail(r, "a name is empty or too long");
    for (const char *p = start; p < end; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return fail(r, "a name has a control character");
    r->at = end + (*end != 0);
    if (quoted && !strchr(" \t\r", *r->at))
        return fail(r, "there is something right behind a quote");
    *end = 0;
    *word = start;
    return true;
}

static bool add_line(nn_index *index, const nn_index_line *line, const reader *r)
{
    if (nn_index_find(index, line->name))
        return fail(r, "its name was used before");
    if (strpbrk(line->name, "/,:"))
        return fail(r, "its name has one of / , : in it");
    if ((index->count & (index->count - 1)) == 0) { /* 0, 1, 2, 4...: full */
        const size_t room = index->count ? 2 * index->count : 1;
        nn_index_line *larger = realloc(index->lines, room * sizeof *larger);
        if (!larger)
            return ap_fail_memory(r->err);
        index->lines = larger;
    }
    index->lines[index->count++] = *line;
    return true;
}

static bool parse_line(nn_index *index, reader *r)
{
    nn_index_line line;
    const char *more = NULL;
    if (!take_word(r, &line.name))
        return false;
    if (!line.name)
        return true;
    if (!take_word(r, &line.checkpoint) || !take_word(r, &line.config) || !take_word(r, &more))
        return false;
    if (!line.checkpoint || more)
        return fail(r, "it is not NAME CHECKPOINT [DESCRIPTION]");
    return add_line(index, &line, r);
}

bool nn_index_parse(nn_index *index, const char *text, size_t size, const char *name, ap_error *err)
{
    reader r = {.name = name, .err = err, .line = 1};
    *index = (nn_index){.text = malloc(size + 1)};
    if (!index->text)
        return ap_fail_memory(err);
    memcpy(index->text, text, size);
    index->text[size] = 0;
    if (strlen(index->text) != size)
        return fail(&r, "it has a NUL byte");
    for (char *next = index->text; next; r.line++) {
        r.at = next;
        next = strchr(next, '\n');
        if (next)
            *next++ = 0;
        if (!parse_line(index, &r))
            return false;
    }
    return true;
}

bool nn_index_read(nn_index *index, const char *folder, ap_error *err)
{
    char path[4096], *text = malloc(MAX_FILE);
    *index = (nn_index){0};
    snprintf(path, sizeof path, "%.4000s/" NN_INDEX_FILE, folder);
    FILE *file = text ? fopen(path, "rbe") : NULL;
    bool ok = text || ap_fail_memory(err);
    if (ok && !file && errno != ENOENT && errno != ENOTDIR)
        ok = ap_fail_errno(err, errno, "cannot open '%s'", path);
    if (file) {
        const size_t n = fread(text, 1, MAX_FILE, file);
        if (ferror(file))
            ok = ap_fail_errno(err, errno, "cannot read '%s'", path);
        else
            ok = n < MAX_FILE ? nn_index_parse(index, text, n, path, err)
                              : ap_fail(err, AP_FAILED, "'%s' is too large", path);
        fclose(file);
    }
    free(text);
    return ok;
}

void nn_index_free(nn_index *index)
{
    free(index->lines);
    free(index->text);
    *index = (nn_index){0};
}

const nn_index_line *nn_index_find(const nn_index *index, const char *name)
{
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->lines[i].name, name) == 0)
            return &index->lines[i];
    return NULL;
}

const nn_index_line *nn_index_of(const nn_index *index, const char *checkpoint)
{
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->lines[i].checkpoint, checkpoint) == 0)
            return &index->lines[i];
    return NULL;
}
