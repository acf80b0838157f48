/* GGUF models of full size: what their metadata is under the names of config.json, how their tensors are classified, and what their
 * layers cache. tests/data/gguf holds headers of synthetic models that llama.cpp has loaded, with the bytes it gave to their caches. */
#include "model_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const measured[] = {
    "dsv2-lite-mla", "dsv2-lite-nomla", "gemma2-9b",   "gemma3-12b",    "gpt-oss-20b", "llama2-7b",
    "llama2-13b",    "llama3-8b",       "llama3.2-1b", "mixtral-8x7b",  "phi3-mini",   "qwen2.5-7b",
    "qwen3-0.6b",    "qwen3-30b-a3b",   "qwen3-8b",    "qwen3next-80b", "tiny-llama",
};

/* ---- what llama.cpp allocates -------------------------------------------------------------------------------------- */

/* One row of "contexts": cells per sequence, sequences, whether they share the cells, tokens of a batch, whether windows are ignored,
 * the type of the cache, and the bytes measured. */
struct context {
    uint64_t cells;
    uint64_t sequences;
    bool is_unified;
    uint64_t batch_tokens;
    bool full_windows;
    const struct tn_dtype *dtype;
    uint64_t bytes;
};

static uint64_t window_cells(const struct context *context, uint64_t window)
{
    uint64_t wanted = window * (context->is_unified ? context->sequences : 1) + context->batch_tokens;
    uint64_t cells = wanted < context->cells ? wanted : context->cells;
    return (cells + 255) / 256 * 256;
}

/* The formula of llama.cpp: cells x streams x elements of a row; states are F32 and one per sequence. */
static uint64_t cache_bytes(const struct tn_cache *cache, const struct context *context)
{
    uint64_t streams = context->is_unified ? 1 : context->sequences;
    if (cache->growth == TN_GROWTH_CONSTANT) {
        return cache->elements_per_unit * 4 * context->sequences * cache->layer_count;
    }
    bool slides = cache->growth == TN_GROWTH_WINDOW && !context->full_windows;
    uint64_t cells = slides ? window_cells(context, cache->argument) : context->cells;
    uint64_t row_bytes;
    assert_true(tn_dtype_bytes(context->dtype, cache->elements_per_unit, &row_bytes));
    return row_bytes * cells * streams * cache->layer_count;
}

static void check_contexts(const char *name, const struct tn_model *model, const struct tn_value *rows)
{
    assert_true(rows->count > 0);
    for (uint32_t k = 0; k < rows->count; k++) {
        const struct tn_value *row = rows->as.items[k].as.items;
        struct context context = {.cells = (uint64_t)row[0].as.integer,
                                  .sequences = (uint64_t)row[1].as.integer,
                                  .is_unified = row[2].as.integer != 0,
                                  .batch_tokens = (uint64_t)row[3].as.integer,
                                  .full_windows = row[4].as.integer != 0,
                                  .dtype = tn_dtype_find(row[5].as.string),
                                  .bytes = (uint64_t)row[6].as.integer};
        uint64_t bytes = 0;
        for (size_t c = 0; c < model->cache_count; c++) {
            bytes += cache_bytes(&model->caches[c], &context);
        }
        if (bytes != context.bytes) {
            fail_msg("%s, context %u: %llu bytes, measured are %llu", name, k, (unsigned long long)bytes,
                     (unsigned long long)context.bytes);
        }
    }
}

static void caches_are_those_that_llama_cpp_allocates(void **state)
{
    struct model_fixture *fixture = *state;
    for (size_t k = 0; k < COUNT_OF(measured); k++) {
        struct tn_value root;
        struct tn_model_files files;
        struct tn_model *model = load_model_data(fixture, measured[k], &root, &files);
        check_contexts(measured[k], model, member_of(&root, "contexts"));
        tn_model_free(model);
        tn_model_files_free(&files);
    }
}

static void prediction_by_facts_equals_the_header(void **state)
{
    struct model_fixture *fixture = *state;
    for (size_t k = 0; k < COUNT_OF(measured); k++) {
        struct tn_value root;
        struct tn_model_files files;
        struct tn_model *model = load_model_data(fixture, measured[k], &root, &files);
        const struct tn_str record = member_of(&root, "record")->as.string;
        if (!tn_str_equal(model->architecture, record) || has_note(model, "prediction_differs")) {
            fail_msg("%s: record " TN_STR_FORMAT " predicts %llu", measured[k], TN_STR_ARGUMENTS(model->architecture),
                     (unsigned long long)predicted_parameters(model));
        }
        assert_int_equal(model->parameters, (uint64_t)member_of(&root, "parameters")->as.integer);
        tn_model_free(model);
        tn_model_files_free(&files);
    }
}

/* ---- classes and splits -------------------------------------------------------------------------------------------- */

static void tensors_have_classes_and_splits(void **state)
{
    static const struct {
        const char *model;
        const char *tensor;
        enum tn_class class;
        enum tn_split_kind split;
        uint64_t part; /* the first number of the split; 0: not looked at */
    } cases[] = {
        {"llama3-8b", "token_embd.weight", TN_CLASS_EMBED, TN_SPLIT_VOCAB, 128256},
        {"llama3-8b", "output.weight", TN_CLASS_HEAD, TN_SPLIT_VOCAB, 128256},
        {"llama3-8b", "output_norm.weight", TN_CLASS_NORM, TN_SPLIT_REPLICATE, 0},
        {"llama3-8b", "blk.{i}.attn_q.weight", TN_CLASS_LINEAR, TN_SPLIT_HEADS, 32},
        {"llama3-8b", "blk.{i}.attn_k.weight", TN_CLASS_LINEAR, TN_SPLIT_KV, 8},
        {"llama3-8b", "blk.{i}.attn_output.weight", TN_CLASS_LINEAR, TN_SPLIT_ROW, 0},
        {"llama3-8b", "blk.{i}.ffn_up.weight", TN_CLASS_LINEAR, TN_SPLIT_COLUMN, 0},
        {"llama3-8b", "blk.{i}.ffn_down.weight", TN_CLASS_LINEAR, TN_SPLIT_ROW, 0},
        {"mixtral-8x7b", "blk.{i}.ffn_down_exps.weight", TN_CLASS_EXPERT, TN_SPLIT_EXPERT, 8},
        {"mixtral-8x7b", "blk.{i}.ffn_gate_inp.weight", TN_CLASS_ROUTER, TN_SPLIT_REPLICATE, 0},
        {"gpt-oss-20b", "blk.{i}.attn_sinks.weight", TN_CLASS_BIAS, TN_SPLIT_REPLICATE, 0},
        {"gpt-oss-20b", "blk.{i}.ffn_up_exps.bias", TN_CLASS_EXPERT, TN_SPLIT_EXPERT, 32},
        {"phi3-mini", "blk.{i}.attn_qkv.weight", TN_CLASS_LINEAR, TN_SPLIT_FUSED, 32},
        {"dsv2-lite-mla", "blk.{i}.attn_kv_a_mqa.weight", TN_CLASS_LINEAR, TN_SPLIT_REPLICATE, 0},
        {"dsv2-lite-mla", "blk.{i}.attn_k_b.weight", TN_CLASS_LINEAR, TN_SPLIT_HEADS, 16},
        {"dsv2-lite-mla", "blk.{i}.ffn_up_exps.weight", TN_CLASS_EXPERT, TN_SPLIT_EXPERT, 64},
        {"dsv2-lite-mla", "blk.{i}.ffn_up_shexp.weight", TN_CLASS_LINEAR, TN_SPLIT_COLUMN, 0},
        {"qwen3next-80b", "blk.{i}.ssm_conv1d.weight", TN_CLASS_CONV, TN_SPLIT_REPLICATE, 0},
        {"qwen3next-80b", "blk.{i}.ssm_a", TN_CLASS_BIAS, TN_SPLIT_REPLICATE, 0},
        {"qwen3next-80b", "blk.{i}.ssm_out.weight", TN_CLASS_LINEAR, TN_SPLIT_ROW, 0},
        {"qwen3next-80b", "blk.{i}.attn_q_norm.weight", TN_CLASS_NORM, TN_SPLIT_REPLICATE, 0},
    };
    struct model_fixture *fixture = *state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_value root;
        struct tn_model_files files;
        struct tn_model *model = load_model_data(fixture, cases[k].model, &root, &files);
        size_t found = 0;
        for (size_t g = 0; g < model->group_count; g++) {
            const struct tn_group *group = &model->groups[g];
            if (tn_str_is(group->name, cases[k].tensor)) {
                found++;
                assert_int_equal(group->class, cases[k].class);
                assert_int_equal(group->split.kind, cases[k].split);
                assert_true(!cases[k].part || group->split.parts[0] == cases[k].part);
            }
        }
        assert_int_equal(found, 1);
        tn_model_free(model);
        tn_model_files_free(&files);
    }
}

/* Of the experts only those that a token uses: Mixtral 8x7B has 12.9 billion parameters active, as its authors say. */
static void experts_count_by_use(void **state)
{
    struct tn_value root;
    struct tn_model_files files;
    struct tn_model *model = load_model_data(*state, "mixtral-8x7b", &root, &files);
    /* 3 matrices x 4096 x 14336 x 6 unused experts x 32 layers */
    assert_int_equal(model->parameters - model->parameters_active, UINT64_C(3) * 4096 * 14336 * 6 * 32);
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* ---- metadata against config.json ---------------------------------------------------------------------------------- */

static bool same_caches(const struct tn_model *a, const struct tn_model *b)
{
    bool same = a->cache_count == b->cache_count;
    for (size_t k = 0; same && k < a->cache_count; k++) {
        const struct tn_cache *x = &a->caches[k];
        const struct tn_cache *y = &b->caches[k];
        same = x->growth == y->growth && x->argument == y->argument && x->elements_per_unit == y->elements_per_unit
               && x->layer_count == y->layer_count && !memcmp(x->layers, y->layers, x->layer_count * sizeof *x->layers);
    }
    return same;
}

/* Files for text leave out towers, and further-token layers where they have no key for them. */
static uint64_t text_parameters(const struct tn_model *model, bool has_predictors)
{
    uint64_t parameters = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        bool is_tower = group->class == TN_CLASS_VISION || tn_str_is(group->stack, "vision");
        bool is_predictor = tn_str_is(group->stack, "mtp") || tn_str_starts(group->name, TN_STR("mtp."));
        parameters += is_tower || (is_predictor && !has_predictors) ? 0 : group->parameters;
    }
    return parameters;
}

static bool has_predictors(const struct tn_value *metadata)
{
    for (uint32_t k = 0; k < metadata->count; k++) {
        if (tn_str_ends(metadata->as.members[k].key, TN_STR(".nextn_predict_layers"))) {
            return true;
        }
    }
    return false;
}

/* The header holds only the tensors that the metadata is silent about: tables, heads, biases, norms. */
static struct tn_model *load_translated(struct model_fixture *fixture, const struct tn_value *entry,
                                        struct tn_model_files *files)
{
    struct tensor_list list = {0};
    const struct tn_value *rows = member_of(entry, "tensors");
    for (uint32_t k = 0; k < rows->count; k++) {
        const struct tn_value *row = rows->as.items[k].as.items;
        struct model_tensor like = model_data_tensor(&fixture->arena, &row[1], &row[2]);
        add_tensors(&fixture->arena, &list, text_of(&fixture->arena, &row[0]), "", &like);
    }
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/translated.gguf", fixture->folder);
    const char *metadata = model_data_json(&fixture->arena, member_of(entry, "metadata"));
    assert_true(model_write_gguf(path, metadata, list.tensors, list.count));
    return must_load_path(fixture->catalog, path, files);
}

static void metadata_says_the_same_as_config_json(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_value root = read_test_data(&fixture->arena, "gguf/translations.json");
    const struct tn_value *entries = member_of(&root, "models");
    assert_true(entries->count >= 30);
    for (uint32_t k = 0; k < entries->count; k++) {
        const struct tn_value *entry = &entries->as.items[k];
        const char *name = text_of(&fixture->arena, member_of(entry, "name"));
        struct tn_error error = {0};
        struct tn_model_input input = {.id = tn_str_of(name),
                                       .config = member_of(entry, "config"),
                                       .config_origin = TN_ORIGIN_CONFIG,
                                       .config_where = tn_str_of(name)};
        struct tn_model *by_config = tn_model_load(fixture->catalog, &input, &error);
        assert_string_equal(error.message, "");
        assert_non_null(by_config);
        struct tn_model_files files;
        struct tn_model *by_metadata = load_translated(fixture, entry, &files);
        uint64_t expected = text_parameters(by_config, has_predictors(member_of(entry, "metadata")));
        if (predicted_parameters(by_metadata) != expected) {
            fail_msg("%s: %llu parameters by metadata, %llu by config.json", name,
                     (unsigned long long)predicted_parameters(by_metadata), (unsigned long long)expected);
        }
        if (!same_caches(by_metadata, by_config)) {
            fail_msg("%s: other caches by metadata than by config.json", name);
        }
        tn_model_free(by_config);
        tn_model_free(by_metadata);
        tn_model_files_free(&files);
    }
}

/* ---- what is no model, or not known -------------------------------------------------------------------------------- */

static const struct model_tensor one_tensor[] = {{"token_embd.weight", "F16", 2, {100, 64}}};

static void load_metadata(struct model_fixture *fixture, const char *metadata, struct tn_model **model,
                          struct tn_model_files *files, struct tn_error *error)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/small.gguf", fixture->folder);
    assert_true(model_write_gguf(path, metadata, one_tensor, 1));
    *model = load_path(fixture->catalog, path, files, error);
}

static void files_that_are_no_models_are_refused(void **state)
{
    static const struct {
        const char *metadata;
        const char *message;
        const char *where;
    } cases[] = {
        {"{\"general.name\": \"x\"}", "does not name its architecture", "key general.architecture"},
        {"{\"general.architecture\": 5}", "does not name its architecture", "key general.architecture"},
        {"{\"general.architecture\": \"llama\", \"general.type\": \"adapter\"}", "an adapter (LoRA)", "general.type"},
        {"{\"general.architecture\": \"llama\", \"general.type\": \"imatrix\"}", "importance matrix", "general.type"},
        {"{\"general.architecture\": \"llama\", \"llama.block_count\": \"many\"}", "'block_count' is a string",
         "key block_count"},
        {"{\"general.architecture\": \"llama\", \"llama.block_count\": 4}", "hidden_size", "small.gguf"},
        {"{\"general.architecture\": \"llama\", \"llama.embedding_length\": 64}", "num_hidden_layers", "small.gguf"},
        {"{\"general.architecture\": \"llama\", \"llama.embedding_length\": 64, \"llama.block_count\": 1000000000}",
         "1000000000", "small.gguf"},
        {"{\"general.architecture\": \"jamba\", \"jamba.block_count\": 4, \"jamba.embedding_length\": 0}", "",
         "small.gguf"},
    };
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_model *model;
        struct tn_model_files files;
        struct tn_error error;
        load_metadata(*state, cases[k].metadata, &model, &files, &error);
        if (model || !strstr(error.message, cases[k].message) || !strstr(error.where, cases[k].where)
            || !strstr(error.where, "small.gguf")) {
            fail_msg("%s: '%s' (%s)", cases[k].metadata, model ? "loaded" : error.message, error.where);
        }
        assert_int_equal(tn_code_exit(error.code), 3);
        tn_model_files_free(&files);
    }
}

/* KV heads by layer: none where an architecture nobody knows has something else than attention. */
static void an_unknown_architecture_counts_attention_by_its_heads(void **state)
{
    struct tn_model *model;
    struct tn_model_files files;
    struct tn_error error;
    load_metadata(*state,
                  "{\"general.architecture\": \"novel\", \"novel.block_count\": 4, \"novel.embedding_length\": 64,"
                  " \"novel.attention.head_count\": 8, \"novel.attention.head_count_kv\": [0, 2, 0, 2]}",
                  &model, &files, &error);
    assert_non_null(model);
    assert_true(has_note(model, "unverified_architecture"));
    assert_int_equal(model->parameters, 6400);
    assert_int_equal(model->cache_count, 1);
    assert_int_equal(model->caches[0].layer_count, 2);
    assert_int_equal(model->caches[0].elements_per_unit, 2 * 2 * 8);
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* An architecture without a prediction: by the keys, one of the four experts of 8 x 32 is used. */
static void experts_count_by_use_without_a_prediction(void **state)
{
    static const struct model_tensor tensors[] = {{"token_embd.weight", "F16", 2, {100, 64}},
                                                  {"blk.0.ffn_up_exps.weight", "F16", 3, {4, 8, 32}}};
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/small.gguf", fixture->folder);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\": \"bailingmoe\", \"bailingmoe.block_count\": 1,"
                                 " \"bailingmoe.embedding_length\": 64, \"bailingmoe.attention.head_count\": 4,"
                                 " \"bailingmoe.expert_count\": 4, \"bailingmoe.expert_used_count\": 1}",
                                 tensors, 2));
    struct tn_model *model = must_load_path(fixture->catalog, path, &files);
    assert_int_equal(model->parameters, 6400 + 4 * 8 * 32);
    assert_int_equal(model->parameters_active, 6400 + 8 * 32);
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* RWKV 7 of 64 x 4: two last inputs, and a 64 x 16 matrix, in F32. */
static void architectures_of_gguf_alone_have_their_caches(void **state)
{
    struct tn_model *model;
    struct tn_model_files files;
    struct tn_error error;
    load_metadata(*state,
                  "{\"general.architecture\": \"rwkv7\", \"rwkv7.block_count\": 4, \"rwkv7.embedding_length\": 64,"
                  " \"rwkv7.attention.head_count\": 0, \"rwkv7.wkv.head_size\": 16}",
                  &model, &files, &error);
    assert_non_null(model);
    assert_int_equal(model->cache_count, 2);
    assert_int_equal(model->caches[0].elements_per_unit, 2 * 64);
    assert_int_equal(model->caches[1].elements_per_unit, 64 * 16);
    tn_model_free(model);
    tn_model_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caches_are_those_that_llama_cpp_allocates),
        cmocka_unit_test(prediction_by_facts_equals_the_header),
        cmocka_unit_test(tensors_have_classes_and_splits),
        cmocka_unit_test(experts_count_by_use),
        cmocka_unit_test(metadata_says_the_same_as_config_json),
        cmocka_unit_test(files_that_are_no_models_are_refused),
        cmocka_unit_test(an_unknown_architecture_counts_attention_by_its_heads),
        cmocka_unit_test(experts_count_by_use_without_a_prediction),
        cmocka_unit_test(architectures_of_gguf_alone_have_their_caches),
    };
    return cmocka_run_group_tests(tests, model_fixture_open, model_fixture_close);
}
