/* inspect and models as people use them: the picture of the layers, what weighs how much, --check with its draft, filters and order. */
#include "real_catalog.h"

#include "api/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Runs the request; JSON and one of the other formats live until the end of the program. */
static bool run(const struct tn_model_finder *finder, const char *json, const char *format, struct tn_value *answer,
                struct tn_str *text, struct tn_error *error)
{
    struct tn_session session = {.catalog = real.catalog, .finder = finder};
    struct tn_request request = {.arena = &real.arena};
    struct tn_result result = {0};
    struct tn_builder written = {0};
    struct tn_style style = {.columns = 100};
    struct tn_value root = made_up_json(&real, json);
    struct tn_str copy;
    *error = (struct tn_error){.offset = -1};
    bool done = tn_request_read(&request, &root, error) && tn_operation_run(&session, &request, &result, error);
    if (done) {
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&result.json), &copy));
        assert_true(tn_json_read(&real.arena, copy, answer, NULL));
        tn_writer_find(tn_str_of(format))->write(&result.report, &style, &written);
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&written), text));
    }
    tn_builder_free(&written);
    tn_result_free(&result);
    return done;
}

static struct tn_value answer_to(const char *json, struct tn_str *text)
{
    struct tn_value answer = {0};
    struct tn_error error;
    struct tn_str written = {0};
    if (!run(NULL, json, "text", &answer, text ? text : &written, &error)) {
        fail_msg("%s: %s", json, error.message);
    }
    return answer;
}

static const struct tn_value *find(const struct tn_value *answer, const char *path)
{
    const struct tn_value *value = tn_value_path(answer, tn_str_of(path));
    if (!value) {
        fail_msg("no %s in the answer", path);
    }
    return value;
}

static void check_text(const struct tn_value *answer, const char *path, const char *expected)
{
    const struct tn_value *value = find(answer, path);
    assert_int_equal(value->kind, TN_STRING);
    if (!tn_str_is(value->as.string, expected)) {
        fail_msg("%s is '%.*s', not '%s'", path, (int)value->as.string.size, value->as.string.data, expected);
    }
}

static void check_number(const struct tn_value *answer, const char *path, int64_t expected)
{
    assert_int_equal(find(answer, path)->kind, TN_INTEGER);
    assert_int_equal(find(answer, path)->as.integer, expected);
}

static void check_contains(struct tn_str text, const char *part)
{
    if (tn_str_find(text, tn_str_of(part)) == SIZE_MAX) {
        fail_msg("no '%s' in\n%.*s", part, (int)text.size, text.data);
    }
}

/* ---- inspect ------------------------------------------------------------------------------------------------------- */

static void layers_are_a_picture_of_their_kinds(void **state)
{
    (void)state;
    struct tn_str text = {0};
    struct tn_value answer = answer_to("{\"operation\": \"inspect\", \"model\": \"jamba-v0.1\"}", &text);
    /* attention in one of 8 layers from 4 on, experts in every second from 1 on; small letters have no experts */
    check_text(&answer, "stacks[0].picture", "mMmMAMmMmMmMAMmMmMmMAMmMmMmMAMmM");
    check_text(&answer, "layer_kinds[0].letter", "m");
    check_text(&answer, "layer_kinds[1].feed_forward", "moe");
    check_number(&answer, "layer_kinds[0].layers", 12);
    check_number(&answer, "layer_kinds[1].layers", 16);
    check_number(&answer, "layer_kinds[2].layers", 4);
    check_contains(text, "mMmMAMmM mMmMAMmM mMmMAMmM mMmMAMmM\n"); /* one period of the pattern a word */
    answer = answer_to("{\"operation\": \"inspect\", \"model\": \"whisper-large-v3\"}", &text);
    check_text(&answer, "stacks[0].name", "encoder");
    check_number(&answer, "stacks[1].layers", 32);
    check_contains(text, "AAAAAAAAAA AAAAAAAAAA AAAAAAAAAA AA\n"); /* tens where all are alike */
}

static void sizes_that_a_newcomer_asks_for_come_first(void **state)
{
    (void)state;
    struct tn_str text = {0};
    struct tn_value answer = answer_to("{\"operation\": \"inspect\", \"model\": \"gemma-3-27b\"}", &text);
    /* 62 layers x 2 x 16 heads x 128 x 2 bytes; 52 of the layers have a window of 1,024 */
    check_number(&answer, "kv.bytes_per_token", 507904);
    check_number(&answer, "kv.window_bytes_per_token", 425984);
    check_number(&answer, "kv.bytes_at_max_context", INT64_C(131072) * 81920 + INT64_C(1024) * 425984);
    check_contains(text, "27,432,406,640 parameters; 51.10 GiB as stored, BF16\n");
    check_contains(text, "507,904 bytes per token, of which 425,984 stop growing at a window");
    answer = answer_to("{\"operation\": \"inspect\", \"model\": \"mamba-2.8b\"}", &text);
    check_number(&answer, "kv.state_bytes_per_request", 12451840);
    check_contains(text, "State: 11.88 MiB per request");
    (void)answer_to("{\"operation\": \"inspect\", \"model\": \"bert-base-uncased\"}", &text);
    check_contains(text, "No cache: nothing is kept per request.");
}

static void shares_add_up_to_the_whole(void **state)
{
    (void)state;
    static const char *const lists[] = {"classes", "dtypes"};
    struct tn_value answer = answer_to("{\"operation\": \"inspect\", \"model\": \"deepseek-v3\"}", NULL);
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        const struct tn_value *shares = find(&answer, lists[k]);
        int64_t bytes = 0;
        int64_t parameters = 0;
        for (uint32_t n = 0; n < shares->count; n++) {
            bytes += find(&shares->as.items[n], "bytes")->as.integer;
            parameters += find(&shares->as.items[n], "parameters")->as.integer;
        }
        check_number(&answer, "model.checkpoint_bytes", bytes);
        check_number(&answer, "model.parameters", parameters);
    }
    check_text(&answer, "dtypes[0].name", "F8_E4M3"); /* the heaviest first */
}

static void tensors_are_listed_on_demand_and_bars_are_not_csv(void **state)
{
    (void)state;
    struct tn_value answer = {0};
    struct tn_error error;
    struct tn_str text = {0};
    assert_true(run(NULL, "{\"operation\": \"inspect\", \"model\": \"gpt2\"}", "csv", &answer, &text, &error));
    assert_int_equal(tn_str_find(text, TN_STR("attn.c_attn.weight")), SIZE_MAX);
    assert_int_equal(tn_str_find(text, TN_STR("█")), SIZE_MAX);
    check_contains(text, "class,tensors,parameters,bytes,share_percent\r\n");
    assert_true(run(NULL, "{\"operation\": \"inspect\", \"model\": \"gpt2\", \"tensors\": true}", "csv", &answer, &text,
                    &error));
    check_contains(text, "attn.c_attn.weight");
}

/* ---- inspect --check ----------------------------------------------------------------------------------------------- */

/* A finder that knows a model of two tensors under any name. */
struct files {
    struct tn_header header;
    struct tn_tensor tensors[2];
    struct tn_value config;
    bool is_gguf;
};

static bool find_files(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input,
                       bool *found, struct tn_error *error)
{
    struct files *files = context;
    (void)folder;
    (void)error;
    *found = true;
    *input = (struct tn_model_input){.id = name,
                                     .config = &files->config,
                                     .config_origin = TN_ORIGIN_CONFIG,
                                     .header = &files->header,
                                     .header_is_gguf = files->is_gguf};
    return true;
}

static void make_files(struct files *files, const char *config)
{
    const struct tn_dtype *dtype = tn_dtype_find(TN_STR("BF16"));
    *files = (struct files){.config = made_up_json(&real, config)};
    files->tensors[0] = (struct tn_tensor){TN_STR("model.embed_tokens.weight"), dtype, 2, {100, 32}, 6400, 0};
    files->tensors[1] = (struct tn_tensor){TN_STR("model.layers.0.attn.qkv.weight"), dtype, 2, {96, 32}, 6144, 6400};
    files->header = (struct tn_header){.tensors = files->tensors, .count = 2};
}

static void check_drafts_a_record_for_the_unknown(void **state)
{
    (void)state;
    struct files files;
    struct tn_model_finder finder = {.context = &files, .find = find_files};
    struct tn_value answer = {0};
    struct tn_error error;
    struct tn_str text = {0};
    make_files(&files, "{\"architectures\": [\"NewForCausalLM\"], \"hidden_size\": 32, \"vocab_size\": 100}");
    assert_true(run(&finder, "{\"operation\": \"inspect\", \"model\": \"x\", \"check\": true}", "text", &answer, &text,
                    &error));
    check_contains(find(&answer, "draft")->as.string,
                   "  once model.embed_tokens.weight [V, d] class embed split vocab(V)\n");
    check_contains(text, "A record to begin with");
    check_contains(text, "stack text model.layers.{i}. layers 1\n");
    assert_true(run(&finder, "{\"operation\": \"inspect\", \"model\": \"x\"}", "text", &answer, &text, &error));
    assert_null(tn_value_path(&answer, TN_STR("draft")));
}

static void check_lists_what_differs_from_the_record(void **state)
{
    (void)state;
    struct files files;
    struct tn_model_finder finder = {.context = &files, .find = find_files};
    struct tn_value answer = {0};
    struct tn_error error;
    struct tn_str text = {0};
    make_files(&files, "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 16, \"num_hidden_layers\": 1,"
                       " \"num_attention_heads\": 2, \"intermediate_size\": 64, \"vocab_size\": 100}");
    assert_true(run(&finder, "{\"operation\": \"inspect\", \"model\": \"x\", \"check\": true}", "text", &answer, &text,
                    &error));
    check_contains(text, "missing: model.norm.weight");
    check_contains(text, "extra: model.layers.0.attn.qkv.weight");
    check_contains(text, "of another shape: model.embed_tokens.weight");
    assert_null(tn_value_path(&answer, TN_STR("draft")));
}

static void check_needs_names_to_compare(void **state)
{
    (void)state;
    struct files files;
    struct tn_model_finder finder = {.context = &files, .find = find_files};
    struct tn_value answer = {0};
    struct tn_error error;
    struct tn_str text = {0};
    assert_false(run(NULL, "{\"operation\": \"inspect\", \"model\": \"gpt2\", \"check\": true}", "text", &answer, &text,
                     &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_non_null(strstr(error.message, "nothing to check"));
    make_files(&files, "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 32, \"num_hidden_layers\": 1,"
                       " \"num_attention_heads\": 2, \"intermediate_size\": 64, \"vocab_size\": 100}");
    files.is_gguf = true;
    files.header.metadata = made_up_json(&real, "{\"general.architecture\": \"llama\"}");
    assert_false(run(&finder, "{\"operation\": \"inspect\", \"model\": \"x\", \"check\": true}", "text", &answer, &text,
                     &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_non_null(strstr(error.message, "those of a GGUF"));
}

/* ---- models -------------------------------------------------------------------------------------------------------- */

static void models_are_filtered_by_names_and_size(void **state)
{
    (void)state;
    struct tn_value answer = answer_to("{\"operation\": \"models\", \"model\": \"META-llama/Llama-2-13b\"}", NULL);
    assert_int_equal(find(&answer, "models")->count, 1);
    check_text(&answer, "models[0].id", "llama-2-13b");
    check_text(&answer, "models[0].family", "llama");
    check_text(&answer, "models[0].released", "2023-07");
    answer = answer_to("{\"operation\": \"models\", \"family\": \"gpt-oss\", \"min_params\": \"100B\"}", NULL);
    assert_int_equal(find(&answer, "models")->count, 1);
    check_text(&answer, "models[0].id", "gpt-oss-120b");
    answer = answer_to("{\"operation\": \"models\", \"family\": \"gpt-oss\", \"max_params\": \"100B\"}", NULL);
    check_text(&answer, "models[0].id", "gpt-oss-20b");
    answer = answer_to("{\"operation\": \"models\", \"architecture\": \"falconmamba\"}", NULL);
    assert_int_equal(find(&answer, "models")->count, 1);
    check_text(&answer, "models[0].id", "falcon-mamba-7b");
    struct tn_str text = {0};
    answer = answer_to("{\"operation\": \"models\", \"model\": [\"llama\", \"no such model\"]}", &text);
    assert_int_equal(find(&answer, "models")->count, 0);
    check_contains(text, "No model of the catalog is so.");
}

static void models_have_all_their_names_in_json(void **state)
{
    (void)state;
    struct tn_value answer = answer_to("{\"operation\": \"models\", \"model\": \"qwen3-next-80b-a3b-instruct\"}", NULL);
    check_text(&answer, "models[0].hf_id", "Qwen/Qwen3-Next-80B-A3B-Instruct");
    check_text(&answer, "models[0].aliases[0]", "Qwen/Qwen3-Next-80B-A3B-Thinking");
    check_text(&answer, "models[0].aliases[2]", "qwen3-next-80b");
    assert_int_equal(find(&answer, "models[0].aliases")->count, 4);
}

static void check_order(const char *by, const char *path, bool falls)
{
    char request[100];
    char place[60];
    (void)snprintf(request, sizeof request, "{\"operation\": \"models\", \"family\": \"phi\", \"sort\": \"%s\"}", by);
    struct tn_value answer = answer_to(request, NULL);
    uint32_t count = find(&answer, "models")->count;
    assert_true(count > 5);
    for (uint32_t k = 1; k < count; k++) {
        (void)snprintf(place, sizeof place, "models[%u].%s", k - 1, path);
        const struct tn_value *before = find(&answer, place);
        (void)snprintf(place, sizeof place, "models[%u].%s", k, path);
        const struct tn_value *here = find(&answer, place);
        if (here->kind == TN_INTEGER) {
            assert_true(before->as.integer >= here->as.integer);
        } else if (here->kind == TN_STRING) {
            int order = tn_str_compare(before->as.string, here->as.string);
            assert_true(falls ? order >= 0 : order <= 0);
        }
    }
}

static void models_are_sorted(void **state)
{
    (void)state;
    check_order("name", "id", false);
    check_order("params", "parameters", true);
    check_order("context", "max_context", true);
    check_order("released", "released", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_a_picture_of_their_kinds),
        cmocka_unit_test(sizes_that_a_newcomer_asks_for_come_first),
        cmocka_unit_test(shares_add_up_to_the_whole),
        cmocka_unit_test(tensors_are_listed_on_demand_and_bars_are_not_csv),
        cmocka_unit_test(check_drafts_a_record_for_the_unknown),
        cmocka_unit_test(check_lists_what_differs_from_the_record),
        cmocka_unit_test(check_needs_names_to_compare),
        cmocka_unit_test(models_are_filtered_by_names_and_size),
        cmocka_unit_test(models_have_all_their_names_in_json),
        cmocka_unit_test(models_are_sorted),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
