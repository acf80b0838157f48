/* Sorting the tensors of a header into stacks, rows and kinds of layers. */
#include "model/draft_parts.h"

#include <string.h>

/* What lies about its layers must not cost gigabytes: MOST_CELLS bounds rows x layers. */
enum { LAYER_LIMIT = 4096, FIRST_ROWS = 64, MOST_STACKS = 64, MOST_CELLS = 1 << 24 };

/* A name cut at its first number between dots. */
struct cut {
    struct tn_str prefix; /* up to the number, with the dot */
    struct tn_str rest;   /* behind the dot that follows the number */
    uint32_t number;
    bool found;
};

bool tn_draft_has_word(struct tn_str text, const char *words)
{
    struct tn_str rest = tn_str_of(words);
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        if (tn_str_find(text, word) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

static struct cut cut_name(struct tn_str name)
{
    struct cut cut = {0};
    for (size_t start = 0; start < name.size;) {
        size_t end = start;
        uint32_t number = 0;
        bool is_number = true;
        for (; end < name.size && name.data[end] != '.'; end++) {
            is_number = is_number && name.data[end] >= '0' && name.data[end] <= '9' && end - start < 4;
            number = is_number ? number * 10 + (uint32_t)(name.data[end] - '0') : 0;
        }
        bool is_canonical = end - start == 1 || (end > start && name.data[start] != '0'); /* 01 is no layer */
        if (is_number && is_canonical && end + 1 < name.size && number < LAYER_LIMIT) {
            cut = (struct cut){tn_str_slice(name, 0, start), tn_str_slice(name, end + 1, name.size), number, true};
            return cut;
        }
        start = end + 1;
    }
    return cut;
}

/* Blanks, braces, quotes and comments would read as something else in a record. */
static bool can_be_written(struct tn_str name)
{
    for (size_t k = 0; k < name.size; k++) {
        unsigned char one = (unsigned char)name.data[k];
        if (one <= ' ' || one > '~' || strchr("{}[]\"#\\", one)) {
            return false;
        }
    }
    return name.size > 0;
}

/* The text with {mark} in the place of the number that was cut out. */
static bool join(struct tn_arena *arena, const struct cut *cut, const char *mark, struct tn_str *text)
{
    struct tn_builder builder = {0};
    tn_builder_add(&builder, cut->prefix);
    tn_builder_add_text(&builder, mark);
    tn_builder_add(&builder, cut->rest);
    bool done = !builder.failed && tn_str_copy(arena, tn_builder_str(&builder), text);
    tn_builder_free(&builder);
    return done;
}

/* ---- stacks ------------------------------------------------------------------------------------------------------- */

struct sorter {
    struct tn_draft_parts *parts;
    const struct tn_header *header;
    struct tn_map prefixes; /* -> stack */
    struct tn_map names;    /* stack's prefix and rest -> row */
};

static bool add_stack(struct sorter *sorter, struct tn_str prefix, uint32_t *index)
{
    struct tn_draft_parts *parts = sorter->parts;
    uint32_t existing;
    size_t count = parts->stack_count;
    *index = tn_map_find(&sorter->prefixes, prefix);
    if (*index != TN_MAP_NONE || count == MOST_STACKS) {
        return true;
    }
    if (!tn_map_insert(parts->arena, &sorter->prefixes, prefix, (uint32_t)count, &existing)) {
        return false;
    }
    *index = (uint32_t)count;
    void *stacks = tn_arena_grow(parts->arena, parts->stacks, count, count + 1, sizeof *parts->stacks);
    bool *layers = TN_NEW_ARRAY(parts->arena, bool, LAYER_LIMIT);
    if (!stacks || !layers) {
        return false;
    }
    parts->stacks = stacks;
    parts->stacks[count] = (struct tn_draft_stack){.prefix = prefix, .seen = layers, .first = LAYER_LIMIT};
    parts->stack_count++;
    return true;
}

static bool find_stacks(struct sorter *sorter)
{
    for (size_t k = 0; k < sorter->header->count; k++) {
        const struct tn_tensor *tensor = &sorter->header->tensors[k];
        struct cut cut = cut_name(tensor->name);
        uint32_t index;
        if (!cut.found || !can_be_written(tensor->name)) {
            continue;
        }
        if (!add_stack(sorter, cut.prefix, &index)) {
            return false;
        }
        if (index == TN_MAP_NONE) {
            continue;
        }
        struct tn_draft_stack *stack = &sorter->parts->stacks[index];
        stack->first = cut.number < stack->first ? cut.number : stack->first;
        stack->last = cut.number > stack->last ? cut.number : stack->last;
        stack->tensor_count++;
        stack->elements += tensor->bytes;
        stack->seen[cut.number] = true;
    }
    for (size_t s = 0; s < sorter->parts->stack_count; s++) {
        struct tn_draft_stack *stack = &sorter->parts->stacks[s];
        stack->is_real = true;
        for (uint32_t layer = stack->first; layer <= stack->last; layer++) {
            stack->is_real = stack->is_real && stack->seen[layer];
        }
    }
    return true;
}

/* The decoder is the heaviest stack that is no tower, or the heaviest of all. */
static struct tn_draft_stack *find_text(const struct tn_draft_parts *parts)
{
    struct tn_draft_stack *best = NULL;
    for (int round = 0; !best && round < 2; round++) {
        for (size_t k = 0; k < parts->stack_count; k++) {
            struct tn_draft_stack *stack = &parts->stacks[k];
            bool is_tower = tn_draft_has_word(stack->prefix, "vis audio encoder speech mtp");
            if (stack->is_real && (round == 1 || !is_tower) && (!best || stack->elements > best->elements)) {
                best = stack;
            }
        }
    }
    return best;
}

static bool name_is_taken(const struct tn_draft_parts *parts, struct tn_str name)
{
    for (size_t k = 0; k < parts->stack_count; k++) {
        if (tn_str_equal(parts->stacks[k].name, name)) {
            return true;
        }
    }
    return false;
}

static bool name_stacks(struct tn_draft_parts *parts)
{
    static const char *const names[][2] = {
        {"vis", "vision"}, {"audio", "audio"}, {"speech", "audio"}, {"encoder", "encoder"}, {"mtp", "mtp"}};
    struct tn_draft_stack *text = find_text(parts);
    if (text) {
        text->name = TN_STR("text");
    }
    for (size_t k = 0; k < parts->stack_count; k++) {
        struct tn_draft_stack *stack = &parts->stacks[k];
        const char *base = "stack";
        for (size_t n = sizeof names / sizeof names[0]; n-- > 0;) {
            base = tn_str_find(stack->prefix, tn_str_of(names[n][0])) != SIZE_MAX ? names[n][1] : base;
        }
        for (unsigned number = 1; stack->is_real && !stack->name.size; number++) {
            struct tn_builder name = {0};
            struct tn_str copy;
            tn_builder_add_text(&name, base);
            if (number > 1) {
                tn_builder_add_u64(&name, number);
            }
            bool done = !name.failed && tn_str_copy(parts->arena, tn_builder_str(&name), &copy);
            tn_builder_free(&name);
            if (!done) {
                return false;
            }
            stack->name = name_is_taken(parts, copy) ? stack->name : copy;
        }
    }
    return true;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static struct tn_draft_row *add_row(struct tn_draft_parts *parts, struct tn_str name, int32_t stack)
{
    if (parts->row_count == parts->row_capacity) {
        size_t capacity = parts->row_capacity ? 2 * parts->row_capacity : FIRST_ROWS;
        void *grown = tn_arena_grow(parts->arena, parts->rows, parts->row_count, capacity, sizeof *parts->rows);
        if (!grown) {
            return NULL;
        }
        parts->rows = grown;
        parts->row_capacity = capacity;
    }
    uint32_t layers = stack == TN_DRAFT_NO_STACK ? 1 : tn_draft_layers(&parts->stacks[stack]);
    parts->cells += layers;
    if (parts->cells > MOST_CELLS) {
        return NULL;
    }
    struct tn_draft_row *row = &parts->rows[parts->row_count++];
    *row = (struct tn_draft_row){.name = name, .stack = stack, .copies = 1};
    row->tensors = TN_NEW_ARRAY(parts->arena, const struct tn_tensor *, layers);
    return row->tensors ? row : NULL;
}

/* The row of a tensor in a stack, added where it is new. */
static struct tn_draft_row *find_row(struct sorter *sorter, const struct cut *cut, uint32_t stack)
{
    struct tn_str key;
    if (!join(sorter->parts->arena, cut, "{i}.", &key)) {
        return NULL;
    }
    uint32_t found = tn_map_find(&sorter->names, key);
    if (found != TN_MAP_NONE) {
        return &sorter->parts->rows[found];
    }
    uint32_t existing;
    uint32_t index = (uint32_t)sorter->parts->row_count;
    struct tn_draft_row *row = add_row(sorter->parts, cut->rest, (int32_t)stack);
    bool done = row && tn_map_insert(sorter->parts->arena, &sorter->names, key, index, &existing);
    return done ? row : NULL;
}

static bool find_rows(struct sorter *sorter)
{
    struct tn_draft_parts *parts = sorter->parts;
    for (size_t k = 0; k < sorter->header->count; k++) {
        const struct tn_tensor *tensor = &sorter->header->tensors[k];
        struct cut cut = cut_name(tensor->name);
        if (!can_be_written(tensor->name)) {
            parts->left_out++;
            continue;
        }
        uint32_t stack = cut.found ? tn_map_find(&sorter->prefixes, cut.prefix) : TN_MAP_NONE;
        bool in_stack = stack != TN_MAP_NONE && parts->stacks[stack].is_real;
        struct tn_draft_row *row =
            in_stack ? find_row(sorter, &cut, stack) : add_row(parts, tensor->name, TN_DRAFT_NO_STACK);
        if (!row) {
            return false;
        }
        if (row->tensor_count && row->dim_count != tensor->dim_count) {
            parts->left_out++;
            continue;
        }
        row->dim_count = tensor->dim_count;
        row->tensors[in_stack ? cut.number - parts->stacks[stack].first : 0] = tensor;
        row->tensor_count++;
    }
    return true;
}

/* ---- experts ------------------------------------------------------------------------------------------------------ */

static bool same_tensor(const struct tn_tensor *a, const struct tn_tensor *b)
{
    if (!a || !b) {
        return a == b;
    }
    return a->dtype == b->dtype && a->dim_count == b->dim_count
           && !memcmp(a->dims, b->dims, a->dim_count * sizeof *a->dims);
}

static bool same_tensors(const struct tn_draft_parts *parts, const struct tn_draft_row *a, const struct tn_draft_row *b)
{
    for (uint32_t k = 0; k < tn_draft_layers(&parts->stacks[a->stack]); k++) {
        if (!same_tensor(a->tensors[k], b->tensors[k])) {
            return false;
        }
    }
    return true;
}

/* Rows that differ in one further number, which counts from 0 in the order of the rows: copies of the first. */
struct fold {
    uint32_t first; /* row */
    uint64_t count;
    bool is_broken;
};

static bool fold_key(struct tn_draft_parts *parts, const struct tn_draft_row *row, const struct cut *cut,
                     struct tn_str *pattern, struct tn_str *key)
{
    struct cut of_stack = {.prefix = parts->stacks[row->stack].prefix};
    if (!join(parts->arena, cut, "{e}.", pattern)) {
        return false;
    }
    of_stack.rest = *pattern;
    return join(parts->arena, &of_stack, "{i}.", key);
}

/* fold_of: for each row the fold that it may belong to; TN_MAP_NONE where its name has no further number. */
static bool find_folds(struct tn_draft_parts *parts, struct fold *folds, uint32_t *fold_of)
{
    struct tn_map keys = {0};
    size_t count = 0;
    for (uint32_t k = 0; k < parts->row_count; k++) {
        struct tn_draft_row *row = &parts->rows[k];
        struct cut cut = row->stack == TN_DRAFT_NO_STACK ? (struct cut){0} : cut_name(row->name);
        struct tn_str pattern;
        struct tn_str key;
        uint32_t existing;
        fold_of[k] = TN_MAP_NONE;
        if (!cut.found) {
            continue;
        }
        if (!fold_key(parts, row, &cut, &pattern, &key)
            || !tn_map_insert(parts->arena, &keys, key, (uint32_t)count, &existing)) {
            return false;
        }
        fold_of[k] = existing == TN_MAP_NONE ? (uint32_t)count : existing;
        if (existing == TN_MAP_NONE) {
            folds[count++] = (struct fold){.first = k};
        }
        struct fold *fold = &folds[fold_of[k]];
        fold->is_broken = fold->is_broken || !same_tensors(parts, &parts->rows[fold->first], row);
        fold->count++;
    }
    return true;
}

/* Rows are in the order of the file, which need not be that of the numbers: none may be as large as their count. */
static void break_folds(const struct tn_draft_parts *parts, struct fold *folds, const uint32_t *fold_of)
{
    for (uint32_t k = 0; k < parts->row_count; k++) {
        struct fold *fold = fold_of[k] == TN_MAP_NONE ? NULL : &folds[fold_of[k]];
        if (fold && (fold->count < 2 || cut_name(parts->rows[k].name).number >= fold->count)) {
            fold->is_broken = true;
        }
    }
}

static bool fold_experts(struct tn_draft_parts *parts)
{
    struct fold *folds = TN_NEW_ARRAY(parts->arena, struct fold, parts->row_count);
    uint32_t *fold_of = TN_NEW_ARRAY(parts->arena, uint32_t, parts->row_count);
    if (!folds || !fold_of || !find_folds(parts, folds, fold_of)) {
        return false;
    }
    break_folds(parts, folds, fold_of);
    for (uint32_t k = 0; k < parts->row_count; k++) {
        const struct fold *fold = fold_of[k] == TN_MAP_NONE ? NULL : &folds[fold_of[k]];
        if (!fold || fold->is_broken) {
            continue;
        }
        struct tn_draft_row *row = &parts->rows[k];
        struct cut cut = cut_name(row->name);
        row->copies = fold->count;
        row->is_folded = k != fold->first;
        if (!row->is_folded && !join(parts->arena, &cut, "{e}.", &row->name)) {
            return false;
        }
    }
    return true;
}

/* ---- kinds of layers ---------------------------------------------------------------------------------------------- */

/* Splits the kinds that there are by whether their layers have the row's tensor. */
static bool refine(struct tn_draft_parts *parts, const struct tn_draft_row *row)
{
    struct tn_draft_stack *stack = &parts->stacks[row->stack];
    uint32_t layers = tn_draft_layers(stack);
    uint32_t *kinds = stack->kinds[row->slot];
    uint32_t before = stack->kind_counts[row->slot];
    uint32_t count = 0;
    uint32_t *renamed = TN_NEW_ARRAY(parts->arena, uint32_t, 2 * (size_t)before);
    if (!renamed) {
        return false;
    }
    for (uint32_t k = 0; k < layers; k++) {
        uint32_t *name = &renamed[2 * kinds[k] + (row->tensors[k] ? 1 : 0)];
        *name = *name ? *name : ++count;
        kinds[k] = *name - 1;
    }
    stack->kind_counts[row->slot] = count;
    return true;
}

static bool find_kinds(struct tn_draft_parts *parts)
{
    for (size_t s = 0; s < parts->stack_count; s++) {
        struct tn_draft_stack *stack = &parts->stacks[s];
        for (int slot = 0; stack->is_real && slot < TN_SLOT_COUNT; slot++) {
            stack->kinds[slot] = TN_NEW_ARRAY(parts->arena, uint32_t, tn_draft_layers(stack));
            stack->kind_counts[slot] = 1;
            if (!stack->kinds[slot]) {
                return false;
            }
        }
    }
    for (size_t k = 0; k < parts->row_count; k++) {
        struct tn_draft_row *row = &parts->rows[k];
        bool in_stack = row->stack != TN_DRAFT_NO_STACK && !row->is_folded;
        bool is_ffn = tn_draft_has_word(row->name, "mlp ffn feed_forward moe expert fc1 fc2 Dense block_sparse");
        row->slot = is_ffn ? TN_SLOT_FFN : TN_SLOT_MIXER;
        bool is_partial = in_stack && row->tensor_count < tn_draft_layers(&parts->stacks[row->stack]);
        if (is_partial && !refine(parts, row)) {
            return false;
        }
    }
    return true;
}

bool tn_draft_sort(const struct tn_header *header, struct tn_arena *arena, struct tn_draft_parts *parts,
                   struct tn_error *error)
{
    *parts = (struct tn_draft_parts){.arena = arena};
    struct sorter sorter = {.parts = parts, .header = header};
    bool done =
        find_stacks(&sorter) && name_stacks(parts) && find_rows(&sorter) && fold_experts(parts) && find_kinds(parts);
    if (parts->cells > MOST_CELLS) {
        return tn_fail(error, TN_ERROR_TOO_LARGE,
                       "no record can be drafted: too many tensors differ from layer to layer");
    }
    return done || tn_fail_memory(error);
}
