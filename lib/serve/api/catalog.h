/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * catalog.h - what can be done here, and within which limits. */
#ifndef AP_SERVE_API_CATALOG_H
#define AP_SERVE_API_CATALOG_H

#include "serve/http/request.h"

/* GET /v1/recipes, /v1/config */
ap_handler ap_get_recipes, ap_get_config;

#endif
