/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jobs.h - jobs: the record of each, its stages, its folder in the spool. Linked into ap-manifest only, so
 * that libaudiopipe needs neither cJSON nor Nettle. The record's members are described in ap-manifest(5).
 *
 * Functions that return bool fill err when they return false; ownership is said where it passes.
 */
#ifndef AP_JOBS_H
#define AP_JOBS_H

#include "internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define AP_MANIFEST_VERSION 1
#define AP_MANIFEST_NAME "manifest.json"

/* ---- json.c: reading and writing members */

/* A malloc'ed text, NULL when out of memory. */
char *ap_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A JSON string. Text that is not valid UTF-8 is read as ISO 8859-1. NULL when out of memory. */
cJSON *ap_json_text(const char *text);
/* A member of an object, replaced if it is there. value is taken over; NULL or no memory gives false. */
bool ap_json_put(cJSON *object, const char *key, cJSON *value);
bool ap_json_put_text(cJSON *object, const char *key, const char *text); /* NULL: null */
bool ap_json_put_number(cJSON *object, const char *key, double number);  /* not finite: null */
/* "" and fallback when the member is missing or of another type. */
const char *ap_json_string(const cJSON *object, const char *key);
double ap_json_number(const cJSON *object, const char *key, double fallback);
/* The item at a path: "." or ".stages[0].seconds", "[-1]" counts from the end. NULL if it is not there. */
cJSON *ap_json_find(cJSON *root, const char *path, ap_error *err);
/* Puts value (taken over) at a path, making the objects on the way; "[n]" with n = length appends. */
bool ap_json_store(cJSON *root, const char *path, cJSON *value, ap_error *err);

/* ---- clock.c */

double ap_monotonic_s(void);
double ap_wall_s(void); /* since 1970 */
/* Now, as RFC 3339 in UTC with milliseconds. */
void ap_time_text(char text[32]);
/* Seconds since 1970 of such a text, NAN if it is none. */
double ap_time_of(const char *text);

/* ---- manifest.c: one document in a file */

/* A new document: version, id (may be NULL), owner, state "queued", empty lists. */
cJSON *ap_manifest_document(const char *id);
/* Writes document to path, which must not exist. */
bool ap_manifest_create(const char *path, const cJSON *document, ap_error *err);
/* The caller deletes it. */
cJSON *ap_manifest_load(const char *path, ap_error *err);

typedef bool ap_change_fn(cJSON *document, void *user, ap_error *err);
/* Lock, read, change, write temporary, fsync, rename. A change that returns false leaves the file alone.
 * durable: the rename is on the disk, too, before this returns. */
bool ap_manifest_change(const char *path, ap_change_fn *change, void *user, bool durable, ap_error *err);
/* Makes renames in this folder durable. */
bool ap_sync_folder(const char *path, ap_error *err);
/* Whether fd is still the file of that name. */
bool ap_same_file(int fd, const char *path);

/* ---- probe.c: what a file is */

typedef struct ap_probe {
    char type[16];  /* mp3, flac, wav, png, mp4...; "" = unknown */
    char class_[8]; /* audio, image, zip, text, "" = unknown */
    uint64_t bytes;
    double seconds; /* < 0: not known, not audio */
    uint32_t rate, channels;
    double lufs, dbtp; /* NAN: not measured; -INFINITY: silence */
} ap_probe;

typedef enum ap_probe_depth {
    AP_PROBE_TYPE,     /* the first bytes */
    AP_PROBE_DURATION, /* opens audio; reads it only if its length is not declared */
    AP_PROBE_LOUDNESS, /* reads it all */
} ap_probe_depth;

/* Finds the type from the content. Audio that cannot be decoded is an error at the depths that look. */
bool ap_probe_file(const char *path, ap_probe_depth depth, ap_probe *probe, ap_error *err);
/* The members of input and outputs: format, duration, rate, channels, loudness, true_peak. */
bool ap_probe_put(const ap_probe *probe, cJSON *object);

#define AP_SHA256_HEX 65
/* Of the whole file. */
bool ap_sha256_file(const char *path, char hex[AP_SHA256_HEX], uint64_t *bytes, ap_error *err);
/* Of what in delivers; out, if >= 0, gets a copy. name and copy are the subjects of messages. */
bool ap_sha256_copy(int in, const char *name, int out, const char *copy, char hex[AP_SHA256_HEX],
                    uint64_t *bytes, ap_error *err);
void ap_sha256_text(const char *text, char hex[AP_SHA256_HEX]);

/* ---- outputs.c */

/* What was found out about files, and about the inputs to compare them with; {0} at first. */
typedef struct ap_outputs {
    cJSON *outputs, *input, *more_inputs; /* input, more_inputs: NULL = as they are */
} ap_outputs;

/* Hashes files, probes them, and brings them and their names to the disk, up to the folder of the manifest,
 * which is whose who changes that. name: NULL = the file's name without extension. An empty file is an error.
 */
bool ap_outputs_look(ap_outputs *found, const char *manifest, char **files, int count, const char *name,
                     bool measure, ap_error *err);
/* Adds them to the outputs of a document, or replaces those of the same path. user: an ap_outputs, empty
 * then. */
bool ap_outputs_put(cJSON *document, void *user, ap_error *err);
void ap_outputs_free(ap_outputs *found);
/* Hashes all outputs again. */
bool ap_outputs_verify(const char *manifest, ap_error *err);

/* ---- stage.c: a command under a manifest */

typedef struct ap_stage_options {
    const char *manifest, *name;
    bool group;     /* a process group of its own, which ends with it */
    double grace_s; /* with group: from SIGTERM to SIGKILL */
} ap_stage_options;

#define AP_LAST_WORDS 1024

typedef struct ap_stage_result {
    int exit_code;                  /* the command's, 128 + n after signal n */
    bool told_to_end;               /* a signal came that was passed on: SIGTERM, SIGINT or SIGHUP */
    char last_words[AP_LAST_WORDS]; /* the last line of standard error, or "" */
} ap_stage_result;

/* Runs argv; standard input and output are the caller's and are given up by it. Returns false if it could not
 * be run or recorded. */
bool ap_stage_run(const ap_stage_options *options, char **argv, ap_stage_result *result, ap_error *err);

/* ---- spool.c: the folders of jobs */

typedef enum ap_place {
    AP_TMP,
    AP_INCOMING,
    AP_QUEUE,
    AP_RUNNING,
    AP_DONE,
    AP_FAILED_JOBS,
    AP_PLACES
} ap_place;

const char *ap_place_name(ap_place place);
/* malloc'ed "SPOOL/place", "SPOOL/place/ID", "SPOOL/place/ID/leaf"; id and leaf may be NULL. */
char *ap_spool_path(const char *spool, ap_place place, const char *id, const char *leaf);
/* Mode 0700, if it is not there. path NULL: out of memory. */
bool ap_make_folder(const char *path, ap_error *err);
/* Makes the folders that are missing. */
bool ap_spool_prepare(const char *spool, ap_error *err);

/* Removes a file or folder, as far as that goes. */
void ap_remove_tree(const char *path);

/* Locks a job's folder for this process and those it starts. -1 with errno EWOULDBLOCK: locked by someone
 * else, ENOENT: gone, EACCES: not ours. */
int ap_job_lock(const char *folder, ap_error *err);
/* Where a job is. False: there is none, or this is no ID. */
bool ap_job_find(const char *spool, const char *id, ap_place *place);
/* One durable rename. */
bool ap_job_move(const char *spool, ap_place from, ap_place to, const char *id, ap_error *err);

/* ---- settle.c: the end of an attempt */

#define AP_LONGEST_BACKOFF_S 3600

typedef struct ap_retry {
    unsigned attempts; /* how many a job has */
    double backoff_s;  /* before the second; doubles with each, up to an hour */
} ap_retry;

typedef enum ap_outcome {
    AP_OUTCOME_DONE,
    AP_OUTCOME_FAILED,
    AP_OUTCOME_RETRY,   /* back to the queue for later, or failed after the last attempt */
    AP_OUTCOME_REQUEUE, /* back to the queue as if this attempt had not been */
    AP_OUTCOME_RESTART, /* back to the queue with all its attempts */
} ap_outcome;

typedef struct ap_ending {
    ap_outcome outcome;
    const char *reason;
    const ap_retry *retry; /* for AP_OUTCOME_RETRY */
    ap_outputs *outputs;   /* to be added, NULL = none */
} ap_ending;

/* The state is done or failed. */
bool ap_job_has_ended(const cJSON *document);
/* Ends an attempt: writes state, time, reason and outputs to the manifest, unless it has ended already, and
 * moves the folder. The caller holds the lock. */
bool ap_job_settle(const char *spool, ap_place from, const char *id, const ap_ending *asked, ap_error *err);
/* The same for a job that nobody works on: AP_OUTCOME_FAILED if it has not ended, AP_OUTCOME_RESTART if it
 * has failed. Takes the lock. */
bool ap_job_end(const char *spool, const char *id, const ap_ending *asked, ap_error *err);

/* ---- claim.c */

/* The next job that is due, or one whose runner died: locked, marked, and in running/. list keeps what was
 * seen of the folders between calls; zero it at first. Returns the lock, -1 if nothing is left in the list;
 * the next call looks at the folders again. trouble (AP_OK at first) gets what was wrong with a job that
 * could not be taken. */
typedef struct ap_candidates {
    char **ids; /* one byte for the place, and the ID; sorted by ID */
    size_t count, next;
} ap_candidates;
int ap_job_claim(const char *spool, const ap_retry *retry, ap_candidates *list, char id[64],
                 ap_error *trouble);
void ap_candidates_free(ap_candidates *list);

/* ---- clean.c */

/* Removes jobs that ended before, and what dead submissions left; prints the IDs of the jobs. */
bool ap_spool_clean(const char *spool, double older_s, ap_error *err);

/* ---- recipe.c: what recipes declare */

#define AP_RECIPE_OPTIONS 64

typedef struct ap_recipe_option {
    const char *key, *value; /* value: the default, or what was set */
    const char *pattern;     /* an extended regular expression for all of the value */
    const char *help;
} ap_recipe_option;

typedef struct ap_recipe {
    char *file, *text; /* the header, which the members below point into */
    char *summary, *accept, *needs;
    bool together; /* all files of a submission are one job */
    ap_recipe_option options[AP_RECIPE_OPTIONS];
    size_t count;
} ap_recipe;

/* Looks through the folders of AUDIOPIPE_RECIPES. */
bool ap_recipe_find(ap_recipe *recipe, const char *name, ap_error *err);
bool ap_recipe_read(ap_recipe *recipe, const char *path, ap_error *err);
/* Of a header in memory, malloc'ed, taken over. */
bool ap_recipe_parse(ap_recipe *recipe, char *text, ap_error *err);
/* Sets an option; value has to stay. */
bool ap_recipe_set(ap_recipe *recipe, const char *key, const char *value, ap_error *err);
/* Prints all that can be found. */
bool ap_recipe_list(ap_error *err);
/* The file that a command's name stands for, malloc'ed; NULL if there is none. */
char *ap_command_path(const char *name);
void ap_recipe_free(ap_recipe *recipe);

/* ---- intake.c: files become jobs */

typedef struct ap_intake_options {
    const char *spool, *recipe, *recipe_file, *name, *accept, *owner;
    char **settings; /* "key=value", NULL at the end */
    double max_bytes, max_seconds, min_free_bytes;
    bool together, force, link;
} ap_intake_options;

/* A job of these files, durable in queue/. *duplicate: there was one already, id is its. */
bool ap_job_submit(const ap_intake_options *options, char **files, int count, char id[64], bool *duplicate,
                   ap_error *err);

/* ---- attempt.c: one try at a job */

/* Runs the recipe of a claimed job, with empty out/ and work/, by "bash script RECIPE KEY=VALUE..." in its
 * folder; then says what becomes of the job: done if it exits with 0 and its outputs are whole. False if that
 * could not be said, or was not to be: who told the recipe to end will do it. For a child that leads a
 * process group: changes the working folder, and kills what is left of the group when the recipe has ended.
 */
bool ap_job_attempt(const char *spool, const char *id, const char *script, const ap_retry *retry,
                    ap_error *err);

/* ---- worker.c: claims jobs and tries each */

typedef struct ap_work_options {
    const char *spool;
    unsigned jobs; /* at a time */
    bool watch;    /* wait for more jobs instead of ending */
    double max_s;  /* takes no job after this; 0 = no limit */
    double job_s;  /* a job may take this long; 0 = no limit */
    double grace_s;
    ap_retry retry;
} ap_work_options;

/* An attempt at each job, in a process group of its own, output appended to the job's log. SIGTERM, SIGHUP
 * and SIGINT end it early; after SIGINT it does not return, but dies of that. */
bool ap_work(const ap_work_options *options, const char *script, ap_error *err);

/* ---- watch.c: a folder that files are dropped into */

/* Writes each complete file's path and a NUL to standard output. once: ends when none is pending. */
bool ap_watch(const char *folder, double settle_s, bool once, ap_error *err);

/* ---- list.c, report.c */

typedef enum ap_list_style { AP_LIST_TABLE, AP_LIST_TSV, AP_LIST_JSON } ap_list_style;
/* Manifests, job folders, or folders of job folders. stages: in a table, below each job its stages. */
bool ap_list(char **paths, int count, ap_list_style style, bool stages, ap_error *err);

/* pictures.c: an SVG of a sound file: waveform above, spectrogram below, and the times. */
bool ap_picture_svg(FILE *out, const char *path, ap_error *err);

/* One HTML page about a job. path NULL: standard output. Media up to embed_bytes in all are put into it,
 * larger ones are linked. */
bool ap_report(const char *manifest, const char *path, double embed_bytes, ap_error *err);

#endif
