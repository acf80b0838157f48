/* Architecture records of a few lines: how they inherit, what each statement does, and every way in which one can be wrong. */
#include "made_up.h"

#include "model/architecture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The smallest decoder; `a` matches by its class, `t` by its model_type. */
#define BASE                              \
    "arch base\n"                         \
    "  match architectures Base\n"        \
    "  param d = $d ? 4\n"                \
    "  stack text l.{i}. layers $L ? 2\n" \
    "  mixer attention\n"                 \
    "  ffn dense\n"                       \
    "  layer attention q [d, d]\n"        \
    "  layer dense up [2 * d, d]\n"       \
    "  once embed [8, d] class embed\n"

static void check_shapes(const char *records, const char *config, const char *shapes)
{
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load(&made_up, config);
    if (!model) {
        fail_msg("%s: %s", made_up.error.where, made_up.error.message);
    }
    assert_string_equal(made_up_shapes(&made_up, model), shapes);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void check_error(const char *records, enum tn_code code, const char *message_part, const char *where)
{
    struct made_up made_up;
    made_up_open(&made_up, records);
    made_up_expect(&made_up, "{\"architectures\": [\"X\"], \"dtype\": \"bfloat16\"}", code, message_part, where);
    made_up_close(&made_up);
}

#define X_CONFIG "{\"architectures\": [\"X\"], \"dtype\": \"bfloat16\"}"
#define X_OF_BASE BASE "arch x : base\n  match architectures X\n"

/* ---- which record -------------------------------------------------------------------------------------------------- */

static void records_match_by_class_then_type_then_gguf(void **state)
{
    (void)state;
    static const char records[] = "arch one\n  match architectures One Uno\n  match model_type first\n"
                                  "  stack text l.{i}. layers 1\n"
                                  "arch two\n  match model_type first second\n  match gguf second\n"
                                  "  stack text l.{i}. layers 1\n";
    static const struct {
        const char *config;
        const char *record; /* NULL: none */
    } cases[] = {
        {"{\"architectures\": [\"Uno\"]}", "one"},
        {"{\"architectures\": [\"Nobody\", \"One\"]}", "one"},
        {"{\"architectures\": [\"One\"], \"model_type\": \"second\"}", "one"},
        {"{\"model_type\": \"second\"}", "two"},
        {"{\"model_type\": \"first\"}", "one"},
        {"{\"architectures\": [], \"model_type\": \"second\"}", "two"},
        {"{\"architectures\": null, \"model_type\": \"second\"}", "two"},
        /* a class that nobody knows is not taken for its model_type's relative */
        {"{\"architectures\": [\"Nobody\"], \"model_type\": \"second\"}", NULL},
        {"{\"architectures\": [\"one\"]}", NULL},
        {"{\"general_architecture\": \"second\"}", "two"},
        {"{\"general_architecture\": \"first\"}", NULL},
        {"{\"model_type\": 5}", NULL},
        {"{}", NULL},
        {"[]", NULL},
    };
    struct made_up made_up;
    made_up_open(&made_up, records);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_model *model = made_up_load(&made_up, cases[k].config);
        if (cases[k].record) {
            assert_non_null(model);
            assert_true(tn_str_is(model->architecture, cases[k].record));
        } else {
            assert_null(model);
            assert_int_equal(made_up.error.code, TN_ERROR_UNKNOWN_ARCHITECTURE);
            assert_string_equal(made_up.error.where, "config.json");
            assert_true(made_up.error.hint[0] != '\0');
        }
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

/* Else a class that was not read would be taken for the relative that has its model_type. */
static void a_class_that_is_no_list_of_names_is_refused(void **state)
{
    (void)state;
    static const char *const configs[] = {
        "{\"architectures\": \"One\", \"model_type\": \"first\"}", "{\"architectures\": 1, \"model_type\": \"first\"}",
        "{\"architectures\": {}, \"model_type\": \"first\"}", "{\"architectures\": [1], \"model_type\": \"first\"}",
        "{\"architectures\": [\"One\", null]}"};
    struct made_up made_up;
    made_up_open(&made_up,
                 "arch one\n  match architectures One\n  match model_type first\n  stack text l.{i}. layers 1\n");
    for (size_t k = 0; k < sizeof configs / sizeof configs[0]; k++) {
        assert_null(made_up_load(&made_up, configs[k]));
        assert_int_equal(made_up.error.code, TN_ERROR_CONFIG);
        assert_string_equal(made_up.error.where, "config.json, key architectures");
    }
    made_up_close(&made_up);
}

static void a_record_is_verified_by_its_own_line_only(void **state)
{
    (void)state;
    static const char records[] =
        "arch one\n  match model_type one\n  verified total made/up\n  stack text l. layers 1\n"
        "arch two : one\n  match model_type two\n";
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *one = made_up_load(&made_up, "{\"model_type\": \"one\"}");
    struct tn_model *two = made_up_load(&made_up, "{\"model_type\": \"two\"}");
    assert_true(one->verified);
    assert_false(two->verified);
    tn_model_free(one);
    tn_model_free(two);
    made_up_close(&made_up);
}

/* ---- inheritance --------------------------------------------------------------------------------------------------- */

static void later_lines_replace_earlier_ones_in_their_place(void **state)
{
    (void)state;
    check_shapes(X_OF_BASE, X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1");
    /* a param, a layer line (same kinds and name), a once line, the stack itself */
    check_shapes(X_OF_BASE "  param d = 6\n", X_CONFIG, "embed[8,6] l.{i}.q[6,6]@0,1 l.{i}.up[12,6]@0,1");
    check_shapes(X_OF_BASE "  layer attention q [1, d]\n", X_CONFIG, "embed[8,4] l.{i}.q[1,4]@0,1 l.{i}.up[8,4]@0,1");
    check_shapes(X_OF_BASE "  layer attention v [3]\n  once embed [9, d]\n", X_CONFIG,
                 "embed[9,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 l.{i}.v[3]@0,1");
    check_shapes(X_OF_BASE "  stack text m.{i}. layers 1 from 5\n", X_CONFIG,
                 "embed[8,4] m.{i}.q[4,4]@5 m.{i}.up[8,4]@5");
    /* another kind or another stack is another line */
    check_shapes(X_OF_BASE "  layer dense q [1]\n", X_CONFIG,
                 "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 l.{i}.q[1]@0,1");
    check_shapes(X_OF_BASE "  stack vision v.{i}. layers 1\n  mixer attention\n  layer attention q [2]\n", X_CONFIG,
                 "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 v.{i}.q[2]@0");
}

static void drop_removes_what_it_names(void **state)
{
    (void)state;
    check_shapes(X_OF_BASE "  drop embed\n", X_CONFIG, "l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1");
    check_shapes(X_OF_BASE "  drop u\n", X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1");
    check_shapes(X_OF_BASE "  drop layer\n  layer * n [d]\n", X_CONFIG, "embed[8,4] l.{i}.n[4]@0,1");
    check_shapes(X_OF_BASE "  drop mixer\n  mixer other\n", X_CONFIG, "embed[8,4] l.{i}.up[8,4]@0,1");
    check_shapes(X_OF_BASE "  drop ffn\n  ffn other\n", X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1");
    check_shapes(X_OF_BASE "  drop d\n  param d = 2\n", X_CONFIG, "embed[8,2] l.{i}.q[2,2]@0,1 l.{i}.up[4,2]@0,1");
    /* in the open stack only */
    check_shapes(X_OF_BASE
                 "  stack vision v.{i}. layers 1\n  mixer a\n  ffn none\n  layer a up [2]\n  stack text\n  drop up\n",
                 X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1 v.{i}.up[2]@0");
    /* a word that drops choices leaves layers alone whose names begin so */
    check_shapes(X_OF_BASE "  layer * ffn_norm [d]\n  drop ffn\n  ffn none\n", X_CONFIG,
                 "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.ffn_norm[4]@0,1");
    check_error(X_OF_BASE "  drop nothing\n", TN_ERROR_RECORD, "nothing to drop", "made-up.rec:12");
    check_error(X_OF_BASE "  drop\n", TN_ERROR_RECORD, "drop what", "made-up.rec:12");
    check_error(X_OF_BASE "  drop d\n", TN_ERROR_EXPRESSION, "no symbol 'd'", NULL);
}

static void a_dropped_stack_goes_with_its_lines(void **state)
{
    (void)state;
    check_shapes(BASE "  stack vision v.{i}. layers 1\n  mixer a\n  layer a w [2]\n  cache a full elements 2\n"
                      "arch x : base\n  match architectures X\n  drop vision\n",
                 X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1");
}

static void use_puts_the_lines_of_another_record_here(void **state)
{
    (void)state;
    static const char tower[] = "arch tower\n  match architectures X\n  param w = 3\n"
                                "  stack vision v.{i}. layers 2\n  mixer eye\n  layer eye a [w]\n";
    char records[1024];
    (void)snprintf(records, sizeof records, "%s%s  use tower\n  param w = 5\n", X_OF_BASE, tower);
    /* the first record of the file that matches */
    (void)snprintf(records, sizeof records, "%s  use tower\n  param w = 5\n%s", X_OF_BASE, tower);
    check_shapes(records, X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 v.{i}.a[5]@0,1");
    /* behind it the stack that was open is open again */
    (void)snprintf(records, sizeof records, "%s  use tower\n  layer attention z [1]\n%s", X_OF_BASE, tower);
    check_shapes(records, X_CONFIG, "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 l.{i}.z[1]@0,1 v.{i}.a[3]@0,1");
    check_error(X_OF_BASE "  use nobody\n", TN_ERROR_RECORD, "no such record", "made-up.rec:12");
    check_error(X_OF_BASE "  use x\n", TN_ERROR_RECORD, "use each other", "made-up.rec:12");
}

static void the_config_can_choose_the_parent(void **state)
{
    (void)state;
    static const char records[] = BASE "  match model_type basic\n"
                                       "arch other : base\n  param d = 2\n"
                                       "arch x : $text_config.model_type ? base\n  match architectures X\n"
                                       "arch y : $text_config.model_type\n  match architectures Y\n";
    check_shapes(records, "{\"architectures\": [\"X\"]}", "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1");
    check_shapes(records, "{\"architectures\": [\"X\"], \"text_config\": {\"model_type\": \"basic\"}}",
                 "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1");
    check_shapes(records, "{\"architectures\": [\"X\"], \"text_config\": {\"model_type\": \"other\"}}",
                 "embed[8,2] l.{i}.q[2,2]@0,1 l.{i}.up[4,2]@0,1");
    struct made_up made_up;
    made_up_open(&made_up, records);
    made_up_expect(&made_up, "{\"architectures\": [\"X\"], \"text_config\": {\"model_type\": \"nobody\"}}",
                   TN_ERROR_UNKNOWN_ARCHITECTURE, "text model of x", NULL);
    made_up_expect(&made_up, "{\"architectures\": [\"Y\"]}", TN_ERROR_UNKNOWN_ARCHITECTURE, "text model of y", NULL);
    made_up_expect(&made_up, "{\"architectures\": [\"Y\"], \"text_config\": {\"model_type\": 3}}",
                   TN_ERROR_UNKNOWN_ARCHITECTURE, "text model of y", NULL);
    made_up_expect(&made_up, "{\"architectures\": [\"Y\"], \"text_config\": {\"model_type\": \"y\"}}", TN_ERROR_RECORD,
                   "too many ancestors, or inherits itself", "made-up.rec:15");
    made_up_close(&made_up);
}

static void ancestors_are_limited(void **state)
{
    (void)state;
    char records[2048] = "arch r0\n  match architectures R0\n  stack text l. layers 1\n  once w [1]\n";
    for (int k = 1; k <= 16; k++) {
        size_t used = strlen(records);
        (void)snprintf(records + used, sizeof records - used, "arch r%d : r%d\n  match architectures R%d\n", k, k - 1,
                       k);
    }
    check_shapes(records, "{\"architectures\": [\"R15\"]}", "w[1]"); /* 16 records in all */
    struct made_up made_up;
    made_up_open(&made_up, records);
    made_up_expect(&made_up, "{\"architectures\": [\"R16\"]}", TN_ERROR_RECORD, "too many ancestors", "made-up.rec:35");
    made_up_close(&made_up);
    check_error("arch x : x\n  match architectures X\n", TN_ERROR_RECORD, "inherits itself", "made-up.rec:1");
    check_error("arch x : nobody\n  match architectures X\n", TN_ERROR_RECORD, "inherits from nobody", "made-up.rec:1");
}

/* ---- stacks and choices -------------------------------------------------------------------------------------------- */

static void the_first_choice_that_applies_wins(void **state)
{
    (void)state;
    static const char records[] =
        "arch x\n  match architectures X\n  param kind = $kinds[i] ? \"full\"\n"
        "  stack text l.{i}. layers 4\n"
        "  mixer sliding when kind == \"window\"\n  mixer attention when kind != \"none\"\n"
        "  mixer none\n  ffn moe when i % 2 == 1\n  ffn dense\n"
        "  layer sliding s [1]\n  layer attention a [1]\n  layer sliding|attention q [1]\n"
        "  layer moe e [2]\n  layer dense f [3]\n  layer * n [4]\n  layer attention|moe b [5]\n";
    check_shapes(records, "{\"architectures\": [\"X\"], \"kinds\": [\"full\", \"window\", \"none\"]}",
                 "l.{i}.a[1]@0,3 l.{i}.q[1]@0,1,3 l.{i}.f[3]@0,2 l.{i}.n[4]@0,1,2,3 l.{i}.b[5]@0,1,3 l.{i}.s[1]@1 "
                 "l.{i}.e[2]@1,3");
}

static void a_layer_of_no_kind_is_an_error_of_the_config(void **state)
{
    (void)state;
    static const char records[] = "arch x\n  match architectures X\n  stack text l.{i}. layers 2\n"
                                  "  mixer attention when $kind == \"a\"\n  ffn dense when i == 0\n";
    struct made_up made_up;
    made_up_open(&made_up, records);
    made_up_expect(&made_up, "{\"architectures\": [\"X\"], \"kind\": \"b\"}", TN_ERROR_CONFIG,
                   "layer 0 is of no kind of mixer", "config.json");
    made_up_expect(&made_up, "{\"architectures\": [\"X\"], \"kind\": \"a\"}", TN_ERROR_CONFIG,
                   "layer 1 is of no kind of feed-forward", "config.json");
    made_up_close(&made_up);
}

static void stacks_number_their_layers_and_can_be_like_another(void **state)
{
    (void)state;
    /* the tensors of text, its own tensors, not the caches of text */
    static const char records[] = BASE "  cache attention full elements 8\n"
                                       "arch x : base\n  match architectures X\n"
                                       "  stack mtp l.{i}. layers $extra ? 2 from 2 like text\n  layer * p [1]\n";
    check_shapes(records, X_CONFIG,
                 "embed[8,4] l.{i}.q[4,4]@0,1 l.{i}.up[8,4]@0,1 l.{i}.q[4,4]@2,3 l.{i}.up[8,4]@2,3 l.{i}.p[1]@2,3");
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    assert_int_equal(model->layer_count, 2);
    assert_int_equal(model->cache_count, 1);
    assert_int_equal(model->caches[0].layer_count, 2);
    assert_true(tn_str_is(model->groups[3].stack, "mtp"));
    assert_int_equal(model->groups[3].place, TN_PLACE_LAST);
    assert_int_equal(model->groups[1].place, TN_PLACE_LAYER);
    tn_model_free(model);
    made_up_close(&made_up);
    check_error(X_OF_BASE "  stack more m.{i}. layers 1 like nobody\n", TN_ERROR_RECORD, "no such stack",
                "made-up.rec:10");
}

static void prefixes_stand_in_names(void **state)
{
    (void)state;
    static const char records[] = "arch x\n  match architectures X\n  prefix p model.\n  prefix h\n"
                                  "  stack text {p}l.{i}. layers 1\n  mixer a\n  layer a {p}q.{e}.w [1] x 2\n"
                                  "  once {h}head [1]\n  once {unknown}w [1]\n";
    check_shapes(records, X_CONFIG, "head[1] {unknown}w[1] model.l.{i}.model.q.{e}.w[1]@0");
}

static void roots_are_searched_before_the_top_level(void **state)
{
    (void)state;
    static const char records[] = "arch x\n  match architectures X\n  root text_config llm_config\n"
                                  "  stack text l. layers 1\n  once w [$a, $b, $c]\n";
    check_shapes(records,
                 "{\"architectures\": [\"X\"], \"a\": 1, \"b\": 2, \"c\": 3, \"text_config\": {\"a\": 11, \"b\": null},"
                 " \"llm_config\": {\"b\": 12, \"a\": 99}}",
                 "w[11,12,3]");
}

/* ---- tensors and caches -------------------------------------------------------------------------------------------- */

static void attributes_of_tensors(void **state)
{
    (void)state;
    static const char records[] =
        "arch x\n  match architectures X\n  param E = 4\n  stack text l.{i}. layers 3\n  ffn moe\n"
        "  layer moe w.{e} [5, i + 1] x E class expert split expert(E) active 2 of E dtype F8_E4M3 unless i == 1\n"
        "  layer moe b [7] class bias dtype F32 when i > 0\n"
        "  once big [10] buffer dtype I32\n  once scalar [] class norm unquantised\n";
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "big[10] scalar[] l.{i}.w.{e}[5,1]@0 l.{i}.b[7]@1,2 l.{i}.w.{e}[5,3]@2");
    const struct tn_group *first = &model->groups[2];
    assert_int_equal(first->copies, 4);
    assert_int_equal(first->tensors, 4);
    assert_int_equal(first->parameters, 20);
    assert_int_equal(first->bytes, 20);
    assert_int_equal(first->class, TN_CLASS_EXPERT);
    assert_int_equal(first->split.kind, TN_SPLIT_EXPERT);
    assert_int_equal(first->split.parts[0], 4);
    const struct tn_group *bias = made_up_group(model, "l.{i}.b");
    assert_int_equal(bias->bytes, 2 * 7 * 4);
    /* 20 + 60 expert, 14 bias, 1 scalar; the buffer counts in bytes only: 40 + 2 + 20 + 60 + 56 */
    assert_int_equal(model->parameters, 95);
    assert_int_equal(model->parameters_active, 10 + 30 + 14 + 1);
    assert_int_equal(model->checkpoint_bytes, 178);
    assert_int_equal(model->companion_elements, 10);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void the_share_that_is_active_may_depend_on_the_layer(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, "arch x\n  match architectures X\n  stack text l.{i}. layers 2\n  ffn moe\n"
                           "  layer moe w.{e} [6] x 4 class expert active i + 1 of 4\n"
                           "  layer moe v.{e} [6] x 4 class expert active 1 of 4 - 2 * i\n");
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    assert_int_equal(model->parameters, 2 * 2 * 24);
    assert_int_equal(model->parameters_active, 6 + 12 + 6 + 12);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void caches_are_merged_where_they_are_equal(void **state)
{
    (void)state;
    static const char records[] =
        "arch x\n  match architectures X\n  stack text l.{i}. layers 6\n  mixer mamba when i == 0\n"
        "  mixer sliding when i % 2 == 1\n  mixer attention\n"
        "  cache attention full elements 8 split kv(2)\n  cache sliding window(if(i < 3, 16, 32)) elements 8 split "
        "kv(2)\n"
        "  cache mamba constant elements 100 dtype F32\n  cache mamba share\n  cache attention|sliding index elements "
        "3 when i > 3\n";
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    static const struct {
        const char *label;
        enum tn_growth growth;
        uint64_t argument;
        uint64_t elements;
        uint32_t layers;
    } expected[] = {
        {"mamba", TN_GROWTH_CONSTANT, 0, 100, 1}, {"mamba", TN_GROWTH_SHARE, 0, 0, 1},
        {"sliding", TN_GROWTH_WINDOW, 16, 8, 1},  {"attention", TN_GROWTH_FULL, 0, 8, 2},
        {"sliding", TN_GROWTH_WINDOW, 32, 8, 2},  {"attention", TN_GROWTH_INDEX, 0, 3, 1},
        {"sliding", TN_GROWTH_INDEX, 0, 3, 1},
    };
    assert_int_equal(model->cache_count, 7);
    for (size_t k = 0; k < 7; k++) {
        const struct tn_cache *cache = &model->caches[k];
        assert_true(tn_str_is(cache->label, expected[k].label));
        assert_int_equal(cache->growth, expected[k].growth);
        assert_int_equal(cache->argument, expected[k].argument);
        assert_int_equal(cache->elements_per_unit, expected[k].elements);
        assert_int_equal(cache->layer_count, expected[k].layers);
    }
    assert_string_equal(model->caches[0].dtype->name, "F32");
    assert_null(model->caches[3].dtype);
    tn_model_free(model);
    made_up_close(&made_up);
}

/* A convolution over 4 tokens of 5 channels keeps the inputs of the last 3; what it keeps beside is no row. */
static void a_state_may_be_made_of_rows(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up,
                 "arch x\n  match architectures X\n  stack text l.{i}. layers 2\n  mixer mamba\n"
                 "  cache mamba constant elements (4 - 1) * 5 rows 4 - 1\n  cache mamba constant elements 7\n");
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    assert_int_equal(model->cache_count, 2);
    assert_int_equal(model->caches[0].elements_per_unit, 15);
    assert_int_equal(model->caches[0].rows, 3);
    assert_int_equal(model->caches[1].rows, 0);
    tn_model_free(model);
    made_up_close(&made_up);
    check_error("arch x\n  match architectures X\n  stack text l.{i}. layers 2\n  mixer mamba\n"
                "  cache mamba constant elements 5 rows 2\n",
                TN_ERROR_RECORD, "a state of 5 elements is not made of 2 equal rows", "made-up.rec:1");
}

static void params_may_use_each_other_in_any_order_but_not_themselves(void **state)
{
    (void)state;
    check_shapes("arch x\n  match architectures X\n  param a = b + i\n  param b = c * 2\n  param c = 3\n"
                 "  stack text l.{i}. layers 2\n  mixer m\n  layer m w [a]\n",
                 X_CONFIG, "l.{i}.w[6]@0 l.{i}.w[7]@1");
    check_error("arch x\n  match architectures X\n  param a = b\n  param b = a\n  stack text l. layers a\n",
                TN_ERROR_EXPRESSION, "param a of record x needs itself", NULL);
    check_error("arch x\n  match architectures X\n  stack text l. layers 1\n  once w [i]\n", TN_ERROR_EXPRESSION,
                "has no symbol 'i'", NULL);
}

static void notes_appear_when_their_condition_holds(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, X_OF_BASE "  note always : said in any case\n  note never when d > 100 : not said\n"
                                     "  note some when d == 4 : said: here\n");
    struct tn_model *model = made_up_load(&made_up, X_CONFIG);
    assert_non_null(model);
    assert_string_equal(model->notes[0].code, "always");
    assert_true(tn_str_is(model->notes[0].message, "said in any case"));
    assert_string_equal(model->notes[1].code, "some");
    assert_true(tn_str_is(model->notes[1].message, "said: here"));
    tn_model_free(model);
    made_up_close(&made_up);
}

static void the_longest_context_comes_from_a_param(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, X_OF_BASE "  param context = $max ? 0\n");
    struct tn_model *known = made_up_load(&made_up, "{\"architectures\": [\"X\"], \"max\": 4096}");
    struct tn_model *unknown = made_up_load(&made_up, "{\"architectures\": [\"X\"], \"max\": -1}");
    assert_int_equal(known->max_context_tokens, 4096);
    assert_int_equal(unknown->max_context_tokens, 0);
    tn_model_free(known);
    tn_model_free(unknown);
    made_up_expect(&made_up, "{\"architectures\": [\"X\"], \"max\": \"long\"}", TN_ERROR_CONFIG, "'max' is a string",
                   "config.json, key max");
    made_up_close(&made_up);
}

/* ---- every way to be wrong ----------------------------------------------------------------------------------------- */

static const struct {
    const char *line;
    enum tn_code code;
    const char *message;
} wrong_lines[] = {
    {"nonsense 1", TN_ERROR_RECORD, "an unknown statement: 'nonsense 1'"},
    {"match", TN_ERROR_RECORD, "empty"},
    {"root a b c d e", TN_ERROR_RECORD, "too many roots"},
    {"param a", TN_ERROR_RECORD, "expected 'param NAME = EXPRESSION'"},
    {"param a 1", TN_ERROR_RECORD, "expected 'param NAME = EXPRESSION'"},
    {"param a = ", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"param a = 1 +", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"param a = 1 2", TN_ERROR_RECORD, "unexpected text at the end"},
    {"stack other o.{i}.", TN_ERROR_RECORD, "a stack without 'layers'"},
    {"stack other o.{i}. layers", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"stack other o.{i}. rows 3", TN_ERROR_RECORD, "expected 'layers', 'from' or 'like'"},
    {"mixer more if d", TN_ERROR_RECORD, "expected 'when'"},
    {"mixer more when d == 4 5", TN_ERROR_RECORD, "unexpected text at the end"},
    {"ffn more when", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"layer attention w", TN_ERROR_RECORD, "expected the shape"},
    {"layer attention w 4", TN_ERROR_RECORD, "expected the shape"},
    {"layer attention w [d", TN_ERROR_RECORD, "expected ']'"},
    {"layer attention w [d d]", TN_ERROR_RECORD, "expected ']'"},
    {"layer attention w [1,2,3,4,5,6,7,8,9]", TN_ERROR_RECORD, "too many dimensions"},
    {"layer attention w [d +]", TN_ERROR_EXPRESSION, "an unexpected character"},
    {"layer attention w [d] clas norm", TN_ERROR_RECORD, "an unknown word"},
    {"layer attention w [d] class nobody", TN_ERROR_RECORD, "an unknown class"},
    {"layer attention w [d] split nobody", TN_ERROR_RECORD, "an unknown split rule"},
    {"layer attention w [d] split heads", TN_ERROR_RECORD, "a split rule with a wrong number of arguments"},
    {"layer attention w [d] split heads(1, 2)", TN_ERROR_RECORD, "a split rule with a wrong number of arguments"},
    {"layer attention w [d] split column(1)", TN_ERROR_RECORD, "a split rule with a wrong number of arguments"},
    {"layer attention w [d] split fused(4)", TN_ERROR_RECORD, "a split rule with a wrong number of arguments"},
    {"layer attention w [d] split fused(1, 2, 3, 4, 5)", TN_ERROR_RECORD, "too many arguments"},
    {"layer attention w [d] split kv(2", TN_ERROR_RECORD, "expected ')'"},
    {"layer attention w [d] split kv()", TN_ERROR_EXPRESSION, "an unexpected character"},
    {"layer attention w [d] dtype nobody", TN_ERROR_RECORD, "an unknown dtype"},
    {"layer attention w [d] active 1", TN_ERROR_RECORD, "expected 'active N of M'"},
    {"layer attention w [d] x", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"layer attention w [d] when", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"once w", TN_ERROR_RECORD, "expected the shape"},
    {"cache attention nobody elements 1", TN_ERROR_RECORD, "an unknown growth rule"},
    {"cache attention full", TN_ERROR_RECORD, "a cache without 'elements'"},
    {"cache attention window elements 1", TN_ERROR_RECORD, "a growth rule with a wrong number of arguments"},
    {"cache attention full(3) elements 1", TN_ERROR_RECORD, "a growth rule with a wrong number of arguments"},
    {"cache attention window(1, 2) elements 1", TN_ERROR_RECORD, "a growth rule with a wrong number of arguments"},
    {"cache attention full elements 1 class norm", TN_ERROR_RECORD, "an unknown word"},
    {"cache attention full elements 4 rows 2", TN_ERROR_RECORD, "'rows' of a cache that is not constant"},
    {"cache attention constant elements 4 rows", TN_ERROR_EXPRESSION, "an unexpected end"},
    {"cache attention full elements 1 dtype nobody", TN_ERROR_RECORD, "an unknown dtype"},
    {"cache attention full elements 1 split nobody", TN_ERROR_RECORD, "an unknown split rule"},
    {"note code", TN_ERROR_RECORD, "expected ' : TEXT'"},
    {"note code when d == 4", TN_ERROR_RECORD, "expected ' : TEXT'"},
    {"note code when : text", TN_ERROR_EXPRESSION, "an unexpected character"},
};

static void a_wrong_line_is_named_by_file_and_line(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof wrong_lines / sizeof wrong_lines[0]; k++) {
        char records[1024];
        (void)snprintf(records, sizeof records, "%s  %s\n", X_OF_BASE, wrong_lines[k].line);
        check_error(records, wrong_lines[k].code, wrong_lines[k].message, "made-up.rec:12");
    }
}

static void lines_of_a_stack_that_is_not_there_are_wrong(void **state)
{
    (void)state;
    check_error("arch x\n  match architectures X\n  mixer a\n  stack text l. layers 1\n", TN_ERROR_RECORD,
                "no such stack", "made-up.rec:3");
    check_error("arch x\n  match architectures X\n  layer a w [1]\n  stack text l. layers 1\n", TN_ERROR_RECORD,
                "no such stack", "made-up.rec:3");
    check_error(X_OF_BASE "  stack vision\n  layer a w [1]\n", TN_ERROR_RECORD, "no such stack", "made-up.rec:13");
    char records[2048] = X_OF_BASE;
    for (int k = 0; k < TN_MOST_CHOICES; k++) { /* base makes two choices already */
        size_t used = strlen(records);
        (void)snprintf(records + used, sizeof records - used, "  mixer m%d\n", k);
    }
    check_error(records, TN_ERROR_RECORD, "too many choices", "made-up.rec:34");
}

static void sizes_that_no_model_has_name_the_key(void **state)
{
    (void)state;
    static const char records[] = BASE "  param H = $heads ? 2\n  param r = d // H\n"
                                       "  layer attention k [r]\n  cache attention full elements r\n";
    static const struct {
        const char *config;
        enum tn_code code;
        const char *message;
        const char *where;
    } cases[] = {
        {"\"d\": 0", TN_ERROR_CONFIG, "key 'd' is 0", "config.json, key d"},
        {"\"d\": -4", TN_ERROR_CONFIG, "key 'd' is -4", "config.json, key d"},
        {"\"d\": \"4\"", TN_ERROR_CONFIG, "key 'd' is a string", "config.json, key d"},
        {"\"d\": [4]", TN_ERROR_CONFIG, "key 'd' is a list", "config.json, key d"},
        {"\"d\": 4.5", TN_ERROR_CONFIG, "key 'd' is", "config.json, key d"},
        {"\"d\": 2000000000000", TN_ERROR_CONFIG, "key 'd' is 2000000000000", "config.json, key d"},
        {"\"d\": 9223372036854775807", TN_ERROR_CONFIG, "key 'd' is 9223372036854775807", "config.json, key d"},
        {"\"L\": 0", TN_ERROR_CONFIG, "key 'L' is 0", "config.json, key L"},
        {"\"L\": -1", TN_ERROR_CONFIG, "key 'L' is -1", "config.json, key L"},
        {"\"L\": 65537", TN_ERROR_CONFIG, "65537", NULL},
        {"\"L\": true", TN_ERROR_CONFIG, "'L' is a boolean", "config.json, key L"},
        {"\"heads\": 0", TN_ERROR_CONFIG, "key 'heads' is 0", "config.json, key heads"},
        {"\"heads\": 8", TN_ERROR_CONFIG, "'r' is 0", NULL},
        {"\"d\": 1000000000000", TN_ERROR_CONFIG, "'2 * d' is 2000000000000", NULL},
        {"\"d\": 500000000000", TN_ERROR_TOO_LARGE, "the size of tensor l.{i}.q exceeds 64 bits", NULL},
    };
    struct made_up made_up;
    made_up_open(&made_up, records);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        char config[256];
        (void)snprintf(config, sizeof config, "{\"architectures\": [\"Base\"], %s}", cases[k].config);
        made_up_expect(&made_up, config, cases[k].code, cases[k].message, cases[k].where);
    }
    made_up_close(&made_up);
}

static void a_catalog_says_where_its_records_are_wrong(void **state)
{
    (void)state;
    static const struct tn_embedded files[] = {{"a.rec", "arch a\n", 7}, {"b.rec", "arch b\n x\narch\n", 15}};
    struct tn_error error;
    assert_null(tn_catalog_open_files(files, 2, &error));
    assert_int_equal(error.code, TN_ERROR_RECORD);
    assert_string_equal(error.where, "b.rec:3");
    struct tn_builder many = {0};
    for (int k = 0; k < 33; k++) {
        tn_builder_addf(&many, "type%d id\n", k);
    }
    struct tn_embedded file = {"many.rec", many.data, many.size};
    assert_null(tn_catalog_open_files(&file, 1, &error));
    assert_int_equal(error.code, TN_ERROR_RECORD);
    assert_non_null(strstr(error.message, "too many types of records: type32"));
    tn_builder_free(&many);
    struct tn_catalog *empty = tn_catalog_open_files(NULL, 0, &error);
    assert_non_null(empty);
    tn_catalog_close(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_match_by_class_then_type_then_gguf),
        cmocka_unit_test(a_class_that_is_no_list_of_names_is_refused),
        cmocka_unit_test(a_record_is_verified_by_its_own_line_only),
        cmocka_unit_test(later_lines_replace_earlier_ones_in_their_place),
        cmocka_unit_test(drop_removes_what_it_names),
        cmocka_unit_test(a_dropped_stack_goes_with_its_lines),
        cmocka_unit_test(use_puts_the_lines_of_another_record_here),
        cmocka_unit_test(the_config_can_choose_the_parent),
        cmocka_unit_test(ancestors_are_limited),
        cmocka_unit_test(the_first_choice_that_applies_wins),
        cmocka_unit_test(a_layer_of_no_kind_is_an_error_of_the_config),
        cmocka_unit_test(stacks_number_their_layers_and_can_be_like_another),
        cmocka_unit_test(prefixes_stand_in_names),
        cmocka_unit_test(roots_are_searched_before_the_top_level),
        cmocka_unit_test(attributes_of_tensors),
        cmocka_unit_test(the_share_that_is_active_may_depend_on_the_layer),
        cmocka_unit_test(caches_are_merged_where_they_are_equal),
        cmocka_unit_test(a_state_may_be_made_of_rows),
        cmocka_unit_test(params_may_use_each_other_in_any_order_but_not_themselves),
        cmocka_unit_test(notes_appear_when_their_condition_holds),
        cmocka_unit_test(the_longest_context_comes_from_a_param),
        cmocka_unit_test(a_wrong_line_is_named_by_file_and_line),
        cmocka_unit_test(lines_of_a_stack_that_is_not_there_are_wrong),
        cmocka_unit_test(sizes_that_no_model_has_name_the_key),
        cmocka_unit_test(a_catalog_says_where_its_records_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
