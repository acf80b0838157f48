/* Findings are records (data/finding): when they hold, what they say, and what may help. Here they are evaluated, and each remedy is planned before
 * it is offered.
 *
 *     finding context_longer_than_pool
 *       weight error                          or warning, hint
 *       when EXPRESSION
 *       let NAME EXPRESSION                   for what follows
 *       says TEXT                             {NAME:FORMAT} puts in a value
 *       at TERM                               where in the log it shows
 *       aim start                             what a remedy must reach: start (it fits), tokens (a larger pool), bytes (less on the fullest GPU), fits
 *       remedy NAME EXPRESSION [when EXPRESSION] : TEXT     another value of a setting; --NAME is an input of ours; "" leaves it to the engine
 *       offers                                the engine's own remedies, behind these
 */
#include "api/diagnose/diagnose.h"

#include "api/settings.h"
#include "text/template.h"

#include <string.h>

const char *const tn_finding_weight_names[TN_FINDING_WEIGHTS] = {"error", "warning", "hint"};

enum aim { AIM_START, AIM_TOKENS, AIM_BYTES, AIM_FITS, AIMS };

static const char *const aims[AIMS] = {"start", "tokens", "bytes", "fits"};

enum { MOST_LETS = 8 };

struct search {
    struct tn_diagnosis *diagnosis;
    const struct tn_record *record;
    const struct tn_statement *statement;
    struct tn_finding finding;
    enum aim aim;
    bool holds;
    struct tn_str let_names[MOST_LETS];
    struct tn_value lets[MOST_LETS]; /* [let_count] */
    size_t let_count;
    struct tn_error *error;
};

/* ---- evaluating ------------------------------------------------------------------------------------------------------- */

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct search *search = context;
    for (size_t k = 0; k < search->let_count; k++) {
        if (tn_str_equal(search->let_names[k], name)) {
            *value = search->lets[k];
            return true;
        }
    }
    return tn_diagnose_symbol(search->diagnosis, name, value, error);
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    return tn_diagnose_setting(((struct search *)context)->diagnosis, name);
}

static struct tn_scope scope_of(struct search *search)
{
    return (struct tn_scope){.context = search, .symbol = find_symbol, .fact = find_fact};
}

static bool fail_line(const struct search *search, const char *message)
{
    tn_fail(search->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT "'", message,
            TN_STR_ARGUMENTS(search->statement->rest));
    return tn_fail_at(search->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(search->record->file),
                      search->statement->line);
}

static bool fail_here(const struct search *search)
{
    return tn_fail_in_record(search->record, search->statement->line, search->error);
}

/* Takes the expression at the start of the text off it, and evaluates it. */
static bool take_value(struct search *search, struct tn_str *text, struct tn_value *value)
{
    const struct tn_expression *expression;
    struct tn_scope scope = scope_of(search);
    struct tn_arena *arena = search->diagnosis->arena;
    size_t used;
    if (!tn_expression_parse(arena, *text, &expression, &used, search->error)) {
        return fail_here(search);
    }
    *text = tn_str_trim(tn_str_slice(*text, used, text->size));
    return tn_expression_evaluate(expression, &scope, arena, value, search->error) || fail_here(search);
}

static bool take_condition(struct search *search, struct tn_str *text, bool *condition)
{
    struct tn_value value = {0};
    if (!take_value(search, text, &value)) {
        return false;
    }
    *condition = value.kind == TN_BOOL && value.as.boolean;
    return value.kind == TN_BOOL || fail_line(search, "a condition is true or false");
}

/* ---- remedies --------------------------------------------------------------------------------------------------------- */

/* Whether the changed plan reaches what the finding is about, and is better than what there is. */
static bool reaches(const struct search *search, const struct tn_varied_plan *after)
{
    const struct tn_varied_plan *base = &search->diagnosis->base;
    bool has_more = after->has_pool && after->pool_tokens > base->pool_tokens + base->pool_tokens / 50;
    bool has_less = after->worst_bytes + after->worst_bytes / 100 < base->worst_bytes;
    switch (search->aim) {
    case AIM_START:
        return after->fits && (!base->fits || has_more || has_less);
    case AIM_TOKENS:
        return after->starts && has_more;
    case AIM_BYTES:
        return after->planned && has_less;
    default:
        return after->fits;
    }
}

bool tn_diagnosed_change(struct tn_str *option, struct tn_str *name, struct tn_str *value)
{
    struct tn_str word = tn_str_word(option);
    *value = tn_str_word(option);
    *name = tn_str_slice(word, 2, word.size);
    if (tn_str_is(word, "--set")) {
        size_t mark = tn_str_find(*value, TN_STR("="));
        *name = tn_str_slice(*value, 0, mark);
        *value = tn_str_slice(*value, mark + 1, value->size);
    }
    return name->size > 0;
}

/* Whether the first change of the option is of that name. */
static bool changes(struct tn_str option, struct tn_str name)
{
    struct tn_str changed;
    struct tn_str value;
    return tn_diagnosed_change(&option, &changed, &value) && tn_str_equal(changed, name);
}

/* Keeps a remedy; the first value of a setting that does is enough. */
static void keep_remedy(struct search *search, struct tn_diagnosed_remedy remedy, struct tn_str name)
{
    struct tn_finding *finding = &search->finding;
    bool is_new = finding->remedy_count < TN_DIAGNOSED_REMEDIES;
    for (size_t k = 0; k < finding->remedy_count; k++) {
        is_new = is_new && !changes(finding->remedies[k].option, name);
    }
    if (is_new) {
        finding->remedies[finding->remedy_count++] = remedy;
    }
}

/* Plans the change, and keeps it where it helps. */
static void offer(struct search *search, struct tn_variant *variant, struct tn_str name, struct tn_str value,
                  struct tn_str meaning)
{
    struct tn_diagnosed_remedy remedy = {.meaning = meaning};
    struct tn_builder option = {0};
    struct tn_plan *plan = &search->diagnosis->plan;
    tn_variant_try(&plan->question, plan->model, variant, search->diagnosis->arena, &remedy.after);
    if (!reaches(search, &remedy.after)) {
        return;
    }
    tn_variant_write(variant, &option);
    if (!value.size || tn_str_copy(search->diagnosis->arena, tn_builder_str(&option), &remedy.option)) {
        keep_remedy(search, remedy, name);
    }
    tn_builder_free(&option);
}

static bool write_value(struct search *search, const struct tn_value *value, struct tn_str *text)
{
    struct tn_builder builder = {0};
    if (value->kind == TN_STRING) {
        tn_builder_add(&builder, value->as.string);
    } else if (value->kind == TN_BOOL) {
        tn_builder_add_text(&builder, value->as.boolean ? "true" : "false");
    } else if (value->kind == TN_REAL) {
        tn_builder_add_real(&builder, value->as.real);
    } else {
        tn_builder_addf(&builder, "%lld", (long long)(value->kind == TN_INTEGER ? value->as.integer : 0));
    }
    bool done = !builder.failed && tn_str_copy(search->diagnosis->arena, tn_builder_str(&builder), text);
    tn_builder_free(&builder);
    return done || tn_fail_memory(search->error);
}

/* The input of ours that "--tp" is; TN_INPUT_COUNT: it is none. */
static enum tn_input input_of(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("--")) ? tn_input_find(tn_str_slice(name, 2, name.size), TN_STR("plan"))
                                             : TN_INPUT_COUNT;
}

/* Whether the engine of the plan has the setting, or it is an input of ours. */
static bool can_change(const struct search *search, struct tn_str name)
{
    const struct tn_diagnosis *diagnosis = search->diagnosis;
    return diagnosis->is_planned
           && (input_of(name) < TN_INPUT_COUNT || tn_find_setting(diagnosis->plan.question.planner.rules, name));
}

static void try_change(struct search *search, struct tn_str name, struct tn_str value, struct tn_str meaning)
{
    struct tn_variant variant = {0};
    struct tn_arena *arena = search->diagnosis->arena;
    enum tn_input input = input_of(name);
    if (input < TN_INPUT_COUNT) {
        tn_variant_change(&variant, arena, input, TN_STR_FORMAT, TN_STR_ARGUMENTS(value));
        offer(search, &variant, tn_str_slice(name, 2, name.size), value, meaning);
    } else {
        tn_variant_change(&variant, arena, TN_INPUT_SET, TN_STR_FORMAT "=" TN_STR_FORMAT, TN_STR_ARGUMENTS(name),
                          TN_STR_ARGUMENTS(value));
        offer(search, &variant, name, value, meaning);
    }
}

static bool read_remedy(struct search *search)
{
    struct tn_str rest = search->statement->rest;
    struct tn_str name = tn_str_word(&rest);
    struct tn_str text;
    struct tn_value value = {0};
    bool applies = true;
    if (!can_change(search, name)) {
        return true;
    }
    if (!take_value(search, &rest, &value)) {
        return false;
    }
    if (tn_str_starts(rest, TN_STR("when "))) {
        rest = tn_str_trim(tn_str_slice(rest, 5, rest.size));
        if (!take_condition(search, &rest, &applies)) {
            return false;
        }
    }
    if (!tn_str_starts(rest, TN_STR(":"))) {
        return fail_line(search, "expected 'remedy NAME EXPRESSION [when CONDITION] : TEXT'");
    }
    if (!applies || value.kind == TN_NULL) {
        return true;
    }
    if (!write_value(search, &value, &text)) {
        return false;
    }
    try_change(search, name, text, tn_str_trim(tn_str_slice(rest, 1, rest.size)));
    return true;
}

/* Of a deployment that does not fit, what `plan` would offer; else what the engine's record has. */
static bool read_offers(struct search *search)
{
    const struct tn_plan *plan = &search->diagnosis->plan;
    bool is_planned = search->diagnosis->is_planned;
    bool is_cured = is_planned && plan->remedy_count && search->aim == AIM_START;
    for (size_t k = 0; is_cured && k < plan->remedy_count; k++) {
        const struct tn_remedy *remedy = &plan->remedies[k];
        struct tn_str option = remedy->option;
        struct tn_str name;
        struct tn_str value;
        if (tn_diagnosed_change(&option, &name, &value)) {
            struct tn_varied_plan after = {
                true, true, true, remedy->has_pool, remedy->pool_tokens, remedy->requests, remedy->worst_bytes};
            keep_remedy(search, (struct tn_diagnosed_remedy){remedy->option, remedy->meaning, after}, name);
        }
    }
    for (size_t k = 0; is_planned && !is_cured && k < plan->ledger.offer_count; k++) {
        const struct tn_offer *offered = &plan->ledger.offers[k];
        try_change(search, offered->name, offered->value, offered->meaning);
    }
    return true;
}

/* ---- lines of a record -------------------------------------------------------------------------------------------------- */

static bool read_when(struct search *search)
{
    struct tn_str rest = search->statement->rest;
    return take_condition(search, &rest, &search->holds)
           && (!rest.size || fail_line(search, "expected 'when CONDITION'"));
}

static bool read_let(struct search *search)
{
    struct tn_str rest = search->statement->rest;
    if (search->let_count == MOST_LETS) {
        return fail_line(search, "too many values");
    }
    search->let_names[search->let_count] = tn_str_word(&rest);
    return take_value(search, &rest, &search->lets[search->let_count]) && (search->let_count++, true);
}

static bool read_word(struct search *search, const char *const *words, int count, int *word)
{
    for (*word = 0; *word < count; ++*word) {
        if (tn_str_is(search->statement->rest, words[*word])) {
            return true;
        }
    }
    return fail_line(search, "a word that is not known");
}

static bool read_weight(struct search *search)
{
    int weight;
    bool done = read_word(search, tn_finding_weight_names, TN_FINDING_WEIGHTS, &weight);
    search->finding.weight = (enum tn_finding_weight)weight;
    return done;
}

static bool read_aim(struct search *search)
{
    int aim;
    bool done = read_word(search, aims, AIMS, &aim);
    search->aim = (enum aim)aim;
    return done;
}

static bool read_says(struct search *search)
{
    struct tn_builder text = {0};
    struct tn_scope scope = scope_of(search);
    bool done = tn_template_fill(search->statement->rest, &scope, &text, search->error);
    if (done
        && (text.failed || !tn_str_copy(search->diagnosis->arena, tn_builder_str(&text), &search->finding.message))) {
        done = tn_fail_memory(search->error);
    }
    tn_builder_free(&text);
    return done || fail_here(search);
}

static bool read_at(struct search *search)
{
    enum tn_log_term term = tn_log_term_find(search->statement->rest);
    const struct tn_log_value *value = tn_log_find(&search->diagnosis->log, term);
    search->finding.line = value ? value->first_line : 0;
    return term < TN_LOG_TERM_COUNT || fail_line(search, "'at' needs a term");
}

static bool read_statement(struct search *search)
{
    static const struct {
        const char *word;
        bool (*read)(struct search *search);
    } words[] = {{"when", read_when}, {"let", read_let}, {"weight", read_weight}, {"aim", read_aim},
                 {"says", read_says}, {"at", read_at},   {"remedy", read_remedy}, {"offers", read_offers}};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_is(search->statement->word, words[k].word)) {
            return words[k].read(search);
        }
    }
    return fail_line(search, "a finding has weight, when, let, says, at, aim, remedy and offers");
}

/* A log can hold any number: what does not compute says nothing. */
static bool is_of_numbers(const struct tn_error *error)
{
    return error->code == TN_ERROR_TOO_LARGE;
}

static bool read_finding(struct search *search)
{
    search->holds = true;
    for (uint32_t k = 0; search->holds && k < search->record->count; k++) {
        search->statement = &search->record->statements[k];
        if (!read_statement(search)) {
            search->holds = false;
            return is_of_numbers(search->error);
        }
    }
    return true;
}

bool tn_diagnose_findings(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(diagnosis->session->catalog, TN_STR("finding"), &records);
    diagnosis->findings = TN_NEW_ARRAY(diagnosis->arena, struct tn_finding, count + 1);
    if (!diagnosis->findings) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < count; k++) {
        struct tn_error own = {.offset = -1};
        struct search search = {.diagnosis = diagnosis,
                                .record = records[k],
                                .finding = {.code = records[k]->id, .weight = TN_FINDING_WARNING},
                                .error = &own};
        if (!read_finding(&search)) {
            *error = own;
            return false;
        }
        size_t at = diagnosis->finding_count;
        for (; search.holds && at > 0 && diagnosis->findings[at - 1].weight > search.finding.weight; at--) {
            diagnosis->findings[at] = diagnosis->findings[at - 1];
        }
        if (search.holds) {
            diagnosis->findings[at] = search.finding;
            diagnosis->finding_count++;
        }
    }
    return true;
}
