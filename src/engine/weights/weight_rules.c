/* Reading `weights` and `storage` records. What they mean for a model is not known here. */
#include "engine/weights/weight_rules.h"

#include "catalog/kept.h"
#include "model/patterns.h"

enum { MOST_ANCESTORS = 4 };

struct reader {
    const struct tn_catalog *catalog;
    const struct tn_record *record; /* whose lines are read */
    const struct tn_statement *statement;
    struct tn_arena *arena;
    struct tn_weight_rules *rules;
    struct tn_storage *storage; /* that is read; NULL in a `weights` record */
    struct tn_error *error;
};

static bool fail_line(struct reader *reader, const char *message)
{
    tn_fail(reader->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT "'", message,
            TN_STR_ARGUMENTS(reader->statement->rest));
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                      reader->statement->line);
}

static struct tn_rule_line line_of(const struct reader *reader)
{
    return (struct tn_rule_line){reader->record, reader->statement->line};
}

/* Room for one more item, set to zero: `item = ADD(reader, rules->params, rules->param_count)`; NULL when memory is out. */
#define ADD(reader, items, count) add_item((reader), (void **)&(items), &(count), sizeof *(items))

static void *add_item(struct reader *reader, void **items, size_t *count, size_t size)
{
    void *grown = tn_arena_grow(reader->arena, *items, *count, *count + 1, size);
    if (!grown) {
        (void)tn_fail_memory(reader->error);
        return NULL;
    }
    *items = grown;
    return (char *)grown + size * (*count)++;
}

/* ---- parts of statements -------------------------------------------------------------------------------------------- */

static bool take_expression(struct reader *reader, struct tn_str *rest, const struct tn_expression **expression)
{
    size_t consumed;
    if (!tn_expression_parse(reader->arena, *rest, expression, &consumed, reader->error)) {
        return tn_fail_in_record(reader->record, reader->statement->line, reader->error);
    }
    *rest = tn_str_trim(tn_str_slice(*rest, consumed, rest->size));
    return true;
}

/* An optional "when CONDITION", to the end of the line. */
static bool take_when(struct reader *reader, struct tn_str rest, const struct tn_expression **when)
{
    if (!rest.size) {
        return true;
    }
    if (!tn_str_is(tn_str_word(&rest), "when") || !take_expression(reader, &rest, when)) {
        return fail_line(reader, "expected 'when CONDITION'");
    }
    return !rest.size || fail_line(reader, "cannot read what follows the condition");
}

/* A dtype, or "model": NULL. */
static bool take_dtype(struct reader *reader, struct tn_str *rest, const struct tn_dtype **dtype)
{
    struct tn_str word = tn_str_word(rest);
    *dtype = tn_str_is(word, "model") ? NULL : tn_dtype_find(word);
    return *dtype || tn_str_is(word, "model") || fail_line(reader, "expected a dtype, or 'model'");
}

/* GLOB..., until "when" or the end. */
static bool take_globs(struct reader *reader, struct tn_str *rest, struct tn_globs *globs)
{
    while (rest->size && !tn_str_starts(*rest, TN_STR("when "))) {
        struct tn_str *item = ADD(reader, globs->items, globs->count);
        if (!item) {
            return false;
        }
        *item = tn_str_word(rest);
    }
    return true;
}

static bool read_globs(struct reader *reader, struct tn_globs *globs)
{
    struct tn_str rest = reader->statement->rest;
    return take_globs(reader, &rest, globs) && (!rest.size || fail_line(reader, "a condition has no place here"));
}

static bool read_number(struct reader *reader, uint64_t *number)
{
    struct tn_str rest = reader->statement->rest;
    *number = 0;
    while (rest.size && rest.data[0] >= '0' && rest.data[0] <= '9' && *number < UINT32_MAX) {
        *number = 10 * *number + (uint64_t)(rest.data[0] - '0');
        rest = tn_str_slice(rest, 1, rest.size);
    }
    return !rest.size || fail_line(reader, "expected a number");
}

/* NAME = EXPRESSION */
static bool read_symbol(struct reader *reader, struct tn_symbol_rule *param)
{
    struct tn_str rest = reader->statement->rest;
    if (!param) {
        return false;
    }
    param->name = tn_str_word(&rest);
    param->line = line_of(reader);
    if (!tn_str_is(tn_str_word(&rest), "=") || !take_expression(reader, &rest, &param->expression) || rest.size) {
        return fail_line(reader, "expected 'param NAME = EXPRESSION'");
    }
    return true;
}

/* refuse CONDITION : TEXT */
static bool read_refusal(struct reader *reader, struct tn_refusal_rule *refusal)
{
    struct tn_str rest = reader->statement->rest;
    if (!refusal) {
        return false;
    }
    refusal->line = line_of(reader);
    if (!take_expression(reader, &rest, &refusal->when)) {
        return false;
    }
    if (!rest.size || rest.data[0] != ':') {
        return fail_line(reader, "expected 'refuse CONDITION : TEXT'");
    }
    refusal->text = tn_str_trim(tn_str_slice(rest, 1, rest.size));
    return true;
}

/* ---- storage records -------------------------------------------------------------------------------------------------- */

static bool read_storage_when(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    reader->storage->line = line_of(reader);
    return (take_expression(reader, &rest, &reader->storage->when) && !rest.size)
           || fail_line(reader, "expected 'when CONDITION'");
}

static bool read_plain(struct reader *reader)
{
    reader->storage->takes_plain = true;
    return !reader->statement->rest.size || fail_line(reader, "'plain' stands alone");
}

static bool read_storage_param(struct reader *reader)
{
    return read_symbol(reader, ADD(reader, reader->storage->params, reader->storage->param_count));
}

static bool read_storage_refuse(struct reader *reader)
{
    return read_refusal(reader, ADD(reader, reader->storage->refusals, reader->storage->refusal_count));
}

static struct tn_stored_rule *add_stored(struct reader *reader, enum tn_stored_phase phase, struct tn_str *rest)
{
    struct tn_stored_rule *stored = ADD(reader, reader->storage->stored, reader->storage->stored_count);
    *rest = reader->statement->rest;
    if (stored) {
        stored->phase = phase;
        stored->line = line_of(reader);
        stored->name = tn_str_word(rest);
    }
    return stored;
}

/* NAME DTYPE [dims] [each] [when CONDITION] */
static bool read_stored(struct reader *reader, enum tn_stored_phase phase)
{
    struct tn_str rest;
    struct tn_stored_rule *stored = add_stored(reader, phase, &rest);
    if (!stored || !take_dtype(reader, &rest, &stored->dtype) || !take_expression(reader, &rest, &stored->dims)) {
        return false;
    }
    struct tn_str behind = rest;
    stored->each = tn_str_is(tn_str_word(&behind), "each");
    return take_when(reader, stored->each ? behind : rest, &stored->when);
}

static bool read_tensor(struct reader *reader)
{
    return read_stored(reader, TN_STORED_LOADED);
}

static bool read_passes(struct reader *reader)
{
    return read_stored(reader, TN_STORED_PASSES);
}

static bool read_becomes(struct reader *reader)
{
    return read_stored(reader, TN_STORED_BECOMES);
}

/* NAME [when CONDITION] */
static bool read_drops(struct reader *reader)
{
    struct tn_str rest;
    struct tn_stored_rule *stored = add_stored(reader, TN_STORED_DROPPED, &rest);
    return stored && take_when(reader, rest, &stored->when);
}

/* ---- weights records -------------------------------------------------------------------------------------------------- */

static bool read_vocab(struct reader *reader)
{
    return read_number(reader, &reader->rules->vocab_multiple)
           && (reader->rules->vocab_multiple || fail_line(reader, "expected at least 1"));
}

/* scalars EXPRESSION */
static bool read_scalars(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    reader->rules->scalars_line = line_of(reader);
    return (take_expression(reader, &rest, &reader->rules->scalars) && !rest.size)
           || fail_line(reader, "expected 'scalars EXPRESSION'");
}

/* exact_blocks CONDITION */
static bool read_exact_blocks(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    reader->rules->exact_blocks_line = line_of(reader);
    return (take_expression(reader, &rest, &reader->rules->exact_blocks) && !rest.size)
           || fail_line(reader, "expected 'exact_blocks CONDITION'");
}

static bool read_remainder(struct reader *reader)
{
    static const char *const words[] = {"before-last", "first", "last"}; /* as enum tn_remainder */
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_is(reader->statement->rest, words[k])) {
            reader->rules->remainder = (enum tn_remainder)k;
            return true;
        }
    }
    return fail_line(reader, "expected 'remainder first', 'remainder last' or 'remainder before-last'");
}

/* NAME PART..., or NAME outputs|inputs PART... */
static bool read_merge_of(struct reader *reader, bool of_experts)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_merge *merge = ADD(reader, reader->rules->merges, reader->rules->merge_count);
    if (!merge) {
        return false;
    }
    merge->name = tn_str_word(&rest);
    merge->of_experts = of_experts;
    struct tn_str side = of_experts ? tn_str_word(&rest) : TN_STR("outputs");
    merge->divides_inputs = tn_str_is(side, "inputs");
    while (rest.size && merge->part_count < TN_MOST_PARTS) {
        merge->parts[merge->part_count++] = tn_str_word(&rest);
    }
    bool is_known = merge->divides_inputs || tn_str_is(side, "outputs");
    return (is_known && merge->part_count && !rest.size)
           || fail_line(reader, "expected 'merge NAME PART...' or 'experts NAME outputs|inputs PART...'");
}

static bool read_merge(struct reader *reader)
{
    return read_merge_of(reader, false);
}

static bool read_experts(struct reader *reader)
{
    return read_merge_of(reader, true);
}

static bool read_glob_rule(struct reader *reader, struct tn_glob_rule *rule, struct tn_str rest)
{
    if (!rule) {
        return false;
    }
    rule->line = line_of(reader);
    return take_globs(reader, &rest, &rule->globs) && take_when(reader, rest, &rule->when);
}

/* keep DTYPE GLOB... [when CONDITION] */
static bool read_keep(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    const struct tn_dtype *dtype = tn_dtype_find(tn_str_word(&rest));
    struct tn_glob_rule *keep = ADD(reader, reader->rules->keeps, reader->rules->keep_count);
    if (!read_glob_rule(reader, keep, rest)) {
        return false;
    }
    keep->dtype = dtype;
    return dtype || fail_line(reader, "expected 'keep DTYPE GLOB...'");
}

/* skip GLOB... [when CONDITION] */
static bool read_skip(struct reader *reader)
{
    return read_glob_rule(reader, ADD(reader, reader->rules->skips, reader->rules->skip_count),
                          reader->statement->rest);
}

/* whole GLOB... [when CONDITION] */
static bool read_whole(struct reader *reader)
{
    return read_glob_rule(reader, ADD(reader, reader->rules->wholes, reader->rules->whole_count),
                          reader->statement->rest);
}

/* layers EXPRESSION of GLOB... [when CONDITION] */
static bool read_layers(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    const struct tn_expression *layers;
    if (!take_expression(reader, &rest, &layers)) {
        return false;
    }
    if (!tn_str_is(tn_str_word(&rest), "of")) {
        return fail_line(reader, "expected 'layers EXPRESSION of GLOB...'");
    }
    struct tn_glob_rule *rule = ADD(reader, reader->rules->layers, reader->rules->layer_count);
    if (!read_glob_rule(reader, rule, rest)) {
        return false;
    }
    rule->layers = layers;
    return true;
}

/* DTYPE [dims] [when CONDITION] */
static bool read_buffer_of(struct reader *reader, bool is_rotary)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_sized_rule *buffer = ADD(reader, reader->rules->buffers, reader->rules->buffer_count);
    if (!buffer || !take_dtype(reader, &rest, &buffer->dtype) || !take_expression(reader, &rest, &buffer->size)) {
        return false;
    }
    buffer->is_rotary = is_rotary;
    buffer->line = line_of(reader);
    return take_when(reader, rest, &buffer->when);
}

static bool read_rotary(struct reader *reader)
{
    return read_buffer_of(reader, true);
}

static bool read_buffer(struct reader *reader)
{
    return read_buffer_of(reader, false);
}

/* rows GLOB EXPRESSION [when CONDITION] */
static bool read_rows(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_sized_rule *rows = ADD(reader, reader->rules->rows, reader->rules->row_count);
    if (!rows) {
        return false;
    }
    rows->glob = tn_str_word(&rest);
    rows->line = line_of(reader);
    return take_expression(reader, &rest, &rows->size) && take_when(reader, rest, &rows->when);
}

static bool read_attention(struct reader *reader)
{
    return read_globs(reader, &reader->rules->attention);
}

static bool read_grouped(struct reader *reader)
{
    return read_globs(reader, &reader->rules->grouped);
}

/* A later list replaces an earlier one. */
static bool read_order(struct reader *reader)
{
    reader->rules->order = (struct tn_globs){0};
    return read_globs(reader, &reader->rules->order);
}

static bool read_draft(struct reader *reader)
{
    return read_globs(reader, &reader->rules->draft);
}

/* copies GLOB... [when CONDITION] */
static bool read_copies(struct reader *reader)
{
    return read_glob_rule(reader, ADD(reader, reader->rules->copies, reader->rules->copy_count),
                          reader->statement->rest);
}

/* narrow DTYPE DTYPE */
static bool read_narrow(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    reader->rules->narrow_from = tn_dtype_find(tn_str_word(&rest));
    reader->rules->narrow_to = tn_dtype_find(rest);
    return (reader->rules->narrow_from && reader->rules->narrow_to)
           || fail_line(reader, "expected 'narrow DTYPE DTYPE'");
}

static bool read_param(struct reader *reader)
{
    return read_symbol(reader, ADD(reader, reader->rules->params, reader->rules->param_count));
}

static bool read_refuse(struct reader *reader)
{
    return read_refusal(reader, ADD(reader, reader->rules->refusals, reader->rules->refusal_count));
}

static bool read_storages(struct reader *reader);

struct word {
    const char *word;
    bool (*read)(struct reader *reader);
};

static const struct word weights_words[] = {
    {"vocab", read_vocab},
    {"scalars", read_scalars},
    {"remainder", read_remainder},
    {"merge", read_merge},
    {"experts", read_experts},
    {"keep", read_keep},
    {"skip", read_skip},
    {"rotary", read_rotary},
    {"rows", read_rows},
    {"layers", read_layers},
    {"buffer", read_buffer},
    {"attention", read_attention},
    {"grouped", read_grouped},
    {"order", read_order},
    {"whole", read_whole},
    {"draft", read_draft},
    {"param", read_param},
    {"copies", read_copies},
    {"narrow", read_narrow},
    {"refuse", read_refuse},
    {"storages", read_storages},
    {"exact_blocks", read_exact_blocks},
    {NULL, NULL},
};

static const struct word storage_words[] = {
    {"when", read_storage_when}, {"plain", read_plain},           {"param", read_storage_param},
    {"tensor", read_tensor},     {"passes", read_passes},         {"becomes", read_becomes},
    {"drops", read_drops},       {"refuse", read_storage_refuse}, {NULL, NULL},
};

/* ---- records with their ancestors ----------------------------------------------------------------------------------- */

static bool read_lines(struct reader *reader, const struct tn_record *record, const struct word *words)
{
    reader->record = record;
    for (uint32_t k = 0; k < record->count; k++) {
        reader->statement = &record->statements[k];
        size_t w = 0;
        while (words[w].word && !tn_str_is(reader->statement->word, words[w].word)) {
            w++;
        }
        if (!words[w].word) {
            return fail_line(reader, "an unknown statement");
        }
        if (!words[w].read(reader)) {
            return false;
        }
    }
    return true;
}

/* A record without one has NULL. */
static bool find_parent(const struct reader *reader, const struct tn_record *record, const struct tn_record **parent)
{
    *parent = record->parent.size ? tn_catalog_record(reader->catalog, record->type, record->parent) : NULL;
    if (*parent || !record->parent.size) {
        return true;
    }
    tn_fail(reader->error, TN_ERROR_RECORD, "there is no parent '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(record->parent));
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
}

/* The lines of the ancestors come first. */
static bool read_record(struct reader *reader, const struct tn_record *record, const struct word *words)
{
    const struct tn_record *ancestors[MOST_ANCESTORS];
    size_t count = 0;
    const struct tn_record *at = record;
    while (at && count < MOST_ANCESTORS) {
        ancestors[count++] = at;
        if (!find_parent(reader, at, &at)) {
            return false;
        }
    }
    if (at) {
        tn_fail(reader->error, TN_ERROR_RECORD, "too many parents");
        return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
    }
    bool done = true;
    while (done && count) {
        done = read_lines(reader, ancestors[--count], words);
    }
    return done;
}

/* storages NAME...: each is read where it is named. */
static bool read_storages(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    for (struct tn_str name = tn_str_word(&rest); name.size; name = tn_str_word(&rest)) {
        const struct tn_record *record = tn_catalog_record(reader->catalog, TN_STR("storage"), name);
        if (!record) {
            return fail_line(reader, "there is no such storage");
        }
        struct reader inner = *reader;
        inner.storage = ADD(reader, reader->rules->storages, reader->rules->storage_count);
        if (!inner.storage) {
            return false;
        }
        inner.storage->record = record;
        if (!read_record(&inner, record, storage_words)) {
            return false;
        }
    }
    return true;
}

struct wanted {
    const struct tn_catalog *catalog;
    const struct tn_record *record;
};

static const void *compile(const void *what, struct tn_arena *arena, struct tn_error *error)
{
    const struct wanted *wanted = what;
    struct tn_weight_rules *rules = TN_NEW(arena, struct tn_weight_rules);
    if (!rules) {
        tn_fail_memory(error);
        return NULL;
    }
    rules->record = wanted->record;
    rules->vocab_multiple = 1;
    struct reader reader = {.catalog = wanted->catalog, .arena = arena, .rules = rules, .error = error};
    return read_record(&reader, wanted->record, weights_words) ? rules : NULL;
}

const struct tn_weight_rules *tn_weight_rules_open(const struct tn_catalog *catalog, struct tn_str engine,
                                                   struct tn_arena *arena, struct tn_error *error)
{
    struct wanted wanted = {catalog, tn_catalog_record(catalog, TN_STR("weights"), engine)};
    struct tn_builder name = {0};
    const void *rules = NULL;
    if (!wanted.record) {
        tn_fail(error, TN_ERROR_RECORD, "there is no record 'weights " TN_STR_FORMAT "'", TN_STR_ARGUMENTS(engine));
        return NULL;
    }
    tn_builder_addf(&name, "weights " TN_STR_FORMAT, TN_STR_ARGUMENTS(engine));
    if (!name.failed || tn_fail_memory(error)) {
        rules = tn_kept_make(tn_catalog_kept(catalog), tn_builder_str(&name), compile, &wanted, arena, error);
    }
    tn_builder_free(&name);
    return rules;
}

size_t tn_globs_find(const struct tn_globs *globs, struct tn_str name)
{
    size_t k = 0;
    while (k < globs->count && !tn_glob_matches(globs->items[k], name)) {
        k++;
    }
    return k;
}
