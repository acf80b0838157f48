/* Caches of architectures that are known as GGUF files only: what the keys of the metadata make of them. */
#include "model_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tn_model *load_metadata(const struct model_fixture *fixture, const char *metadata,
                                      struct tn_model_files *files)
{
    static const struct model_tensor tensor = {"token_embd.weight", "F16", 2, {100, 64}};
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/small.gguf", fixture->folder);
    assert_true(model_write_gguf(path, metadata, &tensor, 1));
    return must_load_path(fixture->catalog, path, files);
}

/* MiniCPM3: keys of 8 + 4, values of 64 / 8 = 8 elements in each of 8 heads. */
static void latent_attention_that_is_expanded_keeps_every_head(void **state)
{
    struct tn_model_files files;
    struct tn_model *model = load_metadata(*state,
                                           "{\"general.architecture\": \"minicpm3\", \"minicpm3.block_count\": 3,"
                                           " \"minicpm3.embedding_length\": 64, \"minicpm3.attention.head_count\": 8,"
                                           " \"minicpm3.attention.head_count_kv\": 8,"
                                           " \"minicpm3.attention.key_length\": 12,"
                                           " \"minicpm3.attention.kv_lora_rank\": 16,"
                                           " \"minicpm3.rope.dimension_count\": 4}",
                                           &files);
    assert_int_equal(model->cache_count, 1);
    assert_int_equal(model->caches[0].growth, TN_GROWTH_FULL);
    assert_int_equal(model->caches[0].layer_count, 3);
    assert_int_equal(model->caches[0].elements_per_unit, 8 * (12 + 8));
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* PLaMo 2: layers 0 and 2 are Mamba: 3 inputs of 128 and 16 states of 128; layers 1 and 3 keep 2 x 2 heads of 16. */
static void layers_without_kv_heads_keep_a_state(void **state)
{
    struct tn_model_files files;
    struct tn_model *model = load_metadata(*state,
                                           "{\"general.architecture\": \"plamo2\", \"plamo2.block_count\": 4,"
                                           " \"plamo2.embedding_length\": 64,"
                                           " \"plamo2.attention.head_count\": [0, 4, 0, 4],"
                                           " \"plamo2.attention.head_count_kv\": [0, 2, 0, 2],"
                                           " \"plamo2.attention.key_length\": 16, \"plamo2.ssm.conv_kernel\": 4,"
                                           " \"plamo2.ssm.inner_size\": 128, \"plamo2.ssm.state_size\": 16,"
                                           " \"plamo2.ssm.time_step_rank\": 2, \"plamo2.ssm.group_count\": 0}",
                                           &files);
    uint64_t constants = 0;
    for (size_t k = 0; k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        assert_int_equal(cache->layer_count, 2);
        if (cache->growth == TN_GROWTH_CONSTANT) {
            constants += cache->elements_per_unit;
            assert_true(tn_str_is(tn_str_of(cache->dtype->name), "F32"));
        } else {
            assert_int_equal(cache->growth, TN_GROWTH_FULL);
            assert_int_equal(cache->elements_per_unit, 2 * 2 * 16);
            assert_int_equal(cache->layers[0], 1);
        }
    }
    assert_int_equal(model->cache_count, 3);
    assert_int_equal(constants, 3 * 128 + 16 * 128);
    tn_model_free(model);
    tn_model_files_free(&files);
}

/* A window of 32 in PLaMo 3, without layers 7 and 15; of 4096 in SmallThinker whatever the file says, without layers 0 and 4. */
static void windows_hold_in_all_layers_but_one_of_each_period(void **state)
{
    static const struct {
        const char *metadata;
        uint64_t window;
        uint32_t sliding;
        uint32_t full[2];
    } cases[] = {
        {"{\"general.architecture\": \"plamo3\", \"plamo3.block_count\": 16, \"plamo3.embedding_length\": 64,"
         " \"plamo3.attention.head_count\": 4, \"plamo3.attention.sliding_window\": 32}",
         32,
         14,
         {7, 15}},
        {"{\"general.architecture\": \"smallthinker\", \"smallthinker.block_count\": 8,"
         " \"smallthinker.embedding_length\": 64, \"smallthinker.attention.head_count\": 4,"
         " \"smallthinker.attention.sliding_window\": 1024}",
         4096,
         6,
         {0, 4}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_model_files files;
        struct tn_model *model = load_metadata(*state, cases[k].metadata, &files);
        assert_int_equal(model->cache_count, 2);
        for (size_t c = 0; c < 2; c++) {
            const struct tn_cache *cache = &model->caches[c];
            assert_int_equal(cache->elements_per_unit, 2 * 64);
            if (cache->growth == TN_GROWTH_WINDOW) {
                assert_int_equal(cache->argument, cases[k].window);
                assert_int_equal(cache->layer_count, cases[k].sliding);
            } else {
                assert_int_equal(cache->layer_count, 2);
                assert_int_equal(cache->layers[0], cases[k].full[0]);
                assert_int_equal(cache->layers[1], cases[k].full[1]);
            }
        }
        tn_model_free(model);
        tn_model_files_free(&files);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(latent_attention_that_is_expanded_keeps_every_head, model_fixture_open,
                                        model_fixture_close),
        cmocka_unit_test_setup_teardown(layers_without_kv_heads_keep_a_state, model_fixture_open, model_fixture_close),
        cmocka_unit_test_setup_teardown(windows_hold_in_all_layers_but_one_of_each_period, model_fixture_open,
                                        model_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
