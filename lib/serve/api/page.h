/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * page.h - what is the same for all: the page, its look and its program, the description of the API, and
 * whether all is well. */
#ifndef AP_SERVE_API_PAGE_H
#define AP_SERVE_API_PAGE_H

#include "serve/http/request.h"

/* The files of this folder as texts, which the Makefile makes of them. */
extern const char ap_page_html[], ap_page_css[], ap_page_js[], ap_player_js[], ap_upload_js[],
    ap_openapi_json[];

ap_handler ap_get_page, ap_get_page_css, ap_get_page_js, ap_get_player_js, ap_get_upload_js, ap_get_icon,
    ap_get_openapi, ap_get_healthz, ap_get_readyz;

#endif
