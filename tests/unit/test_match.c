/* Headers against predictions: what is missing, extra or of another shape, and what the weights are then. */
#include "made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char records[] =
    "arch m\n  match model_type m\n  param E = 4\n  param nh = 4\n  param tied = $tied ? false\n"
    "  stack text l.{i}. layers 2\n  mixer a\n"
    "  layer a q.weight [4, 4] split heads(nh)\n  layer a w.{e}.weight [2, 4] x E class expert split expert(E) active "
    "1 of E\n"
    "  once embed.weight [8, 4] class embed split vocab(8)\n"
    "  once lm_head.weight [8, 4] class head split vocab(8) unless tied\n"
    "  cache a full elements 8 split kv(4)\n"
    "arch unknown\n  param L = $num_hidden_layers\n  param nkv = $num_key_value_heads\n"
    "  stack text l.{i}. layers L\n  mixer attention\n  cache attention full elements 2 * nkv * 8 split kv(nkv)\n"
    "names safetensors\n  pattern *_scale norm replicate companion\n  pattern vision* vision replicate\n"
    "  pattern *lm_head.weight head vocab\n  pattern *embed* embed vocab\n  pattern *norm* norm replicate\n"
    "  pattern *.experts.* expert expert(E)\n  pattern *q.weight linear heads(nh)\n  pattern *k.weight linear "
    "kv(nobody)\n"
    "quant packed\n  match $quant_method == \"packed\"\n  store {base}.weight U8 [rows, cols // 2]\n"
    "  store {base}.weight_scale F16 [rows]\n";

#define CONFIG "{\"model_type\": \"m\", \"dtype\": \"bfloat16\"}"

/* ---- headers ------------------------------------------------------------------------------------------------------- */

struct header_text {
    const char *name;
    const char *dtype;
    uint64_t dims[3];
    uint8_t dim_count;
};

static struct tn_header *header_of(struct made_up *made_up, const struct header_text *tensors, size_t count)
{
    struct tn_header *header = TN_NEW(&made_up->arena, struct tn_header);
    assert_non_null(header);
    header->count = count;
    header->tensors = TN_NEW_ARRAY(&made_up->arena, struct tn_tensor, count);
    for (size_t k = 0; k < count; k++) {
        struct tn_tensor *tensor = &header->tensors[k];
        uint64_t elements = 1;
        tensor->name = tn_str_of(tensors[k].name);
        tensor->dtype = tn_dtype_find(tn_str_of(tensors[k].dtype));
        assert_non_null(tensor->dtype);
        tensor->dim_count = tensors[k].dim_count;
        for (uint32_t d = 0; d < tensor->dim_count; d++) {
            tensor->dims[d] = tensors[k].dims[d];
            elements *= tensors[k].dims[d];
        }
        assert_true(tn_dtype_bytes(tensor->dtype, elements, &tensor->bytes));
    }
    return header;
}

static struct tn_model *load(struct made_up *made_up, const char *config, const struct header_text *tensors,
                             size_t count, struct tn_model_input input)
{
    made_up_open(made_up, records);
    input.header = header_of(made_up, tensors, count);
    return made_up_load_input(made_up, config, input);
}

/* config, the tensors, and what the user asks for: a dtype, a quantisation */
#define LOAD_AS(config, tensors, dtype_name, quant_name)                  \
    load(&made_up, config, tensors, sizeof(tensors) / sizeof(tensors)[0], \
         (struct tn_model_input){.dtype = tn_str_of(dtype_name), .quant = tn_str_of(quant_name)})
#define LOAD(config, tensors) LOAD_AS(config, tensors, "", "")

/* All that the record predicts, except layer 1's q, which tests add in their ways. */
#define MOST_OF_IT                                                                                                   \
    {"embed.weight", "BF16", {8, 4}, 2}, {"lm_head.weight", "BF16", {8, 4}, 2}, {"l.0.q.weight", "BF16", {4, 4}, 2}, \
        {"l.1.w.0.weight", "BF16", {2, 4}, 2}, {"l.0.w.0.weight", "BF16", {2, 4}, 2},                                \
        {"l.0.w.1.weight", "BF16", {2, 4}, 2}, {"l.0.w.2.weight", "BF16", {2, 4}, 2},                                \
        {"l.0.w.3.weight", "BF16", {2, 4}, 2}, {"l.1.w.1.weight", "BF16", {2, 4}, 2},                                \
        {"l.1.w.2.weight", "BF16", {2, 4}, 2},                                                                       \
    {                                                                                                                \
        "l.1.w.3.weight", "BF16", {2, 4}, 2                                                                          \
    }

static void close_all(struct made_up *made_up, struct tn_model *model)
{
    tn_model_free(model);
    made_up_close(made_up);
}

static void check_counts(const struct tn_model *model, size_t missing, size_t extra, size_t different)
{
    assert_true(model->check.done);
    assert_int_equal(model->check.missing_count, missing);
    assert_int_equal(model->check.extra_count, extra);
    assert_int_equal(model->check.different_count, different);
}

static bool has_note(const struct tn_model *model, const char *code)
{
    bool found = false;
    for (size_t k = 0; k < model->note_count; k++) {
        found = found || strcmp(model->notes[k].code, code) == 0;
    }
    return found;
}

/* ---- predicted tensors --------------------------------------------------------------------------------------------- */

static void a_header_as_predicted_gives_the_predicted_groups(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {{"l.1.q.weight", "BF16", {4, 4}, 2}, MOST_OF_IT};
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_non_null(model);
    check_counts(model, 0, 0, 0);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "embed.weight[8,4] lm_head.weight[8,4] l.{i}.q.weight[4,4]@0,1 l.{i}.w.{e}.weight[2,4]@0,1");
    assert_int_equal(model->parameters, 32 + 32 + 2 * 16 + 2 * 4 * 8);
    assert_int_equal(model->parameters_active, 32 + 32 + 2 * 16 + 2 * 8);
    assert_int_equal(model->checkpoint_bytes, 2 * 160);
    assert_int_equal(model->source, TN_SOURCE_SAFETENSORS);
    assert_int_equal(made_up_group(model, "l.{i}.w.{e}.weight")->copies, 4);
    assert_int_equal(made_up_group(model, "l.{i}.q.weight")->split.kind, TN_SPLIT_HEADS);
    close_all(&made_up, model);
}

static void missing_tensors_are_listed_and_not_counted(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {MOST_OF_IT};
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_non_null(model);
    check_counts(model, 1, 0, 0);
    assert_true(tn_str_is(model->check.missing[0], "l.1.q.weight"));
    assert_int_equal(model->parameters, 144);
    assert_true(has_note(model, "header_differs"));
    assert_true(has_note(model, "prediction_differs"));
    close_all(&made_up, model);
}

static void extra_tensors_are_classified_by_their_names(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {
        MOST_OF_IT,
        {"l.1.q.weight", "BF16", {4, 4}, 2},
        {"vision.blocks.0.w", "BF16", {3}, 1},
        {"vision.blocks.1.w", "BF16", {3}, 1},
        {"l.0.norm", "F32", {4}, 1},
        {"l.1.norm", "F32", {4}, 1},
        {"l.0.q_scale", "F32", {1}, 1},
        {"l.0.experts.7.x", "BF16", {5}, 1},
        {"l.1.experts.0.x", "BF16", {5}, 1},
        {"l.0.k.weight", "BF16", {6}, 1},
        {"who.knows", "BF16", {7}, 1},
    };
    static const struct {
        const char *name;
        enum tn_class class;
        enum tn_split_kind split;
        enum tn_place place;
        uint64_t tensors;
        uint64_t parameters;
    } expected[] = {
        {"vision.blocks.{i}.w", TN_CLASS_VISION, TN_SPLIT_REPLICATE, TN_PLACE_FIRST, 2, 6},
        {"l.{i}.norm", TN_CLASS_NORM, TN_SPLIT_REPLICATE, TN_PLACE_LAYER, 2, 8},
        {"l.{i}.q_scale", TN_CLASS_NORM, TN_SPLIT_REPLICATE, TN_PLACE_LAYER, 1, 0}, /* a companion */
        {"l.{i}.experts.{e}.x", TN_CLASS_EXPERT, TN_SPLIT_EXPERT, TN_PLACE_LAYER, 2, 10},
        {"l.{i}.k.weight", TN_CLASS_LINEAR, TN_SPLIT_REPLICATE, TN_PLACE_LAYER, 1,
         6}, /* no such symbol: never too little */
        {"who.knows", TN_CLASS_LINEAR, TN_SPLIT_REPLICATE, TN_PLACE_FIRST, 1, 7},
    };
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_non_null(model);
    check_counts(model, 0, 9, 0);
    for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++) {
        const struct tn_group *group = made_up_group(model, expected[k].name);
        assert_non_null(group);
        assert_int_equal(group->class, expected[k].class);
        assert_int_equal(group->split.kind, expected[k].split);
        assert_int_equal(group->place, expected[k].place);
        assert_int_equal(group->tensors, expected[k].tensors);
        assert_int_equal(group->parameters, expected[k].parameters);
    }
    /* the share of experts that is active is that of the prediction: a quarter of 10 more, rounded up */
    assert_int_equal(model->parameters_active, 112 + 6 + 8 + 3 + 6 + 7);
    close_all(&made_up, model);
}

static void another_shape_counts_as_it_is_stored(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {MOST_OF_IT, {"l.1.q.weight", "BF16", {6, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_non_null(model);
    check_counts(model, 0, 0, 1);
    assert_true(tn_str_is(model->check.different[0], "l.1.q.weight"));
    assert_int_equal(model->parameters, 144 + 24);
    assert_int_equal(model->checkpoint_bytes, 2 * (144 + 24));
    close_all(&made_up, model);
}

static void another_dtype_is_no_difference_but_another_group(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {MOST_OF_IT, {"l.1.q.weight", "F32", {4, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_non_null(model);
    check_counts(model, 0, 0, 0);
    assert_int_equal(model->parameters, 160);
    assert_int_equal(model->checkpoint_bytes, 2 * 144 + 4 * 16);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "embed.weight[8,4] lm_head.weight[8,4] l.{i}.q.weight[4,4]@0 l.{i}.q.weight[4,4]@1 "
                        "l.{i}.w.{e}.weight[2,4]@0,1");
    close_all(&made_up, model);
}

static void packed_weights_count_for_what_they_stand_for(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {
        {"embed.weight", "BF16", {8, 4}, 2},   {"lm_head.weight", "BF16", {8, 4}, 2},
        {"l.0.q.weight", "U8", {4, 2}, 2},     {"l.1.q.weight", "U8", {4, 2}, 2},
        {"l.0.q.weight_scale", "F16", {4}, 1}, {"l.1.q.weight_scale", "F16", {4}, 1},
    };
    struct made_up made_up;
    struct tn_model *model = LOAD(
        "{\"model_type\": \"m\", \"dtype\": \"bfloat16\", \"quantization_config\": {\"quant_method\": \"packed\"}}",
        tensors);
    assert_non_null(model);
    check_counts(model, 16, 0, 0); /* the experts and their scales */
    assert_int_equal(model->parameters, 64 + 32);
    assert_int_equal(model->checkpoint_bytes, 128 + 16 + 16);
    assert_int_equal(model->companion_elements, 8);
    close_all(&made_up, model);
}

static void a_tied_head_that_is_stored_is_no_parameter(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {MOST_OF_IT, {"l.1.q.weight", "BF16", {4, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD("{\"model_type\": \"m\", \"dtype\": \"bfloat16\", \"tied\": true}", tensors);
    assert_non_null(model);
    check_counts(model, 0, 1, 0);
    assert_int_equal(model->parameters, 128);
    assert_int_equal(model->checkpoint_bytes, 320);
    assert_true(made_up_group(model, "lm_head.weight")->is_companion);
    /* and no engine loads it */
    uint64_t loaded_bytes = 0;
    for (size_t k = 0; k < model->term_count; k++) {
        const struct tn_weight_term *term = &model->terms[k];
        loaded_bytes +=
            term->first_bytes + term->last_bytes + (term->layer_bytes_before ? term->layer_bytes_before[2] : 0);
    }
    assert_int_equal(loaded_bytes, 256);
    assert_int_equal(model->tied_bytes, 64);
    close_all(&made_up, model);
}

static void a_tensor_in_two_files_is_an_error(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {MOST_OF_IT, {"embed.weight", "BF16", {8, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD(CONFIG, tensors);
    assert_null(model);
    assert_int_equal(made_up.error.code, TN_ERROR_HEADER);
    assert_non_null(strstr(made_up.error.message, "embed.weight stands in two files"));
    close_all(&made_up, model);
}

/* ---- what the user would rather have ------------------------------------------------------------------------------- */

static void a_dtype_or_quantisation_converts_what_the_header_has(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {
        MOST_OF_IT, {"l.1.q.weight", "F32", {4, 4}, 2}, {"l.0.norm_scale", "F32", {4}, 1}};
    static const struct {
        const char *dtype;
        const char *quant;
        uint64_t bytes; /* 64 of embedding and head, 96 of linear and expert weights; the scale stays */
    } cases[] = {
        {"", "", 2 * 144 + 4 * 16 + 16},
        {"fp16", "", 2 * 160 + 16},
        {"int8", "", 160 + 16},
        {"", "int4", 2 * 64 + 96 / 2 + 16},
        {"fp32", "int8", 4 * 64 + 96 + 16},
        {"", "packed", 2 * 64 + 96 / 2 + 2 * (4 + 4 + 2 * 4 * 2) + 16},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct made_up made_up;
        struct tn_model *model = LOAD_AS(CONFIG, tensors, cases[k].dtype, cases[k].quant);
        assert_non_null(model);
        assert_int_equal(model->checkpoint_bytes, cases[k].bytes);
        assert_int_equal(model->parameters, 160);
        check_counts(model, 0, 1, 0);
        close_all(&made_up, model);
    }
}

static void packed_weights_stay_packed(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {{"embed.weight", "BF16", {8, 4}, 2},
                                                 {"l.0.q.weight", "U8", {4, 2}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD_AS(CONFIG, tensors, "", "int4");
    assert_non_null(model);
    assert_int_equal(model->checkpoint_bytes, 64 + 8);
    assert_true(has_note(model, "quant_ignored"));
    close_all(&made_up, model);
}

/* ---- without a record ---------------------------------------------------------------------------------------------- */

static void an_unknown_architecture_is_its_header_and_the_usual_keys(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {{"embed.weight", "BF16", {8, 4}, 2},
                                                 {"layers.3.q.weight", "BF16", {4, 4}, 2},
                                                 {"layers.0.q.weight", "BF16", {4, 4}, 2},
                                                 {"layers.0.experts.1.x", "BF16", {4, 4}, 2},
                                                 {"layers.0.experts.0.x", "BF16", {4, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model =
        LOAD("{\"architectures\": [\"Nobody\"], \"num_hidden_layers\": 4, \"num_key_value_heads\": 2}", tensors);
    assert_non_null(model);
    check_counts(model, 0, 0, 0);
    assert_true(has_note(model, "unverified_architecture"));
    assert_false(model->verified);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "embed.weight[8,4] layers.{i}.q.weight[4,4]@0,3 layers.{i}.experts.{e}.x[4,4]@0");
    assert_int_equal(made_up_group(model, "layers.{i}.experts.{e}.x")->copies, 2);
    assert_int_equal(model->parameters, 32 + 4 * 16);
    assert_int_equal(model->caches[0].elements_per_unit, 32);
    assert_int_equal(model->caches[0].layer_count, 4);
    close_all(&made_up, model);
}

static void a_header_alone_is_enough_for_the_weights(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {{"embed.weight", "F16", {8, 4}, 2},
                                                 {"layers.0.q.weight", "F16", {4, 4}, 2}};
    struct made_up made_up;
    struct tn_model *model = LOAD(NULL, tensors);
    assert_non_null(model);
    assert_int_equal(model->checkpoint_bytes, 2 * 48);
    assert_int_equal(model->cache_count, 0);
    assert_true(has_note(model, "no_cache"));
    close_all(&made_up, model);
}

static void numbers_in_names_that_are_no_layers(void **state)
{
    (void)state;
    static const struct header_text tensors[] = {{"a.4095.x", "F16", {1}, 1},  {"a.4096.x", "F16", {1}, 1},
                                                 {"a.00001.x", "F16", {1}, 1}, {"a.1x.x", "F16", {1}, 1},
                                                 {"7", "F16", {1}, 1},         {"..", "F16", {1}, 1},
                                                 {"a.1.2.3.x", "F16", {1}, 1}, {"", "F16", {1}, 1}};
    struct made_up made_up;
    struct tn_model *model = LOAD(NULL, tensors);
    assert_non_null(model);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "a.{i}.x[1]@4095 a.4096.x[1] a.00001.x[1] a.1x.x[1] {i}[1]@7 .[1] "
                        "a.{i}.{e}.3.x[1]@1 [1]");
    close_all(&made_up, model);
}

/* ---- an index: names alone ----------------------------------------------------------------------------------------- */

static void an_index_is_compared_by_its_names(void **state)
{
    (void)state;
    struct made_up made_up;
    struct tn_str names[] = {TN_STR("embed.weight"), TN_STR("l.0.q.weight"), TN_STR("l.1.q.weight"), TN_STR("more")};
    struct tn_weight_index index = {.names = names, .count = 4};
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load_input(&made_up, CONFIG, (struct tn_model_input){.index = &index});
    assert_non_null(model);
    check_counts(model, 9, 1, 0); /* the head and eight experts */
    assert_true(model->check.names_only);
    assert_true(tn_str_is(model->check.extra[0], "more"));
    assert_int_equal(model->checkpoint_bytes, 320); /* as predicted */
    close_all(&made_up, model);
}

static void long_lists_are_cut_but_counted(void **state)
{
    (void)state;
    struct made_up made_up;
    static char texts[1500][12];
    static struct tn_str names[1500];
    for (int k = 0; k < 1500; k++) {
        (void)snprintf(texts[k], sizeof texts[k], "extra%d", k);
        names[k] = tn_str_of(texts[k]);
    }
    struct tn_weight_index index = {.names = names, .count = 1500};
    made_up_open(&made_up, records);
    struct tn_model *model = made_up_load_input(&made_up, CONFIG, (struct tn_model_input){.index = &index});
    assert_non_null(model);
    check_counts(model, 12, 1500, 0);
    assert_true(tn_str_is(model->check.extra[TN_CHECK_NAMES - 1], "extra999"));
    close_all(&made_up, model);
}

/* ---- names records that are wrong ---------------------------------------------------------------------------------- */

static void wrong_patterns_are_named_by_file_and_line(void **state)
{
    (void)state;
    static const char *const lines[] = {"pattern * linear",
                                        "pattern * nobody replicate",
                                        "pattern * linear nobody",
                                        "pattern * linear kv",
                                        "pattern * linear heads(1,2)",
                                        "pattern * linear column(1)",
                                        "pattern * linear kv(1) more",
                                        "other * linear replicate",
                                        "pattern * linear kv(+)"};
    static const struct header_text tensors[] = {{"a", "F16", {1}, 1}};
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
        struct made_up made_up;
        char text[200];
        (void)snprintf(text, sizeof text, "arch unknown\n  stack text l. layers 1\nnames safetensors\n  %s\n",
                       lines[k]);
        made_up_open(&made_up, text);
        struct tn_model_input input = {.header = header_of(&made_up, tensors, 1)};
        assert_null(made_up_load_input(&made_up, "{\"model_type\": \"x\"}", input));
        assert_int_equal(made_up.error.code, TN_ERROR_RECORD);
        assert_string_equal(made_up.error.where, "made-up.rec:4");
        made_up_close(&made_up);
    }
    struct made_up made_up;
    made_up_open(&made_up, "arch unknown\n  stack text l. layers 1\n");
    struct tn_model_input input = {.header = header_of(&made_up, tensors, 1)};
    assert_null(made_up_load_input(&made_up, "{\"model_type\": \"x\"}", input));
    assert_string_equal(made_up.error.message, "there is no names record 'safetensors'");
    made_up_close(&made_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_as_predicted_gives_the_predicted_groups),
        cmocka_unit_test(missing_tensors_are_listed_and_not_counted),
        cmocka_unit_test(extra_tensors_are_classified_by_their_names),
        cmocka_unit_test(another_shape_counts_as_it_is_stored),
        cmocka_unit_test(another_dtype_is_no_difference_but_another_group),
        cmocka_unit_test(packed_weights_count_for_what_they_stand_for),
        cmocka_unit_test(a_tied_head_that_is_stored_is_no_parameter),
        cmocka_unit_test(a_tensor_in_two_files_is_an_error),
        cmocka_unit_test(a_dtype_or_quantisation_converts_what_the_header_has),
        cmocka_unit_test(packed_weights_stay_packed),
        cmocka_unit_test(an_unknown_architecture_is_its_header_and_the_usual_keys),
        cmocka_unit_test(a_header_alone_is_enough_for_the_weights),
        cmocka_unit_test(numbers_in_names_that_are_no_layers),
        cmocka_unit_test(an_index_is_compared_by_its_names),
        cmocka_unit_test(long_lists_are_cut_but_counted),
        cmocka_unit_test(wrong_patterns_are_named_by_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
