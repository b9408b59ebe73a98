/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gains.h - gains that were measured, to be written into the files as tags (ReplayGain 2.0; Opus: RFC
 * 7845, 5.2.1). An album is written as a whole: it is skipped if all of its files have both gains, else all
 * are measured. */
#ifndef GAINS_H
#define GAINS_H

#include <audiopipe.h>

typedef struct gain_entry {
    const char *path;
    ap_tags *tags; /* as they were */
    ap_measurement measured;
    bool known;
} gain_entry;

typedef struct gain_list {
    bool album, again;  /* filled by the caller: with album gains; also where there are gains already */
    char *const *files; /* all that there are */
    int file_count;
    int complete; /* whether all files have gains: 0 not known yet, 1 yes, -1 no */
    gain_entry *entries;
    size_t count;
} gain_list;

/* What a player has to change by, dB; 0 for silence. */
double replaygain_db(const ap_measurement *m);

/* Takes a file that was opened into the list, if it is to be measured, which *wanted says. */
bool gains_take(gain_list *list, const char *path, ap_stream *s, bool *wanted, ap_error *err);
/* What was measured of the file that was taken last; or that this failed. */
void gains_set(gain_list *list, const ap_measurement *m);
void gains_drop(gain_list *list);
/* Writes the tags of file number i; album NULL: none of it. */
bool gains_write(const gain_list *list, size_t i, const ap_measurement *album, bool same_time, ap_error *err);
void gains_free(gain_list *list);

#endif
