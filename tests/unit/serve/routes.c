/* SPDX-License-Identifier: GPL-3.0-or-later
 * openapi.json describes the routes that there are. */
#include "serve/api/page.h"
#include "serve/http/request.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <ctype.h>

/* "{name*}" is "{name}" there. */
static void public_path(const char *path, char *to)
{
    for (; *path; path++)
        if (*path != '*')
            *to++ = *path;
    *to = 0;
}

static void lower(const char *from, char *to)
{
    while ((*to++ = (char)tolower((unsigned char)*from)))
        from++;
}

static void every_route_is_described(void)
{
    cJSON *document = cJSON_Parse(ap_openapi_json);
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(document, "paths"), *path, *method;
    size_t described = 0;
    char name[256], verb[16];
    CHECK(paths);
    size_t aliases = 0;
    for (const ap_route *r = ap_routes; r->method; r++) {
        aliases += (r->flags & AP_COMPAT) != 0;
        if (r->flags & AP_COMPAT)
            continue;
        public_path(r->path, name);
        lower(r->method, verb);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(paths, name);
        if (!CHECK(cJSON_GetObjectItemCaseSensitive(item, verb)))
            fprintf(stderr, "%s %s is not described\n", r->method, r->path);
    }
    cJSON_ArrayForEach(path, paths)
    {
        cJSON_ArrayForEach(method, path)
        {
            described++;
        }
    }
    CHECK(described + aliases == ap_route_count());
    cJSON_Delete(document);
}

TEST_MAIN(CASE(every_route_is_described))
