/* The symbols that a drafted record may use for the numbers of a header. */
#ifndef TN_MODEL_DRAFT_SYMBOLS_H
#define TN_MODEL_DRAFT_SYMBOLS_H

#include "model/evaluate.h"

enum { TN_DRAFT_SYMBOLS = 11 };

struct tn_draft_symbol {
    const char *text;
    const char *param;  /* of a symbol that arch common does not have: the line that defines it */
    const char *source; /* what to evaluate in place of the text; NULL: the text */
    int64_t value;      /* 0 where the config does not say */
    bool used;
};

struct tn_draft_symbols {
    struct tn_draft_symbol items[TN_DRAFT_SYMBOLS];
};

/* The values by the record that stands in for unknown architectures. Errors: TN_ERROR_MEMORY. */
bool tn_draft_symbols_find(const struct tn_model *model, struct tn_arena *arena, struct tn_draft_symbols *symbols,
                           struct tn_error *error);

/* The symbol of that text ("nh * hd") where the config gives it a value, or NULL. */
struct tn_draft_symbol *tn_draft_symbol(struct tn_draft_symbols *symbols, const char *text);

/* What dimension `dim` of `dims` of a tensor may be called: the one symbol of that number; of several the one that the name means, else
 * d; NULL where none can be chosen. */
struct tn_draft_symbol *tn_draft_symbol_of(struct tn_draft_symbols *symbols, struct tn_str name, uint64_t number,
                                           uint32_t dim, uint32_t dims);

/* The lines that define the symbols in use. */
void tn_draft_write_params(const struct tn_draft_symbols *symbols, struct tn_builder *text);

/* A comment on symbols that are the same number here: another size of the model would tell them apart. */
void tn_draft_write_doubts(const struct tn_draft_symbols *symbols, struct tn_builder *text);

#endif
