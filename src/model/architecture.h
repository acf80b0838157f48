/* An architecture record, compiled: inheritance resolved, statements parsed, expressions ready to evaluate.
 * docs/records.md is the manual of the notation. */
#ifndef TN_MODEL_ARCHITECTURE_H
#define TN_MODEL_ARCHITECTURE_H

#include "catalog/catalog.h"
#include "model/model.h"

struct tn_param {
    struct tn_str name;
    const struct tn_expression *expression;
    bool varies; /* depends on the layer */
};

enum { TN_MOST_CHOICES = 24 };

enum tn_slot { TN_SLOT_MIXER, TN_SLOT_FFN, TN_SLOT_COUNT };

struct tn_choice {
    enum tn_slot slot;
    struct tn_str kind;
    const struct tn_expression *when; /* NULL: always */
};

struct tn_stack {
    struct tn_str name;
    struct tn_str prefix;                      /* "model.layers.{i}." */
    const struct tn_expression *layers;        /* how many */
    const struct tn_expression *from;          /* number of the first; NULL: 0 */
    struct tn_str like;                        /* another stack whose tensors these layers have too; empty where none */
    struct tn_choice choices[TN_MOST_CHOICES]; /* [choice_count], first that applies wins */
    size_t choice_count;
};

struct tn_split_rule {
    enum tn_split_kind kind;
    uint32_t part_count;
    const struct tn_expression *parts[TN_SPLIT_PARTS];
};

/* layer and once statements */
struct tn_tensor_rule {
    struct tn_str name;
    struct tn_str stack; /* empty for `once` */
    struct tn_str kinds; /* "attention|sliding" or "*" */
    uint32_t dim_count;
    const struct tn_expression *dims[TN_MAX_DIMS];
    const struct tn_expression *copies; /* NULL: 1 */
    const struct tn_expression *first;  /* the number of the first copy; NULL: 0 */
    const struct tn_expression *active; /* NULL: all */
    const struct tn_expression *active_of;
    const struct tn_expression *when; /* NULL: always */
    bool unless;                      /* `when` is turned round */
    enum tn_class class;
    struct tn_split_rule split;
    const struct tn_dtype *dtype; /* NULL: the model's */
    bool unquantised;             /* stays as it is in a quantised checkpoint */
    bool is_buffer;               /* stored, but no parameter */
    bool varies;                  /* depends on the layer */
    const struct tn_statement *statement;
};

struct tn_cache_rule {
    struct tn_str kinds;
    struct tn_str stack;
    enum tn_growth growth;
    const struct tn_expression *argument; /* NULL where the growth rule has none */
    const struct tn_expression *elements;
    const struct tn_expression *values; /* NULL: half of the elements */
    const struct tn_expression *rows;   /* NULL where the unit is not made of rows */
    const struct tn_expression *when;
    struct tn_split_rule split;
    const struct tn_dtype *dtype; /* NULL: the KV dtype of the deployment */
    bool varies;
    const struct tn_statement *statement;
};

struct tn_note_rule {
    struct tn_str code;
    const struct tn_expression *when; /* NULL: always */
    struct tn_str text;
};

struct tn_architecture {
    const struct tn_record *record;
    struct tn_str verified; /* what backs the record: "total NAME", "index NAME", "reference NAME"; empty: unverified */
    struct tn_str roots[TN_FACT_ROOTS];
    size_t root_count;
    struct tn_member *prefixes; /* {p} and the like: key and string value */
    size_t prefix_count;
    struct tn_param *params;
    size_t param_count;
    struct tn_stack *stacks;
    size_t stack_count;
    struct tn_tensor_rule *tensors;
    size_t tensor_count;
    struct tn_cache_rule *caches;
    size_t cache_count;
    struct tn_note_rule *notes;
    size_t note_count;
};

/* The record that matches: `match architectures` names one of the config's architectures, else `match model_type`, else
 * `match gguf` the general.architecture. NULL where none does.
 * One pass over all arch records. */
const struct tn_record *tn_architecture_find(const struct tn_catalog *catalog, const struct tn_facts *facts);

/* Compiles a record with its ancestors.
 * facts  decide the parent where the record leaves it to them ("arch llava : $text_config.model_type ? llama"); may be NULL
 * Errors: TN_ERROR_RECORD (file, line), TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_architecture_compile(const struct tn_catalog *catalog, const struct tn_record *record,
                             const struct tn_facts *facts, struct tn_arena *arena, struct tn_architecture *architecture,
                             struct tn_error *error);

/* The param of that name, or NULL. */
const struct tn_param *tn_architecture_param(const struct tn_architecture *architecture, struct tn_str name);

/* "a|b" contains kind, or is "*". */
bool tn_kinds_contain(struct tn_str kinds, struct tn_str kind);

#endif
