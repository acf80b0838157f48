/* GGUF models whose images are read by a second file, mmproj: a tower and its projector. */
#include "model_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A Llama of one layer: d = 8, two heads of 4, f = 16, V = 4. */
static const struct model_tensor text[] = {
    {"token_embd.weight", "F16", 2, {4, 8}},        {"blk.0.attn_q.weight", "F16", 2, {8, 8}},
    {"blk.0.attn_k.weight", "F16", 2, {8, 8}},      {"blk.0.attn_v.weight", "F16", 2, {8, 8}},
    {"blk.0.attn_output.weight", "F16", 2, {8, 8}}, {"blk.0.ffn_gate.weight", "F16", 2, {16, 8}},
    {"blk.0.ffn_up.weight", "F16", 2, {16, 8}},     {"blk.0.ffn_down.weight", "F16", 2, {8, 16}},
    {"blk.0.attn_norm.weight", "F32", 1, {8}},      {"blk.0.ffn_norm.weight", "F32", 1, {8}},
    {"output_norm.weight", "F32", 1, {8}},
};
/* 4*8 + 4 * 8*8 + 3 * 16*8 + 3*8 */
enum { TEXT_PARAMETERS = 696 };

static const struct model_tensor tower[] = {
    {"v.blk.0.attn_q.weight", "F16", 2, {16, 16}}, {"mm.0.weight", "F16", 2, {8, 16}}, {"mm.0.bias", "F32", 1, {8}}};
/* 16*16 + 8*16 + 8 */
enum { TOWER_PARAMETERS = 392 };

static void write_text(const struct model_fixture *fixture)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/model-F16.gguf", fixture->folder);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\": \"llama\", \"llama.block_count\": 1,"
                                 " \"llama.embedding_length\": 8, \"llama.feed_forward_length\": 16,"
                                 " \"llama.attention.head_count\": 2}",
                                 text, sizeof text / sizeof text[0]));
}

static void write_tower(const struct model_fixture *fixture, const char *name)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\": \"clip\", \"general.type\": \"mmproj\","
                                 " \"clip.vision.block_count\": 1, \"clip.vision.embedding_length\": 16,"
                                 " \"clip.vision.attention.head_count\": 2}",
                                 tower, sizeof tower / sizeof tower[0]));
}

static uint64_t vision_parameters(const struct tn_model *model)
{
    uint64_t parameters = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        parameters += model->groups[k].class == TN_CLASS_VISION ? model->groups[k].parameters : 0;
    }
    return parameters;
}

static void a_projector_alone_is_all_vision_and_keeps_nothing(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    char path[2 * TEST_PATH_SIZE];
    write_tower(fixture, "mmproj-F16.gguf");
    (void)snprintf(path, sizeof path, "%s/mmproj-F16.gguf", fixture->folder);
    struct tn_model *model = must_load_path(fixture->catalog, path, &files);
    assert_int_equal(model->parameters, TOWER_PARAMETERS);
    assert_int_equal(vision_parameters(model), TOWER_PARAMETERS);
    assert_int_equal(model->checkpoint_bytes, 2 * 384 + 4 * 8);
    assert_int_equal(model->cache_count, 0);
    assert_true(has_note(model, "projector_alone"));
    tn_model_free(model);
    tn_model_files_free(&files);
}

static void a_folder_with_model_and_projector_counts_both(void **state)
{
    static const char *const names[] = {"mmproj-F16.gguf", "small-mmproj-model-f16.gguf"};
    for (size_t k = 0; k < 2; k++) {
        struct model_fixture *fixture = *state;
        struct tn_model_files files;
        write_text(fixture);
        write_tower(fixture, names[k]);
        struct tn_model *model = must_load_path(fixture->catalog, fixture->folder, &files);
        assert_int_equal(model->parameters, TEXT_PARAMETERS + TOWER_PARAMETERS);
        assert_int_equal(vision_parameters(model), TOWER_PARAMETERS);
        assert_int_equal(model->cache_count, 1); /* the text's: 2 x 2 heads x 4 */
        assert_int_equal(model->caches[0].elements_per_unit, 16);
        assert_int_equal(model->caches[0].layer_count, 1);
        assert_false(has_note(model, "prediction_differs"));
        tn_model_free(model);
        tn_model_files_free(&files);
        remove_test_folder(fixture->folder);
        make_test_folder(fixture->folder);
    }
}

static void of_two_projectors_none_is_chosen(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    write_text(fixture);
    write_tower(fixture, "mmproj-F16.gguf");
    write_tower(fixture, "mmproj-F32.gguf");
    struct tn_model *model = must_load_path(fixture->catalog, fixture->folder, &files);
    assert_int_equal(model->parameters, TEXT_PARAMETERS);
    tn_model_free(model);
    tn_model_files_free(&files);
}

static void a_damaged_projector_is_an_error(void **state)
{
    struct model_fixture *fixture = *state;
    struct tn_model_files files;
    struct tn_error error;
    write_text(fixture);
    write_test_file(fixture->folder, "mmproj-F16.gguf", TN_STR("GGUF"));
    assert_null(load_path(fixture->catalog, fixture->folder, &files, &error));
    assert_non_null(strstr(error.where, "mmproj-F16.gguf"));
    tn_model_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_projector_alone_is_all_vision_and_keeps_nothing, model_fixture_open,
                                        model_fixture_close),
        cmocka_unit_test_setup_teardown(a_folder_with_model_and_projector_counts_both, model_fixture_open,
                                        model_fixture_close),
        cmocka_unit_test_setup_teardown(of_two_projectors_none_is_chosen, model_fixture_open, model_fixture_close),
        cmocka_unit_test_setup_teardown(a_damaged_projector_is_an_error, model_fixture_open, model_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
