/* Commands at both ends of a request: what it takes from a command, and all commands of a plan. */
#include "api/launch.h"
#include "api/settings.h"
#include "real_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct reading {
    const char *given; /* "engine=vllm set=a=1 set=b=2", "" for none */
    const char *command;
    const char *wanted; /* the inputs that the request then has, in the order of the table */
};

static void give(struct tn_request *request, const char *given)
{
    struct tn_str rest = tn_str_of(given);
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        size_t mark = tn_str_find(word, TN_STR("="));
        enum tn_input input = tn_input_find(tn_str_slice(word, 0, mark), TN_STR("plan"));
        assert_true(input != TN_INPUT_COUNT);
        assert_true(tn_request_set(request, input, tn_str_slice(word, mark + 1, word.size), NULL));
    }
}

static void write_inputs(const struct tn_request *request, struct tn_builder *text)
{
    for (int input = 0; input < TN_INPUT_COUNT; input++) {
        const struct tn_input_value *value = &request->values[input];
        size_t count = value->item_count ? value->item_count : value->given;
        for (size_t k = 0; k < count; k++) {
            tn_builder_addf(text, "%s%s=", text->size ? " " : "", tn_inputs[input].name);
            tn_builder_add(text, value->item_count ? value->items[k] : value->text);
        }
    }
}

static void a_request_takes_from_a_command_what_it_does_not_have(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"", "vllm serve Qwen/Qwen3-8B --max-num-seqs 8", "model=Qwen/Qwen3-8B engine=vllm set=max_num_seqs=8"},
        {"", "docker run vllm/vllm-openai:v0.19.0 Qwen/Qwen3-8B", "model=Qwen/Qwen3-8B engine=vllm@0.19.0"},
        {"engine=vllm@0.11.0", "docker run vllm/vllm-openai:v0.19.0 Qwen/Qwen3-8B",
         "model=Qwen/Qwen3-8B engine=vllm@0.11.0"},
        {"model=qwen3-14b set=max_num_seqs=4", "vllm serve x --max-num-seqs 8 --block-size 32",
         "model=qwen3-14b engine=vllm set=max_num_seqs=4 set=block_size=32"},
        {"context=2048", "llama-server -m a/Qwen3-8B-Q4_K_M.gguf -c 8192",
         "model=Qwen3-8B engine=llamacpp context=2048 quant=Q4_K_M set=n_ctx=8192"},
        {"", "llama-server -m Qwen3-8B-BF16.gguf", "model=Qwen3-8B engine=llamacpp quant=BF16"},
        {"quant=q8_0", "llama-server -m Qwen3-8B-Q4_K_M-00001-of-00002.gguf",
         "model=Qwen3-8B engine=llamacpp quant=q8_0"},
        {"", "llama-server -hf org/Qwen3-8B-GGUF:Q6_K", "model=Qwen3-8B engine=llamacpp quant=Q6_K"},
        /* not of the catalog: a file, or the hub */
        {"", "llama-server -m mine.gguf", "model=mine.gguf engine=llamacpp"},
        {"", "llama-server -m Qwen3-8B-mine.gguf", "model=Qwen3-8B-mine.gguf engine=llamacpp"},
        {"", "vllm serve nobody/nothing", "model=hf:nobody/nothing engine=vllm"},
        {"", "vllm serve nobody/nothing --revision v2", "model=hf:nobody/nothing@v2 engine=vllm"},
        {"", "vllm serve Qwen/Qwen3-8B --revision v2", "model=hf:Qwen/Qwen3-8B@v2 engine=vllm"},
        {"", "vllm serve ./here", "model=./here engine=vllm"},
        {"", "ollama run llama3.1:8b", "model=ollama:llama3.1:8b engine=ollama"},
    };
    for (size_t k = 0; k < sizeof readings / sizeof readings[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_request request = {.arena = &arena, .operation = TN_STR("plan")};
        struct tn_launch launch;
        struct tn_error error = {0};
        struct tn_builder text = {0};
        give(&request, readings[k].given);
        if (!tn_request_read_command(real.catalog, &request, tn_str_of(readings[k].command), &launch, &error)) {
            fail_msg("%s: %s", readings[k].command, error.message);
        }
        write_inputs(&request, &text);
        assert_string_equal(text.data, readings[k].wanted);
        tn_builder_free(&text);
        tn_arena_free(&arena);
    }
}

static void a_command_of_another_engine_is_an_error(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("plan")};
    struct tn_launch launch;
    struct tn_error error = {0};
    give(&request, "engine=sglang");
    assert_false(tn_request_read_command(real.catalog, &request, TN_STR("vllm serve m"), &launch, &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_string_equal(error.where, "--engine");
    tn_arena_free(&arena);
}

/* ---- all commands of a plan --------------------------------------------------------------------------------------- */

/* "vllm compose kubernetes": the targets that can say the plan. */
static void check_targets(const char *given, const char *targets)
{
    struct tn_arena arena = {0};
    struct tn_session session = {.catalog = real.catalog};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("plan")};
    struct tn_plan plan = {.ledger = {.arena = &arena, .wants_text = true}};
    struct tn_builder out = {0};
    struct tn_json_writer json = {.builder = &out};
    struct tn_value written;
    struct tn_str wanted = tn_str_of(targets);
    give(&request, given);
    assert_true(tn_question_open(&session, &request, &plan.question, NULL));
    plan.model = tn_request_model(&session, &request, request.values[TN_INPUT_MODEL].text, NULL);
    assert_non_null(plan.model);
    assert_true(tn_question_read(&plan.question, plan.model, NULL));
    struct tn_planner *planner = &plan.question.planner;
    assert_true(planner->engine->plan(planner, &plan.question.deployment, &plan.ledger, NULL));
    tn_json_begin_object(&json);
    assert_true(tn_plan_write_commands(&plan, &json, NULL));
    tn_json_end_object(&json);
    assert_true(tn_json_read(&arena, tn_builder_str(&out), &written, NULL));
    const struct tn_value *commands = tn_value_member(&written, TN_STR("commands"));
    assert_non_null(commands);
    for (uint32_t k = 0; k < commands->count; k++) {
        struct tn_str target = tn_str_word(&wanted);
        assert_true(tn_str_equal(commands->as.members[k].key, target));
        assert_true(commands->as.members[k].value.as.string.size > 0);
    }
    assert_int_equal(wanted.size, 0);
    tn_question_free(&plan.question);
    tn_model_free(plan.model);
    tn_builder_free(&out);
    tn_arena_free(&arena);
}

static void a_plan_has_the_commands_that_can_say_it(void **state)
{
    (void)state;
    check_targets("model=qwen3-8b engine=vllm gpu=h100", "vllm compose kubernetes");
    check_targets("model=qwen3-8b engine=vllm gpu=mi300x", "vllm");                /* no image */
    check_targets("model=deepseek-v3 engine=vllm gpu=h100x16", "vllm kubernetes"); /* two machines */
    check_targets("model=deepseek-v3 engine=trtllm gpu=h100x16", "");              /* by an MPI that is not ours */
    check_targets("model=qwen3-8b engine=vllm gpu=h100 quant=awq", "");            /* no such checkpoint */
    check_targets("model=qwen3-8b engine=ollama gpu=h100 quant=q4_k_m", "ollama compose kubernetes");
    check_targets("model=qwen3-8b engine=tgi gpu=h100", "");
    check_targets("model=qwen3-8b engine=generic gpu=h100", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_takes_from_a_command_what_it_does_not_have),
        cmocka_unit_test(a_command_of_another_engine_is_an_error),
        cmocka_unit_test(a_plan_has_the_commands_that_can_say_it),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
