/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * peek.h - what waits on standard input, without taking it. */
#ifndef PEEK_H
#define PEEK_H

#include <audiopipe.h>

typedef enum peeked {
    PEEKED_NOTHING, /* nobody pipes anything: a terminal, /dev/null, a file that was read to its end */
    PEEKED_TEXT,    /* lines or names between zero bytes, as a loop of the shell reads them */
    PEEKED_DATA,    /* anything else, also a pipe that ended before its first byte */
    PEEKED_SIGNAL   /* a signal came while nothing was there yet */
} peeked;

/* Waits for the first bytes if it is a pipe or a socket. What is there stays there. */
peeked peek_stdin(void);

#endif
