/* SPDX-License-Identifier: GPL-3.0-or-later
 * peek.c - what waits on standard input, without taking it. */
#include "front/peek.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define ENOUGH 512

/* tee(2) copies from pipe to pipe and consumes nothing. */
static ssize_t peek_pipe(unsigned char *bytes)
{
    int copy[2];
    if (pipe2(copy, O_CLOEXEC) != 0)
        return -1;
    ssize_t n = tee(STDIN_FILENO, copy[1], ENOUGH, 0);
    const int failure = errno;
    if (n > 0)
        n = read(copy[0], bytes, (size_t)n);
    close(copy[0]);
    close(copy[1]);
    errno = failure;
    return n;
}

peeked peek_stdin(void)
{
    struct stat st;
    unsigned char bytes[ENOUGH];
    if (fstat(STDIN_FILENO, &st) != 0)
        return PEEKED_NOTHING;
    ssize_t n;
    if (S_ISREG(st.st_mode)) {
        const off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
        n = pread(STDIN_FILENO, bytes, sizeof bytes, at);
        if (n == 0 && at > 0)
            return PEEKED_NOTHING;
    } else if (S_ISFIFO(st.st_mode)) {
        n = peek_pipe(bytes);
    } else if (S_ISSOCK(st.st_mode)) {
        n = recv(STDIN_FILENO, bytes, sizeof bytes, MSG_PEEK);
    } else {
        return PEEKED_NOTHING;
    }
    if (n < 0 && errno == EINTR)
        return PEEKED_SIGNAL;
    return n > 0 && ap_is_text(bytes, (size_t)n, true) ? PEEKED_TEXT : PEEKED_DATA;
}
