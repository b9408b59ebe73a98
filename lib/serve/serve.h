/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * serve.h - the spool over HTTP. */
#ifndef AP_SERVE_SERVE_H
#define AP_SERVE_SERVE_H

#include "serve/http/options.h"

/* Serves until SIGTERM, SIGINT or SIGHUP; what is being sent or received then ends first. Prints the address
 * to stdout, and a line of JSON for each request to stderr. */
bool ap_serve(const ap_serve_options *options, ap_error *err);

#endif
