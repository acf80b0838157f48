/* Writing the drafted record. What the header says is written as it is; what it does not say is a guess with a comment. */
#include "model/draft.h"

#include "model/draft_parts.h"
#include "model/draft_symbols.h"
#include "model/patterns.h"

#include <stdio.h>
#include <string.h>

enum { MOST_KINDS = TN_MOST_CHOICES, LONGEST_PERIOD = 12 };

struct draft {
    const struct tn_model *model;
    struct tn_draft_parts parts;
    struct tn_patterns patterns;
    struct tn_builder *text;  /* the whole */
    struct tn_builder *lines; /* statements of tensors, which decide about the lines above them */
    struct tn_draft_symbols symbols;
    char kinds[TN_SLOT_COUNT][MOST_KINDS][24]; /* of the stack that is being written */
    bool by_kind[TN_SLOT_COUNT];               /* false: too many kinds to name; each line has its own condition */
    bool has_companions;
};

static void write_dim(struct draft *draft, const struct tn_draft_row *row, const struct tn_tensor *tensor, uint32_t dim)
{
    const struct tn_pattern *pattern = tn_patterns_find(&draft->patterns, tensor->name);
    bool is_tower = pattern && pattern->class == TN_CLASS_VISION; /* whose numbers have nothing to do with the text's */
    struct tn_draft_symbol *symbol =
        is_tower ? NULL : tn_draft_symbol_of(&draft->symbols, row->name, tensor->dims[dim], dim, tensor->dim_count);
    if (symbol) {
        symbol->used = true;
        tn_builder_add_text(draft->lines, symbol->text);
    } else {
        tn_builder_add_u64(draft->lines, tensor->dims[dim]);
    }
}

/* ---- conditions on the number of the layer ------------------------------------------------------------------------ */

typedef bool layer_test(const void *context, uint32_t layer);

static bool is_every(const void *context, layer_test *holds, uint32_t count, uint32_t first, uint32_t period,
                     uint32_t phase)
{
    for (uint32_t k = 0; k < count; k++) {
        if (holds(context, k) != ((k + first) % period == phase)) {
            return false;
        }
    }
    return true;
}

/* "i < 3", "i % 6 == 5" or a list. */
static void write_condition(struct tn_builder *text, const void *context, layer_test *holds, uint32_t count,
                            uint32_t first)
{
    uint32_t begin = 0;
    while (begin < count && !holds(context, begin)) {
        begin++;
    }
    uint32_t end = begin;
    while (end < count && holds(context, end)) {
        end++;
    }
    uint32_t next = end;
    while (next < count && !holds(context, next)) {
        next++;
    }
    if (next == count && (begin == 0 || end == count)) {
        tn_builder_addf(text, begin == 0 ? "i < %u" : "i >= %u", first + (begin == 0 ? end : begin));
        return;
    }
    for (uint32_t period = 2; period <= LONGEST_PERIOD && 2 * period <= count; period++) {
        if (is_every(context, holds, count, first, period, (begin + first) % period)) {
            tn_builder_addf(text, "i %% %u == %u", period, (begin + first) % period);
            return;
        }
    }
    tn_builder_add_text(text, "i in [");
    const char *comma = "";
    for (uint32_t k = begin; k < count; k++) {
        if (holds(context, k)) {
            tn_builder_addf(text, "%s%u", comma, first + k);
            comma = ", ";
        }
    }
    tn_builder_add_char(text, ']');
}

static bool row_holds(const void *context, uint32_t layer)
{
    return ((const struct tn_draft_row *)context)->tensors[layer] != NULL;
}

struct kind_test {
    const uint32_t *kinds;
    uint32_t wanted;
};

static bool kind_holds(const void *context, uint32_t layer)
{
    const struct kind_test *test = context;
    return test->kinds[layer] == test->wanted;
}

/* ---- kinds -------------------------------------------------------------------------------------------------------- */

static bool row_is_of_kind(const struct draft *draft, const struct tn_draft_row *row, uint32_t kind)
{
    const struct tn_draft_stack *stack = &draft->parts.stacks[row->stack];
    for (uint32_t k = 0; k < tn_draft_layers(stack); k++) {
        if (stack->kinds[row->slot][k] == kind) {
            return row->tensors[k] != NULL;
        }
    }
    return false;
}

/* By the tensors that only this kind has; by all of its tensors where no layer differs. */
static const char *guess_kind(const struct draft *draft, size_t stack, int slot, uint32_t kind)
{
    static const struct {
        const char *words;
        const char *kind;
    } guesses[] = {{"linear_attn delta", "linear"}, {"mamba A_log ssm", "mamba"},    {"time_mix rwkv", "rwkv"},
                   {"kv_a_proj_with_mqa", "mla"},   {"attn attention", "attention"}, {"conv", "conv"}};
    const struct tn_draft_stack *of = &draft->parts.stacks[stack];
    const char *guess = "none";
    size_t best = sizeof guesses / sizeof guesses[0];
    for (size_t k = 0; k < draft->parts.row_count; k++) {
        const struct tn_draft_row *row = &draft->parts.rows[k];
        bool counts = row->stack == (int32_t)stack && !row->is_folded && (int)row->slot == slot
                      && (of->kind_counts[slot] == 1 || row->tensor_count < tn_draft_layers(of))
                      && row_is_of_kind(draft, row, kind);
        if (!counts) {
            continue;
        }
        if (slot == TN_SLOT_FFN) {
            bool is_moe = row->copies > 1 || tn_draft_has_word(row->name, "expert");
            guess = is_moe || tn_str_is(tn_str_of(guess), "moe") ? "moe" : "dense";
            continue;
        }
        guess = tn_str_is(tn_str_of(guess), "none") ? "mixer" : guess;
        for (size_t n = 0; n < best; n++) {
            if (tn_draft_has_word(row->name, guesses[n].words)) {
                best = n;
                guess = guesses[n].kind;
            }
        }
    }
    return guess;
}

static void name_kinds(struct draft *draft, size_t stack)
{
    const struct tn_draft_stack *of = &draft->parts.stacks[stack];
    for (int slot = 0; slot < TN_SLOT_COUNT; slot++) {
        draft->by_kind[slot] = of->kind_counts[slot] <= MOST_KINDS / TN_SLOT_COUNT;
        for (uint32_t k = 0; draft->by_kind[slot] && k < of->kind_counts[slot]; k++) {
            const char *guess = guess_kind(draft, stack, slot, k);
            unsigned same = 0;
            for (uint32_t other = 0; other < k; other++) {
                struct tn_str name = tn_str_of(draft->kinds[slot][other]);
                same += tn_str_starts(name, tn_str_of(guess)) ? 1 : 0;
            }
            (void)snprintf(draft->kinds[slot][k], sizeof draft->kinds[slot][k], same ? "%s_%u" : "%s", guess, same + 1);
        }
    }
}

/* "mixer attention when i % 4 == 3": the commonest kind comes last and needs no condition. */
static void write_kinds(struct draft *draft, size_t stack)
{
    static const char *const words[TN_SLOT_COUNT] = {"mixer", "ffn"};
    const struct tn_draft_stack *of = &draft->parts.stacks[stack];
    uint32_t layers = tn_draft_layers(of);
    for (int slot = 0; slot < TN_SLOT_COUNT; slot++) {
        uint32_t sizes[MOST_KINDS] = {0};
        uint32_t commonest = 0;
        if (!draft->by_kind[slot]) {
            tn_builder_addf(draft->text, "  %s %s\n", words[slot], slot == TN_SLOT_MIXER ? "attention" : "none");
            continue;
        }
        for (uint32_t k = 0; k < layers; k++) {
            sizes[of->kinds[slot][k]]++;
        }
        for (uint32_t k = 0; k < of->kind_counts[slot]; k++) {
            commonest = sizes[k] > sizes[commonest] ? k : commonest;
        }
        for (uint32_t k = 0; k < of->kind_counts[slot]; k++) {
            struct kind_test test = {of->kinds[slot], k};
            if (k != commonest) {
                tn_builder_addf(draft->text, "  %s %s when ", words[slot], draft->kinds[slot][k]);
                write_condition(draft->text, &test, kind_holds, layers, of->first);
                tn_builder_add_char(draft->text, '\n');
            }
        }
        tn_builder_addf(draft->text, "  %s %s\n", words[slot], draft->kinds[slot][commonest]);
    }
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static const struct tn_tensor *first_tensor(const struct draft *draft, const struct tn_draft_row *row)
{
    uint32_t layers = row->stack == TN_DRAFT_NO_STACK ? 1 : tn_draft_layers(&draft->parts.stacks[row->stack]);
    for (uint32_t k = 0; k < layers; k++) {
        if (row->tensors[k]) {
            return row->tensors[k];
        }
    }
    return NULL; /* no row is without a tensor */
}

static bool dim_varies(const struct draft *draft, const struct tn_draft_row *row, uint32_t dim)
{
    const struct tn_tensor *first = first_tensor(draft, row);
    uint32_t layers = row->stack == TN_DRAFT_NO_STACK ? 1 : tn_draft_layers(&draft->parts.stacks[row->stack]);
    for (uint32_t k = 0; k < layers; k++) {
        if (row->tensors[k] && row->tensors[k]->dims[dim] != first->dims[dim]) {
            return true;
        }
    }
    return false;
}

/* [3072, 4096, 4096][i]: runs of equal numbers as "[a] * n" */
static void write_list(struct draft *draft, const struct tn_draft_row *row, uint32_t dim)
{
    const struct tn_draft_stack *stack = &draft->parts.stacks[row->stack];
    uint32_t layers = tn_draft_layers(stack);
    tn_builder_add_char(draft->lines, '(');
    for (uint32_t k = 0; k < layers;) {
        uint64_t number = row->tensors[k] ? row->tensors[k]->dims[dim] : 1;
        uint32_t end = k + 1;
        while (end < layers && (row->tensors[end] ? row->tensors[end]->dims[dim] : 1) == number) {
            end++;
        }
        tn_builder_addf(draft->lines, "%s[%llu]", k ? " + " : "", (unsigned long long)number);
        if (end - k > 1) {
            tn_builder_addf(draft->lines, " * %u", end - k);
        }
        k = end;
    }
    tn_builder_add_text(draft->lines, ")[i");
    if (stack->first) {
        tn_builder_addf(draft->lines, " - %u", stack->first);
    }
    tn_builder_add_char(draft->lines, ']');
}

static void write_shape(struct draft *draft, const struct tn_draft_row *row, const struct tn_tensor *tensor)
{
    tn_builder_add_text(draft->lines, " [");
    for (uint32_t k = 0; k < tensor->dim_count; k++) {
        tn_builder_add_text(draft->lines, k ? ", " : "");
        if (dim_varies(draft, row, k)) {
            write_list(draft, row, k);
        } else {
            write_dim(draft, row, tensor, k);
        }
    }
    tn_builder_add_char(draft->lines, ']');
}

/* "x E class expert split expert(E) active $num_experts_per_tok of E" */
static void write_experts(struct draft *draft, const struct tn_draft_row *row, const struct tn_tensor *tensor)
{
    struct tn_draft_symbol *experts = tn_draft_symbol(&draft->symbols, "E");
    uint64_t count = row->copies > 1 ? row->copies : (tensor->dim_count > 2 ? tensor->dims[0] : 0);
    const struct tn_value *active = tn_facts_find(&draft->model->facts, TN_STR("num_experts_per_tok"), NULL);
    if (!experts || (uint64_t)experts->value != count) {
        return;
    }
    experts->used = true;
    tn_builder_add_text(draft->lines, " split expert(E)");
    if (active && active->kind == TN_INTEGER && active->as.integer > 0) {
        tn_builder_add_text(draft->lines, " active $num_experts_per_tok of E");
    }
}

static void write_split(struct draft *draft, const struct tn_pattern *pattern, const struct tn_tensor *tensor)
{
    bool has_heads = tn_draft_symbol(&draft->symbols, "nh * hd") != NULL;
    const struct tn_draft_symbol *vocabulary = tn_draft_symbol(&draft->symbols, "V");
    bool is_vocabulary = vocabulary && tensor->dim_count == 2 && tensor->dims[0] == (uint64_t)vocabulary->value;
    switch (pattern->split.kind) {
    case TN_SPLIT_COLUMN:
    case TN_SPLIT_ROW:
        tn_builder_addf(draft->lines, " split %s", tn_split_names[pattern->split.kind]);
        break;
    case TN_SPLIT_HEADS:
        tn_builder_add_text(draft->lines, has_heads ? " split heads(nh)" : "");
        break;
    case TN_SPLIT_KV:
        tn_builder_add_text(draft->lines, has_heads ? " split kv(nkv)" : "");
        break;
    case TN_SPLIT_VOCAB:
        tn_builder_add_text(draft->lines, is_vocabulary ? " split vocab(V)" : "");
        break;
    default:
        break;
    }
}

static void write_attributes(struct draft *draft, const struct tn_draft_row *row, const struct tn_tensor *tensor)
{
    const struct tn_pattern *pattern = tn_patterns_find(&draft->patterns, tensor->name);
    enum tn_class class = pattern ? pattern->class : (tensor->dim_count < 2 ? TN_CLASS_BIAS : TN_CLASS_LINEAR);
    if (row->copies > 1) {
        struct tn_draft_symbol *experts = tn_draft_symbol(&draft->symbols, "E");
        if (experts && (uint64_t)experts->value == row->copies) {
            experts->used = true;
            tn_builder_add_text(draft->lines, " x E");
        } else {
            tn_builder_addf(draft->lines, " x %llu", (unsigned long long)row->copies);
        }
    }
    if (class != TN_CLASS_LINEAR) {
        tn_builder_addf(draft->lines, " class %s", tn_class_names[class]);
    }
    if (class == TN_CLASS_EXPERT) {
        write_experts(draft, row, tensor);
    } else if (pattern) {
        write_split(draft, pattern, tensor);
    }
    if (tensor->dtype && tensor->dtype != draft->model->dtype) {
        tn_builder_addf(draft->lines, " dtype %s", tensor->dtype->name);
    }
    bool is_companion = pattern && pattern->is_companion;
    draft->has_companions = draft->has_companions || is_companion;
    tn_builder_add_text(draft->lines, is_companion ? " buffer" : "");
}

/* "attention|linear"; "*" for what all layers have beside their choices */
static void write_row_kinds(struct draft *draft, const struct tn_draft_row *row, const struct tn_tensor *tensor)
{
    const struct tn_draft_stack *stack = &draft->parts.stacks[row->stack];
    bool is_everywhere = row->tensor_count == tn_draft_layers(stack);
    if (!draft->by_kind[row->slot] || (is_everywhere && tensor->dim_count < 2)) {
        tn_builder_add_char(draft->lines, '*');
        return;
    }
    const char *bar = "";
    for (uint32_t k = 0; k < stack->kind_counts[row->slot]; k++) {
        if (row_is_of_kind(draft, row, k)) {
            tn_builder_addf(draft->lines, "%s%s", bar, draft->kinds[row->slot][k]);
            bar = "|";
        }
    }
}

static void write_row(struct draft *draft, const struct tn_draft_row *row)
{
    const struct tn_tensor *tensor = first_tensor(draft, row);
    bool in_stack = row->stack != TN_DRAFT_NO_STACK;
    tn_builder_add_text(draft->lines, in_stack ? "  layer " : "  once ");
    if (in_stack) {
        write_row_kinds(draft, row, tensor);
        tn_builder_add_char(draft->lines, ' ');
    }
    tn_builder_add(draft->lines, row->name);
    write_shape(draft, row, tensor);
    write_attributes(draft, row, tensor);
    if (in_stack && !draft->by_kind[row->slot]
        && row->tensor_count < tn_draft_layers(&draft->parts.stacks[row->stack])) {
        const struct tn_draft_stack *stack = &draft->parts.stacks[row->stack];
        tn_builder_add_text(draft->lines, " when ");
        write_condition(draft->lines, row, row_holds, tn_draft_layers(stack), stack->first);
    }
    tn_builder_add_char(draft->lines, '\n');
}

static void write_rows(struct draft *draft, int32_t stack)
{
    for (size_t k = 0; k < draft->parts.row_count; k++) {
        if (draft->parts.rows[k].stack == stack && !draft->parts.rows[k].is_folded) {
            write_row(draft, &draft->parts.rows[k]);
        }
    }
    tn_builder_add(draft->text, tn_builder_str(draft->lines));
    tn_builder_clear(draft->lines);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static void write_caches(struct draft *draft, size_t stack)
{
    const struct tn_draft_stack *of = &draft->parts.stacks[stack];
    uint32_t count = draft->by_kind[TN_SLOT_MIXER] ? of->kind_counts[TN_SLOT_MIXER] : 1;
    tn_builder_add_text(draft->text, "  # What layers keep per request is guessed from names and keys: verify it.\n");
    for (uint32_t k = 0; k < count; k++) {
        const char *kind = draft->by_kind[TN_SLOT_MIXER] ? draft->kinds[TN_SLOT_MIXER][k] : "attention";
        struct tn_str name = tn_str_of(kind);
        bool is_attention = tn_str_starts(name, TN_STR("attention")) && tn_draft_symbol(&draft->symbols, "nkv * hd");
        bool is_latent = tn_str_starts(name, TN_STR("mla"))
                         && tn_facts_find(&draft->model->facts, TN_STR("kv_lora_rank"), NULL)
                         && tn_facts_find(&draft->model->facts, TN_STR("qk_rope_head_dim"), NULL);
        if (is_attention) {
            tn_builder_addf(draft->text, "  cache %s full elements 2 * nkv * hd split kv(nkv)\n", kind);
        } else if (is_latent) {
            tn_builder_addf(draft->text, "  cache %s full elements $kv_lora_rank + $qk_rope_head_dim\n", kind);
        } else if (!tn_str_is(name, "none")) {
            tn_builder_addf(draft->text, "  # cache %s constant elements ?: a state per request, or something else\n",
                            kind);
        }
    }
    if (tn_facts_find(&draft->model->facts, TN_STR("sliding_window"), NULL)) {
        tn_builder_add_text(draft->text,
                            "  # The config has a sliding_window: which layers keep window($sliding_window)?\n");
    }
}

static void write_stack(struct draft *draft, size_t index)
{
    const struct tn_draft_stack *stack = &draft->parts.stacks[index];
    uint32_t layers = tn_draft_layers(stack);
    bool is_text = tn_str_is(stack->name, "text");
    const struct tn_value *count = tn_facts_find(&draft->model->facts, TN_STR("num_hidden_layers"), NULL);
    bool is_symbol = is_text && count && count->kind == TN_INTEGER && count->as.integer == (int64_t)layers;
    tn_builder_add_text(draft->text, "  stack ");
    tn_builder_add(draft->text, stack->name);
    tn_builder_add_char(draft->text, ' ');
    tn_builder_add(draft->text, stack->prefix);
    tn_builder_add_text(draft->text, "{i}. layers ");
    tn_builder_addf(draft->text, is_symbol ? "L" : "%u", layers);
    if (stack->first) {
        tn_builder_addf(draft->text, " from %u", stack->first);
    }
    tn_builder_add_char(draft->text, '\n');
    name_kinds(draft, index);
    write_kinds(draft, index);
    write_rows(draft, (int32_t)index);
    if (is_text) {
        write_caches(draft, index);
    }
}

/* Lower case letters, digits and "_" of the model_type, else of the class. */
static void write_id(struct draft *draft, const struct tn_catalog *catalog)
{
    struct tn_builder id = {0};
    const struct tn_value *type = tn_facts_find(&draft->model->facts, TN_STR("model_type"), NULL);
    struct tn_str name = type && type->kind == TN_STRING ? type->as.string : draft->model->architecture_class;
    for (size_t k = 0; k < name.size; k++) {
        char one = name.data[k];
        bool is_upper = one >= 'A' && one <= 'Z';
        bool is_plain = (one >= 'a' && one <= 'z') || (one >= '0' && one <= '9');
        tn_builder_add_char(&id, is_upper ? (char)(one - 'A' + 'a') : (is_plain ? one : '_'));
    }
    tn_builder_add_text(&id, id.size ? "" : "drafted");
    bool is_taken = tn_catalog_record(catalog, TN_STR("arch"), tn_builder_str(&id)) != NULL;
    tn_builder_addf(draft->text, "arch " TN_STR_FORMAT "%s : common\n", TN_STR_ARGUMENTS(tn_builder_str(&id)),
                    is_taken ? "_draft" : "");
    draft->text->failed = draft->text->failed || id.failed;
    tn_builder_free(&id);
}

static bool is_word(struct tn_str text)
{
    bool plain = text.size > 0;
    for (size_t k = 0; k < text.size; k++) {
        plain = plain && text.data[k] > ' ' && text.data[k] <= '~' && !strchr("\"#\\", text.data[k]);
    }
    return plain;
}

static void write_match(struct draft *draft)
{
    const struct tn_facts *facts = &draft->model->facts;
    const struct tn_value *type = tn_facts_find(facts, TN_STR("model_type"), NULL);
    const struct tn_value *names = tn_facts_find(facts, TN_STR("architectures"), NULL);
    bool has_class = names && names->kind == TN_LIST && names->count && is_word(draft->model->architecture_class);
    if (has_class) {
        tn_builder_addf(draft->text, "  match architectures " TN_STR_FORMAT "\n",
                        TN_STR_ARGUMENTS(draft->model->architecture_class));
    }
    if (type && type->kind == TN_STRING && is_word(type->as.string)) {
        tn_builder_addf(draft->text, "  match model_type " TN_STR_FORMAT "\n", TN_STR_ARGUMENTS(type->as.string));
    }
    for (size_t k = 0; k < facts->root_count; k++) {
        struct tn_facts top = *facts;
        top.root_count = 0;
        const struct tn_value *root = tn_facts_find(&top, facts->roots[k], NULL);
        if (root && root->kind == TN_OBJECT) {
            tn_builder_addf(draft->text, "  root " TN_STR_FORMAT "\n", TN_STR_ARGUMENTS(facts->roots[k]));
        }
    }
}

static void write_warnings(struct draft *draft)
{
    if (draft->has_companions) {
        tn_builder_add_text(draft->text,
                            "# The weights are quantised; a record should be made from files that are not.\n");
    }
    if (draft->parts.left_out) {
        tn_builder_addf(draft->text, "# %zu tensors are left out: their names or shapes cannot stand in a record.\n",
                        draft->parts.left_out);
    }
}

static void write_all(struct draft *draft, const struct tn_catalog *catalog)
{
    struct tn_builder body = {0};
    struct tn_builder *whole = draft->text;
    draft->text = &body; /* the tensors first: they say which params are needed */
    write_rows(draft, TN_DRAFT_NO_STACK);
    for (int round = 0; round < 2; round++) {
        for (size_t k = 0; k < draft->parts.stack_count; k++) {
            const struct tn_draft_stack *stack = &draft->parts.stacks[k];
            if (stack->is_real && tn_str_is(stack->name, "text") == (round == 0)) {
                write_stack(draft, k);
            }
        }
    }
    draft->text = whole;
    tn_builder_add_text(draft->text,
                        "# A draft from a header: shapes are exact; symbols, splits and caches are guesses.\n");
    tn_draft_write_doubts(&draft->symbols, draft->text);
    write_warnings(draft);
    write_id(draft, catalog);
    write_match(draft);
    tn_draft_write_params(&draft->symbols, draft->text);
    tn_builder_add(draft->text, tn_builder_str(&body));
    draft->text->failed = draft->text->failed || body.failed;
    tn_builder_free(&body);
}

bool tn_draft_record(const struct tn_model *model, const struct tn_catalog *catalog, struct tn_builder *text,
                     struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_builder lines = {0};
    struct draft *draft = TN_NEW(&arena, struct draft);
    bool done = draft || tn_fail_memory(error);
    if (done) {
        draft->model = model;
        draft->text = text;
        draft->lines = &lines;
        done = tn_draft_sort(model->header, &arena, &draft->parts, error)
               && tn_patterns_read(catalog, "safetensors", &arena, &draft->patterns, error)
               && tn_draft_symbols_find(model, &arena, &draft->symbols, error);
    }
    if (done) {
        write_all(draft, catalog);
        done = !(text->failed || lines.failed) || tn_fail_memory(error);
    }
    tn_builder_free(&lines);
    tn_arena_free(&arena);
    return done;
}
