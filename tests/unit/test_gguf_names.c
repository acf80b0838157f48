/* The record type gguf-names: each statement on a model that a test makes up, and what is wrong with a record. */
#include "made_up.h"
#include "model/gguf_tensors.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Two layers of one matrix and one norm, the second with experts, a table of vectors, a tower and a buffer. */
#define MODEL                                                     \
    "arch m\n"                                                    \
    "  match architectures M Twin\n"                              \
    "  match model_type m\n"                                      \
    "  param d = 8\n"                                             \
    "  stack text layers.{i}. layers 2\n"                         \
    "  mixer plain\n"                                             \
    "  ffn moe when i == 1\n"                                     \
    "  ffn none\n"                                                \
    "  layer plain up.weight [4, d]\n"                            \
    "  layer plain up.bias [4] class bias\n"                      \
    "  layer plain norm.weight [d] class norm\n"                  \
    "  layer moe experts.{e}.up.weight [6, d] x 3 class expert\n" \
    "  once embed.weight [10, d] class embed\n"                   \
    "  once conv.weight [d, 1, 4] class conv\n"                   \
    "  once frequencies [4] buffer\n"                             \
    "  stack vision tower.{i}. layers 1\n"                        \
    "  mixer plain\n"                                             \
    "  layer plain up.weight [2, 2] class vision\n"

#define NAMES                                              \
    "gguf-names base\n"                                    \
    "  param left_out = class == \"vision\"\n"             \
    "  tensor blk.{i}.up layers.{i}.up\n"                  \
    "  tensor blk.{i}.norm layers.{i}.norm\n"              \
    "  tensor blk.{i}.up_exps layers.{i}.experts.{e}.up\n" \
    "  tensor token_embd embed\n"                          \
    "  tensor conv conv\n"                                 \
    "  drop frequencies\n"                                 \
    "  type F32 * when rank < 2\n"                         \
    "  weights BF16 *\n"                                   \
    "gguf-names m : base\n"                                \
    "  match M\n"

#define CONFIG "{\"architectures\": [\"M\"], \"dtype\": \"bfloat16\", \"key\": 3}"

/* All tensors in their order: "blk.0.up.weight[8,4]:BF16 ..." */
static const char *list(struct made_up *made_up, const char *config, const char *quant)
{
    struct tn_model_input input = {.quant = tn_str_of(quant)};
    struct tn_model *model = made_up_load_input(made_up, config, input);
    const struct tn_gguf_tensor *tensors;
    size_t count;
    struct tn_builder text = {0};
    if (!model) {
        fail_msg("%s", made_up->error.message);
    }
    if (!tn_gguf_tensors(made_up->catalog, model, &made_up->arena, &tensors, &count, &made_up->error)) {
        tn_model_free(model);
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        tn_builder_add_text(&text, k ? " " : "");
        tn_builder_add(&text, tensors[k].name);
        for (size_t n = 0; n < TN_GGUF_DIMS && (n == 0 || tensors[k].ne[n] > 1); n++) {
            tn_builder_addf(&text, "%s%" PRIu64, n ? "," : "[", tensors[k].ne[n]);
        }
        tn_builder_addf(&text, "]:%s", tensors[k].dtype->name);
    }
    const char *result = tn_str_terminated(&made_up->arena, tn_builder_str(&text));
    tn_builder_free(&text);
    tn_model_free(model);
    return result;
}

#define PLAIN_LAYERS                                                                                 \
    "blk.0.up.weight[8,4]:BF16 blk.1.up.weight[8,4]:BF16 blk.0.up.bias[4]:F32 blk.1.up.bias[4]:F32 " \
    "blk.0.norm.weight[8]:F32 blk.1.norm.weight[8]:F32 "

static const struct {
    const char *what;
    const char *lines; /* of record m */
    const char *tensors;
} cases[] = {
    {"as the parent says: a suffix stays, experts are stacked, towers are left out", "",
     "token_embd.weight[8,10]:BF16 conv.weight[4]:BF16 " PLAIN_LAYERS "blk.1.up_exps.weight[8,6,3]:BF16"},
    {"own lines come first, and a whole name has no suffix to give", "  tensor table embed.weight\n  drop layers.*\n",
     "table[8,10]:BF16 conv.weight[4]:BF16"},
    {"dimensions by the symbols of the tensor and the architecture",
     "  tensor conv [first, cols] conv\n  drop layers.* embed\n  param twice = 2 * d\n  add extra [twice, $key]\n",
     "conv.weight[4,8]:BF16 extra[3,16]:BF16"},
    {"one tensor becomes several, each where its condition holds",
     "  drop layers.{i}.up.bias conv embed layers.{i}.norm layers.{i}.experts.*\n"
     "  tensor blk.{i}.a [rows // 2, cols] layers.{i}.up\n  tensor blk.{i}.b [rows // 2, cols] layers.{i}.up\n"
     "  tensor blk.{i}.c layers.{i}.up when $key == 4\n",
     "blk.0.a.weight[8,2]:BF16 blk.1.a.weight[8,2]:BF16 blk.0.b.weight[8,2]:BF16 blk.1.b.weight[8,2]:BF16"},
    {"a line whose condition does not hold leaves the tensor to the next",
     "  tensor blk.{i}.never layers.{i}.up when mixer == \"other\"\n  drop embed conv layers.{i}.norm "
     "layers.{i}.experts.*\n",
     "blk.0.up.weight[8,4]:BF16 blk.1.up.weight[8,4]:BF16 blk.0.up.bias[4]:F32 blk.1.up.bias[4]:F32"},
    {"experts stay apart where the new name numbers them",
     "  tensor blk.{i}.up.{e} layers.{i}.experts.{e}.up\n  drop embed conv layers.{i}.norm layers.{i}.up\n",
     "blk.1.up.0.weight[8,6]:BF16 blk.1.up.1.weight[8,6]:BF16 blk.1.up.2.weight[8,6]:BF16"},
    {"types by the new name",
     "  type F32 token_*\n  weights F16 *exps* when class == \"expert\"\n  drop layers.{i}.up layers.{i}.norm conv\n",
     "token_embd.weight[8,10]:F32 blk.1.up_exps.weight[8,6,3]:F16"},
};

static void each_statement_does_what_the_manual_says(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct made_up made_up;
        char records[4096];
        (void)snprintf(records, sizeof records, "%s%s%s", MODEL, NAMES, cases[k].lines);
        made_up_open(&made_up, records);
        const char *tensors = list(&made_up, CONFIG, "");
        if (!tensors) {
            fail_msg("%s: %s", cases[k].what, made_up.error.message);
        }
        if (strcmp(tensors, cases[k].tensors) != 0) {
            fail_msg("%s:\n%s\nexpected\n%s", cases[k].what, tensors, cases[k].tensors);
        }
        made_up_close(&made_up);
    }
}

/* A type line holds against --quant, a weights line does not; blocks must divide the rows of the new tensor. */
static void only_weights_are_quantised(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, MODEL NAMES "  type F32 token_*\n  tensor conv [1, 32] conv\n"
                                       "quant small\n  type Q4_0\n  fallback Q4_0 Q8_0\n");
    assert_string_equal(list(&made_up, CONFIG, "small"),
                        "token_embd.weight[8,10]:F32 conv.weight[32]:Q4_0 "
                        "blk.0.up.weight[8,4]:F16 blk.1.up.weight[8,4]:F16 blk.0.up.bias[4]:F32 blk.1.up.bias[4]:F32 "
                        "blk.0.norm.weight[8]:F32 blk.1.norm.weight[8]:F32 blk.1.up_exps.weight[8,6,3]:F16");
    made_up_close(&made_up);
}

static void records_are_found_by_class_and_condition(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        const char *architecture;
    } configs[] = {
        {"{\"architectures\": [\"M\"]}", "m"},
        {"{\"architectures\": [\"M\"], \"large\": true}", "m-large"},
        /* the text model's class comes first, and one that no record names is taken as its relative */
        {"{\"architectures\": [\"M\"], \"text_config\": {\"architectures\": [\"T\"]}}", "t"},
        {"{\"architectures\": [\"Twin\"]}", "m"},
        {"{\"model_type\": \"m\"}", "m"},
        {"{\"architectures\": [\"V\"], \"text_config\": {\"model_type\": \"m\"}}", "m"},
        {"{\"architectures\": [\"V\"], \"text_config\": {\"model_type\": \"nobody\"}}", ""},
        {"{\"architectures\": [\"V\"]}", ""},
    };
    struct made_up made_up;
    made_up_open(&made_up, MODEL "arch v : m\n  match architectures V\n"
                                 "gguf-names m-large\n  match M when $large ? false\n"
                                 "gguf-names m\n  match M\ngguf-names t\n  match T\n");
    for (size_t k = 0; k < COUNT_OF(configs); k++) {
        struct tn_model *model = made_up_load(&made_up, configs[k].config);
        assert_non_null(model);
        struct tn_str found = tn_gguf_architecture(made_up.catalog, model);
        if (!tn_str_is(found, configs[k].architecture)) {
            fail_msg("%s: " TN_STR_FORMAT, configs[k].config, TN_STR_ARGUMENTS(found));
        }
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

static const struct {
    const char *records;
    enum tn_code code;
    const char *message;
    const char *where; /* NULL: none */
} wrong[] = {
    {"gguf-names x\n  match Nobody\n", TN_ERROR_UNKNOWN_ARCHITECTURE, "how llama.cpp converts M", NULL},
    {"gguf-names m\n  match M\n  param left_out = false\n", TN_ERROR_UNKNOWN_ARCHITECTURE, "tensor embed.weight", NULL},
    {"gguf-names m\n  match M\n", TN_ERROR_EXPRESSION, "no symbol 'left_out'", NULL},
    {"gguf-names m\n  match M\n  param left_out = false\n  tensor a *\n", TN_ERROR_RECORD, "gives tensor a a type",
     NULL},
    {NAMES "  tensor a\n", TN_ERROR_RECORD, "expected 'tensor NAME", "made-up.rec:31"},
    {NAMES "  tensor a [1 embed\n", TN_ERROR_RECORD, "expected ']': 'a'", "made-up.rec:31"},
    {NAMES "  tensor a [1 +] embed\n", TN_ERROR_EXPRESSION, "unexpected", "made-up.rec:31"},
    {NAMES "  tensor a [0] embed\n", TN_ERROR_RECORD, "not positive: 'a'", "made-up.rec:31"},
    {NAMES "  tensor a [nobody] embed\n", TN_ERROR_EXPRESSION, "no symbol 'nobody'", "made-up.rec:31"},
    {NAMES "  tensor a [1, 1, 1, 1, 80] embed\n", TN_ERROR_RECORD, "at most four", "made-up.rec:31"},
    {NAMES "  tensor a [1, 1, 1, 1, 1, 1, 1, 1, 80] embed\n", TN_ERROR_RECORD, "too many dimensions", "made-up.rec:31"},
    {NAMES "  tensor a embed when nobody\n", TN_ERROR_EXPRESSION, "no symbol 'nobody'", "made-up.rec:31"},
    {NAMES "  tensor a embed when d\n", TN_ERROR_EXPRESSION, "true or false is needed", "made-up.rec:31"},
    {NAMES "  tensor a embed when true d\n", TN_ERROR_RECORD, "unexpected text", "made-up.rec:31"},
    {NAMES "  add a\n", TN_ERROR_RECORD, "expected 'add NAME", "made-up.rec:31"},
    {NAMES "  add a [1] if true\n", TN_ERROR_RECORD, "expected 'when'", "made-up.rec:31"},
    {NAMES "  add a [1 // 0]\n", TN_ERROR_EXPRESSION, "zero", "made-up.rec:31"},
    {NAMES "  drop when true\n", TN_ERROR_RECORD, "drop what", "made-up.rec:31"},
    {NAMES "  type F8_E4M3 *\n", TN_ERROR_RECORD, "expected 'type DTYPE", "made-up.rec:31"},
    {NAMES "  weights F16\n", TN_ERROR_RECORD, "expected 'type DTYPE", "made-up.rec:31"},
    {NAMES "  type F16 * when 1 +\n", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:31"},
    {NAMES "  param a\n", TN_ERROR_RECORD, "expected 'param NAME", "made-up.rec:31"},
    {NAMES "  param a = 1 2\n", TN_ERROR_RECORD, "unexpected text", "made-up.rec:31"},
    {NAMES "  param a = b\n  param b = a\n  add c [a]\n", TN_ERROR_EXPRESSION, "no symbol", "made-up.rec:33"},
    {NAMES "  nothing a\n", TN_ERROR_RECORD, "an unknown statement: 'nothing'", "made-up.rec:31"},
    {"gguf-names m : nobody\n  match M\n", TN_ERROR_RECORD, "does not exist: 'nobody'", "made-up.rec:19"},
    {"gguf-names m : m\n  match M\n", TN_ERROR_RECORD, "too many ancestors", "made-up.rec:19"},
    {"gguf-names m\n  match M when 1 +\n", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:20"},
    {"gguf-names m\n  match M when nobody\n", TN_ERROR_EXPRESSION, "no symbol 'nobody'", "made-up.rec:20"},
};

static void wrong_records_are_named_by_file_and_line(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(wrong); k++) {
        struct made_up made_up;
        char records[4096];
        (void)snprintf(records, sizeof records, "%s%s", MODEL, wrong[k].records);
        made_up_open(&made_up, records);
        assert_null(list(&made_up, CONFIG, ""));
        bool is_it = made_up.error.code == wrong[k].code && strstr(made_up.error.message, wrong[k].message)
                     && (!wrong[k].where || strcmp(made_up.error.where, wrong[k].where) == 0);
        if (!is_it) {
            fail_msg("%s: %d %s at %s", wrong[k].records, (int)made_up.error.code, made_up.error.message,
                     made_up.error.where);
        }
        made_up_close(&made_up);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_does_what_the_manual_says),
        cmocka_unit_test(only_weights_are_quantised),
        cmocka_unit_test(records_are_found_by_class_and_condition),
        cmocka_unit_test(wrong_records_are_named_by_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
