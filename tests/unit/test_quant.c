/* Quantised storage: which tensors change, into what, which stay; and every way in which a quant record or a config can be wrong. */
#include "made_up.h"

#include "model/modules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MODEL                                     \
    "arch m\n"                                    \
    "  match model_type m\n"                      \
    "  stack text l.{i}. layers 3\n"              \
    "  mixer a\n"                                 \
    "  layer a q.weight [8, 16]\n"                \
    "  layer a q.bias [8] class bias\n"           \
    "  layer a gate.weight [4, 16] unquantised\n" \
    "  layer a experts [2, 8, 16] class expert\n" \
    "  once embed.weight [10, 16] class embed\n"  \
    "  once head.weight [10, 16]\n"

#define CONFIG(quantization) \
    "{\"model_type\": \"m\", \"dtype\": \"bfloat16\", \"quantization_config\": " quantization "}"

static void check_shapes(const char *quant_records, const char *config, const char *shapes)
{
    struct made_up made_up;
    char records[4096];
    (void)snprintf(records, sizeof records, "%s%s", MODEL, quant_records);
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load(&made_up, config);
    if (!model) {
        fail_msg("%s: %s", made_up.error.where, made_up.error.message);
    }
    assert_string_equal(made_up_shapes(&made_up, model), shapes);
    tn_model_free(model);
    made_up_close(&made_up);
}

#define UNCHANGED "embed.weight[10,16] "
#define BIAS_AND_GATE "l.{i}.q.bias[8]@0,1,2 l.{i}.gate.weight[4,16]@0,1,2"

static void stores_take_the_place_of_linear_and_expert_tensors(void **state)
{
    (void)state;
    check_shapes("quant x\n  match $quant_method == \"x\"\n  store {base}.packed I32 [rows, ceil_div(cols, 8)]\n"
                 "  store {base}.scales F16 [rows, cols // $group]\n",
                 CONFIG("{\"quant_method\": \"x\", \"group\": 4}"),
                 UNCHANGED "head.packed[10,2] head.scales[10,4] "
                           "l.{i}.q.packed[8,2]@0,1,2 l.{i}.q.scales[8,4]@0,1,2 " BIAS_AND_GATE
                           " l.{i}.experts.packed[2,8,2]@0,1,2 l.{i}.experts.scales[2,8,4]@0,1,2");
}

static void parameters_stay_and_companions_have_none(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up,
                 MODEL "quant x\n  match has($quant_method)\n  store {base}.packed I32 [rows, ceil_div(cols, 8)]\n"
                       "  store {base}.scales F16 [rows, 1]\n");
    struct tn_model *plain = made_up_load(&made_up, "{\"model_type\": \"m\", \"dtype\": \"bfloat16\"}");
    struct tn_model *quantised = made_up_load(&made_up, CONFIG("{\"quant_method\": \"x\"}"));
    assert_non_null(plain);
    assert_non_null(quantised);
    assert_int_equal(plain->parameters, quantised->parameters);
    assert_int_equal(plain->parameters, 10 * 16 * 2 + 3 * (8 * 16 + 8 + 4 * 16 + 2 * 8 * 16));
    /* embed, biases and gates in 2 bytes; packed 4 bytes for 8; scales 2 bytes for each of 10 + 3 * (8 + 16) rows */
    assert_int_equal(quantised->companion_elements, 82);
    assert_int_equal(quantised->checkpoint_bytes,
                     2 * (160 + 3 * (8 + 64)) + 4 * (10 * 2 + 3 * (8 * 2 + 2 * 8 * 2)) + 2 * 82);
    assert_true(tn_str_is(quantised->quant, "x"));
    assert_int_equal(plain->quant.size, 0);
    tn_model_free(plain);
    tn_model_free(quantised);
    made_up_close(&made_up);
}

static void conditions_choose_among_stores(void **state)
{
    (void)state;
    /* by class, by stacking; the first that applies holds the parameters; a tensor for which none does stays */
    check_shapes("quant x\n  match true\n  store {base}.s F32 [] when class == \"nobody\"\n"
                 "  store {base}.a I8 [rows, cols] when class == \"linear\"\n  store {base}.b F32 [1] when class == "
                 "\"linear\"\n",
                 CONFIG("{}"),
                 UNCHANGED "head.a[10,16] head.b[1] l.{i}.q.a[8,16]@0,1,2 l.{i}.q.b[1]@0,1,2 " BIAS_AND_GATE
                           " l.{i}.experts[2,8,16]@0,1,2");
    check_shapes("quant x\n  match true\n  store {base} I8 [cols, rows] when stacked\n", CONFIG("{}"),
                 UNCHANGED "head.weight[10,16] l.{i}.q.weight[8,16]@0,1,2 " BIAS_AND_GATE
                           " l.{i}.experts[2,16,8]@0,1,2");
    check_shapes("quant x\n  match true\n  classes embed\n  store {base}.w I8 [rows, cols]\n", CONFIG("{}"),
                 "embed.w[10,16] head.weight[10,16] l.{i}.q.weight[8,16]@0,1,2 " BIAS_AND_GATE
                 " l.{i}.experts[2,8,16]@0,1,2");
}

static void kept_modules_stay_layer_by_layer(void **state)
{
    (void)state;
    check_shapes("quant x\n  match true\n  store {base}.w I8 [rows, cols]\n  keep $skip\n  keep $more ? []\n  keep "
                 "[\"experts\"]\n",
                 CONFIG("{\"skip\": [\"head\", \"l.1.q\"], \"more\": null}"),
                 UNCHANGED "head.weight[10,16] l.{i}.q.weight[8,16]@1 l.{i}.q.w[8,16]@0,2 " BIAS_AND_GATE
                           " l.{i}.experts[2,8,16]@0,1,2");
}

static void the_first_record_that_matches_is_taken(void **state)
{
    (void)state;
    static const char records[] =
        MODEL "quant a\n  match $quant_method == \"a\"\n  store {base} I8 [rows, cols]\n"
              "quant b\n  match has($bits) and $model_type == \"m\"\n  store {base} I8 [rows, cols]\n"
              "quant c\n  match $quant_method == \"c\"\n";
    static const struct {
        const char *config;
        const char *record; /* "": not quantised; NULL: unknown */
    } cases[] = {
        {CONFIG("{\"quant_method\": \"a\", \"bits\": 4}"), "a"},
        {CONFIG("{\"quant_method\": \"z\", \"bits\": 4}"), "b"}, /* keys of the whole config stand behind */
        {CONFIG("{\"quant_method\": \"c\"}"), "c"},
        {CONFIG("null"), ""},
        {"{\"model_type\": \"m\"}", ""},
        {CONFIG("{\"quant_method\": \"z\"}"), NULL},
        {CONFIG("{}"), NULL},
    };
    struct made_up made_up;
    made_up_open(&made_up, records);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_model *model = made_up_load(&made_up, cases[k].config);
        if (cases[k].record) {
            assert_non_null(model);
            assert_true(tn_str_is(model->quant, cases[k].record));
        } else {
            assert_null(model);
            assert_int_equal(made_up.error.code, TN_ERROR_DTYPE);
            assert_string_equal(made_up.error.where, "config.json, key quantization_config");
            assert_true(made_up.error.hint[0] != '\0');
        }
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

static void the_user_has_the_last_word(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, MODEL "quant x\n  match has($quant_method)\n  store {base}.w I8 [rows, cols]\n");
    static const struct {
        const char *dtype;
        const char *quant;
        const char *shown; /* model->quant */
        uint64_t bytes;
    } cases[] = {
        /* 376 elements of embedding, biases and gates; 1,312 of head, q and experts */
        {"", "", "x", 2 * 376 + 1312},
        {"fp16", "", "", 2 * UINT64_C(1688)}, /* a dtype sets the checkpoint's quantisation aside */
        {"fp32", "", "", 4 * UINT64_C(1688)},
        {"", "q8_0", "Q8_0", 2 * 376 + 1312 / 32 * 34},
        {"fp32", "int4", "I4", 4 * 376 + 1312 / 2},
        {"", "x", "x", 2 * 376 + 1312},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_model_input input = {
            .config_origin = TN_ORIGIN_CONFIG, .dtype = tn_str_of(cases[k].dtype), .quant = tn_str_of(cases[k].quant)};
        struct tn_model *model = made_up_load_input(&made_up, CONFIG("{\"quant_method\": \"any\"}"), input);
        assert_non_null(model);
        assert_true(tn_str_is(model->quant, cases[k].shown));
        assert_int_equal(model->checkpoint_bytes, cases[k].bytes);
        tn_model_free(model);
    }
    struct tn_model_input wrong_dtype = {.dtype = TN_STR("nobody")};
    struct tn_model_input wrong_quant = {.quant = TN_STR("nobody")};
    assert_null(made_up_load_input(&made_up, CONFIG("{}"), wrong_dtype));
    assert_int_equal(made_up.error.code, TN_ERROR_DTYPE);
    assert_null(made_up_load_input(&made_up, CONFIG("{}"), wrong_quant));
    assert_int_equal(made_up.error.code, TN_ERROR_DTYPE);
    made_up_expect(&made_up, "{\"model_type\": \"m\", \"torch_dtype\": \"nobody\"}", TN_ERROR_DTYPE,
                   "unknown dtype 'nobody'", "config.json, key torch_dtype");
    made_up_close(&made_up);
}

static void wrong_records_are_named_by_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *line; /* line 13 */
        enum tn_code code;
        const char *message;
        const char *where;
    } cases[] = {
        {"store {base}.w", TN_ERROR_RECORD, "expected 'store NAME DTYPE [dims]'", "made-up.rec:13"},
        {"store {base}.w I8", TN_ERROR_RECORD, "expected 'store NAME DTYPE [dims]'", "made-up.rec:13"},
        {"store {base}.w nobody [rows]", TN_ERROR_RECORD, "expected 'store NAME DTYPE [dims]'", "made-up.rec:13"},
        {"store {base}.w I8 [rows", TN_ERROR_RECORD, "expected ']'", "made-up.rec:13"},
        {"store {base}.w I8 [rows +]", TN_ERROR_RECORD, "dimensions that cannot be read", "made-up.rec:13"},
        {"store {base}.w I8 [1,1,1,1,1,1,1,1,1]", TN_ERROR_RECORD, "dimensions that cannot be read", "made-up.rec:13"},
        {"store {base}.w I8 [rows] if true", TN_ERROR_RECORD, "expected 'when'", "made-up.rec:13"},
        {"store {base}.w I8 [rows] when", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:13"},
        {"store {base}.w I8 [rows] when 1 +", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:13"},
        {"store {base}.w I8 [rows] when 5", TN_ERROR_EXPRESSION, "true or false is needed", NULL},
        {"store {base}.w I8 [nobody]", TN_ERROR_EXPRESSION, "quant record x has no symbol 'nobody'", NULL},
        {"store {base}.w I8 [$group]", TN_ERROR_CONFIG, "key 'group' is missing or null", NULL},
        {"store {base}.w I8 [rows - 10]", TN_ERROR_CONFIG, "gives tensor head.weight no size", NULL},
        {"store {base}.w I8 [rows, 2000000000 * 2000000000, 100]", TN_ERROR_TOO_LARGE, "exceeds 64 bits", NULL},
        {"store {base}.w I8 [1,1,1,1,1,1,1,1]", TN_ERROR_RECORD, "too many dimensions", NULL},
        {"keep $skip +", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:13"},
        {"keep rows", TN_ERROR_EXPRESSION, "no symbol 'rows'", "made-up.rec:13"},
        {"match 1 +", TN_ERROR_EXPRESSION, "an unexpected end", "made-up.rec:11"},
        {"match 5", TN_ERROR_EXPRESSION, "true or false is needed", "made-up.rec:11"},
        {"nonsense", TN_ERROR_RECORD, "an unknown statement", "made-up.rec:13"},
        {"classes nobody", TN_ERROR_RECORD, "an unknown class", "made-up.rec:13"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct made_up made_up;
        char records[1024];
        bool is_match = strncmp(cases[k].line, "match", 5) == 0;
        (void)snprintf(records, sizeof records, "%squant x\n%s  %s\n", MODEL, is_match ? "" : "  match true\n",
                       cases[k].line);
        made_up_open(&made_up, records);
        made_up_expect(&made_up, CONFIG("{\"quant_method\": \"x\"}"), cases[k].code, cases[k].message, cases[k].where);
        made_up_close(&made_up);
    }
}

static void stores_and_lists_are_limited(void **state)
{
    (void)state;
    static const char *const lines[] = {"  store {base}.w I8 [rows]\n", "  keep [\"a\"]\n"};
    for (size_t k = 0; k < 2; k++) {
        struct tn_builder records = {0};
        struct made_up made_up;
        tn_builder_add_text(&records, MODEL "quant x\n  match true\n");
        tn_builder_add_repeated(&records, lines[k], 9);
        made_up_open(&made_up, records.data);
        made_up_expect(&made_up, CONFIG("{}"), TN_ERROR_RECORD, k ? "too many lists" : "too many stores",
                       "made-up.rec:21");
        made_up_close(&made_up);
        tn_builder_free(&records);
    }
}

/* ---- which modules a list means ------------------------------------------------------------------------------------ */

static const struct {
    const char *entry;
    const char *tensor;
    bool listed;
} entries[] = {
    /* names: whole parts between dots */
    {"lm_head", "lm_head.weight", true},
    {"lm_head", "model.lm_head.weight", true},
    {"lm_head", "lm_heads.weight", false},
    {"head", "lm_head.weight", false},
    {"model.layers.1", "model.layers.1.q.weight", true},
    {"model.layers.1", "model.layers.11.q.weight", false},
    {"layers.1", "model.layers.1.q.weight", true},
    {"q", "model.layers.1.q.weight", true},
    {"model.layers.1.q.weight", "model.layers.1.q.weight", false}, /* modules, not tensors */
    {"gate", "model.layers.1.mlp.gate_proj.weight", false},
    {"mlp.gate", "model.layers.1.mlp.gate.weight", true},
    {"experts", "l.0.experts", true},
    {"a longer name than the module has", "q.weight", false},
    {"", "q.weight", false},
    /* globs: the whole name */
    {"*", "anything", true},
    {"*lm_head*", "model.lm_head.weight", true},
    {"model.*.q", "model.layers.1.q.weight", true},
    {"model.*.q", "model.layers.1.qq.weight", false},
    {"model.layers.1*", "model.layers.11.q.weight", true},
    {"*.gate", "model.layers.1.mlp.gate.weight", true},
    {"*gate", "model.layers.1.mlp.gates.weight", false},
    {"*a*b*c", "xxaxxbxxc.weight", true},
    {"*a*b*c", "xxbxxaxxc.weight", false},
    /* regular expressions: from the start, not to the end */
    {"re:lm_head", "lm_head.weight", true},
    {"re:lm_head", "model.lm_head.weight", false},
    {"re:.*lm_head", "model.lm_head.weight", true},
    {"re:.*lm_head$", "model.lm_head.weight", true},
    {"re:.*head$", "model.lm_head.extra.weight", false},
    {"re:^model\\.", "model.x.weight", true},
    {"re:^model\\.", "models.x.weight", false},
    {"re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "l.3.mlp.gate_up_proj.weight", true},
    {"re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "l.3.mlp.side_proj.weight", false},
    {"re:.*mlp\\.(?:gate|up)_proj", "l.3.mlp.up_proj.weight", true},
    {"re:.*layers\\.(0|1)\\..*", "model.layers.1.q.weight", true},
    {"re:.*layers\\.(0|1)\\..*", "model.layers.2.q.weight", false},
    {"re:.*layers\\.[0-4]\\..*", "model.layers.3.q.weight", true},
    {"re:.*layers\\.[0-4]\\..*", "model.layers.5.q.weight", false},
    {"re:.*layers\\.[^0-4]\\..*", "model.layers.5.q.weight", true},
    {"re:.*layers\\.\\d+\\.q$", "model.layers.57.q.weight", true},
    {"re:.*layers\\.\\d+\\.q$", "model.layers.x.q.weight", false},
    {"re:vi?sual", "vsual.weight", true},
    {"re:vi?sual", "viisual.weight", false},
    {"re:vi*sual", "viiisual.weight", true},
    {"re:vi+sual", "vsual.weight", false},
    {"re:", "anything", true},
    {"re:a\\", "a.weight", false},
    {"re:[", "[.weight", true},
    {"re:(", "(.weight", true},
};

static void entries_of_keep_lists(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof entries / sizeof entries[0]; k++) {
        struct tn_value items[2] = {tn_value_integer(5), tn_value_string(tn_str_of(entries[k].entry))};
        struct tn_value list = {.kind = TN_LIST, .count = 2, .as.items = items};
        if (tn_module_listed(&list, tn_str_of(entries[k].tensor)) != entries[k].listed) {
            fail_msg("'%s' and '%s': expected %d", entries[k].entry, entries[k].tensor, entries[k].listed);
        }
    }
    struct tn_value text = tn_value_string(TN_STR("lm_head"));
    assert_false(tn_module_listed(&text, TN_STR("lm_head.weight")));
}

static void hostile_patterns_end(void **state)
{
    (void)state;
    struct tn_builder pattern = {0};
    struct tn_builder text = {0};
    static const char *const parts[] = {".*", "a*", "(a|b)", "a?", "((", "[a"};
    tn_builder_add_repeated(&text, "a", 5000);
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        for (size_t times = 10; times <= 1000000; times *= 10) {
            tn_builder_clear(&pattern);
            tn_builder_add_text(&pattern, "re:");
            tn_builder_add_repeated(&pattern, parts[k], times);
            tn_builder_add_text(&pattern, "$x");
            struct tn_value item = tn_value_string(tn_builder_str(&pattern));
            struct tn_value list = {.kind = TN_LIST, .count = 1, .as.items = &item};
            assert_false(tn_module_listed(&list, tn_builder_str(&text)));
        }
    }
    tn_builder_free(&pattern);
    tn_builder_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_take_the_place_of_linear_and_expert_tensors),
        cmocka_unit_test(parameters_stay_and_companions_have_none),
        cmocka_unit_test(conditions_choose_among_stores),
        cmocka_unit_test(kept_modules_stay_layer_by_layer),
        cmocka_unit_test(the_first_record_that_matches_is_taken),
        cmocka_unit_test(the_user_has_the_last_word),
        cmocka_unit_test(wrong_records_are_named_by_file_and_line),
        cmocka_unit_test(stores_and_lists_are_limited),
        cmocka_unit_test(entries_of_keep_lists),
        cmocka_unit_test(hostile_patterns_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
