/* A compiled recipe: private to recipe.c, which reads it, and recipe_run.c, which runs it. */
#ifndef TN_ENGINE_LLAMACPP_RECIPE_LINES_H
#define TN_ENGINE_LLAMACPP_RECIPE_LINES_H

#include "base/map.h"
#include "engine/llamacpp/recipe.h"

enum tn_line_kind {
    TN_LINE_LET,
    TN_LINE_DO,
    TN_LINE_EACH,
    TN_LINE_EXPAND,
    TN_LINE_OUTPUT,
    TN_LINE_LAYER,
    TN_LINE_HOST,
    TN_LINE_NODE,
    TN_LINE_ALIAS /* another name for a tensor */
};

enum tn_operand_kind { TN_OPERAND_NAME, TN_OPERAND_WEIGHT, TN_OPERAND_CACHE, TN_OPERAND_NONE };

struct tn_operand {
    enum tn_operand_kind kind;
    bool is_optional;
    uint32_t name;   /* of a tensor, or of the number that tells the layer; UINT32_MAX: the layer at hand */
    uint32_t index;  /* the number in part{n}; UINT32_MAX: none */
    uint32_t weight; /* its number */
    enum tn_recipe_cache cache;
};

enum { TN_LINE_NUMBERS = 8 };

struct tn_block;

struct tn_line {
    enum tn_line_kind kind;
    uint32_t line;                     /* in the file */
    uint32_t name;                     /* that is set */
    uint32_t index;                    /* as of an operand */
    const struct tn_expression *when;  /* NULL: always */
    const struct tn_expression *value; /* of `let`, the count of `each`, the offset of a view; NULL: none */
    const struct tn_block *block;
    const struct tn_ggml_row *row;
    const struct tn_dtype *type;
    struct tn_operand operands[TN_GGML_SOURCES];
    int operand_count;
    const struct tn_expression *numbers[TN_LINE_NUMBERS];
    int number_count;
    const struct tn_expression *strides[TN_GGML_DIMS - 1];
    int stride_count;
};

struct tn_block {
    const struct tn_record *record;
    struct tn_line *lines; /* [count] */
    size_t count;
};

/* The names of a recipe: first those that are given. */
struct tn_recipe {
    const struct tn_block *main;
    struct tn_str *names; /* [name_count] */
    uint32_t *asked;      /* [name_count] of has_NAME the number of the weight; UINT32_MAX for other names */
    size_t name_count;
    struct tn_recipe_weight *weights; /* [weight_count] */
    size_t weight_count;
    enum tn_recipe_place *places; /* [place_count] of the weights in placed */
    struct tn_str *placed;
    size_t place_count;
    bool has_windows;
    bool never_flashes;
    bool is_encoder;
};

#endif
