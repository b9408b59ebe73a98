/* SPDX-License-Identifier: GPL-3.0-or-later
 * guess.c - the name that somebody may have meant. */
#include "front/guess.h"

#include <string.h>

#define LONGEST 63

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits from a to b: a letter put in, left out or changed, two neighbours swapped (optimal string alignment).
 */
static unsigned distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    unsigned rows[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (!i || !j) {
                rows[i][j] = (unsigned)(i + j);
                continue;
            }
            const unsigned changed = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            rows[i][j] = least(changed, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    return rows[n][m];
}

const char *guess_name(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    const size_t length = strlen(word);
    unsigned nearest = (unsigned)length / 3 + 1; /* below this */
    for (size_t i = 0; length <= LONGEST && i < count; i++) {
        if (strlen(names[i]) > LONGEST)
            continue;
        const unsigned edits = distance(word, names[i]);
        if (edits < nearest) {
            nearest = edits;
            best = names[i];
        }
    }
    return best;
}
