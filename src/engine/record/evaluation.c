/* Engine records evaluated in one deployment: values on demand, ledger entries, refusals, log lines. */
#include "engine/record/rules_compiled.h"

#include "base/real.h"
#include "catalog/names.h"
#include "text/quantity.h"
#include "text/template.h"

#include <math.h>

enum state { STATE_UNKNOWN, STATE_BUSY, STATE_KNOWN };

struct cell {
    enum state state;
    bool is_set; /* by the user: the formula does not count */
    bool has_range;
    struct tn_value value;
    struct tn_value low; /* where has_range */
    struct tn_value high;
    const struct tn_correction *correction; /* of the range; NULL: none */
    bool is_in_budget;                      /* where there is a correction */
    struct tn_range fitted;                 /* the range before it */
};

struct tn_evaluation {
    const struct tn_rules *rules;
    const struct tn_facts *facts;
    struct tn_arena *own;       /* of the cells and of texts that were given */
    struct tn_arena *arena;     /* of what is made while a formula is evaluated */
    struct tn_assignment *sets; /* [set_count] copies */
    size_t set_count;
    struct tn_value given[TN_GIVEN_COUNT];
    struct cell *cells;                       /* [rules->row_count] */
    const struct tn_value *mid;               /* what `mid` means while a range is evaluated; else NULL */
    const struct tn_calibration *calibration; /* NULL: none */
};

/* ---- values ------------------------------------------------------------------------------------------------------- */

static bool evaluate_row(struct tn_evaluation *evaluation, size_t index, struct tn_error *error);

/* By the number that rules->names has for the name. */
static bool find_numbered(void *context, uint32_t number, struct tn_value *value, struct tn_error *error)
{
    struct tn_evaluation *evaluation = context;
    if (number < TN_GIVEN_COUNT) {
        *value = evaluation->given[number];
        return true;
    }
    size_t index = number - TN_GIVEN_COUNT;
    bool done = evaluation->cells[index].state == STATE_KNOWN || evaluate_row(evaluation, index, error);
    *value = evaluation->cells[index].value;
    return done;
}

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct tn_evaluation *evaluation = context;
    if (evaluation->mid && tn_str_is(name, "mid")) {
        *value = *evaluation->mid;
        return true;
    }
    uint32_t number = tn_map_find(&evaluation->rules->names, name);
    if (number == TN_MAP_NONE) {
        return tn_fail(error, TN_ERROR_EXPRESSION, "engine record " TN_STR_FORMAT " has no symbol '" TN_STR_FORMAT "'",
                       TN_STR_ARGUMENTS(evaluation->rules->engine), TN_STR_ARGUMENTS(name));
    }
    return find_numbered(evaluation, number, value, error);
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    return tn_facts_find(((struct tn_evaluation *)context)->facts, name, NULL);
}

static struct tn_scope scope_of(struct tn_evaluation *evaluation)
{
    return (struct tn_scope){
        .context = evaluation, .symbol = find_symbol, .numbered = find_numbered, .fact = find_fact};
}

static bool fail_row(const struct tn_rule_row *row, struct tn_error *error)
{
    return tn_fail_in_record(row->record, row->line, error);
}

static bool evaluate_range(struct tn_evaluation *evaluation, const struct tn_rule_row *row, struct cell *cell,
                           struct tn_error *error)
{
    struct tn_scope scope = scope_of(evaluation);
    const struct tn_value *outer = evaluation->mid;
    cell->has_range = row->low != NULL;
    evaluation->mid = &cell->value;
    bool done = !row->low
                || (tn_expression_evaluate(row->low, &scope, evaluation->arena, &cell->low, error)
                    && tn_expression_evaluate(row->high, &scope, evaluation->arena, &cell->high, error));
    evaluation->mid = outer;
    return done;
}

static void correct(struct cell *cell);

static bool evaluate_row(struct tn_evaluation *evaluation, size_t index, struct tn_error *error)
{
    const struct tn_rule_row *row = &evaluation->rules->rows[index];
    struct cell *cell = &evaluation->cells[index];
    struct tn_scope scope = scope_of(evaluation);
    const struct tn_value *outer = evaluation->mid;
    if (cell->state == STATE_BUSY) {
        tn_fail(error, TN_ERROR_EXPRESSION, "'" TN_STR_FORMAT "' needs itself", TN_STR_ARGUMENTS(row->setting.name));
        return fail_row(row, error);
    }
    cell->state = STATE_BUSY;
    evaluation->mid = NULL;
    bool done = tn_expression_evaluate(row->expression, &scope, evaluation->arena, &cell->value, error)
                && evaluate_range(evaluation, row, cell, error);
    evaluation->mid = outer;
    if (done && cell->correction && cell->has_range) {
        correct(cell);
    }
    cell->state = done ? STATE_KNOWN : STATE_UNKNOWN;
    return done || fail_row(row, error);
}

static bool find_value(struct tn_evaluation *evaluation, const char *name, const struct cell **cell,
                       struct tn_error *error)
{
    uint32_t index = tn_map_find(&evaluation->rules->names, tn_str_of(name));
    if (index == TN_MAP_NONE || index < TN_GIVEN_COUNT) {
        return tn_fail(error, TN_ERROR_RECORD, "engine record " TN_STR_FORMAT " does not say '%s'",
                       TN_STR_ARGUMENTS(evaluation->rules->engine), name);
    }
    index -= TN_GIVEN_COUNT;
    *cell = &evaluation->cells[index];
    return (*cell)->state == STATE_KNOWN || evaluate_row(evaluation, index, error);
}

bool tn_evaluation_number(struct tn_evaluation *evaluation, const char *name, uint64_t *number, struct tn_error *error)
{
    const struct cell *cell;
    bool done = find_value(evaluation, name, &cell, error);
    *number = done ? tn_value_whole(&cell->value) : 0;
    return done;
}

static struct tn_range range_of(const struct cell *cell)
{
    uint64_t mid = tn_value_whole(&cell->value);
    struct tn_range range = {mid, mid, mid};
    if (cell->has_range) {
        uint64_t low = tn_value_whole(&cell->low);
        uint64_t high = tn_value_whole(&cell->high);
        range.low = low < mid ? low : mid;
        range.high = high > mid ? high : mid;
    }
    return range;
}

/* ---- calibration -------------------------------------------------------------------------------------------------- */

static struct tn_value integer_of(uint64_t number)
{
    return tn_value_integer(number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void correct(struct cell *cell)
{
    cell->fitted = range_of(cell);
    struct tn_range range = tn_corrected(cell->correction, cell->fitted);
    cell->low = integer_of(range.low);
    cell->value = integer_of(range.mid);
    cell->high = integer_of(range.high);
}

void tn_evaluation_calibrate(struct tn_evaluation *evaluation, const struct tn_calibration *calibration)
{
    const struct tn_rules *rules = evaluation->rules;
    evaluation->calibration = calibration;
    for (size_t k = 0; calibration && k < rules->entry_count; k++) {
        const struct tn_rule_entry *entry = &rules->entries[k];
        enum tn_fitted_term term = tn_fitted_term_of(entry->category, entry->basis, entry->is_beside);
        struct cell *cell = &evaluation->cells[entry->row];
        if (term != TN_FITTED_COUNT && !cell->is_set && tn_correction_applies(&calibration->corrections[term])) {
            cell->correction = &calibration->corrections[term];
            cell->is_in_budget = !entry->is_beside;
        }
    }
}

const struct tn_calibration *tn_evaluation_calibration(const struct tn_evaluation *evaluation)
{
    return evaluation->calibration;
}

static int64_t difference(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b); /* halves of ranges of bytes: within 63 bits */
}

struct tn_calibration_gain tn_evaluation_gain(const struct tn_evaluation *evaluation)
{
    struct tn_calibration_gain gain = {0};
    for (size_t k = 0; k < evaluation->rules->row_count; k++) {
        const struct cell *cell = &evaluation->cells[k];
        if (cell->correction && cell->is_in_budget && cell->has_range && cell->state == STATE_KNOWN) {
            struct tn_range now = range_of(cell);
            gain.above_bytes += difference(cell->fitted.high - cell->fitted.mid, now.high - now.mid);
            gain.below_bytes += difference(cell->fitted.mid - cell->fitted.low, now.mid - now.low);
        }
    }
    return gain;
}

bool tn_evaluation_range(struct tn_evaluation *evaluation, const char *name, struct tn_range *range,
                         struct tn_error *error)
{
    const struct cell *cell;
    bool done = find_value(evaluation, name, &cell, error);
    *range = done ? range_of(cell) : (struct tn_range){0};
    return done;
}

bool tn_evaluation_real(struct tn_evaluation *evaluation, const char *name, double *real, struct tn_error *error)
{
    const struct cell *cell;
    bool done = find_value(evaluation, name, &cell, error);
    *real = !done ? 0 : (cell->value.kind == TN_REAL ? cell->value.as.real : (double)tn_value_whole(&cell->value));
    return done;
}

bool tn_evaluation_text(struct tn_evaluation *evaluation, const char *name, struct tn_str *text, struct tn_error *error)
{
    const struct cell *cell;
    bool done = find_value(evaluation, name, &cell, error);
    *text = done && cell->value.kind == TN_STRING ? cell->value.as.string : (struct tn_str){0};
    return done;
}

bool tn_evaluation_is_given(const struct tn_evaluation *evaluation, const char *name)
{
    uint32_t index = tn_map_find(&evaluation->rules->names, tn_str_of(name));
    return index != TN_MAP_NONE && index >= TN_GIVEN_COUNT && evaluation->cells[index - TN_GIVEN_COUNT].is_set;
}

/* ---- giving ------------------------------------------------------------------------------------------------------- */

static void forget(struct tn_evaluation *evaluation, enum tn_given given)
{
    const struct tn_dependents *dependents = &evaluation->rules->dependents[given];
    for (size_t k = 0; k < dependents->count; k++) {
        struct cell *cell = &evaluation->cells[dependents->rows[k]];
        cell->state = cell->is_set ? cell->state : STATE_UNKNOWN;
    }
}

static bool is_same(const struct tn_value *a, const struct tn_value *b)
{
    return a->kind == b->kind && tn_value_equal(a, b);
}

static void give(struct tn_evaluation *evaluation, enum tn_given given, struct tn_value value)
{
    if (!is_same(&evaluation->given[given], &value)) {
        evaluation->given[given] = value;
        forget(evaluation, given);
    }
}

void tn_evaluation_give(struct tn_evaluation *evaluation, enum tn_given given, uint64_t value)
{
    give(evaluation, given, tn_value_integer(value > INT64_MAX ? INT64_MAX : (int64_t)value));
}

void tn_evaluation_give_real(struct tn_evaluation *evaluation, enum tn_given given, double value)
{
    give(evaluation, given, tn_value_real(value));
}

void tn_evaluation_give_text(struct tn_evaluation *evaluation, enum tn_given given, struct tn_str value)
{
    struct tn_value text = tn_value_string(value);
    struct tn_str copy;
    if (!is_same(&evaluation->given[given], &text) && tn_str_copy(evaluation->own, value, &copy)) {
        give(evaluation, given, tn_value_string(copy));
    }
}

/* ---- what the user sets ------------------------------------------------------------------------------------------- */

static bool read_flag(struct tn_str text, struct tn_value *value)
{
    static const char *const yes[] = {"true", "1", "on", "yes"};
    static const char *const no[] = {"false", "0", "off", "no"};
    for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++) {
        bool is_yes = tn_str_equal_any_case(text, tn_str_of(yes[k]));
        if (is_yes || tn_str_equal_any_case(text, tn_str_of(no[k]))) {
            *value = tn_value_boolean(is_yes);
            return true;
        }
    }
    return false;
}

static bool read_value(struct tn_str text, enum tn_setting_type type, struct tn_value *value)
{
    uint64_t number = 0;
    double real = 0;
    bool done = false;
    switch (type) {
    case TN_SETTING_COUNT:
        done = tn_quantity_number(text, &number);
        break;
    case TN_SETTING_TOKENS:
        done = tn_quantity_tokens(text, &number);
        break;
    case TN_SETTING_BYTES:
        done = tn_quantity_bytes(text, &number);
        break;
    case TN_SETTING_REAL:
        done = tn_real_read(text, &real) && isfinite(real);
        *value = tn_value_real(real);
        return done;
    case TN_SETTING_FLAG:
        return read_flag(text, value);
    case TN_SETTING_WORD:
        *value = tn_value_string(text);
        return text.size > 0;
    }
    *value = tn_value_integer(number > INT64_MAX ? INT64_MAX : (int64_t)number);
    return done;
}

static bool fail_unknown(const struct tn_rules *rules, struct tn_str name, struct tn_error *error)
{
    struct tn_nearest nearest = {.wanted = name};
    for (size_t k = 0; k < rules->setting_count; k++) {
        tn_nearest_offer(&nearest, rules->settings[k].name);
    }
    tn_fail(error, TN_ERROR_USAGE, TN_STR_FORMAT " has no setting '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(rules->engine),
            TN_STR_ARGUMENTS(name));
    tn_fail_at(error, -1, "--set");
    if (!nearest.count) {
        return false;
    }
    return tn_fail_hint(error, "did you mean " TN_STR_FORMAT "? `tonnage engines " TN_STR_FORMAT "` lists its settings",
                        TN_STR_ARGUMENTS(nearest.names[0]), TN_STR_ARGUMENTS(rules->engine));
}

/* "auto" and "default" leave a number to the engine. */
static bool leaves_it(struct tn_str text, enum tn_setting_type type)
{
    return type != TN_SETTING_WORD
           && (tn_str_equal_any_case(text, TN_STR("auto")) || tn_str_equal_any_case(text, TN_STR("default")));
}

static bool set_one(struct tn_evaluation *evaluation, const struct tn_assignment *set, struct tn_error *error)
{
    static const char *const wanted[] = {"a number",        "a number of tokens", "a size such as 24GiB",
                                         "a number as 0.9", "true or false",      "a word"};
    const struct tn_rules *rules = evaluation->rules;
    uint32_t index = tn_map_find(&rules->names, set->name);
    if (index == TN_MAP_NONE || index < TN_GIVEN_COUNT || !rules->rows[index - TN_GIVEN_COUNT].is_setting) {
        return fail_unknown(rules, set->name, error);
    }
    index -= TN_GIVEN_COUNT;
    enum tn_setting_type type = rules->rows[index].setting.type;
    struct cell *cell = &evaluation->cells[index];
    if (leaves_it(set->value, type)) {
        return true;
    }
    if (!read_value(set->value, type, &cell->value)) {
        tn_fail(error, TN_ERROR_USAGE, "--set " TN_STR_FORMAT "='" TN_STR_FORMAT "' is not %s",
                TN_STR_ARGUMENTS(set->name), TN_STR_ARGUMENTS(set->value), wanted[type]);
        return tn_fail_at(error, -1, "--set");
    }
    cell->state = STATE_KNOWN;
    cell->is_set = true;
    return true;
}

static bool copy_sets(struct tn_evaluation *evaluation, const struct tn_deployment *deployment)
{
    bool done = true;
    evaluation->set_count = deployment->set_count;
    evaluation->sets = TN_NEW_ARRAY(evaluation->own, struct tn_assignment, deployment->set_count + 1);
    for (size_t k = 0; evaluation->sets && done && k < deployment->set_count; k++) {
        done = tn_str_copy(evaluation->own, deployment->sets[k].name, &evaluation->sets[k].name)
               && tn_str_copy(evaluation->own, deployment->sets[k].value, &evaluation->sets[k].value);
    }
    return evaluation->sets && done;
}

struct tn_evaluation *tn_evaluation_new(const struct tn_rules *rules, const struct tn_facts *facts,
                                        const struct tn_deployment *deployment, struct tn_arena *arena,
                                        struct tn_error *error)
{
    struct tn_evaluation *evaluation = TN_NEW(arena, struct tn_evaluation);
    struct cell *cells = TN_NEW_ARRAY(arena, struct cell, rules->row_count + 1);
    if (!evaluation || !cells) {
        tn_fail_memory(error);
        return NULL;
    }
    *evaluation = (struct tn_evaluation){.rules = rules, .facts = facts, .own = arena, .arena = arena, .cells = cells};
    for (int k = 0; k < TN_GIVEN_COUNT; k++) {
        evaluation->given[k] = tn_value_integer(0);
    }
    uint64_t build;
    bool is_build = tn_build_read(rules->version, &build);
    evaluation->given[TN_GIVEN_VERSION] = tn_value_integer((int64_t)rules->version_number);
    evaluation->given[TN_GIVEN_BUILD] = tn_value_integer(is_build ? (int64_t)build : UINT32_MAX);
    evaluation->given[TN_GIVEN_KIB] = tn_value_integer(INT64_C(1) << 10);
    evaluation->given[TN_GIVEN_MIB] = tn_value_integer(INT64_C(1) << 20);
    evaluation->given[TN_GIVEN_GIB] = tn_value_integer(INT64_C(1) << 30);
    if (!copy_sets(evaluation, deployment)) {
        tn_fail_memory(error);
        return NULL;
    }
    for (size_t k = 0; k < evaluation->set_count; k++) {
        if (!set_one(evaluation, &evaluation->sets[k], error)) {
            return NULL;
        }
    }
    return evaluation;
}

static bool has_same_sets(const struct tn_evaluation *evaluation, const struct tn_deployment *deployment)
{
    bool same = evaluation->set_count == deployment->set_count;
    for (size_t k = 0; same && k < evaluation->set_count; k++) {
        same = tn_str_equal(evaluation->sets[k].name, deployment->sets[k].name)
               && tn_str_equal(evaluation->sets[k].value, deployment->sets[k].value);
    }
    return same;
}

bool tn_evaluation_again(struct tn_evaluation *evaluation, const struct tn_deployment *deployment, struct tn_arena *own,
                         struct tn_arena *arena)
{
    if (!has_same_sets(evaluation, deployment)) {
        return false;
    }
    evaluation->own = own;
    evaluation->arena = arena;
    for (int k = 0; k < TN_GIVEN_COUNT; k++) {
        if (tn_given_is_late((enum tn_given)k)) {
            give(evaluation, (enum tn_given)k, tn_value_integer(0));
        }
    }
    for (size_t k = 0; k < evaluation->rules->row_count; k++) { /* these lie in the arena of the plan before */
        struct cell *cell = &evaluation->cells[k];
        bool has_parts = cell->value.kind == TN_LIST || cell->value.kind == TN_OBJECT;
        cell->state = has_parts && !cell->is_set ? STATE_UNKNOWN : cell->state;
    }
    return true;
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

/* Fills in what stands in braces. */
static bool fill_text(struct tn_evaluation *evaluation, const struct tn_rule_text *from, struct tn_arena *arena,
                      struct tn_str *filled, struct tn_error *error)
{
    struct tn_builder text = {0};
    struct tn_scope scope = scope_of(evaluation);
    bool done = tn_template_fill(from->text, &scope, &text, error)
                && ((!text.failed && tn_str_copy(arena, tn_builder_str(&text), filled)) || tn_fail_memory(error));
    tn_builder_free(&text);
    return done || tn_fail_in_record(from->record, from->line, error);
}

static bool is_true(struct tn_evaluation *evaluation, const struct tn_expression *when, bool *result,
                    struct tn_error *error)
{
    struct tn_scope scope = scope_of(evaluation);
    *result = true;
    return !when || tn_expression_boolean(when, &scope, evaluation->arena, result, error);
}

bool tn_evaluation_check(struct tn_evaluation *evaluation, struct tn_error *error)
{
    const struct tn_rule_texts *refusals = &evaluation->rules->refusals;
    for (size_t k = 0; k < refusals->count; k++) {
        const struct tn_rule_text *rule = &refusals->texts[k];
        bool refused;
        struct tn_str text = {0};
        if (!is_true(evaluation, rule->when, &refused, error)) {
            return tn_fail_in_record(rule->record, rule->line, error);
        }
        if (refused && fill_text(evaluation, rule, evaluation->arena, &text, error)) {
            tn_fail(error, TN_ERROR_DEPLOYMENT, TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
        }
        if (refused) {
            tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(evaluation->rules->engine));
            return tn_fail_hint(error,
                                "this is a rule of the engine; `tonnage engines " TN_STR_FORMAT "` lists its settings",
                                TN_STR_ARGUMENTS(evaluation->rules->engine));
        }
    }
    return true;
}

bool tn_evaluation_say(struct tn_evaluation *evaluation, const char *name, struct tn_str *text, struct tn_error *error)
{
    const struct tn_rule_texts *says = &evaluation->rules->says;
    *text = (struct tn_str){0};
    for (size_t k = 0; k < says->count; k++) {
        if (tn_str_is(says->texts[k].name, name)) {
            return fill_text(evaluation, &says->texts[k], evaluation->arena, text, error);
        }
    }
    return true;
}

/* ---- into the ledger ---------------------------------------------------------------------------------------------- */

bool tn_evaluation_add_entries(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error)
{
    const struct tn_rules *rules = evaluation->rules;
    for (size_t k = 0; k < rules->entry_count; k++) {
        const struct tn_rule_entry *entry = &rules->entries[k];
        const struct tn_rule_row *row = &rules->rows[entry->row];
        const struct cell *cell = &evaluation->cells[entry->row];
        bool applies;
        if (!is_true(evaluation, entry->when, &applies, error)) {
            return fail_row(row, error);
        }
        if (!applies) {
            continue;
        }
        if (cell->state != STATE_KNOWN && !evaluate_row(evaluation, entry->row, error)) {
            return false;
        }
        struct tn_range range = range_of(cell);
        struct tn_entry line = {.category = entry->category,
                                .basis = cell->is_set ? TN_BASIS_ASSUMED : entry->basis,
                                .label = entry->label,
                                .is_beside = entry->is_beside,
                                .low_bytes = range.low,
                                .mid_bytes = range.mid,
                                .high_bytes = range.high,
                                .formula = row->setting.formula};
        if (range.high && !tn_ledger_add(ledger, line, error)) {
            return false;
        }
    }
    return true;
}

/* The texts that apply, filled in. */
static bool add_texts(struct tn_evaluation *evaluation, const struct tn_rule_texts *from, struct tn_arena *arena,
                      struct tn_str **texts, size_t *count, struct tn_error *error)
{
    *texts = TN_NEW_ARRAY(arena, struct tn_str, from->count + 1);
    *count = 0;
    if (!*texts) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < from->count; k++) {
        bool applies;
        if (!is_true(evaluation, from->texts[k].when, &applies, error)) {
            return tn_fail_in_record(from->texts[k].record, from->texts[k].line, error);
        }
        if (!applies) {
            continue;
        }
        if (!fill_text(evaluation, &from->texts[k], arena, &(*texts)[*count], error)) {
            return false;
        }
        ++*count;
    }
    return true;
}

bool tn_evaluation_add_log(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error)
{
    return add_texts(evaluation, &evaluation->rules->logs, ledger->arena, &ledger->log, &ledger->log_count, error);
}

bool tn_evaluation_add_notes(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error)
{
    struct tn_str *texts;
    size_t count;
    if (!add_texts(evaluation, &evaluation->rules->notes, ledger->arena, &texts, &count, error)) {
        return false;
    }
    ledger->notes = TN_NEW_ARRAY(ledger->arena, struct tn_note, count + 1);
    ledger->note_count = ledger->notes ? count : 0;
    for (size_t k = 0; k < ledger->note_count; k++) {
        ledger->notes[k] = (struct tn_note){.code = "engine", .message = texts[k]};
    }
    return ledger->notes || tn_fail_memory(error);
}

/* A value as a user would give it. */
static bool write_setting(struct tn_arena *arena, enum tn_setting_type type, const struct tn_value *value,
                          struct tn_str *written, struct tn_error *error)
{
    struct tn_builder text = {0};
    if (value->kind == TN_STRING) {
        tn_builder_add(&text, value->as.string);
    } else if (value->kind == TN_BOOL) {
        tn_builder_add_text(&text, value->as.boolean ? "true" : "false");
    } else if (type == TN_SETTING_REAL) {
        tn_builder_add_real(&text, value->kind == TN_REAL ? value->as.real : (double)tn_value_whole(value));
    } else {
        tn_builder_add_u64(&text, tn_value_whole(value));
    }
    bool done = (!text.failed && tn_str_copy(arena, tn_builder_str(&text), written)) || tn_fail_memory(error);
    tn_builder_free(&text);
    return done;
}

static bool add_offer(struct tn_evaluation *evaluation, const struct tn_rule_remedy *remedy, struct tn_ledger *ledger,
                      struct tn_error *error)
{
    const struct tn_rule_row *row = &evaluation->rules->rows[remedy->row];
    const struct cell *cell = &evaluation->cells[remedy->row];
    struct tn_scope scope = scope_of(evaluation);
    struct tn_offer *offer = &ledger->offers[ledger->offer_count];
    struct tn_value value;
    bool applies;
    if (!is_true(evaluation, remedy->text.when, &applies, error)
        || (applies && !tn_expression_evaluate(remedy->value, &scope, evaluation->arena, &value, error))) {
        return tn_fail_in_record(remedy->text.record, remedy->text.line, error);
    }
    if (!applies) {
        return true;
    }
    if (cell->state != STATE_KNOWN && !evaluate_row(evaluation, remedy->row, error)) {
        return false;
    }
    if (tn_value_equal(&value, &cell->value)) {
        return true;
    }
    offer->name = row->setting.name;
    ledger->offer_count++;
    return write_setting(ledger->arena, row->setting.type, &value, &offer->value, error)
           && fill_text(evaluation, &remedy->text, ledger->arena, &offer->meaning, error);
}

bool tn_evaluation_add_offers(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error)
{
    const struct tn_rules *rules = evaluation->rules;
    bool done = true;
    ledger->offers = TN_NEW_ARRAY(ledger->arena, struct tn_offer, rules->remedy_count + 1);
    ledger->offer_count = 0;
    if (!ledger->offers) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; done && k < rules->remedy_count; k++) {
        done = add_offer(evaluation, &rules->remedies[k], ledger, error);
    }
    return done;
}

/* The value with memory that lives as long as the ledger. */
static bool keep_value(struct tn_ledger *ledger, const struct tn_value *from, struct tn_value *value,
                       struct tn_error *error)
{
    *value = *from;
    return from->kind != TN_STRING || tn_str_copy(ledger->arena, from->as.string, &value->as.string)
           || tn_fail_memory(error);
}

bool tn_evaluation_add_settings(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error)
{
    const struct tn_rules *rules = evaluation->rules;
    ledger->settings = TN_NEW_ARRAY(ledger->arena, struct tn_used_setting, rules->setting_count + 1);
    ledger->setting_count = 0;
    if (!ledger->settings) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < rules->row_count; k++) {
        const struct tn_rule_row *row = &rules->rows[k];
        struct cell *cell = &evaluation->cells[k];
        if (!row->is_setting) {
            continue;
        }
        if (cell->state != STATE_KNOWN && !evaluate_row(evaluation, k, error)) {
            return false;
        }
        struct tn_value value;
        if (!keep_value(ledger, &cell->value, &value, error)) {
            return false;
        }
        ledger->settings[ledger->setting_count++] = (struct tn_used_setting){
            .name = row->setting.name,
            .value = value,
            .origin = cell->is_set ? TN_ORIGIN_GIVEN : (row->is_constant ? TN_ORIGIN_DEFAULT : TN_ORIGIN_DERIVED),
            .formula = cell->is_set ? (struct tn_str){0} : row->setting.formula};
    }
    return true;
}
