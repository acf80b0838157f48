#include "engine/llamacpp/recipe_lines.h"

#include <string.h>

static const char *const given_names[TN_RECIPE_GIVEN_COUNT] = {
    "T",         "n_seqs",  "n_outputs",     "streams",     "n_kv",      "n_kv_swa",
    "fa",        "v_trans", "offload_kqv",   "version",     "n_layer",   "il",
    "head_size", "k_width", "v_width",       "v_width_max", "is_swa",    "is_recurrent",
    "has_swa",   "k_rot",   "v_rot",         "k_rot_swa",   "v_rot_swa", "n_rs",
    "n_vocab",   "n_embd",  "n_expert_used", "embeddings",  "pooling",   "architecture",
};

struct reader {
    const struct tn_catalog *catalog;
    struct tn_arena *arena;
    struct tn_recipe *recipe;
    struct tn_map names;
    size_t name_capacity;
    struct tn_map weights;
    size_t weight_capacity;
    struct tn_map blocks;
    struct tn_block **block_list; /* [block_count] */
    size_t block_count;
    size_t block_capacity;
    const struct tn_record *record; /* that is being read */
    const struct tn_statement *statement;
    struct tn_error *error;
};

static bool fail(const struct reader *reader, const char *what, struct tn_str word)
{
    tn_fail(reader->error, TN_ERROR_RECORD, "%s \"" TN_STR_FORMAT "\"", what, TN_STR_ARGUMENTS(word));
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                      reader->statement->line);
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* attn_q_bias -> attn_q.bias; empty for other names. */
static bool dot(struct reader *reader, struct tn_str name, struct tn_str *dotted)
{
    size_t mark = name.size - strlen("_bias");
    *dotted = (struct tn_str){0};
    if (!tn_str_ends(name, TN_STR("_bias"))) {
        return true;
    }
    char *text = tn_str_terminated(reader->arena, name);
    if (!text) {
        return tn_fail_memory(reader->error);
    }
    text[mark] = '.';
    *dotted = (struct tn_str){text, name.size};
    return true;
}

static bool number_of_weight(struct reader *reader, struct tn_str name, uint32_t *number)
{
    struct tn_recipe *recipe = reader->recipe;
    uint32_t existing;
    if (!tn_map_insert(reader->arena, &reader->weights, name, (uint32_t)recipe->weight_count, &existing)) {
        return tn_fail_memory(reader->error);
    }
    *number = existing;
    if (existing != TN_MAP_NONE) {
        return true;
    }
    *number = (uint32_t)recipe->weight_count;
    if (recipe->weight_count == reader->weight_capacity) {
        size_t capacity = reader->weight_capacity ? reader->weight_capacity * 2 : 128;
        struct tn_recipe_weight *weights =
            tn_arena_grow(reader->arena, recipe->weights, recipe->weight_count, capacity, sizeof *weights);
        if (!weights) {
            return tn_fail_memory(reader->error);
        }
        recipe->weights = weights;
        reader->weight_capacity = capacity;
    }
    struct tn_recipe_weight *weight = &recipe->weights[recipe->weight_count++];
    weight->name = name;
    return dot(reader, name, &weight->dotted);
}

size_t tn_recipe_weights(const struct tn_recipe *recipe, const struct tn_recipe_weight **weights)
{
    *weights = recipe->weights;
    return recipe->weight_count;
}

uint32_t tn_recipe_find_weight(const struct tn_recipe *recipe, struct tn_str name)
{
    for (uint32_t k = 0; recipe && k < recipe->weight_count; k++) {
        if (tn_str_equal(recipe->weights[k].name, name)) {
            return k;
        }
    }
    return UINT32_MAX;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static bool number_of_name(struct reader *reader, struct tn_str name, uint32_t *number)
{
    struct tn_recipe *recipe = reader->recipe;
    uint32_t existing;
    if (!tn_map_insert(reader->arena, &reader->names, name, (uint32_t)recipe->name_count, &existing)) {
        return tn_fail_memory(reader->error);
    }
    *number = existing;
    if (existing != TN_MAP_NONE) {
        return true;
    }
    *number = (uint32_t)recipe->name_count;
    if (recipe->name_count == reader->name_capacity) {
        size_t capacity = reader->name_capacity ? reader->name_capacity * 2 : 256;
        struct tn_str *names = tn_arena_grow(reader->arena, recipe->names, recipe->name_count, capacity, sizeof *names);
        if (!names) {
            return tn_fail_memory(reader->error);
        }
        recipe->names = names;
        reader->name_capacity = capacity;
    }
    recipe->names[recipe->name_count++] = name;
    return true;
}

static void see_name(void *context, struct tn_str name, bool is_fact)
{
    uint32_t number;
    if (!is_fact) {
        number_of_name(context, name, &number);
    }
}

static uint32_t find_name(const void *context, struct tn_str name)
{
    return tn_map_find(&((const struct reader *)context)->names, name);
}

/* ---- parts of a line ---------------------------------------------------------------------------------------------- */

static void skip_spaces(struct tn_str *text)
{
    while (text->size && (text->data[0] == ' ' || text->data[0] == '\t')) {
        *text = tn_str_slice(*text, 1, text->size);
    }
}

static bool take_expression(struct reader *reader, struct tn_str *text, const struct tn_expression **expression)
{
    size_t consumed;
    if (!tn_expression_parse(reader->arena, *text, expression, &consumed, reader->error)) {
        return tn_fail_in_record(reader->record, reader->statement->line, reader->error);
    }
    tn_expression_names(*expression, see_name, reader);
    tn_expression_number(*expression, find_name, reader);
    *text = tn_str_slice(*text, consumed, text->size);
    skip_spaces(text);
    return true;
}

/* [a, b, c] */
static bool take_list(struct reader *reader, struct tn_str *text, const struct tn_expression **list, int most,
                      int *count)
{
    *text = tn_str_slice(*text, 1, text->size);
    for (*count = 0; *count < most;) {
        if (!take_expression(reader, text, &list[(*count)++])) {
            return false;
        }
        if (!text->size || (text->data[0] != ',' && text->data[0] != ']')) {
            return fail(reader, "expected , or ] before", *text);
        }
        bool ends = text->data[0] == ']';
        *text = tn_str_slice(*text, 1, text->size);
        skip_spaces(text);
        if (ends) {
            return true;
        }
    }
    return fail(reader, "too many numbers in", reader->statement->rest);
}

static const struct tn_dtype *type_of(struct tn_str word)
{
    static const char *const names[] = {"F32", "F16", "BF16", "I32", "I64"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        if (tn_str_is(word, names[k])) {
            return tn_dtype_find(word);
        }
    }
    return NULL;
}

/* @attn_q, or @{n}.attn_q of layer n */
static bool read_weight(struct reader *reader, struct tn_str word, struct tn_operand *operand)
{
    operand->kind = TN_OPERAND_WEIGHT;
    operand->name = UINT32_MAX;
    struct tn_str text = tn_str_slice(word, 1, word.size);
    if (!tn_str_starts(text, TN_STR("{"))) {
        return text.size ? number_of_weight(reader, text, &operand->weight) : fail(reader, "no weight is named", word);
    }
    size_t end = tn_str_find(text, TN_STR("}."));
    if (end == SIZE_MAX) {
        return fail(reader, "expected @{name}.weight, not", word);
    }
    return number_of_name(reader, tn_str_slice(text, 1, end), &operand->name)
           && number_of_weight(reader, tn_str_slice(text, end + 2, text.size), &operand->weight);
}

static bool read_cache(struct reader *reader, struct tn_str word, struct tn_operand *operand)
{
    static const char *const names[] = {"%k", "%v", "%r", "%s", "%i"};
    operand->kind = TN_OPERAND_CACHE;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        if (tn_str_is(word, names[k])) {
            operand->cache = (enum tn_recipe_cache)k;
            return true;
        }
    }
    return fail(reader, "no cache is named", word);
}

/* part, or part{n}: one of several */
static bool read_name(struct reader *reader, struct tn_str word, uint32_t *name, uint32_t *index)
{
    size_t brace = tn_str_find(word, TN_STR("{"));
    *index = UINT32_MAX;
    if (brace != SIZE_MAX && tn_str_ends(word, TN_STR("}"))
        && !number_of_name(reader, tn_str_slice(word, brace + 1, word.size - 1), index)) {
        return false;
    }
    return number_of_name(reader, tn_str_slice(word, 0, brace), name);
}

static bool read_operand(struct reader *reader, struct tn_str word, struct tn_operand *operand)
{
    if (tn_str_ends(word, TN_STR("?"))) {
        operand->is_optional = true;
        word = tn_str_slice(word, 0, word.size - 1);
    }
    if (tn_str_is(word, "none")) {
        operand->kind = TN_OPERAND_NONE;
        return true;
    }
    if (tn_str_starts(word, TN_STR("@"))) {
        return read_weight(reader, word, operand);
    }
    if (tn_str_starts(word, TN_STR("%"))) {
        return read_cache(reader, word, operand);
    }
    operand->kind = TN_OPERAND_NAME;
    return read_name(reader, word, &operand->name, &operand->index);
}

static bool take_when(struct reader *reader, struct tn_str *text, struct tn_line *line)
{
    struct tn_str before = *text;
    if (!text->size) {
        return true;
    }
    if (!tn_str_is(tn_str_word(text), "when")) {
        return fail(reader, "expected `when` or the end of the line, not", before);
    }
    return take_expression(reader, text, &line->when) && (!text->size || fail(reader, "left over:", *text));
}

static bool is_when(struct tn_str text)
{
    return tn_str_is(tn_str_word(&text), "when");
}

/* Names, weights and caches up to `when` or a bracket. */
static bool take_operands(struct reader *reader, struct tn_str *text, struct tn_line *line)
{
    while (text->size && text->data[0] != '[' && !is_when(*text)) {
        struct tn_str word = tn_str_word(text);
        const struct tn_dtype *type = type_of(word);
        if (type) {
            line->type = type;
        } else if (line->operand_count == TN_GGML_SOURCES) {
            return fail(reader, "too many operands in", reader->statement->rest);
        } else if (!read_operand(reader, word, &line->operands[line->operand_count++])) {
            return false;
        }
    }
    return true;
}

static bool take_numbers(struct reader *reader, struct tn_str *text, struct tn_line *line)
{
    bool any = text->size && text->data[0] == '[';
    if (any && !take_list(reader, text, line->numbers, TN_LINE_NUMBERS, &line->number_count)) {
        return false;
    }
    if (text->size && text->data[0] == '['
        && !take_list(reader, text, line->strides, TN_GGML_DIMS - 1, &line->stride_count)) {
        return false;
    }
    return !any || !text->size || is_when(*text) || take_expression(reader, text, &line->value);
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static bool read_block(struct reader *reader, struct tn_str name, const struct tn_block **block);

static bool read_let(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    line->kind = TN_LINE_LET;
    return number_of_name(reader, tn_str_word(&text), &line->name) && take_expression(reader, &text, &line->value)
           && take_when(reader, &text, line);
}

static bool read_do(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    line->kind = TN_LINE_DO;
    struct tn_str block = tn_str_word(&text);
    return take_when(reader, &text, line) && read_block(reader, block, &line->block);
}

static bool read_each(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    line->kind = TN_LINE_EACH;
    if (!number_of_name(reader, tn_str_word(&text), &line->name) || !take_expression(reader, &text, &line->value)) {
        return false;
    }
    struct tn_str block = tn_str_word(&text);
    return take_when(reader, &text, line) && read_block(reader, block, &line->block);
}

static bool read_names(struct reader *reader, struct tn_str text, struct tn_line *line, enum tn_line_kind kind)
{
    line->kind = kind;
    return take_operands(reader, &text, line) && take_when(reader, &text, line);
}

static bool read_expand(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    return read_names(reader, text, line, TN_LINE_EXPAND);
}

static bool read_output(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    return read_names(reader, text, line, TN_LINE_OUTPUT);
}

static bool read_layer(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    return read_names(reader, text, line, TN_LINE_LAYER);
}

static bool read_host(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    return read_names(reader, text, line, TN_LINE_HOST);
}

static bool read_node(struct reader *reader, struct tn_str text, struct tn_line *line)
{
    if (!tn_str_is(tn_str_word(&text), "=")) {
        return fail(reader, "no statement is named", reader->statement->word);
    }
    struct tn_str rest = text;
    line->row = tn_ggml_find_op(tn_str_word(&rest));
    line->kind = line->row ? TN_LINE_NODE : TN_LINE_ALIAS;
    text = line->row ? rest : text;
    if (!read_name(reader, reader->statement->word, &line->name, &line->index) || !take_operands(reader, &text, line)
        || !take_numbers(reader, &text, line) || !take_when(reader, &text, line)) {
        return false;
    }
    return line->row || line->operand_count == 1 || fail(reader, "no operation is named in", reader->statement->rest);
}

static const struct {
    const char *word;
    bool (*read)(struct reader *reader, struct tn_str text, struct tn_line *line);
} statements[] = {
    {"let", read_let},       {"do", read_do},       {"each", read_each}, {"expand", read_expand},
    {"output", read_output}, {"layer", read_layer}, {"host", read_host},
};

static bool read_line(struct reader *reader, struct tn_line *line)
{
    line->line = reader->statement->line;
    for (size_t k = 0; k < sizeof statements / sizeof statements[0]; k++) {
        if (tn_str_is(reader->statement->word, statements[k].word)) {
            return statements[k].read(reader, reader->statement->rest, line);
        }
    }
    return read_node(reader, reader->statement->rest, line);
}

/* A new block, known before its lines are read. */
static struct tn_block *new_block(struct reader *reader, struct tn_str name, const struct tn_record *record)
{
    uint32_t existing;
    struct tn_block *block = TN_NEW(reader->arena, struct tn_block);
    if (reader->block_count == reader->block_capacity) {
        size_t capacity = reader->block_capacity ? reader->block_capacity * 2 : 64;
        struct tn_block **list =
            tn_arena_grow(reader->arena, reader->block_list, reader->block_count, capacity, sizeof(struct tn_block *));
        reader->block_list = list ? list : reader->block_list;
        reader->block_capacity = list ? capacity : reader->block_capacity;
    }
    if (!block || reader->block_count == reader->block_capacity
        || !tn_map_insert(reader->arena, &reader->blocks, name, (uint32_t)reader->block_count, &existing)) {
        tn_fail_memory(reader->error);
        return NULL;
    }
    block->record = record;
    block->lines = TN_NEW_ARRAY(reader->arena, struct tn_line, record->count);
    if (!block->lines) {
        tn_fail_memory(reader->error);
        return NULL;
    }
    reader->block_list[reader->block_count++] = block;
    return block;
}

/* Statements that tell of the architecture, not of its graph. */
static bool is_about_architecture(struct tn_str word)
{
    return tn_str_is(word, "match") || tn_str_is(word, "place") || tn_str_is(word, "windows")
           || tn_str_is(word, "no-flash") || tn_str_is(word, "encoder");
}

static bool read_lines(struct reader *reader, struct tn_block *block)
{
    const struct tn_record *outer_record = reader->record;
    const struct tn_statement *outer_statement = reader->statement;
    bool done = true;
    for (uint32_t k = 0; done && k < block->record->count; k++) {
        reader->record = block->record;
        reader->statement = &block->record->statements[k];
        if (!is_about_architecture(reader->statement->word)) {
            done = read_line(reader, &block->lines[block->count++]);
        }
    }
    reader->record = outer_record;
    reader->statement = outer_statement;
    return done;
}

static bool read_block(struct reader *reader, struct tn_str name, const struct tn_block **block)
{
    uint32_t index = tn_map_find(&reader->blocks, name);
    if (index != TN_MAP_NONE) {
        *block = reader->block_list[index];
        return true;
    }
    const struct tn_record *record = tn_catalog_record(reader->catalog, TN_STR("graph"), name);
    if (!record) {
        return fail(reader, "no graph is named", name);
    }
    struct tn_block *made = new_block(reader, name, record);
    *block = made;
    return made && read_lines(reader, made);
}

/* ---- recipes ------------------------------------------------------------------------------------------------------ */

static bool matches(const struct tn_record *record, struct tn_str architecture)
{
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_str names = record->statements[k].rest;
        while (tn_str_is(record->statements[k].word, "match") && names.size) {
            if (tn_str_equal(tn_str_word(&names), architecture)) {
                return true;
            }
        }
    }
    return false;
}

static const struct tn_record *find_record(const struct tn_catalog *catalog, struct tn_str architecture)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("graph"), &records);
    for (size_t k = 0; k < count; k++) {
        if (matches(records[k], architecture)) {
            return records[k];
        }
    }
    return NULL;
}

/* The weights that formulas ask for as has_NAME. */
static bool number_questions(struct reader *reader)
{
    struct tn_recipe *recipe = reader->recipe;
    bool done = true;
    recipe->asked = TN_NEW_ARRAY(reader->arena, uint32_t, recipe->name_count);
    for (size_t k = 0; recipe->asked && done && k < recipe->name_count; k++) {
        struct tn_str name = recipe->names[k];
        recipe->asked[k] = UINT32_MAX;
        if (tn_str_starts(name, TN_STR("has_"))) {
            done = number_of_weight(reader, tn_str_slice(name, strlen("has_"), name.size), &recipe->asked[k]);
        }
    }
    return done && (recipe->asked || tn_fail_memory(reader->error));
}

/* place WEIGHT WHERE */
static bool read_place(struct reader *reader, const struct tn_statement *statement)
{
    static const char *const places[] = {"by-name", "input", "first", "output", "shared", "twice"};
    struct tn_recipe *recipe = reader->recipe;
    struct tn_str where = statement->rest;
    struct tn_str weight = tn_str_word(&where);
    reader->statement = statement;
    for (int place = TN_RECIPE_WITH_INPUT; place <= TN_RECIPE_TWICE; place++) {
        if (tn_str_is(where, places[place])) {
            recipe->placed[recipe->place_count] = weight;
            recipe->places[recipe->place_count++] = (enum tn_recipe_place)place;
            return true;
        }
    }
    return fail(reader, "expected input, first, output, shared or twice, not", where);
}

/* What the record tells of the architecture beside its graph. */
static bool read_architecture(struct reader *reader)
{
    const struct tn_record *record = reader->record;
    struct tn_recipe *recipe = reader->recipe;
    recipe->places = TN_NEW_ARRAY(reader->arena, enum tn_recipe_place, record->count);
    recipe->placed = TN_NEW_ARRAY(reader->arena, struct tn_str, record->count);
    bool done = (recipe->places && recipe->placed) || tn_fail_memory(reader->error);
    for (uint32_t k = 0; done && k < record->count; k++) {
        const struct tn_statement *statement = &record->statements[k];
        recipe->has_windows = recipe->has_windows || tn_str_is(statement->word, "windows");
        recipe->is_encoder = recipe->is_encoder || tn_str_is(statement->word, "encoder");
        recipe->never_flashes = recipe->never_flashes || tn_str_is(statement->word, "no-flash");
        done = !tn_str_is(statement->word, "place") || read_place(reader, statement);
    }
    return done;
}

bool tn_recipe_open(const struct tn_catalog *catalog, struct tn_str architecture, struct tn_arena *arena,
                    const struct tn_recipe **recipe, struct tn_error *error)
{
    const struct tn_record *record = find_record(catalog, architecture);
    *recipe = NULL;
    if (!record) {
        return true;
    }
    struct reader reader = {.catalog = catalog,
                            .arena = arena,
                            .recipe = TN_NEW(arena, struct tn_recipe),
                            .record = record,
                            .error = error};
    struct tn_statement none = {.line = record->line};
    reader.statement = &none;
    if (!reader.recipe) {
        return tn_fail_memory(error);
    }
    for (int k = 0; k < TN_RECIPE_GIVEN_COUNT; k++) {
        uint32_t number;
        if (!number_of_name(&reader, tn_str_of(given_names[k]), &number)) {
            return false;
        }
    }
    *recipe = reader.recipe;
    return read_architecture(&reader) && read_block(&reader, record->id, &reader.recipe->main)
           && number_questions(&reader);
}

enum tn_recipe_place tn_recipe_place_of(const struct tn_recipe *recipe, struct tn_str weight)
{
    for (size_t k = 0; recipe && k < recipe->place_count; k++) {
        if (tn_str_equal(recipe->placed[k], weight)) {
            return recipe->places[k];
        }
    }
    return TN_RECIPE_BY_NAME;
}

bool tn_recipe_has_windows(const struct tn_recipe *recipe)
{
    return recipe->has_windows;
}

bool tn_recipe_never_flashes(const struct tn_recipe *recipe)
{
    return recipe && recipe->never_flashes;
}

bool tn_recipe_is_encoder(const struct tn_recipe *recipe)
{
    return recipe && recipe->is_encoder;
}
