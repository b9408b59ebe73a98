/* SPDX-License-Identifier: GPL-3.0-or-later
 * fuzz_th.c - libFuzzer target for the readers of model files. The first byte says what the rest is: a whole
 * file, a pickle (which gets an archive around it with the right checksums), a description in YAML, a bag, or
 * the index of a folder.
 */
#include "archive.h"
#include "plugins/neural/files/bag.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/files/index.h"
#include "plugins/neural/files/unpickle.h"
#include "plugins/neural/files/yaml.h"

static void read_checkpoint(const unsigned char *data, size_t size)
{
    ap_error err;
    nn_checkpoint *c = calloc(1, sizeof *c);
    c->path = strdup("fuzz");
    c->bytes = data;
    c->size = size;
    if (size >= 16 && (data[8] == '{' ? nn_safetensors_read(c, &err) : nn_th_read(c, &err))) {
        for (size_t i = 0; i < c->count; i++) {
            float *out = nn_stored_count(&c->tensors[i]) < 1 << 20
                             ? malloc((size_t)nn_stored_count(&c->tensors[i]) * sizeof *out)
                             : NULL;
            if (out)
                nn_stored_floats(&c->tensors[i], out);
            free(out);
        }
        nn_json_number(c->kwargs, "segment", 0);
    }
    c->bytes = NULL; /* not mapped */
    nn_checkpoint_close(c);
}

static void read_pickle(const unsigned char *data, size_t size)
{
    archive a = {0};
    bytes pickle = {0}, storage = {0}, file;
    add(&pickle, data, size);
    for (int i = 0; i < 64; i++)
        add_number(&storage, (uint64_t)i, 4);
    add_entry(&a, "x/data.pkl", &pickle, 0);
    add_entry(&a, "x/data/0", &storage, 0);
    file = finish(&a);
    read_checkpoint(file.data, file.size);
    free(pickle.data);
    free(storage.data);
    free(file.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 18)
        return 0;
    if (data[0] == 'F') {
        read_checkpoint(data + 1, size - 1);
    } else if (data[0] == 'Y') {
        cJSON_Delete(nn_yaml_parse((const char *)data + 1, size - 1, "fuzz", NULL));
    } else if (data[0] == 'I') {
        nn_index index;
        nn_index_parse(&index, (const char *)data + 1, size - 1, "fuzz", NULL);
        for (size_t i = 0; i < index.count; i++)
            if (nn_index_find(&index, index.lines[i].name) != &index.lines[i])
                abort();
        nn_index_free(&index);
    } else if (data[0] == 'B') {
        nn_bag bag;
        char *text = calloc(1, size);
        memcpy(text, data + 1, size - 1);
        nn_bag_parse(&bag, text, "fuzz", NULL);
        free(text);
    } else {
        read_pickle(data + 1, size - 1);
    }
    return 0;
}
