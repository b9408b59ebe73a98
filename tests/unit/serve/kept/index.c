/* SPDX-License-Identifier: GPL-3.0-or-later
 * The spool in memory: whose jobs are listed, as they come, change hands, and go. */
#include "serve/kept/index.h"
#include "../../jobs/scratch.h"

#define JOBS 9

static void hear_nothing(const char *id, const char *owner, const char *text, void *user)
{
    (void)id;
    (void)owner;
    (void)text;
    (void)user;
}

static ap_index *open_index(void)
{
    ap_error err;
    ap_index *x = ap_index_start(scratch_spool, hear_nothing, NULL, &err);
    for (int i = 0; CHECK(x) && i < 1000 && !ap_index_ready(x); i++)
        usleep(10000);
    CHECK(ap_index_ready(x));
    return x;
}

static bool set_owner(cJSON *document, void *user, ap_error *err)
{
    (void)err;
    return ap_json_put_text(document, "owner", user);
}

static void own(const char *id, const char *owner)
{
    char *manifest = ap_spool_path(scratch_spool, AP_QUEUE, id, AP_MANIFEST_NAME);
    CHECK(ap_manifest_change(manifest, set_owner, (void *)owner, false, NULL));
    free(manifest);
}

/* Whether these jobs are listed, newest first, two at a time; picked: 'x' for each that is expected. */
static void expect(ap_index *x, const char *owner, char (*all)[AP_ID_BYTES], const char *picked)
{
    char ids[2][AP_ID_BYTES];
    const char *before = NULL;
    size_t at = 0, got = 0;
    bool more = true;
    for (int i = JOBS; i-- > 0;) {
        if (picked[i] != 'x')
            continue;
        if (at == got) {
            ap_index_query q = {.owner = owner, .before = before};
            CHECK(more);
            got = ap_index_list(x, &q, 2, ids, &more);
            at = 0;
        }
        if (!CHECK(at < got && strcmp(ids[at++], all[i]) == 0))
            return;
        before = all[i];
    }
    ap_index_query q = {.owner = owner, .before = before};
    CHECK(at == got && ap_index_list(x, &q, 2, ids, &more) == 0 && !more);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void lists_what_is_theirs(void)
{
    scratch_open();
    char ids[JOBS][AP_ID_BYTES];
    for (int i = 0; i < JOBS; i++) {
        char content[] = "word0"; /* another one each time, else it is the same job */
        content[4] = (char)('0' + i);
        scratch_job(content, ids[i]);
    }
    qsort(ids, JOBS, sizeof *ids, by_id);
    for (int i = 0; i < JOBS; i++)
        own(ids[i], i % 3 == 1 ? "bob" : "alice");
    ap_index *x = open_index();
    expect(x, NULL, ids, "xxxxxxxxx");
    expect(x, "alice", ids, "x.xx.xx.x");
    expect(x, "bob", ids, ".x..x..x.");
    expect(x, "carol", ids, ".........");
    CHECK(ap_index_bytes(x, "alice") == 30 && ap_index_bytes(x, "bob") == 15);

    own(ids[2], "bob"); /* between two of his */
    ap_index_look(x, ids[2]);
    expect(x, "alice", ids, "x..x.xx.x");
    expect(x, "bob", ids, ".xx.x..x.");
    CHECK(ap_index_bytes(x, "alice") == 25 && ap_index_bytes(x, "bob") == 20);

    for (int i = 1; i < JOBS; i += 3) {
        char *folder = ap_spool_path(scratch_spool, AP_QUEUE, ids[i], NULL);
        ap_remove_tree(folder);
        free(folder);
        ap_index_look(x, ids[i]);
    }
    expect(x, "bob", ids, "..x......");
    expect(x, NULL, ids, "x.xx.xx.x");
    CHECK(ap_index_bytes(x, "bob") == 5);
    ap_index_stop(x);
    scratch_close();
}

TEST_MAIN(CASE(lists_what_is_theirs))
