/* Where llama.cpp puts weights: a small Llama of 7 layers, whose bytes are counted here by hand. */
#include "llamacpp_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Embeddings of 64 elements, 4 heads of 16, 2 of keys, all F16. Sizes are multiples of 128 bytes, so that nothing is padded. */
#define METADATA                                                                                        \
    "{\"general.architecture\": \"llama\", \"llama.vocab_size\": 1000, \"llama.context_length\": 4096," \
    " \"llama.embedding_length\": 64, \"llama.block_count\": 7, \"llama.feed_forward_length\": 128,"    \
    " \"llama.attention.head_count\": 4, \"llama.attention.head_count_kv\": 2,"                         \
    " \"llama.attention.layer_norm_rms_epsilon\": 0.00001, \"llama.rope.dimension_count\": 16"
#define EXPERTS ", \"llama.expert_count\": 8, \"llama.expert_used_count\": 2"

static const struct model_tensor embedding = {"token_embd.weight", "F16", 2, {1000, 64}};
static const struct model_tensor head = {"output.weight", "F16", 2, {1000, 64}};
static const struct model_tensor output_norm = {"output_norm.weight", "F32", 1, {64}};
static const struct model_tensor factors = {"rope_freqs.weight", "F32", 1, {8}};
static const struct model_tensor of_layers[] = {
    {"blk.{i}.attn_norm.weight", "F32", 1, {64}},       {"blk.{i}.attn_q.weight", "F16", 2, {64, 64}},
    {"blk.{i}.attn_k.weight", "F16", 2, {32, 64}},      {"blk.{i}.attn_v.weight", "F16", 2, {32, 64}},
    {"blk.{i}.attn_output.weight", "F16", 2, {64, 64}}, {"blk.{i}.ffn_norm.weight", "F32", 1, {64}},
};
static const struct model_tensor dense[] = {
    {"blk.{i}.ffn_gate.weight", "F16", 2, {128, 64}},
    {"blk.{i}.ffn_up.weight", "F16", 2, {128, 64}},
    {"blk.{i}.ffn_down.weight", "F16", 2, {64, 128}},
};
static const struct model_tensor sparse[] = {
    {"blk.{i}.ffn_gate_inp.weight", "F32", 2, {8, 64}},
    {"blk.{i}.ffn_gate_exps.weight", "F16", 3, {8, 128, 64}},
    {"blk.{i}.ffn_up_exps.weight", "F16", 3, {8, 128, 64}},
    {"blk.{i}.ffn_down_exps.weight", "F16", 3, {8, 64, 128}},
};

enum {
    LAYERS = 7,
    EMBEDDING = 1000 * 64 * 2, /* the head has as many bytes */
    ATTENTION = 2 * 64 * 4 + 2 * 64 * 64 * 2 + 2 * 32 * 64 * 2,
    LAYER = ATTENTION + 3 * 128 * 64 * 2,
    OUTPUT = 64 * 4 + EMBEDDING,
    ALL_EXPERTS = 3 * 8 * 128 * 64 * 2, /* of a layer */
    CACHE = 2 * 32 * 512 * 2,           /* of a layer with 512 cells */
};

struct small {
    struct llamacpp_plan plan;
    struct tn_model_files files;
    struct tn_model *model;
};

enum parts { PART_HEAD = 1, PART_FACTORS = 2, PART_EXPERTS = 4 };

static void add_layers(struct model_fixture *fixture, struct tensor_list *list, const struct model_tensor *tensors,
                       size_t count)
{
    for (size_t k = 0; k < count; k++) {
        add_tensors(&fixture->arena, list, tensors[k].name, "0-6", &tensors[k]);
    }
}

static void load_small(struct model_fixture *fixture, struct small *small, const struct tensor_list *list,
                       const char *metadata)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/small.gguf", fixture->folder);
    assert_true(model_write_gguf(path, metadata, list->tensors, list->count));
    small->model = must_load_path(fixture->catalog, path, &small->files);
    llamacpp_open(&small->plan, fixture->catalog, small->model, "0.5.0");
}

static void open_small(struct model_fixture *fixture, struct small *small, unsigned parts)
{
    struct tensor_list list = {0};
    add_tensors(&fixture->arena, &list, embedding.name, "", &embedding);
    add_tensors(&fixture->arena, &list, output_norm.name, "", &output_norm);
    if (parts & PART_HEAD) {
        add_tensors(&fixture->arena, &list, head.name, "", &head);
    }
    if (parts & PART_FACTORS) {
        add_tensors(&fixture->arena, &list, factors.name, "", &factors);
    }
    add_layers(fixture, &list, of_layers, COUNT_OF(of_layers));
    bool has_experts = parts & PART_EXPERTS;
    add_layers(fixture, &list, has_experts ? sparse : dense, has_experts ? COUNT_OF(sparse) : COUNT_OF(dense));
    load_small(fixture, small, &list, has_experts ? METADATA EXPERTS "}" : METADATA "}");
}

static void close_small(struct small *small)
{
    llamacpp_close(&small->plan);
    tn_model_free(small->model);
    tn_model_files_free(&small->files);
}

static void expect_weights(const struct small *small, int device, uint64_t bytes)
{
    if (llamacpp_bytes(&small->plan, device, "model") != bytes) {
        fail_msg("device %d has %llu bytes of weights, not %llu", device,
                 (unsigned long long)llamacpp_bytes(&small->plan, device, "model"), (unsigned long long)bytes);
    }
}

/* ---- layers ------------------------------------------------------------------------------------------------------- */

/* The output counts as a layer, and the last ones come first. */
static const struct {
    const char *settings;
    int layers;
    bool has_output;
} offloads[] = {
    {"n_gpu_layers=0", 0, false},  {"n_gpu_layers=1", 0, true},
    {"n_gpu_layers=3", 2, true},   {"n_gpu_layers=7", 6, true},
    {"n_gpu_layers=8", 7, true},   {"n_gpu_layers=10", 7, true},
    {"n_gpu_layers=all", 7, true}, {"n_gpu_layers=auto", 7, true},
    {"n_gpu_layers=-1", 7, true},  {"", 7, true},
};

static void layers_go_to_the_gpu_from_the_last_one_on(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    for (size_t k = 0; k < COUNT_OF(offloads); k++) {
        uint64_t layers = (uint64_t)offloads[k].layers;
        uint64_t output = offloads[k].has_output ? OUTPUT : 0;
        llamacpp_run(&small.plan, 1, offloads[k].settings);
        expect_weights(&small, 0, layers * LAYER + output);
        expect_weights(&small, HOST, EMBEDDING + (LAYERS - layers) * LAYER + OUTPUT - output);
        assert_int_equal(llamacpp_bytes(&small.plan, 0, "KV cache"), layers * CACHE);
        assert_int_equal(llamacpp_bytes(&small.plan, HOST, "KV cache"), (LAYERS - layers) * CACHE);
    }
    close_small(&small);
}

/* On which layers the first GPU ends: layer k of 8, the output among them, is on the first GPU whose share of the whole exceeds k / 8. */
static const struct {
    const char *settings;
    int gpus;
    int layers[3];
} splits[] = {
    {"tensor_split=3,1", 2, {6, 1, 0}}, /* 6/8 is no longer below 3/4 */
    {"tensor_split=3/1", 2, {6, 1, 0}},
    {"", 2, {4, 3, 0}}, /* equal shares */
    {"free_memory=22GiB,66GiB", 2, {2, 5, 0}},
    {"tensor_split=1,1 free_memory=22GiB,66GiB", 2, {4, 3, 0}},
    {"tensor_split=0,1", 2, {0, 7, 0}},
    {"tensor_split=1", 2, {7, 0, 0}}, /* the second one has nothing, not even the output */
    {"tensor_split=2,1,1", 3, {4, 2, 1}},
    {"split_mode=none", 2, {7, 0, 0}},
    {"n_gpu_layers=4 tensor_split=1,1", 2, {2, 1, 0}}, /* layers 4 to 6 and the output: 0/4 and 1/4 lie below 1/2 */
};

static void shares_divide_layers_over_gpus(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    for (size_t k = 0; k < COUNT_OF(splits); k++) {
        bool is_first = splits[k].layers[0] == LAYERS;
        llamacpp_run(&small.plan, (uint32_t)splits[k].gpus, splits[k].settings);
        for (int d = 0; d < splits[k].gpus; d++) {
            bool has_output = is_first ? d == 0 : d == splits[k].gpus - 1;
            expect_weights(&small, d, (uint64_t)splits[k].layers[d] * LAYER + (has_output ? OUTPUT : 0));
        }
    }
    close_small(&small);
}

/* ---- weights that lie twice --------------------------------------------------------------------------------------- */

/* Without a head of its own the model loads the embedding again for the GPU; on the host alone one will do. */
static void a_tied_head_is_loaded_twice_on_a_gpu(void **state)
{
    struct small small;
    open_small(*state, &small, 0);
    llamacpp_run(&small.plan, 1, "");
    expect_weights(&small, 0, LAYERS * LAYER + OUTPUT);
    expect_weights(&small, HOST, EMBEDDING);
    llamacpp_run(&small.plan, 1, "n_gpu_layers=0");
    expect_weights(&small, 0, 0);
    expect_weights(&small, HOST, EMBEDDING + LAYERS * LAYER + 64 * 4);
    llamacpp_run(&small.plan, 0, "");
    expect_weights(&small, HOST, EMBEDDING + LAYERS * LAYER + 64 * 4);
    close_small(&small);
}

/* 8 factors, 32 bytes, take 128 on a GPU: once on each device that has layers. */
static void factors_of_positions_lie_on_each_device_with_layers(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD | PART_FACTORS);
    llamacpp_run(&small.plan, 1, "");
    expect_weights(&small, 0, LAYERS * LAYER + OUTPUT + 128);
    expect_weights(&small, HOST, EMBEDDING);
    llamacpp_run(&small.plan, 2, "tensor_split=3,1");
    expect_weights(&small, 0, 6 * LAYER + 128);
    expect_weights(&small, 1, LAYER + OUTPUT + 128);
    expect_weights(&small, HOST, EMBEDDING);
    llamacpp_run(&small.plan, 2,
                 "tensor_split=3,1 n_gpu_layers=3"); /* layers 5 and 6 on the first, the output on the second */
    expect_weights(&small, 0, 2 * LAYER + OUTPUT + 128);
    expect_weights(&small, 1, 0);
    expect_weights(&small, HOST, EMBEDDING + 5 * LAYER + 32);
    close_small(&small);
}

/* ---- the CPU's own order ------------------------------------------------------------------------------------------ */

/* Q4_K of 256 x 1000, 144 bytes for 256 elements: the head, tied, is repacked and so no longer the embedding's tensor. */
static void open_repacked(struct model_fixture *fixture, struct small *small)
{
    static const struct model_tensor tensors[] = {
        {"token_embd.weight", "Q4_K", 2, {1000, 256}},       {"output_norm.weight", "F32", 1, {256}},
        {"blk.0.attn_norm.weight", "F32", 1, {256}},         {"blk.0.attn_q.weight", "Q4_K", 2, {256, 256}},
        {"blk.0.attn_k.weight", "Q4_K", 2, {256, 256}},      {"blk.0.attn_v.weight", "Q6_K", 2, {256, 256}},
        {"blk.0.attn_output.weight", "Q4_K", 2, {256, 256}}, {"blk.0.ffn_norm.weight", "F32", 1, {256}},
        {"blk.0.ffn_gate.weight", "Q4_K", 2, {260, 256}},    {"blk.0.ffn_up.weight", "Q4_K", 2, {260, 256}},
        {"blk.0.ffn_down.weight", "F16", 2, {256, 260}}};
    struct tensor_list list = {0};
    for (size_t k = 0; k < COUNT_OF(tensors); k++) {
        add_tensors(&fixture->arena, &list, tensors[k].name, "", &tensors[k]);
    }
    load_small(fixture, small, &list,
               "{\"general.architecture\": \"llama\", \"llama.vocab_size\": 1000, \"llama.context_length\": 4096,"
               " \"llama.embedding_length\": 256, \"llama.block_count\": 1, \"llama.feed_forward_length\": 260,"
               " \"llama.attention.head_count\": 4, \"llama.attention.head_count_kv\": 4}");
}

static uint64_t repacked(const struct small *small)
{
    return llamacpp_bytes(&small->plan, HOST, "model, repacked for the CPU");
}

/* With AVX2 Q4_K in steps of 8 rows: queries, keys and the attention's output, not Q6_K and not 260 rows. */
static void products_are_repacked_for_the_cpu(void **state)
{
    enum { MATRIX = 256 * 144, HEAD = 1000 * 144 };
    struct small small;
    open_repacked(*state, &small);
    llamacpp_run(&small.plan, 0, "");
    assert_int_equal(repacked(&small), 3 * MATRIX + HEAD);
    const uint64_t rest = HEAD + 3 * 256 * 4 + 256 * 210 + 2 * 260 * 144 + 256 * 260 * 2;
    expect_weights(&small, HOST, rest);
    llamacpp_run(&small.plan, 0, "no_repack=true");
    assert_int_equal(repacked(&small), 0);
    expect_weights(&small, HOST, rest + UINT64_C(3) * MATRIX);
    llamacpp_run(&small.plan, 0, "cpu=none");
    assert_int_equal(repacked(&small), 0);
    llamacpp_run(&small.plan, 0, "cpu=neon"); /* Q6_K as well */
    assert_int_equal(repacked(&small), 3 * MATRIX + HEAD + 256 * 210);
    llamacpp_run(&small.plan, 1, "n_gpu_layers=0"); /* with a GPU its pinned memory comes first */
    assert_int_equal(repacked(&small), 0);
    close_small(&small);
}

/* ---- overrides ---------------------------------------------------------------------------------------------------- */

static void experts_stay_on_the_host(void **state)
{
    enum { SPARSE_LAYER = ATTENTION + 8 * 64 * 4 + ALL_EXPERTS };
    struct small small;
    open_small(*state, &small, PART_HEAD | PART_EXPERTS);
    llamacpp_run(&small.plan, 1, "");
    expect_weights(&small, 0, LAYERS * SPARSE_LAYER + OUTPUT);
    llamacpp_run(&small.plan, 1, "n_cpu_moe=2");
    expect_weights(&small, 0, LAYERS * SPARSE_LAYER - 2 * ALL_EXPERTS + OUTPUT);
    expect_weights(&small, HOST, EMBEDDING + 2 * ALL_EXPERTS);
    llamacpp_run(&small.plan, 1, "cpu_moe=true");
    expect_weights(&small, 0, LAYERS * (SPARSE_LAYER - ALL_EXPERTS) + OUTPUT);
    llamacpp_run(&small.plan, 1, "n_cpu_moe=100");
    expect_weights(&small, 0, LAYERS * (SPARSE_LAYER - ALL_EXPERTS) + OUTPUT);
    close_small(&small);
}

/* What a layer has besides its three matrices of 16,384 bytes stays where it was. */
static const struct {
    const char *settings;
    int moved; /* matrices of the feed-forward network that leave the first GPU */
} patterns[] = {
    {"override_tensor=blk\\.0\\.ffn_up=CPU", 1},
    {"override_tensor=ffn_(up|gate)=CPU", 14},
    {"override_tensor=blk\\.[01]\\.ffn_(up|down)=CPU", 4},
    {"override_tensor=ffn_up=CPU,ffn_down=CPU", 14},
    {"override_tensor=ffn_up=CUDA0,ffn=CPU", 14}, /* the first that matches; norms of 256 bytes are ffn, too */
    {"override_tensor=ffn_up=CUDA_Host", 7},
    {"override_tensor=nothing=CPU", 0},
};

static void patterns_say_where_weights_go(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    for (size_t k = 0; k < COUNT_OF(patterns); k++) {
        uint64_t norms = strstr(patterns[k].settings, ",ffn=") ? LAYERS * 64 * 4 : 0;
        uint64_t moved = (uint64_t)patterns[k].moved * 128 * 64 * 2 + norms;
        llamacpp_run(&small.plan, 1, patterns[k].settings);
        expect_weights(&small, 0, LAYERS * LAYER + OUTPUT - moved);
        expect_weights(&small, HOST, EMBEDDING + moved);
    }
    llamacpp_run(&small.plan, 2, "tensor_split=3,1 override_tensor=blk\\.0\\.ffn_up=CUDA1");
    expect_weights(&small, 0, 6 * LAYER - 128 * 64 * 2);
    expect_weights(&small, 1, LAYER + OUTPUT + 128 * 64 * 2);
    close_small(&small);
}

static const struct {
    const char *settings;
    const char *message;
} wrong[] = {
    {"override_tensor=ffn", "'ffn': expected REGEX=CPU or REGEX=CUDA0"},
    {"override_tensor=ffn=GPU", "'ffn=GPU': expected REGEX=CPU or REGEX=CUDA0"},
    {"override_tensor=ffn=CUDA1", "'ffn=CUDA1': expected REGEX=CPU or REGEX=CUDA0"}, /* there is one */
    {"override_tensor=ffn=CUDA", "'ffn=CUDA': expected REGEX=CPU or REGEX=CUDA0"},
    {"override_tensor=ffn=CUDA/", "'ffn=CUDA/': expected REGEX=CPU or REGEX=CUDA0"},
    {"override_tensor=ffn_up=CPU,(=CPU", "'(=CPU': no regular expression"},
    {"override_tensor=[=CPU", "'[=CPU': no regular expression"},
    {"override_tensor=,", "expected REGEX=CPU"},
};

static void what_is_no_pattern_is_refused(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    for (size_t k = 0; k < COUNT_OF(wrong); k++) {
        bool done = llamacpp_try(&small.plan, 1, wrong[k].settings);
        if (done || !strstr(small.plan.error.message, wrong[k].message)) {
            fail_msg("%s: %s", wrong[k].settings, done ? "taken" : small.plan.error.message);
        }
        assert_int_equal(small.plan.error.code, TN_ERROR_USAGE);
        assert_string_equal(small.plan.error.where, "override_tensor");
    }
    close_small(&small);
}

/* ---- heads that only the graph shows ------------------------------------------------------------------------------ */

/* OLMo's norms have no weights: nothing lies behind the blocks, and the head is the embedding all the same. */
static void a_head_behind_a_norm_without_weights_is_the_embedding(void **state)
{
    static const char metadata[] =
        "{\"general.architecture\": \"olmo\", \"olmo.vocab_size\": 1000, \"olmo.context_length\": 4096,"
        " \"olmo.embedding_length\": 64, \"olmo.block_count\": 7, \"olmo.feed_forward_length\": 128,"
        " \"olmo.attention.head_count\": 4, \"olmo.attention.head_count_kv\": 2,"
        " \"olmo.attention.layer_norm_epsilon\": 0.00001, \"olmo.rope.dimension_count\": 16}";
    struct model_fixture *fixture = *state;
    struct tensor_list list = {0};
    struct small small;
    add_tensors(&fixture->arena, &list, embedding.name, "", &embedding);
    for (size_t k = 0; k < COUNT_OF(of_layers); k++) {
        if (!strstr(of_layers[k].name, "norm")) {
            add_layers(fixture, &list, &of_layers[k], 1);
        }
    }
    add_layers(fixture, &list, dense, COUNT_OF(dense));
    load_small(fixture, &small, &list, metadata);
    llamacpp_run(&small.plan, 1, "");
    expect_weights(&small, 0, LAYERS * (LAYER - 2 * 64 * 4) + EMBEDDING);
    expect_weights(&small, HOST, EMBEDDING);
    assert_true(llamacpp_bytes(&small.plan, 0, "compute") > 0); /* the graph was built */
    close_small(&small);
}

/* ---- fit ---------------------------------------------------------------------------------------------------------- */

static uint64_t buffers(const struct small *small)
{
    return llamacpp_bytes(&small->plan, 0, "model") + llamacpp_bytes(&small->plan, 0, "KV cache")
           + llamacpp_bytes(&small->plan, 0, "compute");
}

/* What llama.cpp finds free when it looks: the runtime is there already. */
static void set_free(struct small *small, uint64_t bytes)
{
    llamacpp_run(&small->plan, 1, "");
    small->plan.memory_bytes = bytes + llamacpp_bytes(&small->plan, 0, "CUDA context, modules and graphs");
}

/* expected  "n_gpu_layers=3 n_ctx=1024": settings in place of those that were asked for */
static void expect_advised(const struct small *small, const char *expected)
{
    char text[512] = "";
    size_t size = 0;
    for (size_t k = 0; k < small->plan.ledger.advised_count; k++) {
        const struct tn_assignment *advised = &small->plan.ledger.advised[k];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s" TN_STR_FORMAT "=" TN_STR_FORMAT, k ? " " : "",
                                 TN_STR_ARGUMENTS(advised->name), TN_STR_ARGUMENTS(advised->value));
    }
    assert_string_equal(text, expected);
}

static void auto_takes_the_most_layers_that_fit(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    for (int layers = 1; layers <= LAYERS; layers++) {
        char asked[64];
        char advised[64];
        small.plan.memory_bytes = 0;
        (void)snprintf(asked, sizeof asked, "n_ctx=512 n_gpu_layers=%d", layers);
        llamacpp_run(&small.plan, 1, asked);
        uint64_t needed = buffers(&small);
        set_free(&small, needed);
        llamacpp_run(&small.plan, 1, "n_ctx=512 n_gpu_layers=auto fit_target=0");
        assert_int_equal(buffers(&small), needed);
        (void)snprintf(advised, sizeof advised, "n_gpu_layers=%d", layers);
        expect_advised(&small, advised);
        set_free(&small, needed - 1);
        llamacpp_run(&small.plan, 1, "n_ctx=512 n_gpu_layers=auto fit_target=0");
        assert_true(buffers(&small) < needed);
    }
    close_small(&small);
}

static void auto_cuts_a_context_that_was_not_asked_for(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    llamacpp_run(&small.plan, 1, "n_ctx=1024");
    uint64_t needed = buffers(&small);
    small.plan.context_tokens = 4096;
    set_free(&small, needed + 100);
    llamacpp_run(&small.plan, 1, "n_gpu_layers=auto fit_target=0 fit_ctx=512");
    assert_int_equal(buffers(&small), needed);
    expect_advised(&small, "n_gpu_layers=all n_ctx=1024");
    llamacpp_run(&small.plan, 1, "n_gpu_layers=auto fit_target=100 fit_ctx=512");
    expect_advised(&small, "n_gpu_layers=all n_ctx=1024");
    llamacpp_run(&small.plan, 1, "n_gpu_layers=auto fit_target=101 fit_ctx=512"); /* the next of 256 cells */
    expect_advised(&small, "n_gpu_layers=all n_ctx=768");
    close_small(&small);
}

static void auto_moves_experts_before_layers(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD | PART_EXPERTS);
    llamacpp_run(&small.plan, 1, "n_ctx=512 n_cpu_moe=3");
    uint64_t needed = buffers(&small);
    set_free(&small, needed);
    llamacpp_run(&small.plan, 1, "n_ctx=512 n_gpu_layers=auto fit_target=0");
    assert_int_equal(buffers(&small), needed);
    expect_advised(&small, "n_gpu_layers=all n_cpu_moe=3");
    close_small(&small);
}

static void a_plan_that_does_not_fit_has_settings_that_do(void **state)
{
    struct small small;
    open_small(*state, &small, PART_HEAD);
    llamacpp_run(&small.plan, 1, "n_ctx=512 n_gpu_layers=3");
    uint64_t most = small.plan.ledger.stages[0].high_bytes;
    small.plan.memory_bytes = most;
    llamacpp_run(&small.plan, 1, "n_ctx=512");
    expect_advised(&small, "n_gpu_layers=3");
    small.plan.memory_bytes = UINT64_C(100) << 20; /* the runtime alone takes more */
    llamacpp_run(&small.plan, 1, "n_ctx=512");
    expect_advised(&small, "");
    close_small(&small);
}

/* llama.cpp keeps 512 of everything that layers have. One tensor of layer 512 is enough. */
static void more_than_512_layers_are_refused(void **state)
{
    static const struct model_tensor last = {"blk.512.attn_norm.weight", "F32", 1, {64}};
    struct small small;
    struct tensor_list list = {0};
    struct model_fixture *fixture = *state;
    add_tensors(&fixture->arena, &list, embedding.name, "", &embedding);
    add_layers(fixture, &list, of_layers, COUNT_OF(of_layers));
    add_tensors(&fixture->arena, &list, last.name, "", &last);
    load_small(fixture, &small, &list, METADATA "}");
    assert_false(llamacpp_try(&small.plan, 1, ""));
    assert_int_equal(small.plan.error.code, TN_ERROR_DEPLOYMENT);
    assert_string_equal(small.plan.error.message, "llama.cpp takes at most 512 layers, the model has 513");
    close_small(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_behind_a_norm_without_weights_is_the_embedding),
        cmocka_unit_test(auto_takes_the_most_layers_that_fit),
        cmocka_unit_test(auto_cuts_a_context_that_was_not_asked_for),
        cmocka_unit_test(auto_moves_experts_before_layers),
        cmocka_unit_test(a_plan_that_does_not_fit_has_settings_that_do),
        cmocka_unit_test(layers_go_to_the_gpu_from_the_last_one_on),
        cmocka_unit_test(shares_divide_layers_over_gpus),
        cmocka_unit_test(a_tied_head_is_loaded_twice_on_a_gpu),
        cmocka_unit_test(factors_of_positions_lie_on_each_device_with_layers),
        cmocka_unit_test(products_are_repacked_for_the_cpu),
        cmocka_unit_test(experts_stay_on_the_host),
        cmocka_unit_test(patterns_say_where_weights_go),
        cmocka_unit_test(what_is_no_pattern_is_refused),
        cmocka_unit_test(more_than_512_layers_are_refused),
    };
    return cmocka_run_group_tests(tests, model_fixture_open, model_fixture_close);
}
