/* SPDX-License-Identifier: GPL-3.0-or-later
 * complain.c - what commands say to people. */
#include "front/complain.h"
#include "base/text.h"
#include "front/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void (*listener)(const char *text);
static const char *settings; /* the file that is looked at before the command line is */
static unsigned settings_line;
static const command *talkative; /* of --verbose */

void complain_to(void (*listen)(const char *text))
{
    listener = listen;
}

/* What stands behind "?" in a URL may be all it takes to use it: a message ends up in a log. */
static void hide_queries(char *text)
{
    for (char *p = text; (p = strstr(p, "://")); p += 3) {
        const bool http = (p - text >= 4 && strncasecmp(p - 4, "http", 4) == 0) ||
                          (p - text >= 5 && strncasecmp(p - 5, "https", 5) == 0);
        const size_t word = strcspn(p, " '\""), shown = strcspn(p, "?");
        if (http && shown < word)
            memmove(p + shown, p + word, strlen(p + word) + 1);
    }
}

static void print_message(const command *c, const char *format, va_list args)
{
    char text[1024];
    int n = settings ? snprintf(text, sizeof text / 2, "'%s', line %u: ", settings, settings_line) : 0;
    size_t used = (size_t)n < sizeof text / 2 ? (size_t)n : sizeof text / 2 - 1;
    vsnprintf(text + used, sizeof text - used, format, args);
    ap_text_one_line(text); /* a file name may hold anything */
    hide_queries(text);
    if (listener) {
        listener(text);
        return;
    }
    progress_hide(); /* a bar is on this line */
    fprintf(stderr, "%s: %s\n", c->name, text);
}

void complain(const command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(c, format, args);
    va_end(args);
}

_Noreturn void usage_error(const command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(c, format, args);
    va_end(args);
    fprintf(stderr, "Try '%s --help' for more information.\n", c->name);
    exit(AP_USAGE);
}

void remark(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (talkative)
        print_message(talkative, format, args);
    va_end(args);
}

void complain_within(const char *file, unsigned line)
{
    settings = file;
    settings_line = line;
}

void remark_as(const command *c)
{
    talkative = c;
}
