#include "engine/llamacpp/recipe_lines.h"
#include "text/quantity.h"

#include <string.h>

enum { MOST_DEPTH = 32, MOST_LINES = 1 << 20, MEMBERS = 2 * TN_GGML_DIMS };

enum held { HELD_NOTHING, HELD_NUMBER, HELD_TENSOR };

/* What a name stands for. */
struct variable {
    enum held held;
    struct tn_value value;
    struct tn_ggml_tensor *tensor;
    struct tn_member *members;              /* [MEMBERS], made when an expression first asks for them */
    const struct tn_ggml_tensor *described; /* by the members */
    struct tn_ggml_tensor **parts;          /* [part_count] of a name with a number: part{n} */
    size_t part_count;
};

struct run {
    const struct tn_recipe *recipe;
    struct tn_recipe_world *world;
    struct tn_ggml_graph *graph;
    struct variable *variables; /* [recipe->name_count]; given names are not kept here */
    struct tn_scope scope;
    struct tn_arena scratch; /* of expressions */
    uint32_t lines_run;
    struct tn_error *error;
};

static uint64_t layer_of(const struct run *run)
{
    return (uint64_t)run->world->given[TN_RECIPE_LAYER].as.integer;
}

/* ---- expressions -------------------------------------------------------------------------------------------------- */

/* ne0 ... ne3, nb0 ... nb3 of a tensor. */
static bool members_of(struct run *run, struct variable *variable, struct tn_value *value)
{
    static const char *const names[MEMBERS] = {"ne0", "ne1", "ne2", "ne3", "nb0", "nb1", "nb2", "nb3"};
    if (!variable->members) {
        variable->members = TN_NEW_ARRAY(run->graph->arena, struct tn_member, MEMBERS);
        if (!variable->members) {
            return tn_fail_memory(run->error);
        }
    }
    for (int k = 0; variable->described != variable->tensor && k < MEMBERS; k++) {
        const struct tn_ggml_tensor *tensor = variable->tensor;
        uint64_t number = k < TN_GGML_DIMS ? tensor->ne[k] : tensor->nb[k - TN_GGML_DIMS];
        variable->members[k].key = (struct tn_str){names[k], 3};
        variable->members[k].value = tn_value_integer((int64_t)number);
    }
    variable->described = variable->tensor;
    *value = (struct tn_value){.kind = TN_OBJECT, .count = MEMBERS, .offset = -1, .as.members = variable->members};
    return true;
}

static bool numbered(void *context, uint32_t number, struct tn_value *value, struct tn_error *error)
{
    struct run *run = context;
    struct variable *variable = &run->variables[number];
    struct tn_str name = run->recipe->names[number];
    if (number < TN_RECIPE_GIVEN_COUNT) {
        *value = run->world->given[number];
        return true;
    }
    if (variable->held == HELD_NUMBER) {
        *value = variable->value;
        return true;
    }
    if (variable->held == HELD_TENSOR) {
        return members_of(run, variable, value);
    }
    if (run->recipe->asked[number] != UINT32_MAX) {
        uint32_t weight = run->recipe->asked[number];
        *value = tn_value_boolean(run->world->weight(run->world->context, weight, layer_of(run)) != NULL);
        return true;
    }
    return tn_fail(error, TN_ERROR_EXPRESSION, "\"" TN_STR_FORMAT "\" is not set", TN_STR_ARGUMENTS(name));
}

static bool unknown(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    (void)context;
    (void)value;
    return tn_fail(error, TN_ERROR_EXPRESSION, "\"" TN_STR_FORMAT "\" is not set", TN_STR_ARGUMENTS(name));
}

static const struct tn_value *fact(void *context, struct tn_str name)
{
    const struct run *run = context;
    return run->world->fact(run->world->context, name);
}

static bool number_of(struct run *run, const struct tn_expression *expression, uint64_t *number)
{
    int64_t integer;
    if (!tn_expression_integer(expression, &run->scope, &run->scratch, &integer, run->error)) {
        return false;
    }
    *number = (uint64_t)integer;
    return integer >= 0
           || tn_fail(run->error, TN_ERROR_EXPRESSION, "a number of the graph is negative: " TN_STR_FORMAT,
                      TN_STR_ARGUMENTS(tn_expression_text(expression)));
}

static bool applies(struct run *run, const struct tn_line *line, bool *is_true)
{
    *is_true = true;
    return !line->when || tn_expression_boolean(line->when, &run->scope, &run->scratch, is_true, run->error);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static bool missing(const struct run *run, struct tn_str name)
{
    return tn_fail(run->error, TN_ERROR_RECORD, "the model has no \"" TN_STR_FORMAT "\"", TN_STR_ARGUMENTS(name));
}

static bool weight_of(const struct run *run, const struct tn_operand *operand, struct tn_ggml_tensor **tensor)
{
    uint64_t layer = layer_of(run);
    if (operand->name != UINT32_MAX) {
        layer = (uint64_t)run->variables[operand->name].value.as.integer;
        if (run->variables[operand->name].held != HELD_NUMBER
            || run->variables[operand->name].value.kind != TN_INTEGER) {
            return missing(run, run->recipe->names[operand->name]);
        }
    }
    *tensor = run->world->weight(run->world->context, operand->weight, layer);
    return *tensor || operand->is_optional || missing(run, run->recipe->weights[operand->weight].name);
}

enum { MOST_PARTS = 1024 };

/* The n of part{n}: a number by its name, or written out; -1 where it is neither. */
static int64_t number_of_part(const struct run *run, uint32_t index)
{
    const struct variable *variable = &run->variables[index];
    struct tn_str name = run->recipe->names[index];
    uint64_t written;
    if (variable->held == HELD_NUMBER && variable->value.kind == TN_INTEGER) {
        return variable->value.as.integer;
    }
    return tn_quantity_number(name, &written) && written < MOST_PARTS ? (int64_t)written : -1;
}

/* Where part{n} is kept; NULL where n is no number that it may be, or memory is out. */
static struct tn_ggml_tensor **part_of(struct run *run, uint32_t name, uint32_t index)
{
    struct variable *variable = &run->variables[name];
    int64_t part = number_of_part(run, index);
    if (part < 0 || part >= MOST_PARTS) {
        tn_fail(run->error, TN_ERROR_RECORD, "\"" TN_STR_FORMAT "\" is no number of a part",
                TN_STR_ARGUMENTS(run->recipe->names[index]));
        return NULL;
    }
    if ((size_t)part >= variable->part_count) {
        size_t count = (size_t)part * 2 + 8;
        struct tn_ggml_tensor **parts = tn_arena_grow(run->graph->arena, variable->parts, variable->part_count, count,
                                                      sizeof(struct tn_ggml_tensor *));
        if (!parts) {
            tn_fail_memory(run->error);
            return NULL;
        }
        variable->parts = parts;
        variable->part_count = count;
    }
    return &variable->parts[part];
}

static bool named_tensor(struct run *run, const struct tn_operand *operand, struct tn_ggml_tensor **tensor)
{
    const struct variable *variable = &run->variables[operand->name];
    if (operand->index != UINT32_MAX) {
        struct tn_ggml_tensor **part = part_of(run, operand->name, operand->index);
        *tensor = part ? *part : NULL;
        return part != NULL;
    }
    *tensor = variable->held == HELD_TENSOR ? variable->tensor : NULL;
    return true;
}

/* *tensor is NULL for an optional operand that the model lacks. */
static bool tensor_of(struct run *run, const struct tn_operand *operand, struct tn_ggml_tensor **tensor)
{
    static const char *const caches[] = {"cache of keys", "cache of values", "cache of shifts", "cache of states",
                                         "cache of the indexer"};
    *tensor = NULL;
    switch (operand->kind) {
    case TN_OPERAND_NONE:
        return true;
    case TN_OPERAND_WEIGHT:
        return weight_of(run, operand, tensor);
    case TN_OPERAND_CACHE:
        *tensor = run->world->cache(run->world->context, operand->cache, layer_of(run));
        return *tensor || operand->is_optional || missing(run, tn_str_of(caches[operand->cache]));
    case TN_OPERAND_NAME:
        break;
    }
    if (!named_tensor(run, operand, tensor)) {
        return false;
    }
    return *tensor || operand->is_optional
           || tn_fail(run->error, TN_ERROR_RECORD, "\"" TN_STR_FORMAT "\" is no tensor",
                      TN_STR_ARGUMENTS(run->recipe->names[operand->name]));
}

static bool set_tensor(struct run *run, const struct tn_line *line, struct tn_ggml_tensor *tensor)
{
    struct variable *variable = &run->variables[line->name];
    if (line->index == UINT32_MAX) {
        variable->held = tensor ? HELD_TENSOR : HELD_NOTHING;
        variable->tensor = tensor;
        return true;
    }
    struct tn_ggml_tensor **part = part_of(run, line->name, line->index);
    if (part) {
        *part = tensor;
    }
    return part != NULL;
}

static bool read_numbers(struct run *run, const struct tn_line *line, struct tn_ggml_call *call)
{
    bool done = true;
    for (int k = 0; done && k < line->number_count; k++) {
        done = number_of(run, line->numbers[k], &call->numbers[k]);
    }
    for (int k = 0; done && k < line->stride_count; k++) {
        done = number_of(run, line->strides[k], &call->strides[k]);
    }
    call->number_count = line->number_count;
    call->stride_count = line->stride_count;
    return done && (!line->value || number_of(run, line->value, &call->offset));
}

/* An optional source that an operation cannot do without makes the line one without effect. */
static bool run_node(struct run *run, const struct tn_line *line)
{
    struct tn_ggml_call call = {.row = line->row, .source_count = line->operand_count, .type = line->type};
    bool is_idle = false;
    for (int k = 0; k < line->operand_count; k++) {
        if (!tensor_of(run, &line->operands[k], &call.sources[k])) {
            return false;
        }
        is_idle = is_idle || (!call.sources[k] && line->operands[k].is_optional && k < line->row->least_sources);
    }
    if (is_idle) {
        return set_tensor(run, line, call.sources[0] ? call.sources[0] : call.sources[1]);
    }
    struct tn_ggml_tensor *tensor = read_numbers(run, line, &call) ? tn_ggml_make(run->graph, &call, run->error) : NULL;
    if (tensor) {
        tensor->layer = (uint32_t)layer_of(run);
    }
    return tensor && set_tensor(run, line, tensor);
}

static bool run_alias(struct run *run, const struct tn_line *line)
{
    struct tn_ggml_tensor *tensor;
    if (!tensor_of(run, &line->operands[0], &tensor)) {
        return false;
    }
    return !tensor || set_tensor(run, line, tensor); /* of a weight that the model lacks: as it was */
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static bool run_block(struct run *run, const struct tn_block *block, int depth);

/* Rounds of loops count as well: their block may have no lines. */
static bool count_line(struct run *run)
{
    return ++run->lines_run <= MOST_LINES
           || tn_fail(run->error, TN_ERROR_TOO_LARGE, "the recipe of the graph runs more than %d lines", MOST_LINES);
}

static void set_number(struct run *run, uint32_t name, struct tn_value value)
{
    if (name == TN_RECIPE_LAYER) {
        run->world->given[TN_RECIPE_LAYER] = value;
        run->world->enter_layer(run->world->context, run->world, (uint64_t)value.as.integer);
    } else if (name < TN_RECIPE_GIVEN_COUNT) {
        run->world->given[name] = value;
    } else {
        run->variables[name].held = HELD_NUMBER;
        run->variables[name].value = value;
    }
}

static bool run_let(struct run *run, const struct tn_line *line)
{
    struct tn_value value;
    if (!tn_expression_evaluate(line->value, &run->scope, &run->scratch, &value, run->error)) {
        return false;
    }
    if (line->name == TN_RECIPE_LAYER && value.kind != TN_INTEGER) {
        return tn_fail(run->error, TN_ERROR_RECORD, "a layer has a number");
    }
    set_number(run, line->name, value);
    return true;
}

static bool run_each(struct run *run, const struct tn_line *line, int depth)
{
    uint64_t count;
    bool done = number_of(run, line->value, &count);
    for (uint64_t k = 0; done && k < count; k++) {
        set_number(run, line->name, tn_value_integer((int64_t)k));
        done = count_line(run) && run_block(run, line->block, depth + 1);
    }
    return done;
}

static bool run_on_tensors(struct run *run, const struct tn_line *line)
{
    bool done = true;
    for (int k = 0; done && k < line->operand_count; k++) {
        struct tn_ggml_tensor *tensor;
        done = tensor_of(run, &line->operands[k], &tensor);
        if (!done || !tensor) {
            continue;
        }
        if (line->kind == TN_LINE_EXPAND) {
            done = tn_ggml_expand(run->graph, tensor, run->error);
        } else if (line->kind == TN_LINE_OUTPUT) {
            tensor->flags |= TN_GGML_OUTPUT;
        } else if (line->kind == TN_LINE_LAYER) {
            run->world->keep_in_layer(run->world->context, tensor, layer_of(run));
        } else {
            run->world->keep_on_host(run->world->context, tensor);
        }
    }
    return done;
}

static bool run_line(struct run *run, const struct tn_line *line, int depth)
{
    switch (line->kind) {
    case TN_LINE_LET:
        return run_let(run, line);
    case TN_LINE_DO:
        return run_block(run, line->block, depth + 1);
    case TN_LINE_EACH:
        return run_each(run, line, depth);
    case TN_LINE_NODE:
        return run_node(run, line);
    case TN_LINE_ALIAS:
        return run_alias(run, line);
    default:
        return run_on_tensors(run, line);
    }
}

static bool run_block(struct run *run, const struct tn_block *block, int depth)
{
    if (depth > MOST_DEPTH) {
        return tn_fail(run->error, TN_ERROR_RECORD, "graphs are nested deeper than %d", MOST_DEPTH);
    }
    for (size_t k = 0; k < block->count; k++) {
        const struct tn_line *line = &block->lines[k];
        bool is_true;
        if (!count_line(run) || !applies(run, line, &is_true) || (is_true && !run_line(run, line, depth))) {
            tn_fail_in_record(block->record, line->line, run->error);
            return tn_fail_at(run->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(block->record->file), line->line);
        }
    }
    return true;
}

bool tn_recipe_run(const struct tn_recipe *recipe, struct tn_recipe_world *world, struct tn_ggml_graph *graph,
                   struct tn_error *error)
{
    struct run run = {.recipe = recipe,
                      .world = world,
                      .graph = graph,
                      .variables = TN_NEW_ARRAY(graph->arena, struct variable, recipe->name_count),
                      .error = error};
    run.scope = (struct tn_scope){.context = &run, .symbol = unknown, .numbered = numbered, .fact = fact};
    bool done = run.variables ? run_block(&run, recipe->main, 0) : tn_fail_memory(error);
    tn_arena_free(&run.scratch);
    return done;
}
