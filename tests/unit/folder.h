/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.h - for tests that make files, also by other programs: a folder of their own, which is the current
 * one, shell commands in it, whole files. */
#ifndef FOLDER_H
#define FOLDER_H

#include "test.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static char test_folder[64];

static inline void leave_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", test_folder);
    if (chdir("/") != 0 || system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", test_folder);
}

/* Moves into a new folder, which is removed at the end; a no-op after the first time. */
static inline void enter_folder(void)
{
    if (test_folder[0])
        return;
    strcpy(test_folder, "/tmp/audiopipe-test-XXXXXX");
    if (!mkdtemp(test_folder) || chdir(test_folder) != 0)
        abort();
    atexit(leave_folder);
    unsetenv("LD_PRELOAD");
    if (getenv("AP_BUILD")) {
        char plugins[4096];
        snprintf(plugins, sizeof plugins, "%s/audiopipe", getenv("AP_BUILD"));
        setenv("AUDIOPIPE_PLUGINS", plugins, 1);
    }
}

/* Runs a shell command in the folder. Fails the case when it fails, and only then shows its stderr. */
__attribute__((format(printf, 1, 2))) static inline bool sh(const char *format, ...)
{
    char command[4096], wrapped[4352];
    va_list args;
    enter_folder();
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(wrapped, sizeof wrapped, "{ %s\n} 2>.stderr || { cat .stderr >&2; exit 1; }", command);
    int status = system(wrapped);
    if (status != 0)
        fprintf(stderr, "failed: %s\n", command);
    return CHECK(status == 0);
}

/* A whole file, NULL if it is not there. */
static inline unsigned char *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    *size = 0;
    if (!file || fstat(fileno(file), &st) != 0)
        return NULL;
    unsigned char *bytes = malloc((size_t)st.st_size + 1);
    *size = fread(bytes, 1, (size_t)st.st_size, file);
    fclose(file);
    return bytes;
}

static inline void save(const char *path, const void *bytes, size_t size)
{
    enter_folder();
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, size, file) == size);
    if (file)
        fclose(file);
}

#endif
