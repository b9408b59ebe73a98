/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page about a job: names as text, whatever is in them, and nothing that points out of it. */
#include "jobs/show/report.h"
#include "../scratch.h"

static char *report_of(const cJSON *document)
{
    const ap_report_options options = {.embed_bytes = 1e6};
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, scratch_spool),
         *page = ap_print("%s/page.html", scratch_spool);
    ap_error err = {0};
    CHECK(ap_manifest_create(manifest, document, &err));
    ap_output *out = ap_output_create(page, false, &err);
    if (!CHECK(out && ap_report(manifest, out, &options, &err)))
        fprintf(stderr, "%s\n", err.message);
    FILE *file = fopen(page, "r");
    char *text = calloc(1, 1 << 20);
    CHECK(file && fread(text, 1, (1 << 20) - 1, file) > 1000);
    if (file)
        fclose(file);
    free(manifest);
    free(page);
    return text;
}

static void nothing_is_taken_for_markup(void)
{
    static const char evil[] = "<script>alert(1)</script>&\"'.wav";
    scratch_open();
    cJSON *d = ap_manifest_document("x"), *input = cJSON_CreateObject();
    CHECK(ap_json_put(d, "input", input));
    CHECK(ap_json_put_text(input, "name", evil) && ap_json_put_text(input, "path", evil));
    CHECK(ap_json_put_text(d, "recipe", evil) && ap_json_put_text(d, "error", evil));
    char *page = report_of(d);
    CHECK(!strstr(page, "<script>alert") && strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;"));
    CHECK(!strstr(page, "http://") || strstr(page, "http://www.w3.org")); /* name spaces of SVG */
    CHECK(!strstr(page, "https://"));
    CHECK(strstr(page, "<style>") && strstr(page, "</html>"));
    free(page);
    cJSON_Delete(d);
    scratch_close();
}

TEST_MAIN(CASE(nothing_is_taken_for_markup))
