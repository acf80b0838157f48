/* Compiling an architecture record: the list of statements with inheritance applied, then each statement by its row in the table
 * of statements. */
#include "model/architecture.h"

#include <string.h>

/* ---- which record ------------------------------------------------------------------------------------------------- */

static bool words_contain(struct tn_str words, struct tn_str wanted)
{
    for (struct tn_str word = tn_str_word(&words); word.size; word = tn_str_word(&words)) {
        if (tn_str_equal(word, wanted)) {
            return true;
        }
    }
    return false;
}

static bool record_matches(const struct tn_record *record, struct tn_str key, struct tn_str wanted)
{
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_str rest = record->statements[k].rest;
        if (tn_str_is(record->statements[k].word, "match") && tn_str_equal(tn_str_word(&rest), key)
            && words_contain(rest, wanted)) {
            return true;
        }
    }
    return false;
}

static const struct tn_record *find_by(const struct tn_catalog *catalog, const char *key, const struct tn_value *wanted)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("arch"), &records);
    for (size_t k = 0; wanted && wanted->kind == TN_STRING && k < count; k++) {
        if (record_matches(records[k], tn_str_of(key), wanted->as.string)) {
            return records[k];
        }
    }
    return NULL;
}

const struct tn_record *tn_architecture_find(const struct tn_catalog *catalog, const struct tn_facts *facts)
{
    const struct tn_value *names = tn_facts_find(facts, TN_STR("architectures"), NULL);
    for (uint32_t k = 0; names && names->kind == TN_LIST && k < names->count; k++) {
        const struct tn_record *found = find_by(catalog, "architectures", &names->as.items[k]);
        if (found) {
            return found;
        }
    }
    /* a config that names a class nobody knows must not be taken for its model_type's plain relative */
    if (names && names->kind == TN_LIST && names->count) {
        return NULL;
    }
    const struct tn_record *found = find_by(catalog, "model_type", tn_facts_find(facts, TN_STR("model_type"), NULL));
    return found ? found : find_by(catalog, "gguf", tn_facts_find(facts, TN_STR("general_architecture"), NULL));
}

/* ---- inheritance -------------------------------------------------------------------------------------------------- */

enum { MOST_ANCESTORS = 16 };

struct line {
    const struct tn_statement *statement;
    const struct tn_record *record;
    struct tn_str stack; /* the stack that was open where the line stands */
};

struct compiler {
    const struct tn_catalog *catalog;
    const struct tn_facts *facts;
    struct tn_arena *arena;
    struct tn_architecture *architecture;
    struct tn_error *error;
    struct line *lines;
    size_t line_count;
    size_t line_capacity;
    struct tn_str stack;
};

static bool fail_line(struct compiler *compiler, const struct line *line, const char *message)
{
    tn_fail(compiler->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT " " TN_STR_FORMAT "'", message,
            TN_STR_ARGUMENTS(line->statement->word), TN_STR_ARGUMENTS(line->statement->rest));
    return tn_fail_at(compiler->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(line->record->file),
                      line->statement->line);
}

/* How many words of the rest make two lines "the same" for a later line to replace an earlier one; 0: they add up. */
static size_t key_words(struct tn_str word)
{
    static const struct {
        const char *word;
        size_t words;
    } rows[] = {{"param", 1}, {"stack", 1}, {"prefix", 1}, {"layer", 2}, {"once", 1}, {"note", 1}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (tn_str_is(word, rows[k].word)) {
            return rows[k].words;
        }
    }
    return 0;
}

static bool same_key(const struct line *a, const struct line *b)
{
    size_t words = key_words(a->statement->word);
    if (!words || !tn_str_equal(a->statement->word, b->statement->word)
        || (tn_str_is(a->statement->word, "layer") && !tn_str_equal(a->stack, b->stack))) {
        return false;
    }
    struct tn_str rest_a = a->statement->rest;
    struct tn_str rest_b = b->statement->rest;
    for (size_t k = 0; k < words; k++) {
        if (!tn_str_equal(tn_str_word(&rest_a), tn_str_word(&rest_b))) {
            return false;
        }
    }
    return true;
}

static bool add_line(struct compiler *compiler, struct line line)
{
    for (size_t k = 0; k < compiler->line_count; k++) {
        if (same_key(&line, &compiler->lines[k])) {
            compiler->lines[k] = line;
            return true;
        }
    }
    if (compiler->line_count == compiler->line_capacity) {
        size_t capacity = compiler->line_capacity ? compiler->line_capacity * 2 : 128;
        void *grown = tn_arena_grow(compiler->arena, compiler->lines, compiler->line_count, capacity, sizeof line);
        if (!grown) {
            return tn_fail_memory(compiler->error);
        }
        compiler->lines = grown;
        compiler->line_capacity = capacity;
    }
    compiler->lines[compiler->line_count++] = line;
    return true;
}

/* `drop NAME` removes the param, once, note or stack of that name and, in the open stack, the layer lines whose tensor name begins with
 * NAME; `drop cache`, `drop mixer`, `drop ffn` and `drop layer` remove all statements of that word in the open stack, and nothing else. */
static bool dropped(const struct line *line, const struct line *drop)
{
    struct tn_str name = drop->statement->rest;
    bool names_a_word =
        tn_str_is(name, "mixer") || tn_str_is(name, "ffn") || tn_str_is(name, "cache") || tn_str_is(name, "layer");
    if (names_a_word) {
        return tn_str_equal(line->statement->word, name) && tn_str_equal(line->stack, drop->stack);
    }
    struct tn_str rest = line->statement->rest;
    struct tn_str first = tn_str_word(&rest);
    if (tn_str_is(line->statement->word, "layer")) {
        first = tn_str_word(&rest);
        return tn_str_starts(first, name) && tn_str_equal(line->stack, drop->stack);
    }
    return (tn_str_is(line->statement->word, "param") || tn_str_is(line->statement->word, "once")
            || tn_str_is(line->statement->word, "note") || tn_str_is(line->statement->word, "stack"))
           && tn_str_equal(first, name);
}

static bool drop_lines(struct compiler *compiler, const struct line *drop)
{
    size_t kept = 0;
    if (!drop->statement->rest.size) {
        return fail_line(compiler, drop, "drop what");
    }
    for (size_t k = 0; k < compiler->line_count; k++) {
        if (!dropped(&compiler->lines[k], drop)) {
            compiler->lines[kept++] = compiler->lines[k];
        }
    }
    if (kept == compiler->line_count) {
        return fail_line(compiler, drop, "nothing to drop");
    }
    compiler->line_count = kept;
    return true;
}

static bool belongs_to_child_only(struct tn_str word)
{
    return tn_str_is(word, "match") || tn_str_is(word, "verified");
}

static bool collect_own(struct compiler *compiler, const struct tn_record *record, bool is_ancestor, unsigned depth);

/* `use NAME`: the lines of another record, at this place. */
static bool use_record(struct compiler *compiler, const struct line *line, unsigned depth)
{
    const struct tn_record *used = tn_catalog_record(compiler->catalog, TN_STR("arch"), line->statement->rest);
    if (!used || depth == MOST_ANCESTORS) {
        return fail_line(compiler, line, used ? "records use each other" : "no such record");
    }
    return collect_own(compiler, used, true, depth + 1);
}

static bool collect_own(struct compiler *compiler, const struct tn_record *record, bool is_ancestor, unsigned depth)
{
    struct tn_str stack = TN_STR("text");
    for (uint32_t k = 0; k < record->count; k++) {
        struct line line = {&record->statements[k], record, stack};
        if (tn_str_is(line.statement->word, "stack")) {
            struct tn_str rest = line.statement->rest;
            stack = tn_str_word(&rest);
            line.stack = stack;
            if (!rest.size) { /* reopens the stack of an ancestor */
                continue;
            }
        }
        if (is_ancestor && belongs_to_child_only(line.statement->word)) {
            continue;
        }
        bool done;
        if (tn_str_is(line.statement->word, "use")) {
            done = use_record(compiler, &line, depth);
        } else if (tn_str_is(line.statement->word, "drop")) {
            done = drop_lines(compiler, &line);
        } else {
            done = add_line(compiler, line);
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

/* "$path ? NAME": the record whose id, or whose model_type, is the fact; NAME where the fact is absent. */
static const struct tn_record *find_dynamic(const struct compiler *compiler, struct tn_str parent)
{
    size_t mark = tn_str_find(parent, TN_STR("?"));
    struct tn_str path = tn_str_trim(tn_str_slice(parent, 1, mark == SIZE_MAX ? parent.size : mark));
    struct tn_str name =
        mark == SIZE_MAX ? (struct tn_str){0} : tn_str_trim(tn_str_slice(parent, mark + 1, parent.size));
    for (size_t k = 0; compiler->facts && k < compiler->facts->source_count; k++) {
        const struct tn_value *value = tn_value_path(&compiler->facts->sources[k].value, path);
        if (value && value->kind == TN_STRING) {
            name = value->as.string;
            break;
        }
    }
    struct tn_value wanted = tn_value_string(name);
    const struct tn_record *found = find_by(compiler->catalog, "model_type", &wanted);
    return found ? found : tn_catalog_record(compiler->catalog, TN_STR("arch"), name);
}

static bool find_parent(struct compiler *compiler, const struct tn_record *record, const struct tn_record **parent)
{
    *parent = NULL;
    if (!record->parent.size) {
        return true;
    }
    bool is_dynamic = record->parent.data[0] == '$';
    *parent = is_dynamic ? find_dynamic(compiler, record->parent)
                         : tn_catalog_record(compiler->catalog, TN_STR("arch"), record->parent);
    if (*parent) {
        return true;
    }
    if (is_dynamic) {
        tn_fail(compiler->error, TN_ERROR_UNKNOWN_ARCHITECTURE,
                "no architecture record for the text model of " TN_STR_FORMAT " (" TN_STR_FORMAT ")",
                TN_STR_ARGUMENTS(record->id), TN_STR_ARGUMENTS(record->parent));
        return tn_fail_hint(compiler->error,
                            "give the folder with its safetensors headers: they are exact without a record");
    }
    tn_fail(compiler->error, TN_ERROR_RECORD,
            "record " TN_STR_FORMAT " inherits from " TN_STR_FORMAT ", which does not exist",
            TN_STR_ARGUMENTS(record->id), TN_STR_ARGUMENTS(record->parent));
    return tn_fail_at(compiler->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
}

static bool collect(struct compiler *compiler, const struct tn_record *record)
{
    const struct tn_record *chain[MOST_ANCESTORS];
    size_t count = 0;
    for (const struct tn_record *next = record; next;) {
        if (count == MOST_ANCESTORS) {
            tn_fail(compiler->error, TN_ERROR_RECORD,
                    "record " TN_STR_FORMAT " has too many ancestors, or inherits itself",
                    TN_STR_ARGUMENTS(record->id));
            return tn_fail_at(compiler->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
        }
        chain[count++] = next;
        if (!find_parent(compiler, next, &next)) {
            return false;
        }
    }
    while (count) {
        count--;
        if (!collect_own(compiler, chain[count], count > 0, 0)) {
            return false;
        }
    }
    return true;
}

/* ---- parsing the statements --------------------------------------------------------------------------------------- */

/* A statement's rest while it is read from the left. */
struct cursor {
    struct compiler *compiler;
    const struct line *line;
    struct tn_str rest;
};

static bool read_expression(struct cursor *cursor, const struct tn_expression **expression)
{
    size_t consumed;
    struct compiler *compiler = cursor->compiler;
    if (!tn_expression_parse(compiler->arena, cursor->rest, expression, &consumed, compiler->error)) {
        if (compiler->error) { /* the place in the file, not that in the expression */
            compiler->error->where[0] = '\0';
            compiler->error->offset = -1;
        }
        return tn_fail_at(compiler->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(cursor->line->record->file),
                          cursor->line->statement->line);
    }
    cursor->rest = tn_str_trim(tn_str_slice(cursor->rest, consumed, cursor->rest.size));
    return true;
}

/* An expression up to the end of the line. */
static bool read_last_expression(struct cursor *cursor, const struct tn_expression **expression)
{
    return read_expression(cursor, expression)
           && (!cursor->rest.size || fail_line(cursor->compiler, cursor->line, "unexpected text at the end"));
}

/* "(a, b)" directly behind a word: up to TN_SPLIT_PARTS expressions */
static bool read_arguments(struct cursor *cursor, const struct tn_expression **parts, uint32_t *count)
{
    *count = 0;
    if (!cursor->rest.size || cursor->rest.data[0] != '(') {
        return true;
    }
    do {
        if (*count == TN_SPLIT_PARTS) {
            return fail_line(cursor->compiler, cursor->line, "too many arguments");
        }
        cursor->rest = tn_str_slice(cursor->rest, 1, cursor->rest.size);
        if (!read_expression(cursor, &parts[*count])) {
            return false;
        }
        ++*count;
    } while (cursor->rest.size && cursor->rest.data[0] == ',');
    if (!cursor->rest.size || cursor->rest.data[0] != ')') {
        return fail_line(cursor->compiler, cursor->line, "expected ')'");
    }
    cursor->rest = tn_str_trim(tn_str_slice(cursor->rest, 1, cursor->rest.size));
    return true;
}

static struct tn_str read_word_before_bracket(struct cursor *cursor)
{
    size_t end = 0;
    while (end < cursor->rest.size && !strchr(" \t([", cursor->rest.data[end])) {
        end++;
    }
    struct tn_str word = tn_str_slice(cursor->rest, 0, end);
    cursor->rest = tn_str_trim(tn_str_slice(cursor->rest, end, cursor->rest.size));
    return word;
}

static bool find_name(struct cursor *cursor, const char *const *names, int count, const char *what, int *index)
{
    struct tn_str word = read_word_before_bracket(cursor);
    for (int k = 0; k < count; k++) {
        if (tn_str_is(word, names[k])) {
            *index = k;
            return true;
        }
    }
    return fail_line(cursor->compiler, cursor->line, what);
}

static bool read_split(struct cursor *cursor, struct tn_split_rule *split)
{
    int kind;
    if (!find_name(cursor, tn_split_names, TN_SPLIT_COUNT, "an unknown split rule", &kind)) {
        return false;
    }
    split->kind = (enum tn_split_kind)kind;
    return read_arguments(cursor, split->parts, &split->part_count)
           && (tn_split_takes(split->kind, split->part_count)
               || fail_line(cursor->compiler, cursor->line, "a split rule with a wrong number of arguments"));
}

static bool read_dtype(struct cursor *cursor, const struct tn_dtype **dtype)
{
    *dtype = tn_dtype_find(tn_str_word(&cursor->rest));
    return *dtype || fail_line(cursor->compiler, cursor->line, "an unknown dtype");
}

/* Room for as many rules of each type as there are lines: the arrays never move. */
static bool allocate_tables(struct compiler *compiler)
{
    struct tn_architecture *architecture = compiler->architecture;
    size_t count = compiler->line_count;
    architecture->prefixes = TN_NEW_ARRAY(compiler->arena, struct tn_member, count);
    architecture->params = TN_NEW_ARRAY(compiler->arena, struct tn_param, count);
    architecture->stacks = TN_NEW_ARRAY(compiler->arena, struct tn_stack, count);
    architecture->tensors = TN_NEW_ARRAY(compiler->arena, struct tn_tensor_rule, count);
    architecture->caches = TN_NEW_ARRAY(compiler->arena, struct tn_cache_rule, count);
    architecture->notes = TN_NEW_ARRAY(compiler->arena, struct tn_note_rule, count);
    bool complete = architecture->prefixes && architecture->params && architecture->stacks && architecture->tensors
                    && architecture->caches && architecture->notes;
    return complete || tn_fail_memory(compiler->error);
}

static bool read_match(struct cursor *cursor)
{
    return cursor->rest.size || fail_line(cursor->compiler, cursor->line, "empty");
}

static bool read_verified(struct cursor *cursor)
{
    cursor->compiler->architecture->verified = cursor->rest;
    return true;
}

static bool read_root(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    while (cursor->rest.size) {
        if (architecture->root_count == TN_FACT_ROOTS) {
            return fail_line(cursor->compiler, cursor->line, "too many roots");
        }
        architecture->roots[architecture->root_count++] = tn_str_word(&cursor->rest);
    }
    return true;
}

static bool read_prefix(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_member *prefix = &architecture->prefixes[architecture->prefix_count++];
    prefix->key = tn_str_word(&cursor->rest);
    prefix->value = tn_value_string(cursor->rest);
    return true;
}

static bool read_param(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_param *param = &architecture->params[architecture->param_count++];
    param->name = tn_str_word(&cursor->rest);
    if (!tn_str_is(tn_str_word(&cursor->rest), "=")) {
        return fail_line(cursor->compiler, cursor->line, "expected 'param NAME = EXPRESSION'");
    }
    return read_last_expression(cursor, &param->expression);
}

static bool read_stack(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_stack *stack = &architecture->stacks[architecture->stack_count++];
    stack->name = tn_str_word(&cursor->rest);
    stack->prefix = tn_str_word(&cursor->rest);
    while (cursor->rest.size) {
        struct tn_str word = tn_str_word(&cursor->rest);
        bool done;
        if (tn_str_is(word, "layers")) {
            done = read_expression(cursor, &stack->layers);
        } else if (tn_str_is(word, "from")) {
            done = read_expression(cursor, &stack->from);
        } else if (tn_str_is(word, "like")) {
            stack->like = tn_str_word(&cursor->rest);
            done = true;
        } else {
            done = fail_line(cursor->compiler, cursor->line, "expected 'layers', 'from' or 'like'");
        }
        if (!done) {
            return false;
        }
    }
    return stack->layers || fail_line(cursor->compiler, cursor->line, "a stack without 'layers'");
}

static struct tn_stack *find_stack(struct compiler *compiler, struct tn_str name)
{
    for (size_t k = 0; k < compiler->architecture->stack_count; k++) {
        if (tn_str_equal(compiler->architecture->stacks[k].name, name)) {
            return &compiler->architecture->stacks[k];
        }
    }
    return NULL;
}

static bool read_choice(struct cursor *cursor, enum tn_slot slot)
{
    struct tn_stack *stack = find_stack(cursor->compiler, cursor->line->stack);
    if (!stack) {
        return fail_line(cursor->compiler, cursor->line, "no such stack");
    }
    if (stack->choice_count == TN_MOST_CHOICES) {
        return fail_line(cursor->compiler, cursor->line, "too many choices");
    }
    struct tn_choice *choice = &stack->choices[stack->choice_count++];
    choice->slot = slot;
    choice->kind = tn_str_word(&cursor->rest);
    if (!cursor->rest.size) {
        return true;
    }
    return tn_str_is(tn_str_word(&cursor->rest), "when") ? read_last_expression(cursor, &choice->when)
                                                         : fail_line(cursor->compiler, cursor->line, "expected 'when'");
}

static bool read_mixer(struct cursor *cursor)
{
    return read_choice(cursor, TN_SLOT_MIXER);
}
static bool read_ffn(struct cursor *cursor)
{
    return read_choice(cursor, TN_SLOT_FFN);
}

static bool read_dims(struct cursor *cursor, struct tn_tensor_rule *rule)
{
    if (!cursor->rest.size || cursor->rest.data[0] != '[') {
        return fail_line(cursor->compiler, cursor->line, "expected the shape, [rows, columns]");
    }
    do {
        cursor->rest = tn_str_trim(tn_str_slice(cursor->rest, 1, cursor->rest.size));
        if (cursor->rest.size && cursor->rest.data[0] == ']') {
            break; /* [] is one number */
        }
        if (rule->dim_count == TN_MAX_DIMS) {
            return fail_line(cursor->compiler, cursor->line, "too many dimensions");
        }
        if (!read_expression(cursor, &rule->dims[rule->dim_count++])) {
            return false;
        }
    } while (cursor->rest.size && cursor->rest.data[0] == ',');
    if (!cursor->rest.size || cursor->rest.data[0] != ']') {
        return fail_line(cursor->compiler, cursor->line, "expected ']'");
    }
    cursor->rest = tn_str_trim(tn_str_slice(cursor->rest, 1, cursor->rest.size));
    return true;
}

static bool read_tensor_attribute(struct cursor *cursor, struct tn_tensor_rule *rule)
{
    struct tn_str word = tn_str_word(&cursor->rest);
    int class = 0;
    if (tn_str_is(word, "x")) {
        return read_expression(cursor, &rule->copies);
    }
    if (tn_str_is(word, "class")) {
        bool found = find_name(cursor, tn_class_names, TN_CLASS_COUNT, "an unknown class", &class);
        rule->class = (enum tn_class) class;
        return found;
    }
    if (tn_str_is(word, "split")) {
        return read_split(cursor, &rule->split);
    }
    if (tn_str_is(word, "dtype")) {
        return read_dtype(cursor, &rule->dtype);
    }
    if (tn_str_is(word, "unquantised") || tn_str_is(word, "buffer")) {
        bool is_buffer = tn_str_is(word, "buffer");
        rule->is_buffer = rule->is_buffer || is_buffer;
        rule->unquantised = rule->unquantised || !is_buffer;
        return true;
    }
    if (tn_str_is(word, "active")) {
        return read_expression(cursor, &rule->active)
               && (tn_str_is(tn_str_word(&cursor->rest), "of")
                   || fail_line(cursor->compiler, cursor->line, "expected 'active N of M'"))
               && read_expression(cursor, &rule->active_of);
    }
    if (tn_str_is(word, "when") || tn_str_is(word, "unless")) {
        rule->unless = tn_str_is(word, "unless");
        return read_expression(cursor, &rule->when);
    }
    return fail_line(cursor->compiler, cursor->line, "an unknown word");
}

static bool read_tensor(struct cursor *cursor, bool in_layer)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_tensor_rule *rule = &architecture->tensors[architecture->tensor_count++];
    rule->statement = cursor->line->statement;
    rule->class = TN_CLASS_LINEAR;
    if (in_layer) {
        rule->stack = cursor->line->stack;
        rule->kinds = tn_str_word(&cursor->rest);
        if (!find_stack(cursor->compiler, rule->stack)) {
            return fail_line(cursor->compiler, cursor->line, "no such stack");
        }
    }
    rule->name = tn_str_word(&cursor->rest);
    if (!read_dims(cursor, rule)) {
        return false;
    }
    while (cursor->rest.size) {
        if (!read_tensor_attribute(cursor, rule)) {
            return false;
        }
    }
    return true;
}

static bool read_layer(struct cursor *cursor)
{
    return read_tensor(cursor, true);
}
static bool read_once(struct cursor *cursor)
{
    return read_tensor(cursor, false);
}

static bool read_cache_attribute(struct cursor *cursor, struct tn_cache_rule *rule)
{
    struct tn_str word = tn_str_word(&cursor->rest);
    if (tn_str_is(word, "elements")) {
        return read_expression(cursor, &rule->elements);
    }
    if (tn_str_is(word, "split")) {
        return read_split(cursor, &rule->split);
    }
    if (tn_str_is(word, "dtype")) {
        return read_dtype(cursor, &rule->dtype);
    }
    if (tn_str_is(word, "when")) {
        return read_expression(cursor, &rule->when);
    }
    return fail_line(cursor->compiler, cursor->line, "an unknown word");
}

/* cache KINDS GROWTH[(n)] elements E [split S] [dtype T] [when C] */
static bool read_cache(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_cache_rule *rule = &architecture->caches[architecture->cache_count++];
    rule->statement = cursor->line->statement;
    rule->stack = cursor->line->stack;
    rule->kinds = tn_str_word(&cursor->rest);
    int growth;
    if (!find_name(cursor, tn_growth_names, TN_GROWTH_COUNT, "an unknown growth rule", &growth)) {
        return false;
    }
    rule->growth = (enum tn_growth)growth;
    const struct tn_expression *arguments[TN_SPLIT_PARTS] = {0};
    uint32_t count;
    if (!read_arguments(cursor, arguments, &count)) {
        return false;
    }
    bool wants_argument = rule->growth == TN_GROWTH_WINDOW || rule->growth == TN_GROWTH_CHUNK
                          || rule->growth == TN_GROWTH_CROSS || rule->growth == TN_GROWTH_COMPRESSED;
    if (wants_argument != (count == 1)) {
        return fail_line(cursor->compiler, cursor->line, "a growth rule with a wrong number of arguments");
    }
    rule->argument = arguments[0];
    while (cursor->rest.size) {
        if (!read_cache_attribute(cursor, rule)) {
            return false;
        }
    }
    bool holds_nothing = rule->growth == TN_GROWTH_SHARE || rule->growth == TN_GROWTH_NONE;
    return rule->elements || holds_nothing || fail_line(cursor->compiler, cursor->line, "a cache without 'elements'");
}

/* note CODE [when C] : TEXT */
static bool read_note(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_note_rule *note = &architecture->notes[architecture->note_count++];
    note->code = tn_str_word(&cursor->rest);
    struct tn_str word = tn_str_word(&cursor->rest);
    if (tn_str_is(word, "when")) {
        if (!read_expression(cursor, &note->when)) {
            return false;
        }
        word = tn_str_word(&cursor->rest);
    }
    note->text = cursor->rest;
    return tn_str_is(word, ":") || fail_line(cursor->compiler, cursor->line, "expected ' : TEXT'");
}

static const struct {
    const char *word;
    bool (*read)(struct cursor *cursor);
} statements[] = {
    {"match", read_match}, {"verified", read_verified}, {"root", read_root},   {"prefix", read_prefix},
    {"param", read_param}, {"stack", read_stack},       {"mixer", read_mixer}, {"ffn", read_ffn},
    {"layer", read_layer}, {"once", read_once},         {"cache", read_cache}, {"note", read_note},
};

static bool read_line(struct compiler *compiler, const struct line *line)
{
    struct cursor cursor = {compiler, line, line->statement->rest};
    for (size_t k = 0; k < sizeof statements / sizeof statements[0]; k++) {
        if (tn_str_is(line->statement->word, statements[k].word)) {
            return statements[k].read(&cursor);
        }
    }
    return fail_line(compiler, line, "an unknown statement");
}

/* ---- what depends on the layer ------------------------------------------------------------------------------------ */

struct dependence {
    const struct tn_architecture *architecture;
    bool varies;
};

static void visit_name(void *context, struct tn_str name, bool is_fact)
{
    struct dependence *dependence = context;
    if (is_fact || dependence->varies) {
        return;
    }
    dependence->varies = tn_str_is(name, "i");
    for (size_t k = 0; k < dependence->architecture->param_count && !dependence->varies; k++) {
        const struct tn_param *param = &dependence->architecture->params[k];
        dependence->varies = param->varies && tn_str_equal(param->name, name);
    }
}

static bool varies(const struct tn_architecture *architecture, const struct tn_expression *expression)
{
    struct dependence dependence = {.architecture = architecture};
    if (expression) {
        tn_expression_names(expression, visit_name, &dependence);
    }
    return dependence.varies;
}

static bool split_varies(const struct tn_architecture *architecture, const struct tn_split_rule *split)
{
    bool found = false;
    for (uint32_t k = 0; k < split->part_count; k++) {
        found = found || varies(architecture, split->parts[k]);
    }
    return found;
}

static void mark_varying(struct tn_architecture *architecture)
{
    bool changed = true;
    while (changed) { /* params may be used before they are defined: until nothing changes */
        changed = false;
        for (size_t k = 0; k < architecture->param_count; k++) {
            struct tn_param *param = &architecture->params[k];
            if (!param->varies && varies(architecture, param->expression)) {
                param->varies = changed = true;
            }
        }
    }
    for (size_t k = 0; k < architecture->tensor_count; k++) {
        struct tn_tensor_rule *rule = &architecture->tensors[k];
        rule->varies = varies(architecture, rule->copies) || varies(architecture, rule->when)
                       || varies(architecture, rule->active) || varies(architecture, rule->active_of)
                       || split_varies(architecture, &rule->split);
        for (uint32_t d = 0; d < rule->dim_count; d++) {
            rule->varies = rule->varies || varies(architecture, rule->dims[d]);
        }
    }
    for (size_t k = 0; k < architecture->cache_count; k++) {
        struct tn_cache_rule *rule = &architecture->caches[k];
        rule->varies = varies(architecture, rule->argument) || varies(architecture, rule->elements)
                       || varies(architecture, rule->when) || split_varies(architecture, &rule->split);
    }
}

bool tn_architecture_compile(const struct tn_catalog *catalog, const struct tn_record *record,
                             const struct tn_facts *facts, struct tn_arena *arena, struct tn_architecture *architecture,
                             struct tn_error *error)
{
    *architecture = (struct tn_architecture){.record = record};
    struct compiler compiler = {
        .catalog = catalog, .facts = facts, .arena = arena, .architecture = architecture, .error = error};
    if (!collect(&compiler, record)) {
        return false;
    }
    if (!allocate_tables(&compiler)) {
        return false;
    }
    for (size_t k = 0; k < compiler.line_count; k++) {
        if (!read_line(&compiler, &compiler.lines[k])) {
            return false;
        }
    }
    mark_varying(architecture);
    return true;
}

bool tn_kinds_contain(struct tn_str kinds, struct tn_str kind)
{
    if (tn_str_is(kinds, "*")) {
        return true;
    }
    while (kinds.size) {
        size_t end = tn_str_find(kinds, TN_STR("|"));
        end = end == SIZE_MAX ? kinds.size : end;
        if (tn_str_equal(tn_str_slice(kinds, 0, end), kind)) {
            return true;
        }
        kinds = tn_str_slice(kinds, end + 1, kinds.size);
    }
    return false;
}
