/* SPDX-License-Identifier: GPL-3.0-or-later
 * checkpoint.c - a model file as class, arguments and tensors, whatever its format. */
#include "plugins/neural/files/checkpoint.h"
#include "base/error.h"
#include "plugins/neural/tensor/half.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_file(nn_checkpoint *c, ap_error *err)
{
    struct stat st;
    int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO may have no writer */
    if (fd < 0 || fstat(fd, &st) != 0) {
        ap_fail_errno(err, errno, "cannot open '%s'", c->path);
        goto fail;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 16) {
        ap_fail(err, AP_FAILED, "'%s' is not a checkpoint", c->path);
        goto fail;
    }
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        ap_fail_errno(err, errno, "cannot read '%s'", c->path);
        goto fail;
    }
    close(fd);
    c->bytes = bytes;
    c->size = (size_t)st.st_size;
    return true;
fail:
    if (fd >= 0)
        close(fd);
    return false;
}

static int compare_stored(const void *a, const void *b)
{
    const nn_stored *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static bool read_content(nn_checkpoint *c, ap_error *err)
{
    static const unsigned char old_torch[] = {0x80, 2, 0x8a, 10};
    if (memcmp(c->bytes, "PK\3\4", 4) == 0)
        return nn_th_read(c, err);
    if (c->bytes[8] == '{')
        return nn_safetensors_read(c, err);
    if (memcmp(c->bytes, old_torch, sizeof old_torch) == 0)
        return ap_fail(err, AP_FAILED, "'%s' is in the format of PyTorch before 1.6, which is not supported",
                       c->path);
    if (c->bytes[0] == 0x1f && c->bytes[1] == 0x8b)
        return ap_fail(err, AP_FAILED, "'%s' is a Demucs v1 or v2 model, which is not supported", c->path);
    return ap_fail(err, AP_FAILED, "'%s' is not a checkpoint (.th, .ckpt or .safetensors)", c->path);
}

static nn_checkpoint *open_checkpoint(const char *path, bool trusted, ap_error *err)
{
    nn_checkpoint *c = calloc(1, sizeof *c);
    if (!c || !(c->path = strdup(path))) {
        ap_fail_memory(err);
        goto fail;
    }
    c->trusted = trusted;
    if (!map_file(c, err) || !read_content(c, err))
        goto fail;
    if (c->count)
        qsort(c->tensors, c->count, sizeof *c->tensors, compare_stored);
    for (size_t i = 1; i < c->count; i++) {
        if (compare_stored(&c->tensors[i - 1], &c->tensors[i]) == 0) {
            ap_fail(err, AP_FAILED, "'%s' has the tensor '%.64s' twice", path, c->tensors[i].name);
            goto fail;
        }
    }
    return c;
fail:
    nn_checkpoint_close(c);
    return NULL;
}

nn_checkpoint *nn_checkpoint_open(const char *path, ap_error *err)
{
    return open_checkpoint(path, false, err);
}

nn_checkpoint *nn_checkpoint_open_trusted(const char *path, ap_error *err)
{
    return open_checkpoint(path, true, err);
}

void nn_checkpoint_close(nn_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->tensors[i].name);
    free(c->tensors);
    cJSON_Delete(c->kwargs);
    cJSON_Delete(c->config);
    free(c->klass);
    if (c->bytes)
        munmap((void *)(uintptr_t)c->bytes, c->size);
    free(c->path);
    free(c);
}

/* ---- tensors */

size_t nn_type_size(nn_type type)
{
    static const size_t sizes[] = {2, 2, 4, 8};
    return sizes[type];
}

int64_t nn_stored_count(const nn_stored *tensor)
{
    int64_t count = tensor->dims != NN_STRANGE;
    for (int i = 0; i < tensor->dims; i++)
        count *= tensor->size[i];
    return count;
}

/* The sizes multiply to at most max, and the last element is element number max - 1 or before. */
static bool fits(const nn_stored *t, uint64_t max)
{
    uint64_t count = 1, last = 0;
    for (int i = 0; i < t->dims; i++) {
        if (t->size[i] < 1 || t->stride[i] < 0 || (uint64_t)t->size[i] > max / count)
            return false;
        count *= (uint64_t)t->size[i];
        uint64_t steps = (uint64_t)t->size[i] - 1;
        if (steps && (uint64_t)t->stride[i] > (max - 1 - last) / steps)
            return false;
        last += steps * (uint64_t)t->stride[i];
    }
    return count <= max;
}

static bool append(nn_checkpoint *c, const nn_stored *tensor, ap_error *err)
{
    nn_stored *to = &c->tensors[c->count];
    *to = *tensor;
    to->name = strdup(tensor->name);
    if (!to->name)
        return ap_fail_memory(err);
    c->count++;
    return true;
}

bool nn_checkpoint_add(nn_checkpoint *c, const nn_stored *tensor, uint64_t available, ap_error *err)
{
    if (tensor->dims < 0 || tensor->dims > NN_MAX_DIMS ||
        !fits(tensor, available / nn_type_size(tensor->type)))
        return ap_fail(err, AP_FAILED, "'%s' is damaged: tensor '%.64s' does not fit its data", c->path,
                       tensor->name);
    return append(c, tensor, err);
}

bool nn_checkpoint_add_strange(nn_checkpoint *c, const char *name, ap_error *err)
{
    const nn_stored strange = {.name = (char *)(uintptr_t)name, .dims = NN_STRANGE};
    return append(c, &strange, err);
}

const nn_stored *nn_checkpoint_find(const nn_checkpoint *c, const char *name)
{
    const nn_stored key = {.name = (char *)(uintptr_t)name};
    return c->count ? bsearch(&key, c->tensors, c->count, sizeof key, compare_stored) : NULL;
}

static float of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float element(nn_type type, const unsigned char *p)
{
    uint16_t h;
    float f;
    double d;
    switch (type) {
    case NN_F16:
        memcpy(&h, p, sizeof h);
        return (h & 0x7c00) == 0x7c00 ? INFINITY : nn_of_half(h); /* or no number: neither is taken */
    case NN_BF16:
        memcpy(&h, p, sizeof h);
        return of_bits((uint32_t)h << 16);
    case NN_F32:
        memcpy(&f, p, sizeof f);
        return f;
    default:
        memcpy(&d, p, sizeof d);
        return (float)d;
    }
}

/* The run of the innermost dimension. */
static bool copy_run(nn_type type, const unsigned char *p, size_t step, size_t count, float *out)
{
    float sum = 0;
    if (type == NN_F16)
        for (size_t i = 0; i < count; i++)
            out[i] = element(NN_F16, p + i * step);
    else
        for (size_t i = 0; i < count; i++)
            out[i] = element(type, p + i * step);
    for (size_t i = 0; i < count; i++)
        sum += out[i] * 0; /* NaN if one is NaN or Inf */
    return sum == 0;
}

bool nn_stored_floats(const nn_stored *t, float *out)
{
    int64_t size[NN_MAX_DIMS] = {1, 1, 1, 1}, step[NN_MAX_DIMS] = {0};
    for (int i = 0; i < t->dims; i++) {
        size[NN_MAX_DIMS - t->dims + i] = t->size[i];
        step[NN_MAX_DIMS - t->dims + i] = t->stride[i] * (int64_t)nn_type_size(t->type);
    }
    bool finite = true;
    if (nn_stored_count(t) == 0)
        return true; /* there is no data */
    for (int64_t i = 0; i < size[0]; i++) {
        for (int64_t j = 0; j < size[1]; j++) {
            for (int64_t k = 0; k < size[2]; k++) {
                const unsigned char *p = t->data + i * step[0] + j * step[1] + k * step[2];
                finite &= copy_run(t->type, p, (size_t)step[3], (size_t)size[3], out);
                out += size[3];
            }
        }
    }
    return finite;
}

bool nn_stored_finite(const nn_stored *t)
{
    float piece[1024];
    const size_t width = nn_type_size(t->type), count = (size_t)nn_stored_count(t);
    bool finite = true;
    for (size_t i = 0; finite && i < count; i += 1024) /* as they lie: strides do not matter for that */
        finite = copy_run(t->type, t->data + i * width, width, count - i < 1024 ? count - i : 1024, piece);
    return finite;
}

void nn_stored_forget(const nn_stored *t)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), data = (uintptr_t)t->data;
    const uintptr_t begin = (data + page - 1) / page * page;
    const uintptr_t end = (data + (uintptr_t)nn_stored_count(t) * nn_type_size(t->type)) / page * page;
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* ---- arguments */

static double parse_fraction(const char *text)
{
    char *end;
    double numerator = strtod(text, &end), denominator = 1;
    if (end == text)
        return NAN;
    if (*end == '/')
        denominator = strtod(end + 1, &end);
    return *end == 0 && denominator > 0 ? numerator / denominator : NAN;
}

double nn_json_number(const cJSON *object, const char *key, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!item || cJSON_IsNull(item))
        return fallback;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    if (cJSON_IsString(item))
        return parse_fraction(item->valuestring);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

bool nn_json_integer(const cJSON *object, const char *key, int lo, int hi, int *value, const char *name,
                     ap_error *err)
{
    double v = nn_json_number(object, key, *value);
    if (!(v >= lo && v <= hi) || v != floor(v))
        return ap_fail(err, AP_FAILED, "'%s' has %s = %g, which is not supported (%d to %d)", name, key, v,
                       lo, hi);
    *value = (int)v;
    return true;
}

bool nn_json_bool(const cJSON *object, const char *key, bool fallback)
{
    return nn_json_number(object, key, fallback) != 0;
}
