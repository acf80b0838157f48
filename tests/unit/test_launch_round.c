/* A command says all of a plan that an engine can be told: random deployments are planned, written as commands, read back and planned again, and
 * both plans have the same ledger. What a command cannot say (GPUs, the version, requests that are shorter or fewer than the engine takes) is given
 * to both. */
#include "tonnage/tonnage.h"

#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 24 };

struct engine {
    const char *name;
    const char *versions[MOST];
    const char *models[MOST];
    const char *kv_dtypes[MOST];
    const char *divisions[MOST]; /* tp, pp, ep and dp, and how many GPUs they are */
    const char *settings[MOST];
    bool says_context; /* its command has the length of one request */
    int cases;         /* graphs of llama.cpp take longer to plan */
};

static const struct engine engines[] = {
    {.name = "vllm",
     .versions = {"0.6.4", "0.8.5", "0.10.2", "0.11.0", "0.19.0", "0.23.0", "0.29.0"},
     .models = {"llama-3.1-8b", "qwen3-30b-a3b", "gemma-3-27b-it", "deepseek-v2-lite", "mistral-7b-v0.3"},
     .kv_dtypes = {"", "fp8"},
     .divisions = {"1 1 1 1 1", "2 1 1 1 2", "4 1 1 1 4", "2 2 1 1 4", "1 1 1 2 2", "2 1 2 1 2", "8 2 1 1 16"},
     .settings = {"gpu_memory_utilization=0.85", "gpu_memory_utilization=0.95", "max_num_seqs=64", "max_num_seqs=256",
                  "max_num_batched_tokens=8192", "enforce_eager=true", "block_size=32", "enable_prefix_caching=false",
                  "enable_prefix_caching=true", "num_gpu_blocks_override=4000", "enable_lora=true", "max_lora_rank=64",
                  "max_loras=4", "enable_chunked_prefill=true", "quantization=fp8", "dtype=bfloat16"},
     .cases = 100},
    {.name = "sglang",
     .versions = {"0.4.6", "0.5.3", "0.5.6", "0.5.10", "0.5.18", "0.5.23"},
     .models = {"llama-3.1-8b", "qwen3-30b-a3b", "deepseek-v2-lite", "gpt-oss-20b", "qwen3-next-80b-a3b-instruct"},
     .kv_dtypes = {"", "fp8_e4m3", "fp8_e5m2"},
     .divisions = {"1 1 1 1 1", "2 1 1 1 2", "4 1 2 1 4", "2 2 1 1 4", "1 1 1 2 2", "8 1 1 1 8", "8 2 1 1 16"},
     .settings = {"mem_fraction_static=0.8", "max_running_requests=64", "max_total_tokens=100000", "page_size=64",
                  "chunked_prefill_size=4096", "disable_cuda_graph=true", "cuda_graph_max_bs=32",
                  "disable_radix_cache=true", "attention_backend=triton", "mamba_full_memory_ratio=0.5",
                  "swa_full_tokens_ratio=0.5"},
     .cases = 100},
    {.name = "trtllm",
     .versions = {"0.19.0", "1.0.0", "1.2.0", "1.4.0"},
     .models = {"llama-3.1-8b", "qwen3-30b-a3b", "deepseek-v2-lite", "mistral-7b-v0.3"},
     .kv_dtypes = {"", "fp8"},
     .divisions = {"1 1 1 1 1", "2 1 1 1 2", "4 1 4 1 4", "2 2 1 1 4", "8 1 1 1 8"},
     .settings = {"max_batch_size=64", "max_num_tokens=4096", "free_gpu_memory_fraction=0.8",
                  "kv_cache_free_gpu_mem_fraction=0.7", "tokens_per_block=64", "max_tokens=200000",
                  "enable_attention_dp=true", "enable_block_reuse=false", "cuda_graph_max_batch_size=0",
                  "cuda_graph_max_batch_size=32", "max_attention_window=4096,8192", "mamba_ssm_cache_dtype=float32"},
     .cases = 100},
    {.name = "llamacpp",
     .versions = {"b4800", "b6400", "b8000", "b10488", "0.5.0", "0.7.0"},
     .models = {"llama-3.1-8b", "qwen3-8b", "gemma-3-4b-it", "qwen3-30b-a3b"},
     .kv_dtypes = {"", "q8_0", "bf16"},
     .divisions = {"1 1 1 1 1", "1 2 1 1 2", "1 4 1 1 4"},
     .settings = {"n_batch=1024", "n_ubatch=256", "flash_attn=on", "n_gpu_layers=20", "n_gpu_layers=all",
                  "swa_full=true", "no_kv_offload=true", "op_offload=false", "no_mmap=true", "server=false",
                  "cpu_moe=true", "n_cpu_moe=4", "override_tensor=blk\\.[0-3]\\.ffn_.*=CPU", "no_repack=true",
                  "device=none"},
     .says_context = true,
     .cases = 16},
    {.name = "ollama",
     .versions = {"0.6.5", "0.11.10", "0.13.5", "0.30.0", "0.34.0"},
     .models = {"llama-3.1-8b", "qwen3-8b", "gemma-3-4b-it"},
     .kv_dtypes = {"", "q8_0", "q4_0"},
     .divisions = {"1 1 1 1 1", "1 2 1 1 2"},
     .settings = {"num_batch=256", "num_gpu=20", "use_mmap=false", "OLLAMA_FLASH_ATTENTION=1",
                  "OLLAMA_SCHED_SPREAD=true", "OLLAMA_GPU_OVERHEAD=1073741824"},
     .says_context = true,
     .cases = 16},
};

static const char *const gpus[] = {"h100", "a100-80gb", "l40s", "rtx-4090", "b200"};
static const char *const quants[] = {"q4_k_m", "q8_0", "iq4_xs"};

static uint64_t seed;

static size_t below(size_t most)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return most ? (size_t)((seed >> 33) % most) : 0;
}

static size_t count_of(const char *const *items)
{
    size_t count = 0;
    while (count < MOST && items[count]) {
        count++;
    }
    return count;
}

static const char *one_of(const char *const *items)
{
    return items[below(count_of(items))];
}

struct question {
    struct tn_builder common; /* what a command does not say */
    struct tn_builder own;
};

static void add_settings(const struct engine *engine, struct tn_builder *own)
{
    const char *chosen[2] = {one_of(engine->settings), one_of(engine->settings)};
    size_t count = below(3);
    bool is_same = count == 2 && strcspn(chosen[0], "=") == strcspn(chosen[1], "=")
                   && !strncmp(chosen[0], chosen[1], strcspn(chosen[0], "="));
    count = is_same ? 1 : count;
    tn_builder_add_text(own, ", \"set\": [");
    for (size_t k = 0; k < count; k++) {
        struct tn_json_writer json = {.builder = own};
        tn_builder_add_text(own, k ? ", " : "");
        tn_json_text(&json, chosen[k]);
    }
    tn_builder_add_text(own, "]");
}

static void ask(const struct engine *engine, struct question *question)
{
    unsigned division[5];
    bool is_gguf = engine->says_context;
    const char *dtype = one_of(engine->kv_dtypes);
    unsigned context = 1024u << below(5);
    unsigned shorter =
        !engine->says_context && below(4) == 0 ? 2 : 1; /* requests of half the length that the engine takes */
    const char *numbers = one_of(engine->divisions);
    for (size_t k = 0; k < sizeof division / sizeof division[0]; k++) {
        char *behind;
        division[k] = (unsigned)strtoul(numbers, &behind, 10);
        numbers = behind;
    }
    tn_builder_addf(&question->common, "\"operation\": \"plan\", \"engine\": \"%s@%s\", \"gpu\": \"%sx%u\"",
                    engine->name, one_of(engine->versions), gpus[below(sizeof gpus / sizeof gpus[0])], division[4]);
    tn_builder_addf(&question->own, "\"model\": \"%s\", \"tp\": %u, \"pp\": %u, \"ep\": %u, \"dp\": %u",
                    one_of(engine->models), division[0], division[1], division[2], division[3]);
    tn_builder_addf(engine->says_context ? &question->own : &question->common, ", \"context\": %u, \"concurrency\": %u",
                    context / shorter, 1u << below(6));
    if (is_gguf) {
        tn_builder_addf(&question->own, ", \"quant\": \"%s\"", quants[below(3)]);
    }
    if (*dtype) {
        tn_builder_addf(&question->own, ", \"kv_dtype\": \"%s\"", dtype);
    }
    add_settings(engine, &question->own);
}

static struct tn_reply *call(const struct tn_context *context, struct tn_str common, struct tn_str own,
                             struct tn_error *error)
{
    struct tn_builder request = {0};
    tn_builder_add_text(&request, "{");
    tn_builder_add(&request, common);
    tn_builder_add_text(&request, ", ");
    tn_builder_add(&request, own);
    tn_builder_add_text(&request, "}");
    struct tn_reply *reply = tn_call(context, request.data, request.size, error);
    tn_builder_free(&request);
    return reply;
}

static struct tn_value read_reply(struct tn_arena *arena, const struct tn_reply *reply)
{
    struct tn_value answer;
    assert_true(tn_json_read(arena, (struct tn_str){tn_reply_text(reply), tn_reply_bytes(reply)}, &answer, NULL));
    return answer;
}

static void compare(const struct tn_value *first, const struct tn_value *second, const struct question *question,
                    struct tn_str command)
{
    static const char *const members[] = {"devices",
                                          "host",
                                          "kv",
                                          "total",
                                          "log",
                                          "verdict.fits",
                                          "verdict.start",
                                          "model.checkpoint_bytes",
                                          "settings.tp.value",
                                          "settings.pp.value",
                                          "settings.dp.value",
                                          "settings.context.value",
                                          "settings.concurrency.value"};
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        const struct tn_value *a = tn_value_path(first, tn_str_of(members[k]));
        const struct tn_value *b = tn_value_path(second, tn_str_of(members[k]));
        assert_non_null(a);
        assert_non_null(b);
        if (!tn_value_equal(a, b)) {
            print_error("%.*s", (int)command.size, command.data);
            fail_msg("%s is another\n%s\n%s", members[k], question->common.data, question->own.data);
        }
    }
}

enum outcome { REFUSED, UNSAYABLE, SAME, OUTCOMES };

/* Planned, written, read and planned the same; or refused by the engine, or nothing that its command can say. */
static enum outcome round_trip(const struct tn_context *context, const struct engine *engine)
{
    struct question question = {0};
    struct tn_builder own = {0};
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    ask(engine, &question);
    tn_builder_addf(&own, "%s, \"emit\": \"%s\"", question.own.data, engine->name);
    struct tn_reply *plan = call(context, tn_builder_str(&question.common), tn_builder_str(&question.own), NULL);
    struct tn_reply *first =
        plan ? call(context, tn_builder_str(&question.common), tn_builder_str(&own), &error) : NULL;
    bool is_unsayable = plan && !first;
    if (is_unsayable && (strcmp(error.where, "--emit") != 0 || !strstr(error.message, "no command"))) {
        fail_msg("%s\n%s\n%s", error.message, question.common.data, own.data);
    }
    if (first) {
        struct tn_value planned = read_reply(&arena, first);
        const struct tn_value *command = tn_value_path(&planned, tn_str_of("commands"));
        struct tn_json_writer json = {.builder = &own};
        assert_non_null(command);
        command = tn_value_member(command, tn_str_of(engine->name));
        assert_non_null(command);
        tn_builder_clear(&own);
        tn_builder_add_text(&own, "\"command\": ");
        tn_json_string(&json, command->as.string);
        struct tn_reply *second = call(context, tn_builder_str(&question.common), tn_builder_str(&own), &error);
        if (!second) {
            fail_msg("%s at %s\n%s\n%.*s", error.message, error.where, question.common.data,
                     (int)command->as.string.size, command->as.string.data);
        }
        struct tn_value again = read_reply(&arena, second);
        compare(&planned, &again, &question, command->as.string);
        tn_reply_free(second);
    }
    tn_reply_free(plan);
    tn_reply_free(first);
    tn_builder_free(&question.common);
    tn_builder_free(&question.own);
    tn_builder_free(&own);
    tn_arena_free(&arena);
    return first ? SAME : is_unsayable ? UNSAYABLE : REFUSED;
}

static void commands_are_read_back_as_the_same_plan(void **state)
{
    (void)state;
    struct tn_context *context = tn_context_open(NULL);
    assert_non_null(context);
    for (size_t k = 0; k < sizeof engines / sizeof engines[0]; k++) {
        int outcomes[OUTCOMES] = {0};
        seed = k + 1;
        for (int one = 0; one < engines[k].cases; one++) {
            outcomes[round_trip(context, &engines[k])]++;
        }
        print_message("%s: %d deployments are the same, %d cannot be said, %d are refused\n", engines[k].name,
                      outcomes[SAME], outcomes[UNSAYABLE], outcomes[REFUSED]);
        assert_true(outcomes[SAME] > engines[k].cases / 2);
        assert_true(outcomes[UNSAYABLE] < engines[k].cases / 8 + 1);
    }
    tn_context_close(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_read_back_as_the_same_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
