/* SPDX-License-Identifier: GPL-3.0-or-later
 * The reader of a model folder's index. */
#include "plugins/neural/files/index.h"
#include "test.h"

static bool parse(nn_index *index, const char *text, ap_error *err)
{
    return nn_index_parse(index, text, strlen(text), "index", err);
}

static void lines_are_names_checkpoints_and_descriptions(void)
{
    nn_index index;
    ap_error err = {0};
    CHECK(
        parse(&index,
              "# models\n\nkim MelBandRoformer.ckpt config_kim.yaml # Kim's\r\n"
              "  \"two words\"\t\"a b.ckpt\" \"c d.yaml\"\nalone model.ckpt\n\t# nothing\nlast x.ckpt y.yaml",
              &err));
    CHECK(index.count == 4);
    const nn_index_line *kim = nn_index_find(&index, "kim"), *words = nn_index_find(&index, "two words");
    CHECK(kim && strcmp(kim->checkpoint, "MelBandRoformer.ckpt") == 0 &&
          strcmp(kim->config, "config_kim.yaml") == 0);
    CHECK(words && strcmp(words->checkpoint, "a b.ckpt") == 0 && strcmp(words->config, "c d.yaml") == 0);
    CHECK(nn_index_of(&index, "a b.ckpt") == words && !nn_index_of(&index, "a") &&
          !nn_index_find(&index, "x"));
    CHECK(nn_index_find(&index, "alone") && !nn_index_find(&index, "alone")->config);
    CHECK(nn_index_find(&index, "last") && strcmp(nn_index_find(&index, "last")->config, "y.yaml") == 0);
    nn_index_free(&index);
    CHECK(parse(&index, "", &err) && index.count == 0);
    nn_index_free(&index);
}

static void broken_lines_are_named(void)
{
    static const char *const broken[][2] = {{"a\n", "line 1: it is not NAME"},
                                            {"\na b c d", "line 2: it is not NAME"},
                                            {"a \"b c\n\"", "line 1: a quote"},
                                            {"a \"b\"c d", "line 1: there is something"},
                                            {"a \"\" d", "line 1: a name is empty"},
                                            {"a b\x01 d", "line 1: a name has a control"},
                                            {"a b c\n#\na d e", "line 3: its name was used"},
                                            {"a/b c d", "line 1: its name has one of"},
                                            {"a,b c d", "line 1: its name has one of"}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        nn_index index;
        ap_error err = {0};
        CHECK(!parse(&index, broken[i][0], &err) && strstr(err.message, broken[i][1]));
        nn_index_free(&index);
    }
    nn_index index;
    ap_error err = {0};
    CHECK(!nn_index_parse(&index, "a b c\0", 6, "index", &err) && strstr(err.message, "NUL"));
    nn_index_free(&index);
}

static void many_lines_are_fine(void)
{
    char text[20000] = "";
    size_t at = 0;
    nn_index index;
    ap_error err = {0};
    for (int i = 0; i < 500; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "model%d file%d.ckpt d%d.yaml\n", i, i, i);
    CHECK(parse(&index, text, &err) && index.count == 500);
    CHECK(strcmp(nn_index_of(&index, "file499.ckpt")->name, "model499") == 0);
    nn_index_free(&index);
}

static void a_folder_need_not_have_one(void)
{
    nn_index index;
    ap_error err = {0};
    CHECK(nn_index_read(&index, "/nonexistent", &err) && index.count == 0);
    nn_index_free(&index);
}

TEST_MAIN(CASE(lines_are_names_checkpoints_and_descriptions), CASE(broken_lines_are_named),
          CASE(many_lines_are_fine), CASE(a_folder_need_not_have_one))
