/* Whole plans by llama.cpp of models of full size: what its library was measured to allocate, and caches by hand. */
#include "llamacpp_plan.h"
#include "model_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct loaded {
    struct llamacpp_plan plan;
    struct tn_model_files files;
    struct tn_model *model;
};

static void open_model(struct model_fixture *fixture, struct loaded *loaded, const char *name, const char *version)
{
    struct tn_value root;
    loaded->model = load_model_data(fixture, name, &root, &loaded->files);
    llamacpp_open(&loaded->plan, fixture->catalog, loaded->model, version);
}

static void close_model(struct loaded *loaded)
{
    llamacpp_close(&loaded->plan);
    tn_model_free(loaded->model);
    tn_model_files_free(&loaded->files);
}

/* ---- compute buffers ---------------------------------------------------------------------------------------------- */

/* One GPU, 512 tokens of a batch against 8,192 cells: measured with the libraries of both versions. */
static const struct {
    const char *model;
    const char *settings;
    uint64_t gpu_5; /* bytes, of llama.cpp 0.5.0 */
    uint64_t host_5;
    uint64_t gpu_7; /* 0.7.0 */
    uint64_t host_7;
} computed[] = {
    {"llama3-8b", "n_ctx=8192 flash_attn=on", 271056896, 25180160, 304627712, 41963520},
    {"llama3-8b", "n_ctx=8192 flash_attn=on n_outputs_max=1", 121645184, 25178144, 130037888, 41961504},
    {"llama3-8b", "n_ctx=8192 flash_attn=off", 591405056, 37758976, 599797760, 54542336},
    {"qwen3-30b-a3b", "n_ctx=8192 flash_attn=on", 315359232, 16791552, 336347136, 25186304},
    {"gemma3-12b", "n_ctx=8192 flash_attn=on", 544866304, 25712640, 578447360, 41449472},
};

static void compute_buffers_are_those_that_were_measured(void **state)
{
    for (size_t k = 0; k < 2 * COUNT_OF(computed); k++) {
        const bool is_7 = k % 2;
        const uint64_t gpu = is_7 ? computed[k / 2].gpu_7 : computed[k / 2].gpu_5;
        const uint64_t host = is_7 ? computed[k / 2].host_7 : computed[k / 2].host_5;
        struct loaded loaded;
        open_model(*state, &loaded, computed[k / 2].model, is_7 ? "0.7.0" : "0.5.0");
        llamacpp_run(&loaded.plan, 1, computed[k / 2].settings);
        if (llamacpp_bytes(&loaded.plan, 0, "compute") != gpu
            || llamacpp_bytes(&loaded.plan, HOST, "compute") != host) {
            fail_msg("%s, %s, 0.%d.0: %llu and %llu", computed[k / 2].model, computed[k / 2].settings, is_7 ? 7 : 5,
                     (unsigned long long)llamacpp_bytes(&loaded.plan, 0, "compute"),
                     (unsigned long long)llamacpp_bytes(&loaded.plan, HOST, "compute"));
        }
        close_model(&loaded);
    }
}

/* The first of them by hand, 0.5.0, T = 512 tokens of E = 4,096, V = 128,256 rows of logits. On the GPU the logits of all tokens and their
 * last states: 4 x 512 x (V + E). On the host the mask, 2 x 8,192 x 512; two inputs of T x E x 4, one of them the embeddings that nobody
 * reads; 4 x 512 for the tokens; places in the cache (2 x 8 bytes) and positions (4) of each token, and 4 x 512 of the outputs. */
static void the_buffers_of_llama_3_8b_by_hand(void **state)
{
    const uint64_t tokens = 512;
    const uint64_t embedding = 4096;
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192 flash_attn=on");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "compute"), 4 * tokens * (128256 + embedding));
    uint64_t mask = tokens * 2 * 8192;
    assert_int_equal(llamacpp_bytes(&loaded.plan, HOST, "compute"),
                     mask + 4 * tokens * (2 * embedding + 1) + 20 * tokens + 4 * tokens);
    close_model(&loaded);
}

/* The same on two GPUs, where all inputs and what goes from GPU to GPU exist four times. F = 14,336 is the width of the feed-forward network.
 * First GPU: 4 masks, 4 copies of the embeddings and of the 20 bytes of positions and places of each token; beside them a layer's 3 F + 3 E.
 * Last one: 4 masks, 4 of the states that come from the first, and of 24 bytes a token, the outputs among them; beside them the last states
 * and the logits, E + V. Host: 4 masks, 28 bytes a token, and two inputs of T x E.
 * What llama.cpp's own fit measures (no_alloc) leaves the first norm behind the cut on the first GPU, so that its result is copied, too: 4 E. */
static void the_buffers_of_a_pipeline_by_hand(void **state)
{
    const uint64_t row = 2048; /* 512 tokens of 4 bytes */
    const uint64_t masks = UINT64_C(4) * 2 * 8192 * 512;
    const uint64_t embedding = 4096;
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    llamacpp_run(&loaded.plan, 2, "n_ctx=8192 flash_attn=on tensor_split=1,1");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "compute"), row * (7 * embedding + 43008 + 20) + masks);
    assert_int_equal(llamacpp_bytes(&loaded.plan, 1, "compute"), row * (128256 + 5 * embedding + 24) + masks);
    assert_int_equal(llamacpp_bytes(&loaded.plan, HOST, "compute"), row * (2 * embedding + 28) + masks);
    llamacpp_run(&loaded.plan, 2, "n_ctx=8192 flash_attn=on tensor_split=1,1 no_alloc=true");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 1, "compute"), row * (128256 + 9 * embedding + 24) + masks);
    close_model(&loaded);
}

/* What ends the pipeline: layers on the host, caches on the host, a tensor that is told where to go, all on one GPU. */
static void some_settings_end_the_pipeline(void **state)
{
    static const char *const settings[] = {"n_gpu_layers=32", "no_kv_offload=true", "override_tensor=blk.0.ffn_up=CPU",
                                           "split_mode=none"};
    const uint64_t mask = UINT64_C(2) * 8192 * 512;
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    for (size_t k = 0; k < COUNT_OF(settings); k++) {
        char text[128];
        (void)snprintf(text, sizeof text, "n_ctx=8192 flash_attn=on %s", settings[k]);
        llamacpp_run(&loaded.plan, 2, text);
        assert_in_range(llamacpp_bytes(&loaded.plan, HOST, "compute"), mask, 4 * mask);
    }
    close_model(&loaded);
}

/* llama-server asks for the logits of one token of each sequence, the library for those of a whole batch. */
static void a_server_keeps_fewer_logits(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    struct llamacpp_plan *plan = &loaded.plan;
    llamacpp_run(plan, 1, "n_ctx=8192 flash_attn=on server=true");
    assert_int_equal(llamacpp_bytes(plan, 0, "compute"), 121645184);
    llamacpp_run(plan, 1, "n_ctx=8192 flash_attn=on server=true n_outputs_max=512");
    assert_int_equal(llamacpp_bytes(plan, 0, "compute"), 271056896);
    close_model(&loaded);
}

/* ---- caches ------------------------------------------------------------------------------------------------------- */

/* Llama 3 8B keeps 2 x 1,024 elements of 2 bytes in each of 32 layers: 131,072 bytes a cell. */
static const struct {
    const char *settings;
    uint64_t cells;
} llama_caches[] = {
    {"n_ctx=8192", 8192},
    {"n_ctx=8000", 8192}, /* rounded up to 256 cells */
    {"n_ctx=1", 256},
    {"n_ctx=8192 n_seq_max=3", 8448}, /* 2,730 for each sequence are 2,816 */
    {"n_ctx=8192 n_seq_max=4", 8192},
    {"n_ctx=8192 n_seq_max=3 kv_unified=true", 8192},
};

static void contexts_are_rounded_up_for_each_sequence(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    for (size_t k = 0; k < COUNT_OF(llama_caches); k++) {
        llamacpp_run(&loaded.plan, 1, llama_caches[k].settings);
        if (llamacpp_bytes(&loaded.plan, 0, "KV cache") != llama_caches[k].cells * 131072) {
            fail_msg("%s: %llu bytes", llama_caches[k].settings,
                     (unsigned long long)llamacpp_bytes(&loaded.plan, 0, "KV cache"));
        }
    }
    close_model(&loaded);
}

/* Before build b6950 in steps of 32 without flash attention: 100 tokens are 128 cells. */
static void older_builds_round_to_32_cells(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "b6900");
    llamacpp_run(&loaded.plan, 1, "n_ctx=100 flash_attn=off");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "KV cache"), 128 * 131072);
    llamacpp_run(&loaded.plan, 1, "n_ctx=100 flash_attn=on");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "KV cache"), 256 * 131072);
    close_model(&loaded);
}

/* Q8_0: 34 bytes for 32 elements, 1,088 bytes a row of 1,024; Q4_0: 18, 576. */
static void keys_and_values_have_types_of_their_own(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192 flash_attn=on type_k=q8_0 type_v=q4_0");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "KV cache"), UINT64_C(8192) * 32 * (1088 + 576));
    close_model(&loaded);
}

/* Gemma 3 12B: of 48 layers each sixth keeps all cells, 40 a window of 1,024; 2 x 2,048 elements of 2 bytes: 8,192 bytes. The cells of a window
 * are those of its tokens and of one batch, in steps of 256, and not more than the context's. */
static const struct {
    const char *settings;
    uint64_t cells;
    uint64_t window_cells;
} gemma_caches[] = {
    {"n_ctx=8192", 8192, 1536},
    {"n_ctx=8192 n_ubatch=128", 8192, 1280}, /* 1,152 */
    {"n_ctx=8192 n_batch=64", 8192, 1280},   /* 1,088 */
    {"n_ctx=1024", 1024, 1024},
    {"n_ctx=8192 swa_full=true", 8192, 8192},
    {"n_ctx=32768 n_seq_max=4", 32768, 6144},
    {"n_ctx=32768 n_seq_max=4 kv_unified=true", 32768, 4608}, /* 4 x 1,024 + 512 */
};

static void windows_have_cells_of_their_own(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "gemma3-12b", "0.5.0");
    for (size_t k = 0; k < COUNT_OF(gemma_caches); k++) {
        llamacpp_run(&loaded.plan, 1, gemma_caches[k].settings);
        uint64_t full = llamacpp_bytes(&loaded.plan, 0, "KV cache");
        uint64_t window = llamacpp_bytes(&loaded.plan, 0, "KV cache, sliding window");
        if (full != gemma_caches[k].cells * 8 * 8192 || window != gemma_caches[k].window_cells * 40 * 8192) {
            fail_msg("%s: %llu and %llu bytes", gemma_caches[k].settings, (unsigned long long)full,
                     (unsigned long long)window);
        }
    }
    close_model(&loaded);
}

/* Qwen3-Next: 36 layers with a state of 128 x 4,096 and 3 rows of 8,192 before its convolution, F32, for each sequence. */
static void states_are_kept_for_each_sequence(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "qwen3next-80b", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192");
    const uint64_t one = UINT64_C(36) * (3 * 8192 + 128 * 4096) * 4;
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "recurrent state"), one);
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192 n_seq_max=4");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "recurrent state"), 4 * one);
    close_model(&loaded);
}

/* Keys alone, of 512 + 64 elements in 27 layers: values are a part of them. */
static void latent_attention_keeps_keys_alone(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "dsv2-lite-mla", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "KV cache"), UINT64_C(27) * 576 * 8192 * 2);
    close_model(&loaded);
}

/* On the host without offload of caches; the GPU has weights and computes. */
static void caches_may_stay_on_the_host(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192 no_kv_offload=true");
    assert_int_equal(llamacpp_bytes(&loaded.plan, 0, "KV cache"), 0);
    assert_int_equal(llamacpp_bytes(&loaded.plan, HOST, "KV cache"), 8192 * 131072);
    close_model(&loaded);
}

/* Logits of one token of each sequence: 128,256 x 4 bytes. */
static void outputs_are_kept_for_each_sequence(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    llamacpp_run(&loaded.plan, 1, "n_ctx=8192 n_seq_max=4");
    assert_int_equal(llamacpp_bytes(&loaded.plan, HOST, "output"), 4 * 128256 * 4);
    close_model(&loaded);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *settings;
    const char *message;
} refusals[] = {
    {"n_ctx=0", "a context of no tokens"},
    {"n_seq_max=0", "1 to 256 sequences"},
    {"n_seq_max=257", "1 to 256 sequences"},
    {"n_batch=0", "a batch of no tokens"},
    {"flash_attn=maybe", "on, off or auto"},
    {"flash_attn=off type_v=q8_0", "needs flash attention"},
    {"split_mode=row", "not modelled"},
    {"type_k=q9_9", "type_k 'q9_9'"},
    {"n_gpu_layers=some", "a number of layers, all or auto"},
    {"tensor_split=a,b", "one number for each GPU"},
    {"n_ctx=281474976710656", "exceeds 64 bits"},
    {"n_ctx=140737488355328", "exceeds"},
    {"cpu=z80", "avx2"},
};

static void what_llama_cpp_does_not_take_is_refused(void **state)
{
    struct loaded loaded;
    open_model(*state, &loaded, "llama3-8b", "0.5.0");
    for (size_t k = 0; k < COUNT_OF(refusals); k++) {
        bool done = llamacpp_try(&loaded.plan, 1, refusals[k].settings);
        if (done || !strstr(loaded.plan.error.message, refusals[k].message)) {
            fail_msg("%s: %s", refusals[k].settings, done ? "taken" : loaded.plan.error.message);
        }
    }
    assert_false(llamacpp_try(&loaded.plan, 17, ""));
    assert_non_null(strstr(loaded.plan.error.message, "at most 16 GPUs"));
    close_model(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compute_buffers_are_those_that_were_measured),
        cmocka_unit_test(the_buffers_of_llama_3_8b_by_hand),
        cmocka_unit_test(the_buffers_of_a_pipeline_by_hand),
        cmocka_unit_test(some_settings_end_the_pipeline),
        cmocka_unit_test(a_server_keeps_fewer_logits),
        cmocka_unit_test(contexts_are_rounded_up_for_each_sequence),
        cmocka_unit_test(older_builds_round_to_32_cells),
        cmocka_unit_test(keys_and_values_have_types_of_their_own),
        cmocka_unit_test(windows_have_cells_of_their_own),
        cmocka_unit_test(states_are_kept_for_each_sequence),
        cmocka_unit_test(latent_attention_keeps_keys_alone),
        cmocka_unit_test(caches_may_stay_on_the_host),
        cmocka_unit_test(outputs_are_kept_for_each_sequence),
        cmocka_unit_test(what_llama_cpp_does_not_take_is_refused),
    };
    return cmocka_run_group_tests(tests, model_fixture_open, model_fixture_close);
}
