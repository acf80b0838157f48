/* Which symbol a number of a header stands for. */
#include "model/draft_symbols.h"

#include "model/draft_parts.h"

enum { LEAST_SYMBOL = 16 };

#define EXPERTS "$num_local_experts ? $num_experts ? $n_routed_experts"
#define WIDTH "$moe_intermediate_size"

static const struct tn_draft_symbol symbol_rows[TN_DRAFT_SYMBOLS] = {
    {.text = "V"},
    {.text = "d"},
    {.text = "f"},
    {.text = "nh * hd"},
    {.text = "nkv * hd"},
    {.text = "E", .param = "E = " EXPERTS, .source = EXPERTS},
    {.text = "hd"},
    {.text = "m", .param = "m = " WIDTH, .source = WIDTH},
    {.text = "2 * f"},
    {.text = "2 * m", .param = "m = " WIDTH, .source = "2 * " WIDTH},
    {.text = "(nh + 2 * nkv) * hd"},
};
bool tn_draft_symbols_find(const struct tn_model *model, struct tn_arena *arena, struct tn_draft_symbols *symbols,
                           struct tn_error *error)
{
    struct tn_evaluator *evaluator = tn_evaluator_new(model->compiled, &model->facts, arena);
    if (!evaluator) {
        return tn_fail_memory(error);
    }
    struct tn_scope scope = tn_evaluator_scope(evaluator);
    for (size_t k = 0; k < TN_DRAFT_SYMBOLS; k++) {
        struct tn_draft_symbol *symbol = &symbols->items[k];
        const struct tn_expression *expression;
        *symbol = symbol_rows[k];
        const char *source = symbol->source ? symbol->source : symbol->text;
        bool known = tn_expression_parse_all(arena, tn_str_of(source), &expression, NULL)
                     && tn_expression_integer(expression, &scope, arena, &symbol->value, NULL);
        symbol->value = known && symbol->value > 0 ? symbol->value : 0;
    }
    return true;
}

struct tn_draft_symbol *tn_draft_symbol(struct tn_draft_symbols *symbols, const char *text)
{
    for (size_t k = 0; k < TN_DRAFT_SYMBOLS; k++) {
        if (symbols->items[k].value && tn_str_is(tn_str_of(text), symbols->items[k].text)) {
            return &symbols->items[k];
        }
    }
    return NULL;
}

/* What the name says about a dimension, for numbers that several symbols have. */
static const char *symbol_by_name(struct tn_str name, uint32_t dim, uint32_t dims)
{
    static const struct {
        const char *words;
        const char *rows;    /* the first dimension */
        const char *columns; /* the last */
    } roles[] = {
        {"q_norm k_norm q_layernorm k_layernorm", "hd", NULL},
        {"norm ln_", "d", NULL},
        {"embed wte lm_head word_emb", "V", "d"},
        {"router mlp.gate. block_sparse_moe.gate.", "E", "d"},
        {"qkv query_key_value Wqkv", "(nh + 2 * nkv) * hd", "d"},
        {"q_proj query .q.", "nh * hd", "d"},
        {"k_proj v_proj key value .k. .v.", "nkv * hd", "d"},
        {"o_proj out_proj attn.dense .o.", "d", "nh * hd"},
        {"gate_up", "2 * f", "d"},
        {"gate_proj up_proj fc1 w1 w3 fc_in h_to_4h", "f", "d"},
        {"down_proj fc2 w2 fc_out 4h_to_h", "d", "f"},
    };
    for (size_t k = 0; k < sizeof roles / sizeof roles[0]; k++) {
        if (tn_draft_has_word(name, roles[k].words)) {
            return dim == 0 ? roles[k].rows : (dim + 1 == dims ? roles[k].columns : NULL);
        }
    }
    return NULL;
}

struct tn_draft_symbol *tn_draft_symbol_of(struct tn_draft_symbols *symbols, struct tn_str name, uint64_t number,
                                           uint32_t dim, uint32_t dims)
{
    const char *meant = symbol_by_name(name, dim, dims);
    struct tn_draft_symbol *found = NULL;
    struct tn_draft_symbol *by_name = NULL;
    struct tn_draft_symbol *width = NULL;
    size_t count = 0;
    for (size_t k = 0; k < TN_DRAFT_SYMBOLS; k++) {
        struct tn_draft_symbol *symbol = &symbols->items[k];
        if (!symbol->value || (uint64_t)symbol->value != number) {
            continue;
        }
        count++;
        found = symbol;
        by_name = meant && tn_str_is(tn_str_of(meant), symbol->text) ? symbol : by_name;
        width = tn_str_is(tn_str_of(symbol->text), "d") ? symbol : width;
    }
    if (number < LEAST_SYMBOL) { /* small numbers meet by chance */
        return by_name;
    }
    return count == 1 ? found : (by_name ? by_name : width);
}

void tn_draft_write_params(const struct tn_draft_symbols *symbols, struct tn_builder *text)
{
    const char *last = NULL;
    for (size_t k = 0; k < TN_DRAFT_SYMBOLS; k++) {
        const struct tn_draft_symbol *symbol = &symbols->items[k];
        bool is_new = symbol->used && symbol->param && !(last && tn_str_is(tn_str_of(last), symbol->param));
        if (is_new) {
            tn_builder_addf(text, "  param %s\n", symbol->param);
            last = symbol->param;
        }
    }
}

void tn_draft_write_doubts(const struct tn_draft_symbols *symbols, struct tn_builder *text)
{
    for (size_t k = 0; k < TN_DRAFT_SYMBOLS; k++) {
        for (size_t other = k + 1; other < TN_DRAFT_SYMBOLS; other++) {
            const struct tn_draft_symbol *a = &symbols->items[k];
            const struct tn_draft_symbol *b = &symbols->items[other];
            if (a->value && a->value == b->value && (a->used || b->used)) {
                tn_builder_addf(text, "# %s and %s are both %lld here; the names decided which is meant.\n", a->text,
                                b->text, (long long)a->value);
            }
        }
    }
}
