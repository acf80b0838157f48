/* Explaining by walking the record's expressions: what is shown is what was evaluated. */
#include "api/explain.h"

#include "model/evaluator.h"

struct symbol {
    const struct tn_param *param;
    struct tn_value value;
    bool used;
};

struct explanation {
    const struct tn_model *model;
    struct tn_arena *arena;
    struct symbol *symbols; /* [param_count] of the record */
    size_t count;
};

static void use_name(void *context, struct tn_str name, bool is_fact)
{
    struct explanation *explanation = context;
    for (size_t k = 0; !is_fact && k < explanation->count; k++) {
        struct symbol *symbol = &explanation->symbols[k];
        if (tn_str_equal(symbol->param->name, name) && !symbol->used) {
            symbol->used = true;
            tn_expression_names(symbol->param->expression, use_name, explanation);
        }
    }
}

static void use_expression(struct explanation *explanation, const struct tn_expression *expression)
{
    if (expression) {
        tn_expression_names(expression, use_name, explanation);
    }
}

static void use_rules(struct explanation *explanation)
{
    for (size_t k = 0; k < explanation->model->group_count; k++) {
        const struct tn_tensor_rule *rule = explanation->model->groups[k].rule;
        for (uint32_t d = 0; rule && d < rule->dim_count; d++) {
            use_expression(explanation, rule->dims[d]);
        }
        if (rule) {
            use_expression(explanation, rule->copies);
        }
    }
    for (size_t k = 0; k < explanation->model->cache_count; k++) {
        const struct tn_cache_rule *rule = explanation->model->caches[k].rule;
        if (rule) {
            use_expression(explanation, rule->argument);
            use_expression(explanation, rule->elements);
        }
    }
    for (size_t k = 0; k < explanation->model->compiled->stack_count; k++) {
        use_expression(explanation, explanation->model->compiled->stacks[k].layers);
    }
}

/* Symbols that vary with the layer, or that this model cannot evaluate because no tensor of it needs them, keep TN_NULL. */
static bool explain(const struct tn_model *model, struct tn_arena *arena, struct explanation *explanation,
                    struct tn_error *error)
{
    *explanation = (struct explanation){.model = model, .arena = arena};
    if (!model->compiled) {
        return true;
    }
    explanation->count = model->compiled->param_count;
    explanation->symbols = TN_NEW_ARRAY(arena, struct symbol, explanation->count);
    struct tn_evaluator *evaluator = tn_evaluator_new(model->compiled, &model->facts, arena);
    if (!explanation->symbols || !evaluator) {
        return tn_fail_memory(error);
    }
    struct tn_scope scope = tn_evaluator_scope(evaluator);
    for (size_t k = 0; k < explanation->count; k++) {
        struct symbol *symbol = &explanation->symbols[k];
        symbol->param = &model->compiled->params[k];
        if (symbol->param->varies
            || !tn_expression_evaluate(symbol->param->expression, &scope, arena, &symbol->value, NULL)) {
            symbol->value = (struct tn_value){.kind = TN_NULL};
        }
    }
    use_rules(explanation);
    return true;
}

/* ---- facts of one symbol ------------------------------------------------------------------------------------------ */

struct fact_visit {
    const struct tn_model *model;
    struct tn_builder *text;     /* for people, or */
    struct tn_json_writer *json; /* for programs */
};

static void write_value(struct tn_builder *text, const struct tn_value *value)
{
    if (value->kind == TN_LIST || value->kind == TN_OBJECT) {
        tn_builder_addf(text, "%s of %u", value->kind == TN_LIST ? "list" : "object", value->count);
        return;
    }
    struct tn_json_writer json = {.builder = text};
    tn_json_value(&json, value);
}

/* The file without its folders: the place is for a person who knows which model this is. */
static struct tn_str last_part(struct tn_str path)
{
    for (size_t k = path.size; k > 0; k--) {
        if (path.data[k - 1] == '/') {
            return tn_str_slice(path, k, path.size);
        }
    }
    return path;
}

static void visit_fact(void *context, struct tn_str name, bool is_fact)
{
    struct fact_visit *visit = context;
    const struct tn_fact_source *source = NULL;
    const struct tn_value *value = is_fact ? tn_facts_find(&visit->model->facts, name, &source) : NULL;
    if (!value) {
        return;
    }
    if (visit->json) {
        tn_json_begin_object(visit->json);
        tn_json_key(visit->json, "key");
        tn_json_string(visit->json, name);
        tn_json_key(visit->json, "value");
        tn_json_value(visit->json, value);
        tn_json_key(visit->json, "origin");
        tn_json_text(visit->json, tn_origin_name(source->origin));
        tn_json_key(visit->json, "where");
        tn_json_string(visit->json, source->where);
        tn_json_key(visit->json, "offset");
        if (value->offset >= 0) {
            tn_json_i64(visit->json, value->offset);
        } else {
            tn_json_null(visit->json);
        }
        tn_json_end_object(visit->json);
        return;
    }
    tn_builder_addf(visit->text, "%s%.*s = ", visit->text->size ? "; " : "", (int)name.size, name.data);
    write_value(visit->text, value);
    struct tn_str where = last_part(source->where);
    tn_builder_addf(visit->text, " (%.*s", (int)where.size, where.data);
    if (value->offset >= 0) {
        tn_builder_addf(visit->text, ", byte %lld", (long long)value->offset);
    }
    tn_builder_add_char(visit->text, ')');
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

static void report_symbols(const struct explanation *explanation, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"symbol", "symbol", false, 0},
                                               {"value", "value", true, 0},
                                               {"is", "formula", false, 0},
                                               {"from", "facts", false, 0}};
    struct tn_table *table = tn_report_table(report, "Symbols of the formulas", columns, 4);
    for (size_t k = 0; table && k < explanation->count; k++) {
        const struct symbol *symbol = &explanation->symbols[k];
        struct tn_cell *cells = symbol->used ? tn_table_row(report, table) : NULL;
        if (!cells) {
            continue;
        }
        struct tn_builder value = {0};
        struct tn_builder facts = {0};
        struct fact_visit visit = {.model = explanation->model, .text = &facts};
        if (symbol->param->varies) {
            tn_builder_add_text(&value, "by layer");
        } else {
            write_value(&value, &symbol->value);
        }
        tn_expression_names(symbol->param->expression, visit_fact, &visit);
        cells[0] = tn_cell_text(symbol->param->name);
        cells[1] = tn_cell_text(tn_report_keep(report, &value));
        cells[2] = tn_cell_text(tn_expression_text(symbol->param->expression));
        cells[3] = tn_cell_text(tn_report_keep(report, &facts));
    }
}

static struct tn_str first_words(struct tn_str statement, const char *until)
{
    size_t end = tn_str_find(statement, tn_str_of(until));
    return tn_str_trim(tn_str_slice(statement, 0, end == SIZE_MAX ? statement.size : end));
}

/* The shape part of a layer or once statement: "[nh * hd, d] x E". */
static struct tn_str shape_formula(const struct tn_tensor_rule *rule)
{
    struct tn_str rest = rule->statement->rest;
    size_t bracket = tn_str_find(rest, TN_STR("["));
    rest = tn_str_slice(rest, bracket, rest.size);
    static const char *const ends[] = {" class ",  " split ", " when ",       " unless ",
                                       " active ", " dtype ", " unquantised", " buffer"};
    for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
        rest = first_words(rest, ends[k]);
    }
    return rest;
}

static void report_formulas(const struct tn_model *model, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"what", "name", false, 0},
                                               {"formula", "formula", false, 0},
                                               {"layers", "layers", true, 0},
                                               {"bytes", "bytes", true, 0}};
    struct tn_table *table = tn_report_table(report, "Formulas", columns, 4);
    for (size_t k = 0; table && k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        struct tn_str formula = group->rule ? shape_formula(group->rule) : TN_STR("from the header");
        cells[0] = tn_cell_text(group->name);
        cells[1] = tn_cell_text(formula);
        cells[2] = group->layers ? tn_cell_count(group->layer_count) : (struct tn_cell){0};
        cells[3] = tn_cell_bytes(group->bytes);
    }
    for (size_t k = 0; table && k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        struct tn_cell *cells = cache->rule ? tn_table_row(report, table) : NULL;
        if (cells) {
            cells[0] = tn_cell_text(cache->label);
            cells[1] = tn_cell_text(cache->rule->statement->rest);
            cells[2] = tn_cell_count(cache->layer_count);
        }
    }
}

bool tn_explain_weights(const struct tn_model *model, struct tn_report *report, struct tn_error *error)
{
    struct explanation explanation;
    if (!explain(model, report->arena, &explanation, error)) {
        return false;
    }
    if (explanation.count) {
        report_symbols(&explanation, report);
        report_formulas(model, report);
    }
    return true;
}

/* ---- for programs ------------------------------------------------------------------------------------------------- */

bool tn_explain_json(const struct tn_model *model, struct tn_arena *arena, struct tn_json_writer *json,
                     struct tn_error *error)
{
    struct explanation explanation;
    if (!explain(model, arena, &explanation, error)) {
        return false;
    }
    tn_json_key(json, "symbols");
    tn_json_begin_list(json);
    for (size_t k = 0; k < explanation.count; k++) {
        const struct symbol *symbol = &explanation.symbols[k];
        struct fact_visit visit = {.model = model, .json = json};
        if (!symbol->used) {
            continue;
        }
        tn_json_begin_object(json);
        tn_json_key(json, "name");
        tn_json_string(json, symbol->param->name);
        tn_json_key(json, "value");
        tn_json_value(json, &symbol->value);
        tn_json_key(json, "formula");
        tn_json_string(json, tn_expression_text(symbol->param->expression));
        tn_json_key(json, "facts");
        tn_json_begin_list(json);
        tn_expression_names(symbol->param->expression, visit_fact, &visit);
        tn_json_end_list(json);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
    tn_json_key(json, "formulas");
    tn_json_begin_list(json);
    for (size_t k = 0; k < model->group_count; k++) {
        if (model->groups[k].rule) {
            tn_json_begin_object(json);
            tn_json_key(json, "name");
            tn_json_string(json, model->groups[k].name);
            tn_json_key(json, "formula");
            tn_json_string(json, shape_formula(model->groups[k].rule));
            tn_json_end_object(json);
        }
    }
    tn_json_end_list(json);
    return true;
}
