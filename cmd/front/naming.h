/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * naming.h - the names of outputs, made of those of the inputs. */
#ifndef NAMING_H
#define NAMING_H

#include <audiopipe.h>

/* What the words of a pattern stand for: {dir}, {path} (the input's folder), {name} or {track}, {trackext},
 * {stem}, {ext}. NULL: there is no such word. */
typedef struct name_words {
    const char *folder; /* below the folder that was named; may be "" */
    const char *input;  /* {path}, {name} and {trackext} are of this one */
    const char *stem, *extension;
} name_words;

/* Whether there are such words in it. */
bool naming_is_pattern(const char *output);
/* Whether -o names a place for many: a folder that is there, a name that ends with a slash, or a pattern. */
bool naming_is_for_many(const char *output);
/* Whether the extensions of outputs are not in it: a folder, or a pattern with {ext}. */
bool naming_has_extension(const char *output);
/* A name below a folder, malloc'ed, with one slash between them: in the keys of objects a second one is no
 * less than another name. NULL when out of memory. */
char *naming_below(const char *folder, const char *name);
/* The pattern that such a name stands for, malloc'ed: of a folder DIR/{dir}/ and leaf. NULL when out of
 * memory. */
char *naming_pattern(const char *output, const char *leaf);
/* The folder that all outputs of a pattern are in, malloc'ed; "" if that is the current one. */
char *naming_root(const char *pattern);
/* The pattern with its words replaced, malloc'ed. NULL, with err filled, if it has others. */
char *naming_expand(const char *pattern, const name_words *words, ap_error *err);
/* The extension of the output: that of the format that was asked for, or of the input if we can write it, or
 * this fallback; malloc'ed, NULL when out of memory. */
char *naming_extension(const char *format, const char *input, const char *fallback);

#endif
