/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * text.h - text: printed into memory, UTF-8, control characters. */
#ifndef AP_BASE_TEXT_H
#define AP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A malloc'ed text, NULL when out of memory. */
char *ap_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes of the UTF-8 character that text starts with, 0 if that is none: malformed, overlong, a surrogate, or
 * beyond U+10FFFF (RFC 3629, section 4). The end of a string is a character of one byte. */
size_t ap_utf8_length(const char *text);
bool ap_is_utf8(const char *text);
/* Writes a character, up to U+10FFFF; returns its bytes, 1 to 4. */
size_t ap_utf8_put(char *to, uint32_t c);
/* Bytes of text that fill at most that many, without a part of a character at the end. */
size_t ap_utf8_fit(const char *text, size_t most);
/* A malloc'ed copy in UTF-8: text that is not valid is read as ISO 8859-1. NULL when out of memory. */
char *ap_to_utf8(const char *text);

/* What moves the cursor of a terminal, or worse: U+0000 to U+001F and U+007F. */
bool ap_is_control(char c);
/* Whether bytes are printable characters, blanks and ends of lines. With names, zeros may end names, but not
 * stand first: no file of sound begins with hundreds of such bytes. false for no bytes. */
bool ap_is_text(const unsigned char *bytes, size_t size, bool names);
/* Writes at most that many bytes of a text as HTML or XML: their characters are escaped, and control
 * characters other than the end of a line become '?'. */
void ap_put_markup(FILE *out, const char *text, size_t most);
/* Replaces control characters by '?', so that text stays one line. */
void ap_text_one_line(char *text);

/* Whether a word is in a list that blanks or commas separate; words are compared as they stand. */
bool ap_lists_word(const char *list, const char *word);

#endif
