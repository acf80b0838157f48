/* Quantisations by name: what each record stores for one matrix, worked out by hand, and the mixes of llama.cpp against the sizes of
 * real files (tests/data/quant/files.json). */
#include "made_up.h"
#include "model_load.h"

#include "api/catalog_model.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- one matrix --------------------------------------------------------------------------------------------------- */

#define N UINT64_C(4096)
#define NK (N * N)

/* The query projection of this model is 4096 x 4096. */
#define ONE_LAYER                                                                                            \
    "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"torch_dtype\": \"bfloat16\", " \
    "\"hidden_size\": 4096, \"intermediate_size\": 8192, \"num_hidden_layers\": 1, "                         \
    "\"num_attention_heads\": 32, \"num_key_value_heads\": 32, \"vocab_size\": 1000, "                       \
    "\"max_position_embeddings\": 2048"

static uint64_t bytes_of(const struct tn_model *model, const char *prefix)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        sum += tn_str_starts(model->groups[k].name, tn_str_of(prefix)) ? model->groups[k].bytes : 0;
    }
    return sum;
}

/* Bytes of the blocks: a matrix of NK weights in blocks of `elements` that take `bytes`. */
#define BLOCKS(elements, bytes) (NK / (elements) * (bytes))

static const struct {
    const char *quant;
    uint64_t bytes; /* of the matrix with its scales, by the record's defaults */
} matrices[] = {
    {"bnb-8bit", NK + 4 * N + 1},
    {"bnb-4bit", NK / 2 + NK / 64 * 4 + 64},
    {"ct-fp8", NK + 2 * N},
    {"ct-int8", NK + 2 * N},
    {"ct-packed", NK / 2 + 2 * NK / 128 + 16},
    {"ct-nvfp4", NK / 2 + NK / 16 + 4},
    {"ct-mxfp4", NK / 2 + NK / 32},
    {"fp8-block", NK + 4 * (N / 128) * (N / 128)},
    {"fp8-tensor", NK + 4},
    {"fp8-tensor-transformers", NK + 2},
    {"fp8-block-v4", NK + (N / 128) * (N / 128)},
    {"nvfp4-v4", NK + (N / 128) * (N / 128)}, /* its experts alone are in four bits */
    {"fbgemm-fp8", NK + 4 * N},
    {"gptq", NK / 2 + 2 * NK / 128 + NK / 128 / 2 + 4 * N},
    {"awq", NK / 2 + 2 * NK / 128 + NK / 128 / 2},
    {"mlx", NK / 2 + 4 * NK / 64},
    {"modelopt-fp8", NK + 4 + 4},
    {"modelopt-nvfp4", NK / 2 + NK / 16 + 4 + 4},
    {"modelopt-mixed", 2 * NK}, /* only what its list names */
    {"mxfp4", 2 * NK},          /* only experts */
    {"quark-mxfp4", NK / 2 + NK / 32},
    {"quark-fp8", NK + 4},
    {"hqq", NK / 2 + 4 * NK / 64},
    {"torchao-int8", NK + 2 * N},
    {"torchao-int4", NK / 2 + 4 * NK / 128},
    {"torchao-float8", NK + 4 * N},
    {"f32", 4 * NK},
    {"f16", 2 * NK},
    {"bf16", 2 * NK},
    {"q8_0", BLOCKS(32, 34)},
    {"q4_0", BLOCKS(32, 18)},
    {"q4_1", BLOCKS(32, 20)},
    {"q5_0", BLOCKS(32, 22)},
    {"q5_1", BLOCKS(32, 24)},
    {"q2_k", BLOCKS(256, 84)},
    {"q2_k_s", BLOCKS(256, 84)},
    {"q3_k_s", BLOCKS(256, 110)},
    {"q3_k_m", BLOCKS(256, 110)},
    {"q3_k_l", BLOCKS(256, 110)},
    {"q4_k_s", BLOCKS(256, 144)},
    {"q4_k_m", BLOCKS(256, 144)},
    {"q5_k_s", BLOCKS(256, 176)},
    {"q5_k_m", BLOCKS(256, 176)},
    {"q6_k", BLOCKS(256, 210)},
    {"iq1_s", BLOCKS(256, 50)},
    {"iq1_m", BLOCKS(256, 56)},
    {"iq2_xxs", BLOCKS(256, 66)},
    {"iq2_xs", BLOCKS(256, 74)},
    {"iq2_s", BLOCKS(256, 74)}, /* mostly IQ2_XS, with more bits elsewhere */
    {"iq2_m", BLOCKS(256, 82)},
    {"iq3_xxs", BLOCKS(256, 82)}, /* queries have IQ2_S */
    {"iq3_xs", BLOCKS(256, 98)},  /* queries have IQ3_XXS */
    {"iq3_s", BLOCKS(256, 110)},
    {"iq3_m", BLOCKS(256, 110)},
    {"iq4_nl", BLOCKS(32, 18)},
    {"iq4_xs", BLOCKS(256, 136)},
    {"tq1_0", BLOCKS(256, 54)},
    {"tq2_0", BLOCKS(256, 66)},
    {"mxfp4_moe", BLOCKS(32, 34)}, /* no expert */
};

static void every_record_stores_a_matrix_as_its_format_does(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(made_up.catalog, TN_STR("quant"), &records);
    assert_int_equal(count, sizeof matrices / sizeof matrices[0]); /* a record without a case is not tested */
    for (size_t k = 0; k < count; k++) {
        struct tn_model_input input = {.config_origin = TN_ORIGIN_CONFIG, .quant = tn_str_of(matrices[k].quant)};
        struct tn_model *model = made_up_load_input(&made_up, ONE_LAYER "}", input);
        if (made_up.error.message[0]) {
            fail_msg("%s: %s", matrices[k].quant, made_up.error.message);
        }
        uint64_t bytes = bytes_of(model, "model.layers.{i}.self_attn.q_proj");
        if (bytes != matrices[k].bytes) {
            fail_msg("%s: %" PRIu64 " bytes, expected %" PRIu64, matrices[k].quant, bytes, matrices[k].bytes);
        }
        assert_true(tn_str_is(model->quant, matrices[k].quant));
        /* 4 projections of attention, 3 of the feed-forward, embedding and head, 3 norms: nothing is lost on the way */
        assert_int_equal(model->parameters, 4 * NK + 24576 * N + 2000 * N + 3 * N);
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

static void names_are_found_by_alias_and_in_any_writing(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"Q4_K_M", "q4_k_m"},       {"q4km", "q4_k_m"},        {"q4-k", "q4_k_m"}, {"nf4", "bnb-4bit"},
        {"w8a8", "ct-int8"},        {"w4a16", "ct-packed"},    {"AWQ", "awq"},     {"nvfp4", "modelopt-nvfp4"},
        {"int4wo", "torchao-int4"}, {"fp8-channel", "ct-fp8"}, {"int8", "I8"},     {"fp8", "F8_E4M3"},
    };
    struct made_up made_up;
    made_up_open_real(&made_up);
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        struct tn_model_input input = {.config_origin = TN_ORIGIN_CONFIG, .quant = tn_str_of(names[k][0])};
        struct tn_model *model = made_up_load_input(&made_up, ONE_LAYER "}", input);
        assert_non_null(model);
        assert_true(tn_str_is(model->quant, names[k][1]));
        tn_model_free(model);
    }
    struct tn_model_input wrong = {.quant = TN_STR("q4_k_x")};
    assert_null(made_up_load_input(&made_up, ONE_LAYER "}", wrong));
    assert_int_equal(made_up.error.code, TN_ERROR_DTYPE);
    assert_string_equal(made_up.error.where, "--quant");
    assert_non_null(strstr(made_up.error.hint, "q4_k"));
    assert_non_null(strstr(made_up.error.hint, "tonnage help plan"));
    made_up_close(&made_up);
}

static void a_quantisation_that_changes_nothing_says_so(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    struct tn_model_input input = {.config_origin = TN_ORIGIN_CONFIG, .quant = TN_STR("mxfp4")};
    struct tn_model *model = made_up_load_input(&made_up, ONE_LAYER "}", input);
    assert_non_null(model);
    assert_true(has_note(model, "quant_without_effect"));
    tn_model_free(model);
    made_up_close(&made_up);
}

/* ---- what a config asks for --------------------------------------------------------------------------------------- */

static const struct {
    const char *config; /* quantization_config */
    const char *record;
    uint64_t query_bytes;
    uint64_t down_bytes; /* of [4096, 8192] */
} configs[] = {
    {"{\"quant_method\": \"hqq\", \"quant_config\": {\"weight_quant_params\": {\"nbits\": 3, \"group_size\": 128}}}",
     "hqq", (NK + 9) / 10 * 4 + 4 * NK / 128, (2 * NK + 9) / 10 * 4 + 8 * NK / 128},
    {"{\"quant_method\": \"hqq\", \"quant_config\": {\"weight_quant_params\": {\"nbits\": 8, \"group_size\": 64}}, "
     "\"skip_modules\": [\"down_proj\"]}",
     "hqq", NK + 4 * NK / 64, 4 * NK},
    {"{\"quant_method\": \"torchao\", \"quant_type\": \"int4_weight_only\", \"quant_type_kwargs\": {\"group_size\": "
     "64}}",
     "torchao-int4", NK / 2 + 4 * NK / 64, NK + 8 * NK / 64},
    {"{\"quant_method\": \"torchao\", \"quant_type\": {\"default\": {\"_type\": \"Int4WeightOnlyConfig\", \"_data\": "
     "{\"group_size\": 32}}}}",
     "torchao-int4", NK / 2 + 4 * NK / 32, NK + 8 * NK / 32},
    {"{\"quant_method\": \"torchao\", \"quant_type\": {\"default\": {\"_type\": \"Int8WeightOnlyConfig\"}}}",
     "torchao-int8", NK + 2 * N, 2 * NK + 2 * N},
    {"{\"quant_method\": \"torchao\", \"quant_type\": \"float8_weight_only\", \"modules_to_not_convert\": "
     "[\"q_proj\"]}",
     "torchao-float8", 2 * NK, 2 * NK + 4 * N},
    /* a part of a name is enough for AWQ */
    {"{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128, \"modules_to_not_convert\": [\"attn.q_\"]}", "awq",
     2 * NK, NK + 4 * NK / 128 + 2 * NK / 128 / 2},
    /* each module as it is listed */
    {"{\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED_PRECISION\", \"quantized_layers\": "
     "{\"model.layers.0.self_attn.q_proj\": {\"quant_algo\": \"FP8\"}, "
     "\"model.layers.0.mlp.down_proj\": {\"quant_algo\": \"W4A16_NVFP4\", \"group_size\": 16}}}",
     "modelopt-mixed", NK + 4 + 4, NK + 2 * NK / 16 + 4},
    {"{\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED_PRECISION\", \"exclude_modules\": [\"*q_proj\"], "
     "\"quantized_layers\": {\"model.layers.0.self_attn.q_proj\": {\"quant_algo\": \"FP8\"}, "
     "\"model.layers.0.mlp.down_proj\": {\"quant_algo\": \"NVFP4\"}}}",
     "modelopt-mixed", 2 * NK, NK + 2 * NK / 16 + 4 + 4},
};

static void configs_are_read_to_the_last_byte(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    for (size_t k = 0; k < sizeof configs / sizeof configs[0]; k++) {
        char config[2048];
        (void)snprintf(config, sizeof config, ONE_LAYER ", \"quantization_config\": %s}", configs[k].config);
        struct tn_model *model = made_up_load(&made_up, config);
        if (made_up.error.message[0]) {
            fail_msg("%s: %s", configs[k].config, made_up.error.message);
        }
        assert_true(tn_str_is(model->quant, configs[k].record));
        assert_int_equal(bytes_of(model, "model.layers.{i}.self_attn.q_proj"), configs[k].query_bytes);
        assert_int_equal(bytes_of(model, "model.layers.{i}.mlp.down_proj"), configs[k].down_bytes);
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

static void a_list_that_is_none_is_an_error_of_the_config(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    struct tn_model *model =
        made_up_load(&made_up, ONE_LAYER ", \"quantization_config\": {\"quant_method\": \"modelopt\", "
                                         "\"quant_algo\": \"MIXED_PRECISION\", "
                                         "\"quantized_layers\": \"left out\"}}");
    assert_null(model);
    assert_int_equal(made_up.error.code, TN_ERROR_CONFIG);
    assert_non_null(strstr(made_up.error.message, "quantized_layers"));
    assert_true(made_up.error.where[0] != '\0');
    made_up_close(&made_up);
}

static void a_file_beside_the_config_may_name_the_quantisation(void **state)
{
    (void)state;
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    char folder[TEST_PATH_SIZE];
    make_test_folder(folder);
    write_test_file(folder, "config.json", TN_STR(ONE_LAYER "}"));
    write_test_file(folder, "hf_quant_config.json",
                    TN_STR("{\"producer\": {\"name\": \"modelopt\"}, \"quantization\": {\"quant_algo\": \"NVFP4\", "
                           "\"kv_cache_quant_algo\": \"FP8\", \"group_size\": 16, "
                           "\"exclude_modules\": [\"model.layers.0.mlp*\", \"lm_head\"]}}"));
    struct tn_model_files files;
    struct tn_model *model = must_load_path(catalog, folder, &files);
    assert_true(tn_str_is(model->quant, "modelopt-nvfp4"));
    assert_int_equal(bytes_of(model, "model.layers.{i}.self_attn.q_proj"), NK / 2 + NK / 16 + 4 + 4);
    assert_int_equal(bytes_of(model, "model.layers.{i}.mlp.down_proj"), 4 * NK);
    tn_model_free(model);
    tn_model_files_free(&files);
    /* what the config says comes first */
    write_test_file(folder, "config.json",
                    TN_STR(ONE_LAYER ", \"quantization_config\": {\"quant_method\": \"fp8\", "
                                     "\"weight_block_size\": [128, 128]}}"));
    model = must_load_path(catalog, folder, &files);
    assert_true(tn_str_is(model->quant, "fp8-block"));
    tn_model_free(model);
    tn_model_files_free(&files);
    write_test_file(folder, "hf_quant_config.json", TN_STR("no JSON"));
    assert_null(load_path(catalog, folder, &files, &error));
    assert_non_null(strstr(error.where, "hf_quant_config.json"));
    tn_model_files_free(&files);
    remove_test_folder(folder);
    tn_catalog_close(catalog);
}

/* ---- mixes -------------------------------------------------------------------------------------------------------- */

#define MIX_MODEL                                \
    "arch m\n"                                   \
    "  match model_type m\n"                     \
    "  param nh = 8\n"                           \
    "  param nkv = 2\n"                          \
    "  param tied = true\n"                      \
    "  stack text l.{i}. layers 4\n"             \
    "  mixer a when i % 2 == 0\n"                \
    "  mixer b\n"                                \
    "  layer a v_proj.weight [32, 64]\n"         \
    "  layer * down.weight [32, 48]\n"           \
    "  layer * norm.weight [32] class norm\n"    \
    "  once embed.weight [10, 64] class embed\n" \
    "  once tower.weight [8, 64] class vision\n"

static void types_are_chosen_layer_by_layer(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, MIX_MODEL "mix rules\n"
                                     "  role value *v_proj.weight\n"
                                     "  role attn_v *v_proj.weight\n" /* the first role counts */
                                     "  drop class == \"vision\"\n"
                                     "  param late = i >= layers // 2\n"
                                     "  fallback Q4_0 Q8_0\n"
                                     "  fallback Q8_0 F16\n"
                                     "quant x\n"
                                     "  use rules\n"
                                     "  type F32 when rank == 1\n"
                                     "  type Q8_0 when class == \"embed\" and tied and heads // kv_heads == 4\n"
                                     "  type Q4_1 when role == \"value\" and late and stack == \"text\"\n"
                                     "  type Q4_0\n");
    struct tn_model_input input = {.config_origin = TN_ORIGIN_CONFIG, .quant = TN_STR("x")};
    struct tn_model *model = made_up_load_input(&made_up, "{\"model_type\": \"m\", \"dtype\": \"bfloat16\"}", input);
    assert_non_null(model);
    assert_string_equal(made_up_shapes(&made_up, model),
                        "embed.weight[10,64] l.{i}.v_proj.weight[32,64]@0 l.{i}.v_proj.weight[32,64]@2 "
                        "l.{i}.down.weight[32,48]@0,1,2,3 l.{i}.norm.weight[32]@0,1,2,3");
    static const char *const dtypes[] = {"Q8_0", "Q4_0", "Q4_1", "F16", "F32"}; /* 48 is no multiple of 32 */
    for (size_t k = 0; k < model->group_count; k++) {
        assert_string_equal(model->groups[k].dtype->name, dtypes[k]);
    }
    assert_int_equal(model->tied_bytes, 10 * 64 / 32 * 34); /* as stored now */
    assert_true(has_note(model, "left_out"));
    tn_model_free(model);
    made_up_close(&made_up);
}

static void wrong_mixes_are_named_by_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *message;
        enum tn_code code;
    } cases[] = {
        {"  type nobody\n", "expected 'type DTYPE", TN_ERROR_RECORD},
        {"  type F16 if true\n", "expected 'when'", TN_ERROR_RECORD},
        {"  type F16 when 1 +\n", "an unexpected end", TN_ERROR_EXPRESSION},
        {"  type F16 when nobody\n", "no symbol 'nobody'", TN_ERROR_EXPRESSION},
        {"  param a = b\n  param b = a\n  type F16 when a\n", "no symbol", TN_ERROR_EXPRESSION},
        {"  param a b\n", "expected 'param NAME", TN_ERROR_RECORD},
        {"  param a = 1 +\n", "an unexpected end", TN_ERROR_EXPRESSION},
        {"  role a\n", "expected 'role NAME", TN_ERROR_RECORD},
        {"  fallback F16\n", "expected 'fallback", TN_ERROR_RECORD},
        {"  drop 1 +\n", "an unexpected end", TN_ERROR_EXPRESSION},
        {"  drop 1\n", "true or false is needed", TN_ERROR_EXPRESSION},
        {"  use nobody\n", "no mix of that name", TN_ERROR_RECORD},
        {"  use itself\n", "too deep", TN_ERROR_RECORD},
        {"  keep_parts $a +\n", "an unexpected end", TN_ERROR_EXPRESSION},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct made_up made_up;
        char records[2048];
        (void)snprintf(records, sizeof records, "%smix itself\n  use itself\nquant x\n  match true\n%s", MIX_MODEL,
                       cases[k].lines);
        made_up_open(&made_up, records);
        made_up_expect(&made_up, "{\"model_type\": \"m\", \"quantization_config\": {}}", cases[k].code,
                       cases[k].message, NULL);
        assert_true(made_up.error.where[0] != '\0');
        made_up_close(&made_up);
    }
}

/* A GGUF of 16 bits becomes what the config of the same model becomes: names of both are known. */
static void a_gguf_is_quantised_as_its_config(void **state)
{
    (void)state;
    static const struct model_tensor tensors[] = {
        {"token_embd.weight", "F16", 2, {1000, 4096}},
        {"output_norm.weight", "F32", 1, {4096}},
        {"output.weight", "F16", 2, {1000, 4096}},
        {"blk.0.attn_norm.weight", "F32", 1, {4096}},
        {"blk.0.ffn_norm.weight", "F32", 1, {4096}},
        {"blk.0.attn_q.weight", "F16", 2, {4096, 4096}},
        {"blk.0.attn_k.weight", "F16", 2, {4096, 4096}},
        {"blk.0.attn_v.weight", "F16", 2, {4096, 4096}},
        {"blk.0.attn_output.weight", "F16", 2, {4096, 4096}},
        {"blk.0.ffn_gate.weight", "F16", 2, {8192, 4096}},
        {"blk.0.ffn_up.weight", "F16", 2, {8192, 4096}},
        {"blk.0.ffn_down.weight", "F16", 2, {4096, 8192}},
    };
    static const char *const quants[] = {"q4_k_m", "q3_k_l", "iq2_m", "iq3_xxs", "q8_0", "tq1_0"};
    char folder[TEST_PATH_SIZE];
    char path[TEST_PATH_SIZE + 16];
    struct made_up made_up;
    made_up_open_real(&made_up);
    make_test_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.gguf", folder);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\": \"llama\", \"llama.block_count\": 1, "
                                 "\"llama.embedding_length\": 4096, \"llama.feed_forward_length\": 8192, "
                                 "\"llama.attention.head_count\": 32, \"llama.attention.head_count_kv\": 32, "
                                 "\"llama.context_length\": 2048, \"llama.vocab_size\": 1000}",
                                 tensors, sizeof tensors / sizeof tensors[0]));
    for (size_t k = 0; k < sizeof quants / sizeof quants[0]; k++) {
        struct tn_model_files files = {0};
        struct tn_model_input input = {.quant = tn_str_of(quants[k])};
        struct tn_model *by_config = made_up_load_input(&made_up, ONE_LAYER "}", input);
        bool found = false;
        assert_true(tn_model_files_find(&files, tn_str_of(path), (struct tn_str){0}, &input, &found, &made_up.error));
        struct tn_model *by_header = tn_model_load(made_up.catalog, &input, &made_up.error);
        assert_non_null(by_config);
        assert_non_null(by_header);
        assert_int_equal(by_header->checkpoint_bytes, by_config->checkpoint_bytes);
        tn_model_free(by_config);
        tn_model_free(by_header);
        tn_model_files_free(&files);
    }
    remove_test_folder(folder);
    made_up_close(&made_up);
}

/* ---- real files --------------------------------------------------------------------------------------------------- */

static struct tn_model *load_named(const struct tn_catalog *catalog, struct tn_arena *arena, const char *name,
                                   const char *quant)
{
    struct tn_error error = {0};
    struct tn_model_input input = {0};
    const struct tn_record *record = tn_catalog_find_model(catalog, tn_str_of(name), &error);
    if (!record || !tn_catalog_model(record, arena, &input, &error)) {
        fail_msg("%s: %s", name, error.message);
    }
    input.quant = tn_str_of(quant);
    struct tn_model *model = tn_model_load(catalog, &input, &error);
    if (!model) {
        fail_msg("%s as %s: %s", name, quant, error.message);
    }
    return model;
}

static uint64_t vocabulary_of(const struct tn_model *model)
{
    uint64_t rows = 0;
    for (size_t k = 0; k < model->group_count && !rows; k++) {
        rows = model->groups[k].class == TN_CLASS_EMBED ? model->groups[k].dims[0] : 0;
    }
    return rows;
}

/* The difference to the real size, in parts of 100,000. `tensor_bytes` is what llama.cpp says of the tensors. A file also holds the
 * vocabulary, which a config does not tell: about 25 bytes per token with scores, 40 with merges. */
static uint64_t error_of(const struct tn_value *row, const struct tn_model *model)
{
    const struct tn_value *tensors = tn_value_member(row, TN_STR("tensor_bytes"));
    uint64_t real = (uint64_t)(tensors ? tensors : member_of(row, "file_bytes"))->as.integer;
    uint64_t predicted = model->checkpoint_bytes;
    if (!tensors) {
        predicted += vocabulary_of(model) * (uint64_t)member_of(row, "bytes_per_token")->as.integer;
    }
    uint64_t difference = predicted > real ? predicted - real : real - predicted;
    return difference * 100000 / real;
}

/* The hub's total of this checkpoint counts packed pairs of weights and 16-bit weights as they are stored, no scales, and has no layer
 * that predicts further tokens. */
static void a_packed_checkpoint_has_its_published_total(void **state)
{
    (void)state;
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    struct tn_arena arena = {0};
    struct tn_model *model = load_named(catalog, &arena, "glm-5.2-nvfp4", "");
    uint64_t elements = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        bool is_packed = strcmp(group->dtype->name, "U8") == 0;
        if (tn_str_is(group->stack, "mtp") || !(is_packed || strcmp(group->dtype->name, "BF16") == 0)) {
            continue;
        }
        elements += is_packed ? group->bytes : group->bytes / 2;
    }
    assert_int_equal(elements, UINT64_C(380989135104));
    tn_model_free(model);
    tn_arena_free(&arena);
    tn_catalog_close(catalog);
}

/* 40 layers, of which 30 are of delta attention: in FP8 8192 x 2048, 4096 x 2048 and 2048 x 4096, and of the others 9216 x 2048 and 2048 x
 * 4096. In NVFP4 without scales of inputs the experts, 257 times 3 x 512 x 2048, and the head, 248320 x 2048: half a byte and a sixteenth for
 * each weight. So published files of 23.4 GB. */
static void a_head_may_be_quantised_too(void **state)
{
    (void)state;
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    struct tn_arena arena = {0};
    struct tn_model *model = load_named(catalog, &arena, "nvidia/Qwen3.6-35B-A3B-NVFP4", "");
    static const uint64_t head = UINT64_C(248320) * 2048;
    static const uint64_t experts = UINT64_C(40) * 257 * 3 * 512 * 2048;
    static const uint64_t attention = UINT64_C(30) * 2048 * (8192 + 4096 + 4096) + UINT64_C(10) * 2048 * (9216 + 4096);
    uint64_t packed = 0;
    uint64_t eight_bits = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        packed += strcmp(model->groups[k].dtype->name, "U8") == 0 ? model->groups[k].bytes : 0;
        eight_bits += strcmp(model->groups[k].dtype->name, "F8_E4M3") == 0 ? model->groups[k].bytes : 0;
    }
    assert_int_equal(packed, (head + experts) / 2);
    assert_int_equal(eight_bits, (head + experts) / 16 + attention);
    assert_int_equal((model->checkpoint_bytes + 50000000) / 100000000, 234);
    tn_model_free(model);
    tn_arena_free(&arena);
    tn_catalog_close(catalog);
}

static void real_files_are_predicted_within_half_a_percent(void **state)
{
    (void)state;
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    struct tn_arena arena = {0};
    struct tn_value rows = read_test_data(&arena, "quant/files.json");
    assert_int_equal(rows.kind, TN_LIST);
    uint64_t worst = 0;
    const char *worst_name = "";
    for (uint32_t k = 0; k < rows.count; k++) {
        const struct tn_value *row = &rows.as.items[k];
        const char *name = text_of(&arena, member_of(row, "model"));
        const char *quant = text_of(&arena, member_of(row, "quant"));
        struct tn_model *model = load_named(catalog, &arena, name, quant);
        uint64_t parts = error_of(row, model);
        if (parts > 500) {
            fail_msg("%s as %s: %" PRIu64 ".%03" PRIu64 " %% off", name, quant, parts / 1000, parts % 1000);
        }
        worst_name = parts > worst ? name : worst_name;
        worst = parts > worst ? parts : worst;
        tn_model_free(model);
    }
    print_message("%u files, the worst is %s: %" PRIu64 ".%03" PRIu64 " %% off\n", rows.count, worst_name, worst / 1000,
                  worst % 1000);
    tn_arena_free(&arena);
    tn_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_stores_a_matrix_as_its_format_does),
        cmocka_unit_test(names_are_found_by_alias_and_in_any_writing),
        cmocka_unit_test(a_quantisation_that_changes_nothing_says_so),
        cmocka_unit_test(configs_are_read_to_the_last_byte),
        cmocka_unit_test(a_list_that_is_none_is_an_error_of_the_config),
        cmocka_unit_test(a_file_beside_the_config_may_name_the_quantisation),
        cmocka_unit_test(types_are_chosen_layer_by_layer),
        cmocka_unit_test(wrong_mixes_are_named_by_file_and_line),
        cmocka_unit_test(a_gguf_is_quantised_as_its_config),
        cmocka_unit_test(a_packed_checkpoint_has_its_published_total),
        cmocka_unit_test(a_head_may_be_quantised_too),
        cmocka_unit_test(real_files_are_predicted_within_half_a_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
