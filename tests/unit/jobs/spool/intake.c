/* SPDX-License-Identifier: GPL-3.0-or-later
 * Submissions of the same work, and the index that tells of them while it is cleaned. */
#include "../scratch.h"
#include "jobs/spool/clean.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

static void note(const char *id, void *user)
{
    (void)id;
    (*(int *)user)++;
}

static void clean(void)
{
    int removed = 0;
    CHECK(ap_spool_clean(scratch_spool, 1e9, note, &removed, NULL));
    CHECK(removed == 0);
}

/* The path of the only file in the index; the caller frees it. NULL: there is none. */
static char *entry_path(void)
{
    char *folder = ap_print("%s/.index", scratch_spool), *path = NULL;
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && CHECK(!path))
            path = ap_print("%s/%s", folder, e->d_name);
    if (d)
        closedir(d);
    free(folder);
    return path;
}

static void the_same_work_is_one_job(void)
{
    char a[AP_ID_BYTES], b[AP_ID_BYTES], c[AP_ID_BYTES];
    scratch_open();
    scratch_job("x", a);
    clean();
    scratch_job("x", b);
    scratch_job("y", c);
    CHECK(strcmp(a, b) == 0 && strcmp(a, c) != 0);
    scratch_close();
}

/* A submission that has just made the file, and has it locked, has nothing in it yet. */
static void what_is_locked_stays(void)
{
    char id[AP_ID_BYTES];
    scratch_open();
    scratch_job("x", id);
    char *path = entry_path();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0 && ftruncate(fd, 0) == 0);
    clean();
    CHECK(access(path, F_OK) == 0);
    close(fd);
    clean();
    CHECK(access(path, F_OK) != 0);
    free(path);
    scratch_close();
}

static void *submit(void *id)
{
    scratch_job("x", id);
    return NULL;
}

/* Until somebody waits for the lock of this file. */
static void await_waiter(ino_t inode)
{
    char line[256], wanted[32];
    snprintf(wanted, sizeof wanted, ":%lu ", (unsigned long)inode);
    for (bool waits = false; !waits; usleep(1000)) {
        FILE *locks = fopen("/proc/locks", "r");
        while (locks && fgets(line, sizeof line, locks))
            waits = waits || (strstr(line, "-> FLOCK") && strstr(line, wanted));
        if (locks)
            fclose(locks);
    }
}

static void what_is_removed_meanwhile_is_made_anew(void)
{
    char a[AP_ID_BYTES], b[AP_ID_BYTES], c[AP_ID_BYTES];
    struct stat st;
    pthread_t other;
    scratch_open();
    scratch_job("x", a);
    char *path = entry_path();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0);
    CHECK(pthread_create(&other, NULL, submit, b) == 0);
    await_waiter(st.st_ino);
    CHECK(unlink(path) == 0);
    close(fd);
    pthread_join(other, NULL);
    CHECK(strcmp(a, b) != 0); /* the index was lost: it is done twice */
    scratch_job("x", c);
    CHECK(strcmp(b, c) == 0); /* but not three times */
    free(path);
    scratch_close();
}

TEST_MAIN(CASE(the_same_work_is_one_job), CASE(what_is_locked_stays),
          CASE(what_is_removed_meanwhile_is_made_anew))
