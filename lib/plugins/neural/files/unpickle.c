/* SPDX-License-Identifier: GPL-3.0-or-later
 * unpickle.c - a pickle machine that builds plain data and executes nothing (opcodes: Python's
 * Lib/pickletools.py). Every opcode takes at least a byte and makes at most one value, so memory is bounded
 * by the size of the pickle, and nothing here recurses. */
#include "plugins/neural/files/unpickle.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Names and shapes; the weights are elsewhere. A model of 53 stems has 13,000 tensors and 2 MB of that. */
#define MAX_PICKLE ((size_t)8 << 20)
#define MAX_ARENA ((size_t)256 << 20)
#define ARENA_BLOCK ((size_t)64 << 10)

typedef struct block {
    struct block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
} block;

struct nn_pickle {
    block *blocks;
    size_t total;
    nn_value *root;
};

typedef struct machine {
    nn_pickle *pickle;
    const unsigned char *at, *end;
    nn_value **stack, **memo;
    size_t depth, memo_count;
    size_t limit;        /* of stack and memo */
    nn_value mark;       /* on the stack by its address */
    const char *problem; /* what stopped it, NULL: nothing */
} machine;

static bool stop(machine *m, const char *problem)
{
    if (!m->problem)
        m->problem = problem;
    return false;
}

/* ---- memory */

static void *arena(machine *m, size_t size)
{
    nn_pickle *p = m->pickle;
    size = (size + 15) & ~(size_t)15;
    if (!p->blocks || p->blocks->size - p->blocks->used < size) {
        size_t block_size = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        block *b = p->total + block_size > MAX_ARENA ? NULL : malloc(sizeof *b + block_size);
        if (!b) {
            stop(m, "its pickle needs too much memory");
            return NULL;
        }
        *b = (block){p->blocks, 0, block_size};
        p->blocks = b;
        p->total += block_size;
    }
    void *result = p->blocks->bytes + p->blocks->used;
    p->blocks->used += size;
    return memset(result, 0, size);
}

static nn_value *new_value(machine *m, nn_kind kind)
{
    nn_value *v = arena(m, sizeof *v);
    if (v)
        v->kind = kind;
    return v;
}

static bool add_item(machine *m, nn_value *to, nn_value *item)
{
    if (to->count == to->capacity) {
        size_t capacity = to->capacity ? 2 * to->capacity : 4;
        nn_value **items = arena(m, capacity * sizeof *items);
        if (!items)
            return false;
        if (to->count)
            memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->capacity = capacity;
    }
    to->items[to->count++] = item;
    return true;
}

/* ---- input and stack */

static const unsigned char *take(machine *m, size_t size)
{
    if ((size_t)(m->end - m->at) < size) {
        stop(m, "its pickle is truncated");
        return NULL;
    }
    m->at += size;
    return m->at - size;
}

/* A little-endian number of up to 8 bytes. */
static uint64_t take_number(machine *m, size_t size)
{
    const unsigned char *p = take(m, size);
    uint64_t v = 0;
    for (size_t i = 0; p && i < size; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static bool push(machine *m, nn_value *value)
{
    if (!value)
        return false;
    if (m->depth == m->limit)
        return stop(m, "its pickle is broken");
    m->stack[m->depth++] = value;
    return true;
}

static nn_value *pop(machine *m)
{
    if (m->depth == 0 || m->stack[m->depth - 1] == &m->mark) {
        stop(m, "its pickle is broken");
        return NULL;
    }
    return m->stack[--m->depth];
}

static nn_value *top(machine *m)
{
    nn_value *v = pop(m);
    if (v)
        m->depth++;
    return v;
}

/* Takes everything above the last mark, and the mark. Returns the first of count values, NULL without mark.
 */
static nn_value **pop_mark(machine *m, size_t *count)
{
    size_t i = m->depth;
    while (i > 0 && m->stack[i - 1] != &m->mark)
        i--;
    if (i == 0) {
        stop(m, "its pickle is broken");
        return NULL;
    }
    *count = m->depth - i;
    m->depth = i - 1;
    return m->stack + i;
}

/* ---- values */

static bool push_integer(machine *m, nn_kind kind, int64_t number)
{
    nn_value *v = new_value(m, kind);
    if (v)
        v->integer = number;
    return push(m, v);
}

/* Bytes of something that only training goes on with. */
static bool push_other(machine *m, uint64_t size)
{
    if (size > (uint64_t)(m->end - m->at))
        return stop(m, "its pickle is truncated");
    m->at += size;
    return push(m, new_value(m, NN_OTHER));
}

/* LONG1, LONG4: a two's complement number. */
static bool push_long(machine *m, size_t size)
{
    if (size > 8)
        return push_other(m, size);
    uint64_t v = take_number(m, size);
    if (size > 0 && size < 8 && v >> (8 * size - 1))
        v |= ~(uint64_t)0 << (8 * size);
    return push_integer(m, NN_INTEGER, (int64_t)v);
}

/* BINFLOAT is big-endian. */
static bool push_real(machine *m)
{
    uint64_t bits = __builtin_bswap64(take_number(m, 8));
    nn_value *v = new_value(m, NN_REAL);
    if (v)
        memcpy(&v->real, &bits, sizeof bits);
    return push(m, v);
}

static nn_value *new_text(machine *m, nn_kind kind, const unsigned char *bytes, size_t size)
{
    char *text = bytes ? arena(m, size + 1) : NULL;
    if (!text || memchr(bytes, 0, size)) {
        stop(m, "its pickle has a broken string");
        return NULL;
    }
    memcpy(text, bytes, size);
    nn_value *v = new_value(m, kind);
    if (v)
        v->text = text;
    return v;
}

static bool push_text(machine *m, uint64_t size)
{
    if (size > (uint64_t)(m->end - m->at))
        return stop(m, "its pickle is truncated");
    if (memchr(m->at, 0, size)) /* NumPy's numbers are in there as text */
        return push_other(m, size);
    return push(m, new_text(m, NN_STRING, take(m, size), size));
}

/* GLOBAL: two lines, module and name. */
static bool push_global(machine *m)
{
    const unsigned char *start = m->at;
    const unsigned char *newline = memchr(start, '\n', (size_t)(m->end - start));
    const unsigned char *last = newline ? memchr(newline + 1, '\n', (size_t)(m->end - newline - 1)) : NULL;
    if (!last)
        return stop(m, "its pickle is truncated");
    m->at = last + 1;
    nn_value *v = new_text(m, NN_SYMBOL, start, (size_t)(last - start));
    if (v)
        *strchr((char *)(uintptr_t)v->text, '\n') = ' ';
    return push(m, v);
}

/* STACK_GLOBAL: the same with both names on the stack. */
static bool push_stack_global(machine *m)
{
    nn_value *name = pop(m), *module = pop(m);
    if (!name || !module || name->kind != NN_STRING || module->kind != NN_STRING)
        return stop(m, "its pickle is broken");
    size_t a = strlen(module->text), b = strlen(name->text);
    char *text = arena(m, a + b + 2);
    nn_value *v = new_value(m, NN_SYMBOL);
    if (!text || !v)
        return false;
    memcpy(text, module->text, a);
    text[a] = ' ';
    memcpy(text + a + 1, name->text, b);
    v->text = text;
    return push(m, v);
}

static bool push_list(machine *m, nn_kind kind, nn_value **items, size_t count)
{
    nn_value *v = items ? new_value(m, kind) : NULL;
    for (size_t i = 0; v && i < count; i++)
        if (!add_item(m, v, items[i]))
            return false;
    return push(m, v);
}

/* TUPLE1 to TUPLE3. */
static bool push_tuple(machine *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (m->depth <= i || m->stack[m->depth - 1 - i] == &m->mark)
            return stop(m, "its pickle is broken");
    m->depth -= count;
    return push_list(m, NN_LIST, m->stack + m->depth, count);
}

static bool push_marked(machine *m, nn_kind kind)
{
    size_t count = 0;
    nn_value **items = pop_mark(m, &count);
    if (kind == NN_DICT && count % 2)
        return stop(m, "its pickle is broken");
    return push_list(m, kind, items, count);
}

/* REDUCE, NEWOBJ: what would be a call. An OrderedDict is a dict. */
static bool push_call(machine *m)
{
    nn_value *arguments = pop(m), *callable = pop(m);
    if (!arguments || !callable || arguments->kind != NN_LIST)
        return stop(m, "its pickle is broken");
    bool ordered = nn_value_is_symbol(callable, "collections OrderedDict") && arguments->count == 0;
    nn_value *v = new_value(m, ordered ? NN_DICT : NN_CALL);
    if (v && !ordered && (!add_item(m, v, callable) || !add_item(m, v, arguments)))
        return false;
    return push(m, v);
}

static bool push_storage(machine *m)
{
    nn_value *id = pop(m);
    if (!id || id->kind != NN_LIST)
        return stop(m, "its pickle is broken");
    return push_list(m, NN_STORAGE, id->items, id->count);
}

/* Adds count values to the list, dict or call below them. step 2: pairs. */
static bool add_to_top(machine *m, nn_value **items, size_t count, size_t step)
{
    nn_value *to = items ? top(m) : NULL;
    if (!to || count % step || to->kind < NN_LIST || to->kind == NN_STORAGE ||
        (to->kind == NN_LIST) != (step == 1))
        return stop(m, "its pickle is broken");
    for (size_t i = 0; i < count; i++)
        if (!add_item(m, to, items[i]))
            return false;
    return true;
}

static bool add_last(machine *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (m->depth <= i || m->stack[m->depth - 1 - i] == &m->mark)
            return stop(m, "its pickle is broken");
    m->depth -= count;
    return add_to_top(m, m->stack + m->depth, count, count);
}

static bool add_marked(machine *m, size_t step)
{
    size_t count = 0;
    nn_value **items = pop_mark(m, &count);
    return add_to_top(m, items, count, step);
}

/* BUILD: the state of an object. Nothing that is needed comes that way. */
static bool drop_state(machine *m)
{
    return pop(m) && top(m);
}

/* ---- the memo: writers number it in order */

static bool put(machine *m, uint64_t index)
{
    nn_value *v = top(m);
    if (!v || index > m->memo_count || index >= m->limit)
        return stop(m, "its pickle is broken");
    m->memo[index] = v;
    m->memo_count += index == m->memo_count;
    return true;
}

static bool get(machine *m, uint64_t index)
{
    if (index >= m->memo_count)
        return stop(m, "its pickle is broken");
    return push(m, m->memo[index]);
}

/* ---- opcodes */

static bool run_scalar(machine *m, unsigned char op)
{
    switch (op) {
    case 'N':
        return push(m, new_value(m, NN_NONE));
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_integer(m, NN_BOOL, op == 0x88);
    case 'K': /* BININT1 */
        return push_integer(m, NN_INTEGER, (int64_t)take_number(m, 1));
    case 'M': /* BININT2 */
        return push_integer(m, NN_INTEGER, (int64_t)take_number(m, 2));
    case 'J': /* BININT */
        return push_integer(m, NN_INTEGER, (int32_t)(uint32_t)take_number(m, 4));
    case 0x8a: /* LONG1 */
        return push_long(m, take_number(m, 1));
    case 0x8b: /* LONG4 */
        return push_long(m, take_number(m, 4));
    case 'G': /* BINFLOAT */
        return push_real(m);
    case 0x8c: /* SHORT_BINUNICODE */
        return push_text(m, take_number(m, 1));
    case 'X': /* BINUNICODE */
        return push_text(m, take_number(m, 4));
    case 'C': /* SHORT_BINBYTES */
        return push_other(m, take_number(m, 1));
    case 'B': /* BINBYTES */
        return push_other(m, take_number(m, 4));
    case 'c': /* GLOBAL */
        return push_global(m);
    case 0x93:
        return push_stack_global(m);
    default:
        return stop(m, "its pickle has an opcode that PyTorch does not write");
    }
}

static bool run_container(machine *m, unsigned char op)
{
    switch (op) {
    case ')':  /* EMPTY_TUPLE */
    case ']':  /* EMPTY_LIST */
    case 0x8f: /* EMPTY_SET */
        return push(m, new_value(m, NN_LIST));
    case '}': /* EMPTY_DICT */
        return push(m, new_value(m, NN_DICT));
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return push_tuple(m, (size_t)(op - 0x84));
    case 't':  /* TUPLE */
    case 'l':  /* LIST */
    case 0x91: /* FROZENSET */
        return push_marked(m, NN_LIST);
    case 'd': /* DICT */
        return push_marked(m, NN_DICT);
    case 'a': /* APPEND */
        return add_last(m, 1);
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        return add_marked(m, 1);
    case 's': /* SETITEM */
        return add_last(m, 2);
    case 'u': /* SETITEMS */
        return add_marked(m, 2);
    default:
        return run_scalar(m, op);
    }
}

static bool run(machine *m, unsigned char op)
{
    switch (op) {
    case 0x80: /* PROTO */
        return take(m, 1) != NULL;
    case 0x95: /* FRAME */
        return take(m, 8) != NULL;
    case '(': /* MARK */
        return push(m, &m->mark);
    case 'q': /* BINPUT */
        return put(m, take_number(m, 1));
    case 'r': /* LONG_BINPUT */
        return put(m, take_number(m, 4));
    case 0x94: /* MEMOIZE */
        return put(m, m->memo_count);
    case 'h': /* BINGET */
        return get(m, take_number(m, 1));
    case 'j': /* LONG_BINGET */
        return get(m, take_number(m, 4));
    case 'R':  /* REDUCE */
    case 0x81: /* NEWOBJ */
        return push_call(m);
    case 0x92: /* NEWOBJ_EX: arguments by name above the others */
        return pop(m) && push_call(m);
    case 'b': /* BUILD */
        return drop_state(m);
    case 'Q': /* BINPERSID */
        return push_storage(m);
    default:
        return run_container(m, op);
    }
}

static bool run_all(machine *m)
{
    while (m->at < m->end) {
        unsigned char op = *m->at++;
        if (op == '.') { /* STOP */
            m->pickle->root = pop(m);
            return !m->problem;
        }
        if (!run(m, op) || m->problem)
            return stop(m, "its pickle is broken");
    }
    return stop(m, "its pickle is truncated");
}

nn_pickle *nn_unpickle(const unsigned char *bytes, size_t size, const char *name, ap_error *err)
{
    machine m = {.at = bytes, .end = bytes + size, .limit = size};
    if (size > MAX_PICKLE) {
        ap_fail(err, AP_FAILED, "'%s' is not a checkpoint: its pickle is too large", name);
        return NULL;
    }
    m.pickle = calloc(1, sizeof *m.pickle);
    m.stack = malloc((size + 1) * sizeof *m.stack);
    m.memo = malloc((size + 1) * sizeof *m.memo);
    bool ok = m.pickle && m.stack && m.memo;
    if (!ok)
        ap_fail_memory(err);
    else if (!(ok = run_all(&m)))
        ap_fail(err, AP_FAILED, "'%s' is damaged or not a checkpoint: %s", name, m.problem);
    free(m.stack);
    free(m.memo);
    if (ok)
        return m.pickle;
    nn_pickle_free(m.pickle);
    return NULL;
}

void nn_pickle_free(nn_pickle *pickle)
{
    while (pickle && pickle->blocks) {
        block *next = pickle->blocks->next;
        free(pickle->blocks);
        pickle->blocks = next;
    }
    free(pickle);
}

/* ---- access */

const nn_value *nn_pickle_root(const nn_pickle *pickle)
{
    return pickle->root;
}

const nn_value *nn_value_get(const nn_value *dict, const char *key)
{
    if (!dict || dict->kind != NN_DICT)
        return NULL;
    for (size_t i = 0; i + 1 < dict->count; i += 2)
        if (dict->items[i]->kind == NN_STRING && strcmp(dict->items[i]->text, key) == 0)
            return dict->items[i + 1];
    return NULL;
}

const nn_value *nn_value_at(const nn_value *list, size_t index)
{
    bool has_items = list && (list->kind == NN_LIST || list->kind == NN_CALL || list->kind == NN_STORAGE);
    return has_items && index < list->count ? list->items[index] : NULL;
}

bool nn_value_is_symbol(const nn_value *value, const char *symbol)
{
    return value && value->kind == NN_SYMBOL && strcmp(value->text, symbol) == 0;
}
