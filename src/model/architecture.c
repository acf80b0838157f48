/* Compiling an architecture record: each statement by its row in the table of statements. */
#include "model/architecture.h"

#include "model/lineage.h"

#include <string.h>

struct compiler {
    struct tn_arena *arena;
    struct tn_architecture *architecture;
    struct tn_error *error;
};

static bool fail_line(struct compiler *compiler, const struct tn_line *line, const char *message)
{
    return tn_fail_line(line, message, compiler->error);
}

/* ---- parsing the statements --------------------------------------------------------------------------------------- */

/* A statement's rest while it is read from the left. */
struct cursor {
    struct compiler *compiler;
    const struct tn_line *line;
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
    int kind = 0;
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
static bool allocate_tables(struct compiler *compiler, size_t count)
{
    struct tn_architecture *architecture = compiler->architecture;
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
    if (tn_str_is(word, "from")) {
        return read_expression(cursor, &rule->first);
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
    if (tn_str_is(word, "rows")) {
        return rule->growth == TN_GROWTH_CONSTANT
                   ? read_expression(cursor, &rule->rows)
                   : fail_line(cursor->compiler, cursor->line, "'rows' of a cache that is not constant");
    }
    if (tn_str_is(word, "values")) {
        return read_expression(cursor, &rule->values);
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

/* cache KINDS GROWTH[(n)] elements E [values V] [rows N] [split S] [dtype T] [when C] */
static bool read_cache(struct cursor *cursor)
{
    struct tn_architecture *architecture = cursor->compiler->architecture;
    struct tn_cache_rule *rule = &architecture->caches[architecture->cache_count++];
    rule->statement = cursor->line->statement;
    rule->stack = cursor->line->stack;
    rule->kinds = tn_str_word(&cursor->rest);
    int growth = 0;
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

static bool read_line(struct compiler *compiler, const struct tn_line *line)
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
        rule->varies = varies(architecture, rule->copies) || varies(architecture, rule->first)
                       || varies(architecture, rule->when) || varies(architecture, rule->active)
                       || varies(architecture, rule->active_of) || split_varies(architecture, &rule->split);
        for (uint32_t d = 0; d < rule->dim_count; d++) {
            rule->varies = rule->varies || varies(architecture, rule->dims[d]);
        }
    }
    for (size_t k = 0; k < architecture->cache_count; k++) {
        struct tn_cache_rule *rule = &architecture->caches[k];
        rule->varies = varies(architecture, rule->argument) || varies(architecture, rule->elements)
                       || varies(architecture, rule->values) || varies(architecture, rule->rows)
                       || varies(architecture, rule->when) || split_varies(architecture, &rule->split);
    }
}

/* The stack that another is like may be defined behind it. */
static bool check_likes(struct compiler *compiler)
{
    const struct tn_record *record = compiler->architecture->record;
    for (size_t k = 0; k < compiler->architecture->stack_count; k++) {
        struct tn_str like = compiler->architecture->stacks[k].like;
        if (like.size && !find_stack(compiler, like)) {
            tn_fail(compiler->error, TN_ERROR_RECORD, "a stack is like '" TN_STR_FORMAT "': no such stack",
                    TN_STR_ARGUMENTS(like));
            return tn_fail_at(compiler->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
        }
    }
    return true;
}

bool tn_architecture_compile(const struct tn_catalog *catalog, const struct tn_record *record,
                             const struct tn_facts *facts, struct tn_arena *arena, struct tn_architecture *architecture,
                             struct tn_error *error)
{
    *architecture = (struct tn_architecture){.record = record};
    struct compiler compiler = {.arena = arena, .architecture = architecture, .error = error};
    struct tn_lineage lineage;
    if (!tn_lineage_collect(catalog, record, facts, arena, &lineage, error)
        || !allocate_tables(&compiler, lineage.count)) {
        return false;
    }
    for (size_t k = 0; k < lineage.count; k++) {
        if (!read_line(&compiler, &lineage.lines[k])) {
            return false;
        }
    }
    mark_varying(architecture);
    return check_likes(&compiler);
}

const struct tn_param *tn_architecture_param(const struct tn_architecture *architecture, struct tn_str name)
{
    for (size_t k = 0; k < architecture->param_count; k++) {
        if (tn_str_equal(architecture->params[k].name, name)) {
            return &architecture->params[k];
        }
    }
    return NULL;
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
