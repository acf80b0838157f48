/* Models of full size as people have them on disk: a folder with config.json, sharded safetensors and their index; the same weights
 * as GGUF; and what is reported where files are missing or hold something else. */
#define _POSIX_C_SOURCE 200809L
#include "model_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { SHARDS = 5 };

struct subject {
    const char *name;
    const char *config;
    uint64_t parameters; /* published or counted by another library; 0: only that header and prediction agree */
    const char *gguf;    /* the metadata of the same model, or NULL */
};

static const struct subject subjects[] = {
    {"llama-2-70b",
     "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 8192, \"intermediate_size\": 28672,"
     " \"num_attention_heads\": 64, \"num_hidden_layers\": 80, \"num_key_value_heads\": 8, \"vocab_size\": 32000,"
     " \"torch_dtype\": \"float16\"}",
     UINT64_C(68976648192),
     "{\"general.architecture\": \"llama\", \"llama.embedding_length\": 8192, \"llama.feed_forward_length\": 28672,"
     " \"llama.attention.head_count\": 64, \"llama.block_count\": 80, \"llama.attention.head_count_kv\": 8}"},
    {"qwen3-30b-a3b",
     "{\"architectures\": [\"Qwen3MoeForCausalLM\"], \"head_dim\": 128, \"hidden_size\": 2048,"
     " \"intermediate_size\": 6144, \"moe_intermediate_size\": 768, \"num_attention_heads\": 32, \"num_experts\": 128,"
     " \"num_experts_per_tok\": 8, \"num_hidden_layers\": 48, \"num_key_value_heads\": 4, \"vocab_size\": 151936,"
     " \"torch_dtype\": \"bfloat16\"}",
     UINT64_C(30532122624),
     "{\"general.architecture\": \"qwen3moe\", \"qwen3moe.embedding_length\": 2048,"
     " \"qwen3moe.feed_forward_length\": 6144, \"qwen3moe.expert_feed_forward_length\": 768,"
     " \"qwen3moe.attention.head_count\": 32, \"qwen3moe.expert_count\": 128, \"qwen3moe.expert_used_count\": 8,"
     " \"qwen3moe.block_count\": 48, \"qwen3moe.attention.head_count_kv\": 4, \"qwen3moe.attention.key_length\": 128}"},
    {"deepseek-v3",
     "{\"architectures\": [\"DeepseekV3ForCausalLM\"], \"first_k_dense_replace\": 3, \"hidden_size\": 7168,"
     " \"intermediate_size\": 18432, \"kv_lora_rank\": 512, \"moe_intermediate_size\": 2048, \"n_routed_experts\": 256,"
     " \"n_shared_experts\": 1, \"num_attention_heads\": 128, \"num_experts_per_tok\": 8, \"num_hidden_layers\": 61,"
     " \"num_key_value_heads\": 128, \"q_lora_rank\": 1536, \"qk_nope_head_dim\": 128, \"qk_rope_head_dim\": 64,"
     " \"v_head_dim\": 128, \"vocab_size\": 129280, \"torch_dtype\": \"bfloat16\"}",
     UINT64_C(671026419200),
     "{\"general.architecture\": \"deepseek2\", \"deepseek2.leading_dense_block_count\": 3,"
     " \"deepseek2.embedding_length\": 7168, \"deepseek2.feed_forward_length\": 18432,"
     " \"deepseek2.attention.kv_lora_rank\": 512, \"deepseek2.expert_feed_forward_length\": 2048,"
     " \"deepseek2.expert_count\": 256, \"deepseek2.expert_shared_count\": 1, \"deepseek2.attention.head_count\": 128,"
     " \"deepseek2.expert_used_count\": 8, \"deepseek2.block_count\": 61, \"deepseek2.attention.head_count_kv\": 1,"
     " \"deepseek2.attention.q_lora_rank\": 1536, \"deepseek2.rope.dimension_count\": 64,"
     " \"deepseek2.attention.key_length\": 576, \"deepseek2.attention.value_length\": 512,"
     " \"deepseek2.attention.key_length_mla\": 192, \"deepseek2.attention.value_length_mla\": 128}"},
    {"gemma-2-9b",
     "{\"architectures\": [\"Gemma2ForCausalLM\"], \"head_dim\": 256, \"hidden_size\": 3584,"
     " \"intermediate_size\": 14336, \"num_attention_heads\": 16, \"num_hidden_layers\": 42,"
     " \"num_key_value_heads\": 8, \"sliding_window\": 4096, \"vocab_size\": 256000, \"torch_dtype\": \"bfloat16\"}",
     UINT64_C(9241705984),
     "{\"general.architecture\": \"gemma2\", \"gemma2.embedding_length\": 3584, \"gemma2.feed_forward_length\": 14336,"
     " \"gemma2.attention.head_count\": 16, \"gemma2.block_count\": 42, \"gemma2.attention.head_count_kv\": 8,"
     " \"gemma2.attention.key_length\": 256, \"gemma2.attention.sliding_window\": 4096}"},
    {"gpt-oss-20b",
     "{\"architectures\": [\"GptOssForCausalLM\"], \"head_dim\": 64, \"hidden_size\": 2880, \"intermediate_size\": "
     "2880,"
     " \"num_attention_heads\": 64, \"num_experts_per_tok\": 4, \"num_hidden_layers\": 24,"
     " \"num_key_value_heads\": 8, \"num_local_experts\": 32, \"vocab_size\": 201088, \"torch_dtype\": \"bfloat16\"}",
     UINT64_C(20914757184), NULL},
    {"mamba-2.8b",
     "{\"architectures\": [\"MambaForCausalLM\"], \"conv_kernel\": 4, \"hidden_size\": 2560, \"intermediate_size\": "
     "5120,"
     " \"num_hidden_layers\": 64, \"state_size\": 16, \"time_step_rank\": 160, \"vocab_size\": 50280,"
     " \"torch_dtype\": \"float32\"}",
     UINT64_C(2768345600), NULL},
    {"jamba-1.5-mini",
     "{\"architectures\": [\"JambaForCausalLM\"], \"hidden_size\": 4096, \"intermediate_size\": 14336,"
     " \"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"num_key_value_heads\": 8, \"vocab_size\": 65536,"
     " \"torch_dtype\": \"bfloat16\"}",
     UINT64_C(51570323328), NULL},
    {"t5-base",
     "{\"architectures\": [\"T5ForConditionalGeneration\"], \"d_ff\": 3072, \"d_kv\": 64, \"d_model\": 768,"
     " \"model_type\": \"t5\", \"n_positions\": 512, \"num_heads\": 12, \"num_layers\": 12,"
     " \"vocab_size\": 32128, \"torch_dtype\": \"float32\"}",
     UINT64_C(222903552), NULL},
    {"qwen2.5-vl-7b",
     "{\"architectures\": [\"Qwen2_5_VLForConditionalGeneration\"], \"hidden_size\": 3584, \"intermediate_size\": "
     "18944,"
     " \"num_attention_heads\": 28, \"num_hidden_layers\": 28, \"num_key_value_heads\": 4, \"vocab_size\": 152064,"
     " \"torch_dtype\": \"bfloat16\", \"vision_config\": {\"depth\": 32, \"hidden_size\": 1280, \"intermediate_size\": "
     "3420,"
     " \"num_heads\": 16, \"out_hidden_size\": 3584, \"patch_size\": 14, \"spatial_merge_size\": 2,"
     " \"temporal_patch_size\": 2}}",
     UINT64_C(8292166656), NULL},
};

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static struct tn_model *load_folder(struct model_fixture *fixture, struct tn_model_files *files)
{
    return must_load_path(fixture->catalog, fixture->folder, files);
}

/* config.json alone; what it predicts, as tensors. The result of the prediction goes to *totals. */
static struct tensor_list predict(struct model_fixture *fixture, const struct subject *subject, struct tn_model *totals)
{
    struct tensor_list list = {0};
    struct tn_model_files files;
    write_test_file(fixture->folder, "config.json", tn_str_of(subject->config));
    struct tn_model *model = load_folder(fixture, &files);
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        struct model_tensor like = {.dtype = group->dtype->name, .dim_count = (uint8_t)group->dim_count};
        memcpy(like.dims, group->dims, sizeof like.dims);
        struct tn_builder name = {0};
        for (uint64_t t = 0; t < group->tensors; t++) {
            tn_builder_clear(&name);
            tn_group_tensor_name(group, group->layers ? group->layers[t / group->copies] : 0, t % group->copies, &name);
            add_tensors(&fixture->arena, &list, name.data, "", &like);
        }
        tn_builder_free(&name);
    }
    *totals = (struct tn_model){.parameters = model->parameters,
                                .parameters_active = model->parameters_active,
                                .checkpoint_bytes = model->checkpoint_bytes};
    tn_model_free(model);
    tn_model_files_free(&files);
    return list;
}

static struct tensor_list write_subject(struct model_fixture *fixture, const struct subject *subject)
{
    struct tn_model totals;
    struct tensor_list list = predict(fixture, subject, &totals);
    assert_true(model_write_safetensors(fixture->folder, list.tensors, list.count, SHARDS));
    return list;
}

static void remove_file(const struct model_fixture *fixture, const char *name)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    assert_int_equal(remove(path), 0);
}

static void remove_shards(const struct model_fixture *fixture)
{
    for (unsigned k = 1; k <= SHARDS; k++) {
        char name[TEST_PATH_SIZE];
        (void)snprintf(name, sizeof name, "model-%05u-of-%05d.safetensors", k, SHARDS);
        remove_file(fixture, name);
    }
}

/* ---- header and prediction agree ----------------------------------------------------------------------------------- */

static void headers_and_predictions_agree(void **state)
{
    struct model_fixture *fixture = *state;
    for (size_t k = 0; k < COUNT_OF(subjects); k++) {
        struct tn_model totals;
        struct tn_model_files files;
        struct tensor_list list = predict(fixture, &subjects[k], &totals);
        assert_true(model_write_safetensors(fixture->folder, list.tensors, list.count, SHARDS));
        struct tn_model *model = load_folder(fixture, &files);
        remove_shards(fixture);
        remove_file(fixture, "model.safetensors.index.json");
        if (subjects[k].parameters && model->parameters != subjects[k].parameters) {
            fail_msg("%s: %llu parameters", subjects[k].name, (unsigned long long)model->parameters);
        }
        assert_int_equal(model->source, TN_SOURCE_SAFETENSORS);
        assert_int_equal(model->parameters, totals.parameters);
        assert_int_equal(model->parameters_active, totals.parameters_active);
        assert_int_equal(model->checkpoint_bytes, totals.checkpoint_bytes);
        assert_true(model->check.done && !model->check.names_only);
        assert_int_equal(model->check.missing_count + model->check.extra_count + model->check.different_count, 0);
        assert_false(has_note(model, "prediction_differs"));
        tn_model_free(model);
        tn_model_files_free(&files);
    }
}

/* The names of GGUF for those of the hub; experts are stacked. */
static const struct {
    const char *from; /* what stands behind "model.layers.N." */
    const char *to;
} layer_names[] = {
    {"self_attn.q_proj.weight", "attn_q.weight"},
    {"self_attn.k_proj.weight", "attn_k.weight"},
    {"self_attn.v_proj.weight", "attn_v.weight"},
    {"self_attn.o_proj.weight", "attn_output.weight"},
    {"self_attn.q_norm.weight", "attn_q_norm.weight"},
    {"self_attn.k_norm.weight", "attn_k_norm.weight"},
    {"self_attn.q_a_proj.weight", "attn_q_a.weight"},
    {"self_attn.q_b_proj.weight", "attn_q_b.weight"},
    {"self_attn.q_a_layernorm.weight", "attn_q_a_norm.weight"},
    {"self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight"},
    {"self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight"},
    {"self_attn.kv_b_proj.weight", "attn_kv_b.weight"},
    {"mlp.gate_proj.weight", "ffn_gate.weight"},
    {"mlp.up_proj.weight", "ffn_up.weight"},
    {"mlp.down_proj.weight", "ffn_down.weight"},
    {"mlp.gate.weight", "ffn_gate_inp.weight"},
    {"mlp.gate.e_score_correction_bias", "exp_probs_b.bias"},
    {"mlp.shared_experts.gate_proj.weight", "ffn_gate_shexp.weight"},
    {"mlp.shared_experts.up_proj.weight", "ffn_up_shexp.weight"},
    {"mlp.shared_experts.down_proj.weight", "ffn_down_shexp.weight"},
    {"mlp.experts.0.gate_proj.weight", "ffn_gate_exps.weight"},
    {"mlp.experts.0.up_proj.weight", "ffn_up_exps.weight"},
    {"mlp.experts.0.down_proj.weight", "ffn_down_exps.weight"},
    {"input_layernorm.weight", "attn_norm.weight"},
    {"post_attention_layernorm.weight", "ffn_norm.weight"},
    {"pre_feedforward_layernorm.weight", "pre_ffw_norm.weight"},
    {"post_feedforward_layernorm.weight", "post_ffw_norm.weight"},
};

/* NULL for the experts from the second on. */
static const char *gguf_name(struct tn_arena *arena, const char *name)
{
    static const char *const others[][2] = {{"model.embed_tokens.weight", "token_embd.weight"},
                                            {"model.norm.weight", "output_norm.weight"},
                                            {"lm_head.weight", "output.weight"}};
    for (size_t k = 0; k < COUNT_OF(others); k++) {
        if (!strcmp(name, others[k][0])) {
            return others[k][1];
        }
    }
    static const char before[] = "model.layers.";
    assert_int_equal(strncmp(name, before, sizeof before - 1), 0);
    char *behind;
    unsigned long layer = strtoul(name + sizeof before - 1, &behind, 10);
    behind++; /* the dot */
    for (size_t k = 0; k < COUNT_OF(layer_names); k++) {
        if (!strcmp(behind, layer_names[k].from)) {
            char text[TEST_PATH_SIZE];
            (void)snprintf(text, sizeof text, "blk.%lu.%s", layer, layer_names[k].to);
            return tn_str_terminated(arena, tn_str_of(text));
        }
    }
    assert_non_null(strstr(name, "mlp.experts."));
    return NULL;
}

static struct tensor_list as_gguf(struct model_fixture *fixture, const struct tensor_list *from, uint64_t experts)
{
    struct tensor_list list = {0};
    for (size_t k = 0; k < from->count; k++) {
        const char *name = gguf_name(&fixture->arena, from->tensors[k].name);
        if (!name) {
            continue;
        }
        struct model_tensor tensor = from->tensors[k];
        if (strstr(name, "_exps.")) {
            tensor.dim_count = 3;
            tensor.dims[2] = tensor.dims[1];
            tensor.dims[1] = tensor.dims[0];
            tensor.dims[0] = experts;
        }
        add_tensors(&fixture->arena, &list, name, "", &tensor);
    }
    return list;
}

static void a_gguf_of_the_same_weights_has_the_same_totals(void **state)
{
    struct model_fixture *fixture = *state;
    for (size_t k = 0; k < COUNT_OF(subjects) && subjects[k].gguf; k++) {
        struct tn_model totals;
        struct tn_model_files files;
        char path[2 * TEST_PATH_SIZE];
        struct tensor_list list = predict(fixture, &subjects[k], &totals);
        struct tensor_list stacked = as_gguf(fixture, &list, strstr(subjects[k].name, "deepseek") ? 256 : 128);
        (void)snprintf(path, sizeof path, "%s/model-00001-of-00003.gguf", fixture->folder);
        assert_true(
            model_write_gguf_split(fixture->folder, "model", subjects[k].gguf, stacked.tensors, stacked.count, 3));
        struct tn_model *model = must_load_path(fixture->catalog, path, &files);
        assert_int_equal(model->source, TN_SOURCE_GGUF);
        assert_int_equal(model->parameters, totals.parameters);
        assert_int_equal(model->parameters_active, totals.parameters_active);
        assert_int_equal(model->checkpoint_bytes, totals.checkpoint_bytes);
        assert_false(has_note(model, "prediction_differs"));
        tn_model_free(model);
        tn_model_files_free(&files);
        for (unsigned part = 1; part <= 3; part++) {
            char name[TEST_PATH_SIZE];
            (void)snprintf(name, sizeof name, "model-%05u-of-00003.gguf", part);
            remove_file(fixture, name);
        }
    }
}

/* A folder that holds only an index beside config.json: the names are compared, the shapes cannot be. */
static void an_index_without_its_shards_is_compared_by_name(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    (void)write_subject(fixture, &subjects[0]);
    remove_shards(fixture);
    struct tn_model *model = load_folder(fixture, &files);
    assert_int_equal(model->source, TN_SOURCE_CONFIG);
    assert_true(model->check.done && model->check.names_only);
    assert_int_equal(model->check.missing_count + model->check.extra_count, 0);
    assert_int_equal(model->parameters, subjects[0].parameters);
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* ---- what is reported ---------------------------------------------------------------------------------------------- */

static void fail_to_load(struct model_fixture *fixture, const char *name, enum tn_code code, const char *message,
                         const char *where)
{
    char path[2 * TEST_PATH_SIZE];
    struct tn_model_files files;
    struct tn_error error;
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    struct tn_model *model = load_path(fixture->catalog, path, &files, &error);
    if (model || error.code != code || !strstr(error.message, message) || !strstr(error.where, where)) {
        fail_msg("'%s' (%s), code %d", model ? "loaded" : error.message, error.where, (int)error.code);
    }
    assert_true(error.hint[0] != '\0');
    tn_model_files_free(&files);
}

static void a_missing_shard_is_named(void **state)
{
    struct model_fixture *fixture = *state;
    (void)write_subject(fixture, &subjects[0]);
    remove_file(fixture, "model-00002-of-00005.safetensors");
    fail_to_load(fixture, "", TN_ERROR_NOT_A_MODEL, "model-00002-of-00005.safetensors", "model.safetensors.index.json");
    remove_file(fixture, "model-00004-of-00005.safetensors");
    fail_to_load(fixture, "", TN_ERROR_NOT_A_MODEL, "2 of the 5 files", "model.safetensors.index.json");
}

static void a_missing_part_of_a_split_is_named(void **state)
{
    static const struct model_tensor tensors[] = {{"a", "F32", 1, {32}}, {"b", "F32", 1, {32}}, {"c", "F32", 1, {32}}};
    struct model_fixture *fixture = *state;
    assert_true(model_write_gguf_split(fixture->folder, "m", subjects[0].gguf, tensors, 3, 3));
    remove_file(fixture, "m-00002-of-00003.gguf");
    fail_to_load(fixture, "m-00001-of-00003.gguf", TN_ERROR_UNREADABLE, "cannot read", "m-00002-of-00003.gguf");
    fail_to_load(fixture, "m-00003-of-00003.gguf", TN_ERROR_UNREADABLE, "cannot read", "m-00002-of-00003.gguf");
}

/* One part under a name that does not say so: the other tensors would be missing silently. */
static void a_renamed_part_of_a_split_is_refused(void **state)
{
    static const struct model_tensor tensors[] = {{"a", "F32", 1, {32}}, {"b", "F32", 1, {32}}};
    struct model_fixture *fixture = *state;
    char from[2 * TEST_PATH_SIZE];
    char to[2 * TEST_PATH_SIZE];
    assert_true(model_write_gguf_split(fixture->folder, "m", subjects[0].gguf, tensors, 2, 2));
    (void)snprintf(from, sizeof from, "%s/m-00001-of-00002.gguf", fixture->folder);
    (void)snprintf(to, sizeof to, "%s/renamed.gguf", fixture->folder);
    assert_int_equal(rename(from, to), 0);
    fail_to_load(fixture, "renamed.gguf", TN_ERROR_HEADER, "split.count is 2", "");
}

static struct model_tensor *find_tensor(struct tensor_list *list, const char *name)
{
    for (size_t k = 0; k < list->count; k++) {
        if (!strcmp(list->tensors[k].name, name)) {
            return &list->tensors[k];
        }
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Headers that are not what config.json predicts: the differences are listed, and the bytes are the header's. */
static void tensors_that_differ_are_listed(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    struct tensor_list list = write_subject(fixture, &subjects[0]);
    find_tensor(&list, "model.layers.7.self_attn.k_proj.weight")->dims[0] = 2048;
    find_tensor(&list, "model.layers.9.mlp.up_proj.weight")->name = "model.layers.9.mlp.side_proj.weight";
    add_tensors(&fixture->arena, &list, "model.layers.3.novelty", "",
                &(struct model_tensor){.dtype = "F32", .dim_count = 0});
    assert_true(model_write_safetensors(fixture->folder, list.tensors, list.count, SHARDS));
    struct tn_model *model = load_folder(fixture, &files);
    const struct tn_check *check = &model->check;
    assert_int_equal(check->different_count, 1);
    assert_true(tn_str_is(check->different[0], "model.layers.7.self_attn.k_proj.weight"));
    assert_int_equal(check->missing_count, 1);
    assert_true(tn_str_is(check->missing[0], "model.layers.9.mlp.up_proj.weight"));
    assert_int_equal(check->extra_count, 2);
    assert_true(has_note(model, "header_differs"));
    /* 1024 more rows of 8192, and a scalar */
    assert_int_equal(model->parameters, subjects[0].parameters + UINT64_C(1024) * 8192 + 1);
    assert_int_equal(model->checkpoint_bytes, 2 * (subjects[0].parameters + UINT64_C(1024) * 8192) + 4);
    tn_model_free(model);
    tn_model_files_free(&files);
}

static void a_tensor_in_two_files_is_refused(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    struct tn_error error;
    static const struct model_tensor tensors[] = {{"a", "F32", 1, {32}}};
    char from[2 * TEST_PATH_SIZE];
    char to[2 * TEST_PATH_SIZE];
    write_test_file(fixture->folder, "config.json", tn_str_of(subjects[0].config));
    assert_true(model_write_safetensors(fixture->folder, tensors, 1, 1));
    (void)snprintf(from, sizeof from, "%s/model.safetensors", fixture->folder);
    (void)snprintf(to, sizeof to, "%s/other.safetensors", fixture->folder);
    assert_int_equal(link(from, to), 0);
    assert_null(load_path(fixture->catalog, fixture->folder, &files, &error));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    assert_non_null(strstr(error.message, "a stands in two files"));
    tn_model_files_free(&files);
}

/* Things that have the name of a model but are none. A pipe must not be waited for. */
static void names_of_models_on_other_things_are_refused(void **state)
{
    struct model_fixture *fixture = *state;
    char path[2 * TEST_PATH_SIZE];
    fail_to_load(fixture, "", TN_ERROR_NOT_A_MODEL, "no model in this folder", fixture->folder);
    fail_to_load(fixture, "absent.gguf", TN_ERROR_UNREADABLE, "no such file", "absent.gguf");
    (void)snprintf(path, sizeof path, "%s/folder.gguf", fixture->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    fail_to_load(fixture, "folder.gguf", TN_ERROR_NOT_A_MODEL, "no model in this folder", "folder.gguf");
    (void)snprintf(path, sizeof path, "%s/pipe.gguf", fixture->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    fail_to_load(fixture, "pipe.gguf", TN_ERROR_UNREADABLE, "pipe", "pipe.gguf");
    write_test_file(fixture->folder, "empty.gguf", (struct tn_str){"", 0});
    fail_to_load(fixture, "empty.gguf", TN_ERROR_TRUNCATED, "", "empty.gguf");
    write_test_file(fixture->folder, "empty.safetensors", (struct tn_str){"", 0});
    fail_to_load(fixture, "empty.safetensors", TN_ERROR_TRUNCATED, "", "empty.safetensors");
    (void)snprintf(path, sizeof path, "%s/loop.safetensors", fixture->folder);
    assert_int_equal(symlink("loop.safetensors", path), 0);
    fail_to_load(fixture, "loop.safetensors", TN_ERROR_UNREADABLE, "cannot read", "loop.safetensors");
    write_test_file(fixture->folder, "notes.txt", TN_STR("hello"));
    fail_to_load(fixture, "notes.txt", TN_ERROR_NOT_A_MODEL, "not a model", "notes.txt");
}

static void a_file_that_may_not_be_read_is_reported(void **state)
{
    struct model_fixture *fixture = *state;
    char path[2 * TEST_PATH_SIZE];
    if (geteuid() == 0) {
        skip(); /* root may read everything */
    }
    write_test_file(fixture->folder, "x.gguf", TN_STR("GGUF"));
    (void)snprintf(path, sizeof path, "%s/x.gguf", fixture->folder);
    assert_int_equal(chmod(path, 0), 0);
    fail_to_load(fixture, "x.gguf", TN_ERROR_UNREADABLE, "cannot read", "x.gguf");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, model_fixture_open, model_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(headers_and_predictions_agree),
        IN_FOLDER(a_gguf_of_the_same_weights_has_the_same_totals),
        IN_FOLDER(an_index_without_its_shards_is_compared_by_name),
        IN_FOLDER(a_missing_shard_is_named),
        IN_FOLDER(a_missing_part_of_a_split_is_named),
        IN_FOLDER(a_renamed_part_of_a_split_is_refused),
        IN_FOLDER(tensors_that_differ_are_listed),
        IN_FOLDER(a_tensor_in_two_files_is_refused),
        IN_FOLDER(names_of_models_on_other_things_are_refused),
        IN_FOLDER(a_file_that_may_not_be_read_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
