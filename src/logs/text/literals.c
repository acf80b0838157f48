/* Building the table, and running over it. */
#include "logs/text/literals.h"

#include <limits.h>
#include <string.h>

enum { BYTES = UCHAR_MAX + 1, FOUND = 0x8000, MOST_STATES = 0x7FFF };

struct tn_literals {
    uint16_t *
        next; /* [state_count << class_bits]: the state after a byte of the class; with FOUND where literals end there */
    unsigned class_bits;
    uint8_t classes[BYTES]; /* 0: in no literal */
    uint16_t *ends;         /* [end_count], those of one state side by side */
    uint32_t *first_end;    /* [state_count + 1] */
};

/* ---- building ----------------------------------------------------------------------------------------------------- */

struct build {
    struct tn_literals *table;
    struct tn_arena *arena;
    const struct tn_str *literals;
    size_t count;
    size_t state_count;
    uint16_t *fails; /* [state_count]: the longest other beginning that ends here */
    uint16_t *order; /* [state_count]: shorter beginnings first */
    uint16_t *whole; /* [state_count]: 1 + the last literal that is this beginning; 0: none */
    uint16_t *same;  /* [count]: 1 + the literal before it that is the same; 0: none */
};

static void number_classes(struct build *build)
{
    unsigned classes = 1;
    for (size_t k = 0; k < build->count; k++) {
        for (size_t n = 0; n < build->literals[k].size; n++) {
            uint8_t *class = &build->table->classes[(unsigned char)build->literals[k].data[n]];
            *class = *class ? *class : (uint8_t)classes++;
        }
    }
    while ((1U << build->table->class_bits) < classes) {
        build->table->class_bits++;
    }
}

static uint16_t *step(const struct build *build, size_t state, unsigned class)
{
    return &build->table->next[(state << build->table->class_bits) + class];
}

/* The tree of all beginnings; state 0 is the empty one, and as a successor stands for none. */
static void plant(struct build *build)
{
    build->state_count = 1;
    for (size_t k = 0; k < build->count; k++) {
        size_t state = 0;
        for (size_t n = 0; n < build->literals[k].size; n++) {
            uint16_t *next = step(build, state, build->table->classes[(unsigned char)build->literals[k].data[n]]);
            *next = *next ? *next : (uint16_t)build->state_count++;
            state = *next;
        }
        build->same[k] = build->whole[state];
        build->whole[state] = (uint16_t)(k + 1);
    }
}

/* In the order of their lengths each state gets the successors that it lacks from what it fails to. */
static void connect(struct build *build)
{
    unsigned classes = 1U << build->table->class_bits;
    size_t count = 1;
    for (size_t at = 0; at < count; at++) {
        size_t state = build->order[at];
        for (unsigned class = 0; class < classes; class ++) {
            uint16_t *next = step(build, state, class);
            uint16_t other = state ? *step(build, build->fails[state], class) : 0;
            if (*next) {
                build->fails[*next] = other;
                build->order[count++] = *next;
            } else {
                *next = other;
            }
        }
    }
}

/* How many literals end in the state, those of what it fails to with them. */
static size_t add_ends(const struct build *build, size_t state, uint16_t *ends)
{
    size_t count = 0;
    for (size_t at = state; at; at = build->fails[at]) {
        for (size_t k = build->whole[at]; k; k = build->same[k - 1]) {
            if (ends) {
                ends[count] = (uint16_t)(k - 1);
            }
            count++;
        }
    }
    return count;
}

static bool list_ends(struct build *build)
{
    struct tn_literals *table = build->table;
    size_t count = 0;
    for (size_t state = 0; state < build->state_count; state++) {
        count += add_ends(build, state, NULL);
    }
    table->ends = TN_NEW_ARRAY(build->arena, uint16_t, count + 1);
    table->first_end = TN_NEW_ARRAY(build->arena, uint32_t, build->state_count + 1);
    if (!table->ends || !table->first_end) {
        return false;
    }
    count = 0;
    for (size_t state = 0; state < build->state_count; state++) {
        table->first_end[state] = (uint32_t)count;
        count += add_ends(build, state, table->ends + count);
    }
    table->first_end[build->state_count] = (uint32_t)count;
    for (size_t k = 0; k < build->state_count << table->class_bits; k++) {
        size_t next = table->next[k];
        table->next[k] = (uint16_t)(next | (table->first_end[next + 1] > table->first_end[next] ? FOUND : 0));
    }
    return true;
}

const struct tn_literals *tn_literals_new(const struct tn_str *literals, size_t count, struct tn_arena *arena,
                                          struct tn_error *error)
{
    struct build build = {
        .table = TN_NEW(arena, struct tn_literals), .arena = arena, .literals = literals, .count = count};
    size_t most = 1;
    for (size_t k = 0; k < count; k++) {
        most += literals[k].size;
    }
    if (most > MOST_STATES || count >= UINT16_MAX) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "the shapes of log lines have more than %d characters", MOST_STATES);
        return NULL;
    }
    if (build.table) {
        number_classes(&build);
        build.table->next = TN_NEW_ARRAY(arena, uint16_t, most << build.table->class_bits);
    }
    build.fails = TN_NEW_ARRAY(arena, uint16_t, most);
    build.order = TN_NEW_ARRAY(arena, uint16_t, most);
    build.whole = TN_NEW_ARRAY(arena, uint16_t, most);
    build.same = TN_NEW_ARRAY(arena, uint16_t, count + 1);
    if (!build.table || !build.table->next || !build.fails || !build.order || !build.whole || !build.same) {
        tn_fail_memory(error);
        return NULL;
    }
    plant(&build);
    connect(&build);
    if (!list_ends(&build)) {
        tn_fail_memory(error);
        return NULL;
    }
    return build.table;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

bool tn_literals_next(const struct tn_literals *literals, struct tn_str text, size_t *position, unsigned *state)
{
    const uint16_t *next = literals->next;
    const uint8_t *classes = literals->classes;
    const unsigned bits = literals->class_bits;
    unsigned now = *state;
    size_t k = *position;
    while (k < text.size) {
        unsigned after = next[((size_t)now << bits) + classes[(unsigned char)text.data[k++]]];
        now = after & ~(unsigned)FOUND;
        if (after & FOUND) {
            *position = k;
            *state = now;
            return true;
        }
    }
    *position = k;
    *state = now;
    return false;
}

const uint16_t *tn_literals_found(const struct tn_literals *literals, unsigned state, size_t *count)
{
    uint32_t first = literals->first_end[state];
    *count = literals->first_end[state + 1] - first;
    return literals->ends + first;
}
