/* SPDX-License-Identifier: GPL-3.0-or-later
 * The readers of model files: real ones, damaged ones, hostile ones. */
#include "plugins/neural/files/checkpoint.h"
#include "archive.h"
#include "plugins/neural/files/bag.h"
#include "plugins/neural/files/models.h"
#include "plugins/neural/registry.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TINY "tests/data/demucs/htdemucs-tiny.th"

/* ---- files in memory, and on disk */

static bytes read_file(const char *path)
{
    bytes b = {0};
    FILE *file = fopen(path, "rb");
    unsigned char block[65536];
    size_t n;
    while (file && (n = fread(block, 1, sizeof block, file)))
        add(&b, block, n);
    fclose(file);
    return b;
}

static char scratch[64];

static const char *write_file(const char *name, const bytes *b)
{
    static char path[256];
    if (!scratch[0])
        strcpy(scratch, "/tmp/audiopipe-test-XXXXXX"), CHECK(mkdtemp(scratch) != NULL);
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(b->data, 1, b->size, file) == b->size);
    fclose(file);
    return path;
}

/* Opens a file of these bytes; true if it, or the network in it, was refused with a message within a second.
 */
static bool refused(const bytes *b, const char *expected)
{
    ap_error err = {0};
    clock_t start = clock();
    const char *path = write_file("hostile.th", b);
    nn_checkpoint *c = nn_checkpoint_open(path, &err);
    nn_network *n = c ? nn_network_new(c, NULL, &err) : NULL;
    bool ok = !n && err.code != AP_OK && strstr(err.message, expected ? expected : "");
    if (!ok)
        fprintf(stderr, "expected '%s', got '%s'\n", expected ? expected : "", n ? "success" : err.message);
    nn_checkpoint_close(c);
    return ok && clock() - start < CLOCKS_PER_SEC;
}

/* ---- archives */

/* A .th file of this pickle, without any data. */
static bytes archive_of(const void *pickle, size_t size)
{
    archive a = {0};
    bytes content = {0};
    add(&content, pickle, size);
    add_entry(&a, "x/data.pkl", &content, 0);
    free(content.data);
    return finish(&a);
}

static bool pickle_refused(const bytes *pickle, const char *expected)
{
    bytes file = archive_of(pickle->data, pickle->size);
    bool ok = refused(&file, expected);
    free(file.data);
    return ok;
}

static bool literal_refused(const char *pickle, size_t size, const char *expected)
{
    bytes b = {0};
    add(&b, pickle, size);
    bool ok = pickle_refused(&b, expected);
    free(b.data);
    return ok;
}

#define REFUSED(literal, expected) literal_refused((literal), sizeof(literal) - 1, (expected))

/* ---- cases */

static void a_checkpoint_is_read(void)
{
    ap_error err = {0};
    nn_checkpoint *c = nn_checkpoint_open(TINY, &err);
    if (!CHECK(c != NULL))
        return;
    CHECK(c->count == 465 && strcmp(c->klass, "HTDemucs") == 0);
    CHECK(nn_json_number(c->kwargs, "channels", 0) == 8 && nn_json_number(c->kwargs, "segment", 0) == 0.75);
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(c->kwargs, "sources")) == 4);
    const nn_stored *t = nn_checkpoint_find(c, "encoder.0.conv.weight");
    CHECK(t && t->dims == 4 && t->size[0] == 8 && t->size[1] == 4 && t->size[2] == 8 && t->size[3] == 1);
    CHECK(!nn_checkpoint_find(c, "encoder.9.conv.weight"));
    nn_checkpoint_close(c);
}

/* Whether the page in the middle of a tensor takes memory here: bit 63 of its entry in pagemap(5). */
static bool in_memory(const nn_stored *t)
{
    uint64_t entry = 0;
    const uintptr_t middle = (uintptr_t)t->data + (uintptr_t)nn_stored_count(t) / 2 * nn_type_size(t->type);
    const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &entry, 8, (off_t)(middle / (uintptr_t)sysconf(_SC_PAGESIZE) * 8)) == 8);
    close(fd);
    return entry >> 63;
}

static void a_tensor_that_was_copied_takes_no_memory(void)
{
    nn_checkpoint *c = nn_checkpoint_open("tests/data/demucs/hdemucs-tiny.th", NULL);
    const nn_stored *t = c ? &c->tensors[0] : NULL;
    for (size_t i = 0; c && i < c->count; i++)
        if (nn_stored_count(&c->tensors[i]) > nn_stored_count(t))
            t = &c->tensors[i];
    const size_t size = t ? (size_t)nn_stored_count(t) * sizeof(float) : 0;
    if (!CHECK(size > 65536))
        return;
    float *before = malloc(size), *after = malloc(size);
    CHECK(nn_stored_floats(t, before) && in_memory(t));
    nn_stored_forget(t);
    CHECK(!in_memory(t));
    CHECK(nn_stored_floats(t, after) && memcmp(before, after, size) == 0);
    free(before);
    free(after);
    nn_checkpoint_close(c);
}

static void what_is_no_file_is_an_error(void)
{
    ap_error err = {0};
    bytes nothing = {0};
    add_text(&nothing, "0");
    const char *path = write_file("fifo.th", &nothing);
    free(nothing.data);
    CHECK(remove(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK(!nn_checkpoint_open(path, &err) && strstr(err.message, "fifo.th' is not a checkpoint"));
    CHECK(remove(path) == 0);
    CHECK(!nn_checkpoint_open("/", &err) && !nn_checkpoint_open("/dev/zero", &err));
}

static void truncation_is_an_error(void)
{
    bytes b = read_file(TINY), part = b;
    for (part.size = 0; part.size < b.size; part.size += part.size < 200 ? 7 : 9973)
        CHECK(refused(&part, ""));
    part.size = b.size - 1;
    CHECK(refused(&part, ""));
    free(b.data);
}

/* A changed bit is found by a checksum or by the structure, or is one that says nothing. */
static void flipped_bits_do_not_pass(void)
{
    bytes b = read_file(TINY);
    size_t passed = 0, tried = 0;
    for (size_t i = 0; i < b.size; i += 4999, tried++) {
        ap_error err = {0};
        b.data[i] ^= (unsigned char)(1 << (i % 8));
        nn_checkpoint *c = nn_checkpoint_open(write_file("flipped.th", &b), &err);
        passed += c != NULL;
        nn_checkpoint_close(c);
        b.data[i] ^= (unsigned char)(1 << (i % 8));
    }
    CHECK(tried > 100 && passed < tried / 4); /* local headers have fields that nobody needs */
    free(b.data);
}

static void nothing_is_executed(void)
{
    /* {'klass': os.system('touch /tmp/...'), ...}: the call is data, and no class */
    CHECK(REFUSED("\x80\2}(X\5\0\0\0", "pickle"));
    bytes b = {0};
    char command[128];
    ADD(&b, "\x80\2}(X\5\0\0\0klasscposix\nsystem\n(X");
    snprintf(command, sizeof command, "touch /tmp/audiopipe-pwned-%d", (int)getpid());
    add_number(&b, strlen(command), 4);
    add_text(&b, command);
    ADD(&b, "tRu.");
    CHECK(pickle_refused(&b, "does not say what model it is"));
    CHECK(access(command + 6, F_OK) != 0);
    free(b.data);
}

static void other_classes_are_refused_by_name(void)
{
    bytes b = {0};
    ADD(&b, "\x80\2}(X\5\0\0\0klasscdemucs.demucs\nDemucs\nX\6\0\0\0kwargs}u.");
    CHECK(pickle_refused(&b, "Demucs v2 waveform"));
    b.size = 0;
    ADD(&b, "\x80\2}(X\5\0\0\0klasscos\nsystem\nX\6\0\0\0kwargs}X\5\0\0\0state}u.");
    CHECK(pickle_refused(&b, "'os system'"));
    b.size = 0;
    ADD(&b, "\x80\2}(X\5\0\0\0klasscdemucs.hdemucs\nHDemucs\nX\6\0\0\0kwargs}X\5\0\0\0state}X\13\0\0\0__"
            "quantized\x88su.");
    CHECK(pickle_refused(&b, "diffq"));
    free(b.data);
}

static void deep_nesting_is_an_error(void)
{
    static const char *const openers[] = {"(", "]", "}", "(]", "\x85", ")\x85"};
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        bytes b = {0};
        ADD(&b, "\x80\2)");
        while (b.size < 1000000)
            add_text(&b, openers[i]);
        add_text(&b, ".");
        CHECK(pickle_refused(&b, ""));
        free(b.data);
    }
}

/* Lists of the same list: 2^60 items if anybody followed them. */
static void billion_laughs_stay_unheard(void)
{
    bytes b = {0};
    ADD(&b, "\x80\2}(X\6\0\0\0kwargs}(X\1\0\0\0a]q\0");
    for (int i = 0; i < 60; i++) {
        ADD(&b, "X\1\0\0\0a](h");
        add_number(&b, (uint64_t)i, 1);
        add_text(&b, "h");
        add_number(&b, (uint64_t)i, 1);
        add_text(&b, "eq");
        add_number(&b, (uint64_t)i + 1, 1);
    }
    ADD(&b, "u");
    ADD(&b, "X\5\0\0\0klasscdemucs.hdemucs\nHDemucs\nu.");
    CHECK(pickle_refused(&b, "it has no 'state'"));
    free(b.data);
}

/* The same in width: 256 times the same list, four deep. */
static void wide_laughs_stay_unheard(void)
{
    bytes b = {0};
    ADD(&b, "\x80\2}(X\6\0\0\0kwargs}(X\1\0\0\0a]q\0");
    for (int level = 0; level < 6; level++) {
        ADD(&b, "X\1\0\0\0a](");
        for (int i = 0; i < 256; i++) {
            add_text(&b, "h");
            add_number(&b, (uint64_t)level, 1);
        }
        add_text(&b, "eq");
        add_number(&b, (uint64_t)level + 1, 1);
    }
    ADD(&b, "u");
    ADD(&b, "X\5\0\0\0klasscdemucs.hdemucs\nHDemucs\nu.");
    CHECK(pickle_refused(&b, "too many 'kwargs'"));
    free(b.data);
}

/* Ten thousand tensors in the same megabytes, whose checksum is computed once. */
static void shared_data_are_read_once(void)
{
    archive a = {0};
    bytes pickle = {0}, storage = {0}, file;
    char text[32];
    for (int i = 0; i < 1 << 20; i++)
        add_number(&storage, 0, 4);
    ADD(&pickle, "\x80\2}(X\5\0\0\0klasscdemucs.hdemucs\nHDemucs\nX\6\0\0\0kwargs}X\5\0\0\0state}(");
    ADD(&pickle, "X\1\0\0\0xctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
                 "X\1\0\0\0"
                 "0X\3\0\0\0cpuJ\0\0\x10\0tQK\0))\x89}tRq\0");
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "t%05d", i);
        ADD(&pickle, "X\6\0\0\0");
        add_text(&pickle, text);
        ADD(&pickle, "h\0");
    }
    ADD(&pickle, "uu.");
    add_entry(&a, "x/data.pkl", &pickle, 0);
    add_entry(&a, "x/data/0", &storage, 0);
    file = finish(&a);
    ap_error err = {0};
    clock_t start = clock();
    nn_checkpoint *c = nn_checkpoint_open(write_file("shared.th", &file), &err);
    CHECK(c && c->count == 10001 && clock() - start < CLOCKS_PER_SEC);
    if (!c)
        fprintf(stderr, "%s\n", err.message);
    nn_checkpoint_close(c);
    free(pickle.data);
    free(storage.data);
    free(file.data);
}

/* A tensor of that storage with the sizes in a pickled tuple, as PyTorch writes it. */
#define TENSOR(storage, sizes, strides)                                                                      \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" storage "\nX\1\0\0\0"                    \
    "0X\3\0\0\0cpuK\4tQK\0" sizes strides "\x89}tR"

/* Opens an archive of this pickle and four floats. */
static nn_checkpoint *open_pickle(const bytes *pickle, ap_error *err)
{
    archive a = {0};
    bytes data = {0}, file;
    for (int i = 0; i < 4; i++)
        add_number(&data, 0x3f800000, 4);
    add_entry(&a, "x/data.pkl", pickle, 0);
    add_entry(&a, "x/data/0", &data, 0);
    file = finish(&a);
    nn_checkpoint *c = nn_checkpoint_open(write_file("pickle.ckpt", &file), err);
    free(data.data);
    free(file.data);
    return c;
}

/* What a training program keeps beside the weights: numbers of NumPy, large ones, bytes, sets, objects. */
static void training_state_is_passed_over(void)
{
    ap_error err = {0};
    bytes b = {0};
    ADD(&b, "\x80\4}(X\4\0\0\0best");
    ADD(&b, "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nX\2\0\0\0f8\x85Rc_codecs\nencode\n"
            "(X\x8\0\0\0\0\0\0\0\0\0\n@X\6\0\0\0latin1tRtR");
    ADD(&b, "X\4\0\0\0seed\x8a\x9\1\2\3\4\5\6\7\x8\x9X\4\0\0\0more\x8b\2\0\0\0\1\2");
    ADD(&b, "X\1\0\0\0bC\3\0\1\2X\1\0\0\0BB\3\0\0\0\0\1\2X\1\0\0\0s(K\1K\2\x91");
    ADD(&b, "X\1\0\0\0ocsome\nThing\n)}\x92X\3\0\0\0\0ab\x88");
    ADD(&b, "X\12\0\0\0state_dict}X\1\0\0\0t" TENSOR("FloatStorage", "K\4\x85", "K\1\x85") "su.");
    nn_checkpoint *c = open_pickle(&b, &err);
    if (!CHECK(c && c->count == 1 && c->tensors[0].dims == 1))
        fprintf(stderr, "%s\n", err.message);
    nn_checkpoint_close(c);
    free(b.data);
    CHECK(REFUSED("\x80\2C\xff"
                  "abc.",
                  "truncated"));
    CHECK(REFUSED("\x80\2B\xff\xff\xff\xff"
                  "abc.",
                  "truncated"));
}

/* An intact file with something that no model here has says what: it is no damage. */
static void what_is_strange_keeps_its_name(void)
{
    static const char *const names[] = {"a", "complex", "empty", "five", "integers", "none", "text"};
    ap_error err = {0};
    bytes b = {0};
    ADD(&b, "\x80\2}(X\1\0\0\0a" TENSOR("FloatStorage", "K\4\x85", "K\1\x85"));
    ADD(&b, "X\7\0\0\0complex" TENSOR("ComplexFloatStorage", "K\1\x85", "K\1\x85"));
    ADD(&b, "X\5\0\0\0empty" TENSOR("FloatStorage", "K\0\x85", "K\1\x85"));
    ADD(&b, "X\4\0\0\0five" TENSOR("FloatStorage", "(K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1t"));
    ADD(&b, "X\x8\0\0\0integers" TENSOR("LongStorage", ")", ")"));
    ADD(&b, "X\4\0\0\0noneNX\4\0\0\0textX\1\0\0\0xu.");
    nn_checkpoint *c = open_pickle(&b, &err);
    if (!CHECK(c && c->count == sizeof names / sizeof *names))
        fprintf(stderr, "%s\n", err.message);
    for (size_t i = 0; c && i < c->count; i++) {
        CHECK(strcmp(c->tensors[i].name, names[i]) == 0 && c->tensors[i].dims == (i ? NN_STRANGE : 1));
        CHECK(i == 0 || (nn_stored_count(&c->tensors[i]) == 0 && nn_stored_floats(&c->tensors[i], NULL)));
    }
    nn_checkpoint_close(c);
    /* ...but data that are not there are damage */
    b.size = 0;
    ADD(&b, "\x80\2}X\1\0\0\0a" TENSOR("FloatStorage", "K\5\x85", "K\1\x85") "s.");
    CHECK(!open_pickle(&b, &err) && strstr(err.message, "'a' does not fit its data"));
    CHECK(pickle_refused(&b, "damaged"));
    free(b.data);
}

static void huge_numbers_are_errors(void)
{
    CHECK(REFUSED("\x80\2Nr\xff\xff\xff\x7f.", "")); /* memo */
    CHECK(REFUSED("\x80\2X\xff\xff\xff\xff"
                  "abc.",
                  ""));                             /* string */
    CHECK(REFUSED("\x80\2j\xff\xff\xff\x7f.", "")); /* memo */
    CHECK(REFUSED("\x80\2\x8a\xff"
                  "1111.",
                  ""));                                /* LONG1 */
    CHECK(REFUSED("\x80\2\x8b\xff\xff\xff\x7f.", "")); /* LONG4 */
}

static void broken_archives_are_errors(void)
{
    archive a = {0};
    bytes content = {0}, file;
    add_text(&content, "\x80\2}.");
    add_entry(&a, "x/data.pkl", &content, 8);
    file = finish(&a);
    CHECK(refused(&file, "compressed"));
    free(file.data);
    add_entry(&a, "x/data.pkl", &content, 0);
    add_entry_at(&a, "x/data/0", &content, 0, 0);
    file = finish(&a);
    CHECK(refused(&file, "overlap"));
    free(file.data);
    add_entry(&a, "x/data.pkl", &content, 0);
    add_entry(&a, "x/data.pkl", &content, 0);
    file = finish(&a);
    CHECK(refused(&file, "same name"));
    free(file.data);
    add_entry(&a, "x/data.pkl", &content, 0);
    a.count = 60000;
    file = finish(&a);
    CHECK(refused(&file, "too many"));
    free(file.data);
    free(content.data);
}

/* The real pickle with a tensor that is said to be larger than its data. */
static void shapes_are_checked_against_the_data(void)
{
    bytes b = read_file(TINY);
    /* encoder.0.conv.weight: sizes 8, 4, 8, 1 as BININT1 and a tuple */
    unsigned char *at = memmem(b.data, 60000, "K\10K\4K\10K\1t", 9);
    if (CHECK(at != NULL)) {
        at[1] = 9;
        uint32_t name = b.data[26] | b.data[27] << 8, extra = b.data[28] | b.data[29] << 8, crc;
        unsigned char *record = memmem(b.data + 60000, b.size - 60000, "PK\1\2", 4);
        CHECK(refused(&b, "checksum"));
        memcpy(&crc, record + 24, 4); /* the first record is that of data.pkl: its size */
        crc = (uint32_t)crc32(0, b.data + 30 + name + extra, crc);
        memcpy(record + 16, &crc, 4);
        CHECK(refused(&b, "'encoder.0.conv.weight' does not fit its data"));
    }
    free(b.data);
}

/* ---- safetensors */

static bytes to_safetensors(const nn_checkpoint *c, const char *metadata)
{
    bytes header = {0}, data = {0}, file = {0};
    char text[512];
    add_text(&header, "{\"__metadata__\":");
    add_text(&header, metadata);
    for (size_t i = 0; i < c->count; i++) {
        const nn_stored *t = &c->tensors[i];
        size_t size = (size_t)nn_stored_count(t) * 2;
        int n = snprintf(text, sizeof text, ",\"%s\":{\"dtype\":\"F16\",\"shape\":[", t->name);
        for (int d = 0; d < t->dims; d++)
            n += snprintf(text + n, sizeof text - n, "%s%d", d ? "," : "", (int)t->size[d]);
        snprintf(text + n, sizeof text - n, "],\"data_offsets\":[%zu,%zu]}", data.size, data.size + size);
        add_text(&header, text);
        add(&data, t->data, size);
    }
    add_text(&header, "}");
    add_number(&file, header.size, 8);
    add(&file, header.data, header.size);
    add(&file, data.data, data.size);
    free(header.data);
    free(data.data);
    return file;
}

static bool same_tensors(const nn_checkpoint *a, const nn_checkpoint *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        size_t count = (size_t)nn_stored_count(&a->tensors[i]);
        float *x = malloc(count * sizeof *x), *y = malloc(count * sizeof *y);
        same = strcmp(a->tensors[i].name, b->tensors[i].name) == 0 && nn_stored_floats(&a->tensors[i], x) &&
               nn_stored_floats(&b->tensors[i], y) && memcmp(x, y, count * sizeof *x) == 0;
        free(x);
        free(y);
    }
    return same;
}

static void safetensors_hold_the_same(void)
{
    ap_error err = {0};
    nn_checkpoint *a = nn_checkpoint_open(TINY, &err);
    bytes file = to_safetensors(a, "{\"klass\":\"HTDemucs\",\"kwargs\":\"{\\\"channels\\\": 8}\"}");
    nn_checkpoint *b = nn_checkpoint_open(write_file("a.safetensors", &file), &err);
    if (CHECK(b != NULL)) {
        CHECK(same_tensors(a, b) && strcmp(b->klass, "HTDemucs") == 0);
        CHECK(nn_json_number(b->kwargs, "channels", 0) == 8);
    }
    nn_checkpoint_close(b);
    bytes part = file;
    for (part.size = 0; part.size < file.size; part.size += part.size < 200 ? 13 : 19973)
        CHECK(refused(&part, ""));
    free(file.data);
    nn_checkpoint_close(a);
}

static void safetensors_are_described_by_a_file_beside(void)
{
    ap_error err = {0};
    nn_checkpoint *a = nn_checkpoint_open(TINY, &err), *b;
    bytes file = to_safetensors(a, "{}"), json = {0};
    CHECK(!nn_checkpoint_open(write_file("b.safetensors", &file), &err) && strstr(err.message, ".json"));
    add_text(&json, "{\"klass\": \"HTDemucs\", \"kwargs\": {\"segment\": \"39/5\"}}");
    write_file("b.json", &json);
    b = nn_checkpoint_open(write_file("b.safetensors", &file), &err);
    CHECK(b && nn_json_number(b->kwargs, "segment", 0) == 7.8);
    nn_checkpoint_close(b);
    nn_checkpoint_close(a);
    free(file.data);
    free(json.data);
}

static bool header_refused(const char *header)
{
    bytes b = {0};
    add_number(&b, strlen(header), 8);
    add_text(&b, header);
    ADD(&b, "0123456789abcdef");
    bool ok = refused(&b, "");
    free(b.data);
    return ok;
}

static void broken_safetensors_are_errors(void)
{
#define META "{\"__metadata__\":{\"klass\":\"HDemucs\",\"kwargs\":\"{}\"},"
    CHECK(header_refused("{"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}}"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,16]}}"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,16]}}"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,16]}}"));
    CHECK(header_refused(
        META "\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]}}"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}}"));
    CHECK(header_refused(META "\"a\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}"));
    CHECK(header_refused(META "\"a\":[]}"));
    bytes b = {0};
    add_number(&b, 1 << 20, 8);
    for (int i = 0; i < 1 << 20; i++)
        add(&b, "{\"a\":" + (i % 5), 1);
    CHECK(refused(&b, ""));
    free(b.data);
}

/* ---- bags and names */

static void bags_are_parsed(void)
{
    nn_bag bag;
    CHECK(nn_bag_parse(
        &bag, "models: ['a1', \"b\"]\nweights: [\n  [1., 0.],\n  [0, 2.5], # comment\n]\nsegment: 44", "x",
        NULL));
    CHECK(bag.count == 2 && strcmp(bag.models[0], "a1") == 0 && strcmp(bag.models[1], "b") == 0);
    CHECK(bag.weighted && bag.stem_count == 2 && bag.weights[1][1] == 2.5 && bag.segment_s == 44);
    CHECK(nn_bag_parse(&bag, "models:\n- abc\n- 'def'\n", "x", NULL));
    CHECK(bag.count == 2 && !bag.weighted && strcmp(bag.models[1], "def") == 0);
}

static void broken_bags_are_errors(void)
{
    static const char *const broken[] = {
        "",
        "models",
        "models:",
        "models: [",
        "models: ['a",
        "models: [../../etc/passwd]",
        "other: 1",
        "models: [a]\nweights: [[1], [2]]",
        "models: [a, b]\nweights: [[1, 2], [1]]",
        "models: [a]\nweights: [[0, 1]]",
        "models: [a]\nweights: [[x]]",
        "models: [a]\nsegment: -1",
        "models: [a]\nweights: [[nan]]",
        "models: [a]\nweights: 7",
        "\1\2\3",
        "models: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]",
    };
    nn_bag bag;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        ap_error err = {0};
        CHECK(!nn_bag_parse(&bag, broken[i], "x", &err) && err.message[0]);
    }
}

static void missing_models_say_what_to_do(void)
{
    nn_model_files files;
    ap_error err = {0};
    bytes nothing = {0};
    add_text(&nothing, "0");
    write_file("955717e8-8726e21a.th", &nothing);
    setenv("HOME", scratch, 1);
    unsetenv("XDG_DATA_HOME");
    setenv("AUDIOPIPE_MODELS", scratch, 1);
    CHECK(nn_models_find("htdemucs", NULL, &files, &err) && files.bag.count == 1 &&
          strstr(files.paths[0], "8726e21a"));
    nn_models_free(&files);
    CHECK(nn_models_find("955717e8", NULL, &files, &err));
    nn_models_free(&files);
    CHECK(!nn_models_find("htdemucs_ft", NULL, &files, &err));
    CHECK(strstr(err.message, "f7e0c4bc-ba3fe64a.th") && strstr(err.message, scratch) &&
          strstr(err.message, "ap-fetch-model htdemucs_ft"));
    CHECK(!nn_models_find("mdx_extra_q", NULL, &files, &err) && strstr(err.message, "diffq"));
    CHECK(!nn_models_find("mdx", NULL, &files, &err) && strstr(err.message, "v2"));
    CHECK(!nn_models_find("nonsense", NULL, &files, &err) && strstr(err.message, "'nonsense'"));
    CHECK(!nn_models_find("/nowhere/x.th", NULL, &files, &err) && strstr(err.message, "No such file"));
    CHECK(nn_models_find("tests/data/demucs/bag-tiny.yaml", NULL, &files, &err) && files.bag.count == 2);
    nn_models_free(&files);
    /* somebody's own bag of published files */
    bytes bag = {0};
    add_text(&bag, "models: ['5c90dfd2']");
    CHECK(!nn_models_find(write_file("mine.yaml", &bag), NULL, &files, &err) &&
          strstr(err.message, "mine.yaml' needs 5c90dfd2-34c22ccb.th: run 'ap-fetch-model 5c90dfd2', or"));
    free(bag.data);
    free(nothing.data);
}

static void say_path(const nn_model_files *files, char *text, size_t size)
{
    snprintf(text, size, "%s %s", files->paths[0], files->config ? files->config : "alone");
}

static void count_models(void *user, const char *name, const char *description, const char *missing)
{
    int *seen = user;
    CHECK(*name && description);
    seen[0]++;
    seen[1] += strcmp(name, "htdemucs") == 0 && !*missing;
    seen[2] += strcmp(name, "htdemucs_6s") == 0 && strcmp(missing, "5c90dfd2-34c22ccb.th") == 0;
}

/* A file with the name of a published model is that model, for who asks and in the list. */
static void a_file_may_have_the_name_of_a_published_model(void)
{
    nn_model_files files;
    ap_error err = {0};
    bytes nothing = {0};
    add_text(&nothing, "0");
    int before[3] = {0}, with[3] = {0};
    nn_models_list(say_path, count_models, before);
    const char *path = write_file("htdemucs_6s.safetensors", &nothing);
    CHECK(nn_models_find("htdemucs_6s", NULL, &files, &err) && strcmp(files.paths[0], path) == 0);
    nn_models_free(&files);
    nn_models_list(say_path, count_models, with);
    CHECK(with[0] == before[0] && with[2] == 0);
    CHECK(remove(path) == 0);
    free(nothing.data);
}

static void the_list_says_what_is_there(void)
{
    int seen[3] = {0};
    nn_models_list(say_path, count_models, seen);
    CHECK(seen[0] >= 5 && seen[1] == 1 && seen[2] == 1);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", scratch);
    CHECK(system(command) == 0);
}

TEST_MAIN(CASE(a_checkpoint_is_read), CASE(a_tensor_that_was_copied_takes_no_memory),
          CASE(what_is_no_file_is_an_error), CASE(truncation_is_an_error), CASE(flipped_bits_do_not_pass),
          CASE(nothing_is_executed), CASE(other_classes_are_refused_by_name), CASE(deep_nesting_is_an_error),
          CASE(billion_laughs_stay_unheard), CASE(wide_laughs_stay_unheard), CASE(shared_data_are_read_once),
          CASE(training_state_is_passed_over), CASE(what_is_strange_keeps_its_name),
          CASE(huge_numbers_are_errors), CASE(broken_archives_are_errors),
          CASE(shapes_are_checked_against_the_data), CASE(safetensors_hold_the_same),
          CASE(safetensors_are_described_by_a_file_beside), CASE(broken_safetensors_are_errors),
          CASE(bags_are_parsed), CASE(broken_bags_are_errors), CASE(missing_models_say_what_to_do),
          CASE(a_file_may_have_the_name_of_a_published_model), CASE(the_list_says_what_is_there))
