/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * several.h - several models as one: each on a stem of the one before it, or all on the same music. */
#ifndef AP_SEPARATE_SEVERAL_H
#define AP_SEPARATE_SEVERAL_H

#include "stages/separate/members.h"
#include "stages/separate/method.h"

/* Where a stem comes from. */
typedef struct ap_source_stem {
    char name[128];
    int of[AP_MAX_MEMBERS]; /* the number of the stem of each member that it is made of, -1: none */
} ap_source_stem;

typedef struct ap_several {
    ap_members members;
    ap_source_stem stems[AP_MAX_STEMS];
    size_t count, parts;         /* parts: as in ap_model_info */
    size_t inside[AP_MAX_STEMS]; /* likewise */
    int on[AP_MAX_MEMBERS];      /* chain: the stem of each member that goes on */
    ap_ensemble ensemble;
    bool spectra; /* of the ensemble */
} ap_several;

const ap_method *ap_chain_method(void);    /* chain.c */
const ap_method *ap_ensemble_method(void); /* ensemble.c */

/* ---- several.c */

/* Opens the members; NULL on failure. */
ap_several *ap_several_open(const ap_separate_options *options, ap_error *err);
void ap_several_close(ap_several *s);
/* Adds a stem of no member yet. NULL: there are too many, or its name is too long. */
ap_source_stem *ap_several_add(ap_several *s, const char *prefix, const char *name, ap_error *err);
void ap_several_describe(const ap_several *s, ap_model_info *info);
/* Where a member keeps what it made, number from 0. false: the name is too long. */
bool ap_several_state(const char *state, size_t member, char *path, size_t size);
/* ap_separate of a member: some of its stems, in this order. Takes s over. */
ap_stream *ap_several_run(const ap_several *several, size_t member, ap_stream *s, const size_t *stems,
                          size_t count, const ap_separate_options *options, ap_error *err);

#endif
