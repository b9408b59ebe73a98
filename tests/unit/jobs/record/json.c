/* SPDX-License-Identifier: GPL-3.0-or-later
 * Texts, paths and numbers on their way through JSON. */
#include "jobs/record/json.h"
#include "test.h"

/* Through the text of a document and back. */
static cJSON *again(cJSON *document)
{
    char *text = ap_json_print(document, true);
    cJSON *copy = cJSON_Parse(text);
    CHECK(copy != NULL);
    free(text);
    cJSON_Delete(document);
    return copy;
}

static void texts_become_utf8(void)
{
    cJSON *d = cJSON_CreateObject();
    CHECK(ap_json_put_text(d, "a", "f\xfcr") && ap_json_put_text(d, "b", "für") &&
          ap_json_put_text(d, "c", NULL));
    d = again(d);
    CHECK(strcmp(ap_json_string(d, "a"), "für") == 0 && strcmp(ap_json_string(d, "b"), "für") == 0);
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(d, "c")) && !*ap_json_string(d, "c"));
    cJSON_Delete(d);
}

static void paths_come_back(void)
{
    static const char *const paths[] = {"plain.wav",
                                        "für.wav",
                                        "f\xfcr.wav",
                                        "\xe3\x81",
                                        "\xff\xfe",
                                        "\xed\xa0\x80", /* a surrogate */
                                        "\xee\xbe\x80",
                                        "\xee\xbf\xbf",
                                        "\xee\xbe", /* what bytes are written as, and half of it */
                                        "a\xee\xbe\x80\xffz",
                                        "",
                                        "\xf0\x9f\x8e\xb5\xf0\x9f"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        cJSON *d = cJSON_CreateObject();
        CHECK(ap_json_put_path(d, "path", paths[i]));
        d = again(d);
        char *path = ap_json_path(d, "path");
        if (!CHECK(strcmp(path, paths[i]) == 0))
            fprintf(stderr, "path %zu\n", i);
        free(path);
        cJSON_Delete(d);
    }
    cJSON *d = cJSON_CreateObject();
    CHECK(ap_json_put_path(d, "path", "für \xe3\x81\x82.wav"));
    CHECK(strcmp(ap_json_string(d, "path"), "für \xe3\x81\x82.wav") == 0); /* good names are as they are */
    cJSON_Delete(d);
}

static void numbers_are_exact(void)
{
    static const double numbers[] = {0,
                                     1,
                                     -1,
                                     0.1,
                                     1.0 / 3,
                                     123456789012345,
                                     1764419551123456,
                                     1e22,
                                     5e-324,
                                     M_PI,
                                     1.7976931348623157e308,
                                     8000000000000001,
                                     0x1p53 - 1,
                                     0x1p53};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cJSON *d = cJSON_CreateObject();
        CHECK(ap_json_put_number(d, "n", numbers[i]));
        d = again(d);
        if (!CHECK(ap_json_number(d, "n", NAN) == numbers[i]))
            fprintf(stderr, "%.17g\n", numbers[i]);
        cJSON_Delete(d);
    }
}

static void printing_leaves_the_document(void)
{
    cJSON *d = cJSON_Parse("{\"a\":[0.1,{\"b\":1764419551123456}]}");
    char *first = ap_json_print(d, false), *second = ap_json_print(d, false);
    CHECK(strcmp(first, "{\"a\":[0.1,{\"b\":1764419551123456}]}") == 0 && strcmp(first, second) == 0);
    CHECK(cJSON_IsNumber(ap_json_find(d, ".a[1].b", NULL)));
    free(first);
    free(second);
    cJSON_Delete(d);
}

static void refuses_what_would_not_stay(void)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {{"9007199254740992", true},
                 {"-9007199254740992", true},
                 {"9007199254740993", false},
                 {"9007199254740992.5", false},
                 {"-9007199254740993.0", false},
                 {"4503599627370497.5", false},
                 {"2251799813685248.5", true},
                 {"0.1234567890123456789012345678901234567890123456789012345678901234567890", true},
                 {"[1, 403263854001401856]", false},
                 {"1e400", false},
                 {"-1e400", false},
                 {"1e300", true},
                 {"0.1", true},
                 {"{\"a\":\"9007199254740993\"}", true},
                 {"\"\\\"1e999\"", true},
                 {"{\"12345678901234567890\":1}", true},
                 {"", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ap_error err = {AP_OK, ""};
        if (!CHECK(ap_json_check_numbers(cases[i].text, strlen(cases[i].text), &err) == cases[i].ok))
            fprintf(stderr, "%s\n", cases[i].text);
        CHECK(cases[i].ok || err.code == AP_USAGE);
    }
}

TEST_MAIN(CASE(texts_become_utf8), CASE(paths_come_back), CASE(numbers_are_exact),
          CASE(printing_leaves_the_document), CASE(refuses_what_would_not_stay))
