/* The units are filled from the root on: the keys below a unit are sorted by their next byte, and a place is looked for
 * where all of its children are free. Units with one child fit anywhere: these fill the gaps that the others leave. */
#include "tokens/model/trie.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, PLACES_TRIED = 32, INSERTION_KEYS = 24 };

static const uint32_t free_unit = UINT32_MAX;
static const uint32_t root_check = UINT32_MAX - 1;

/* The keys [from, to) begin with the same `depth` bytes, which lead to `unit`. */
struct task {
    size_t from;
    size_t to;
    size_t depth;
    uint32_t unit;
};

struct building {
    struct tn_trie_key *keys;
    struct tn_trie_key *scratch; /* [count] */
    struct task *tasks;          /* [count + 1]: each has keys of its own */
    size_t task_count;
    struct tn_trie_unit *units; /* a free one has the next free one as its base, the one before as its value */
    size_t count;
    size_t capacity;
    uint32_t free;              /* one of the ring of free units; free_unit: none */
    struct tn_trie_rest *rests; /* [count + 1]; the first one stands for none */
    uint32_t rest_count;
    char *bytes; /* of the rests; room for all keys */
    size_t bytes_size;
};

/* ---- free units --------------------------------------------------------------------------------------------------- */

static bool add_block(struct building *building)
{
    if (building->count > root_check - 2 * BLOCK) {
        return false;
    }
    if (building->count + BLOCK > building->capacity) {
        size_t capacity = building->capacity * 2 + (size_t)64 * BLOCK;
        struct tn_trie_unit *units = realloc(building->units, capacity * sizeof *units);
        if (!units) {
            return false;
        }
        building->units = units;
        building->capacity = capacity;
    }
    uint32_t first = (uint32_t)building->count;
    for (uint32_t k = first; k < first + BLOCK; k++) {
        building->units[k] = (struct tn_trie_unit){k + 1, free_unit, k - 1, 0};
    }
    uint32_t last = first + BLOCK - 1;
    building->count += BLOCK;
    struct tn_trie_unit *units = building->units;
    if (building->free == free_unit) {
        units[first].value = last;
        units[last].base = first;
    } else {
        uint32_t before = units[building->free].value;
        units[before].base = first;
        units[first].value = before;
        units[last].base = building->free;
        units[building->free].value = last;
    }
    building->free = first;
    return true;
}

static void take(struct building *building, uint32_t unit, uint32_t check)
{
    struct tn_trie_unit *units = building->units;
    uint32_t next = units[unit].base;
    uint32_t before = units[unit].value;
    units[before].base = next;
    units[next].value = before;
    if (building->free == unit) {
        building->free = next == unit ? free_unit : next;
    }
    units[unit] = (struct tn_trie_unit){0, check, TN_TRIE_NONE, 0};
}

static bool all_free(const struct building *building, uint32_t base, const unsigned char *labels, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (building->units[base ^ labels[k]].check != free_unit) {
            return false;
        }
    }
    return true;
}

/* A base for these children. Only some places are tried, each time others: gaps are cheaper than a long search. */
static bool find_base(struct building *building, const unsigned char *labels, size_t count, uint32_t *base)
{
    for (size_t tried = 0; building->free != free_unit && tried < PLACES_TRIED; tried++) {
        *base = building->free ^ labels[0];
        if (all_free(building, *base, labels, count)) {
            return true;
        }
        building->free = building->units[building->free].base;
    }
    *base = (uint32_t)building->count;
    return add_block(building);
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

static unsigned char byte_at(const struct tn_trie_key *key, size_t depth)
{
    return (unsigned char)key->text.data[depth];
}

static void sort_few(struct tn_trie_key *keys, size_t count, size_t depth)
{
    for (size_t k = 1; k < count; k++) {
        struct tn_trie_key key = keys[k];
        size_t at = k;
        for (; at && byte_at(&keys[at - 1], depth) > byte_at(&key, depth); at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = key;
    }
}

static void sort_many(struct tn_trie_key *keys, struct tn_trie_key *scratch, size_t count, size_t depth)
{
    size_t starts[BLOCK + 1] = {0};
    for (size_t k = 0; k < count; k++) {
        starts[byte_at(&keys[k], depth) + 1]++;
    }
    for (size_t byte = 0; byte < BLOCK; byte++) {
        starts[byte + 1] += starts[byte];
    }
    for (size_t k = 0; k < count; k++) {
        scratch[starts[byte_at(&keys[k], depth)]++] = keys[k];
    }
    memcpy(keys, scratch, count * sizeof *keys);
}

/* Takes the keys that end at this depth off the front of [from, to), and gives their value to the unit. */
static void take_ended(struct building *building, struct task *task)
{
    struct tn_trie_key *keys = building->keys;
    for (size_t k = task->from; k < task->to; k++) {
        if (keys[k].text.size == task->depth) {
            struct tn_trie_unit *unit = &building->units[task->unit];
            if (task->depth && (unit->value == TN_TRIE_NONE || keys[k].value > unit->value)) {
                unit->value = keys[k].value;
            }
            keys[k] = keys[task->from++];
        }
    }
}

/* ---- building ----------------------------------------------------------------------------------------------------- */

static void add_rest(struct building *building, const struct tn_trie_key *key, size_t depth, uint32_t unit)
{
    size_t size = key->text.size - depth;
    building->units[unit].rest = building->rest_count;
    building->rests[building->rest_count++] = (struct tn_trie_rest){key->value, (uint32_t)size, building->bytes_size};
    memcpy(building->bytes + building->bytes_size, key->text.data + depth, size);
    building->bytes_size += size;
}

/* The bytes with which sorted keys go on, each once; their number. */
static size_t labels_of(const struct tn_trie_key *keys, size_t count, size_t depth, unsigned char labels[BLOCK])
{
    size_t label_count = 1;
    labels[0] = byte_at(&keys[0], depth);
    for (size_t k = 1; k < count; k++) {
        if (byte_at(&keys[k], depth) != labels[label_count - 1]) {
            labels[label_count++] = byte_at(&keys[k], depth);
        }
    }
    return label_count;
}

static void sort(struct building *building, struct tn_trie_key *keys, size_t count, size_t depth)
{
    if (count <= INSERTION_KEYS) {
        sort_few(keys, count, depth);
    } else {
        sort_many(keys, building->scratch, count, depth);
    }
}

static bool run_task(struct building *building, struct task task)
{
    take_ended(building, &task);
    struct tn_trie_key *keys = building->keys + task.from;
    size_t count = task.to - task.from;
    if (count == 0) {
        return true;
    }
    if (count == 1) {
        add_rest(building, keys, task.depth, task.unit);
        return true;
    }
    sort(building, keys, count, task.depth);
    unsigned char labels[BLOCK];
    size_t label_count = labels_of(keys, count, task.depth, labels);
    uint32_t base;
    if (!find_base(building, labels, label_count, &base)) {
        return false;
    }
    building->units[task.unit].base = base;
    for (size_t k = 0, label = 0; label < label_count; label++) {
        size_t from = k;
        for (k++; k < count && byte_at(&keys[k], task.depth) == labels[label]; k++) {
        }
        take(building, base ^ labels[label], task.unit);
        building->tasks[building->task_count++] =
            (struct task){task.from + from, task.from + k, task.depth + 1, base ^ labels[label]};
    }
    return true;
}

static bool build(struct building *building, size_t key_count)
{
    if (!add_block(building)) {
        return false;
    }
    take(building, TN_TRIE_ROOT, root_check);
    building->tasks[building->task_count++] = (struct task){0, key_count, 0, TN_TRIE_ROOT};
    while (building->task_count) {
        if (!run_task(building, building->tasks[--building->task_count])) {
            return false;
        }
    }
    return true;
}

/* Free units get what a lookup may read. */
static bool store(struct tn_arena *arena, const struct building *building, struct tn_trie *trie)
{
    struct tn_trie_unit *units = TN_NEW_ARRAY(arena, struct tn_trie_unit, building->count);
    if (!units) {
        return false;
    }
    for (size_t k = 0; k < building->count; k++) {
        bool free = building->units[k].check == free_unit;
        units[k] = free ? (struct tn_trie_unit){0, free_unit, TN_TRIE_NONE, 0} : building->units[k];
    }
    *trie = (struct tn_trie){units, building->count, building->rests, building->bytes};
    return true;
}

/* Beyond TN_TRIE_BYTES_LIMIT where they are more. */
static size_t bytes_of(const struct tn_trie_key *keys, size_t count)
{
    size_t bytes = 0;
    for (size_t k = 0; k < count && bytes <= TN_TRIE_BYTES_LIMIT; k++) {
        bytes = keys[k].text.size > TN_TRIE_BYTES_LIMIT ? SIZE_MAX : bytes + keys[k].text.size;
    }
    return bytes;
}

static bool start(struct building *building, struct tn_arena *arena, size_t count, size_t bytes)
{
    building->scratch = malloc(count * sizeof *building->scratch);
    building->tasks = malloc((count + 1) * sizeof *building->tasks);
    building->rests = TN_NEW_ARRAY(arena, struct tn_trie_rest, count + 1);
    building->bytes = tn_arena_alloc(arena, bytes);
    building->rest_count = 1;
    return building->scratch && building->tasks && building->rests && building->bytes;
}

bool tn_trie_build(struct tn_arena *arena, struct tn_trie_key *keys, size_t count, struct tn_trie *trie,
                   struct tn_error *error)
{
    *trie = (struct tn_trie){0};
    if (count == 0) {
        return true;
    }
    size_t bytes = bytes_of(keys, count);
    if (bytes > TN_TRIE_BYTES_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "tokens of more than %d MiB in all", TN_TRIE_BYTES_LIMIT >> 20);
    }
    struct building building = {.keys = keys, .free = free_unit};
    bool built = start(&building, arena, count, bytes) && build(&building, count) && store(arena, &building, trie);
    free(building.scratch);
    free(building.tasks);
    free(building.units);
    return built || tn_fail_memory(error);
}

/* A text on its way from the root. */
struct walk {
    const struct tn_trie *trie;
    struct tn_str text;
    size_t at; /* bytes passed */
    uint32_t unit;
    bool ended;
};

/* The value of the next key that begins the text up to `at`; TN_TRIE_NONE where there is none. */
static uint32_t next_key(struct walk *walk)
{
    const struct tn_trie *trie = walk->trie;
    while (walk->at < walk->text.size && tn_trie_step(trie, &walk->unit, walk->text.data[walk->at])) {
        walk->at++;
        if (trie->units[walk->unit].value != TN_TRIE_NONE) {
            return trie->units[walk->unit].value;
        }
    }
    const struct tn_trie_rest *rest =
        walk->ended ? NULL : tn_trie_rest(trie, walk->unit, tn_str_slice(walk->text, walk->at, walk->text.size));
    walk->ended = true;
    if (!rest) {
        return TN_TRIE_NONE;
    }
    walk->at += rest->size;
    return rest->value;
}

size_t tn_trie_longest(const struct tn_trie *trie, struct tn_str text, size_t most)
{
    size_t longest = 0;
    struct walk walk = {.trie = trie, .text = text, .unit = TN_TRIE_ROOT};
    for (size_t found = 0; trie->units && found < most && next_key(&walk) != TN_TRIE_NONE; found++) {
        longest = walk.at;
    }
    return longest;
}

uint32_t tn_trie_find(const struct tn_trie *trie, struct tn_str key)
{
    struct walk walk = {.trie = trie, .text = key, .unit = TN_TRIE_ROOT};
    while (trie->units) {
        uint32_t value = next_key(&walk);
        if (value == TN_TRIE_NONE || walk.at == key.size) {
            return value;
        }
    }
    return TN_TRIE_NONE;
}

bool tn_trie_begins(const struct tn_trie *trie, char byte)
{
    uint32_t unit = TN_TRIE_ROOT;
    if (!trie->units) {
        return false;
    }
    uint32_t rest = trie->units[TN_TRIE_ROOT].rest;
    return rest ? trie->bytes[trie->rests[rest].from] == byte : tn_trie_step(trie, &unit, byte);
}
