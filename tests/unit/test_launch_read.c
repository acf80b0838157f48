/* Commands as people have them: what each says, in one line of text written down by hand from the engines' own manuals. */
#include "launch/options_file.h"
#include "launch/read.h"
#include "real_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add_assignments(struct tn_builder *text, const char *mark, const struct tn_assignment *sets, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        tn_builder_add_text(text, mark);
        tn_builder_add(text, sets[k].name);
        tn_builder_add_char(text, '=');
        tn_builder_add(text, sets[k].value);
    }
}

static void add_names(struct tn_builder *text, const char *mark, const struct tn_option_names *list)
{
    for (size_t k = 0; k < list->count; k++) {
        tn_builder_add_text(text, mark);
        tn_builder_add(text, list->names[k]);
    }
}

/* "vllm@0.11.0 MODEL a=1 --tp=2 pass:--port unplanned:--x unknown:--y" */
static void write_launch(const struct tn_launch *launch, struct tn_builder *text)
{
    tn_builder_add_text(text, launch->engine->name);
    tn_builder_add_text(text, launch->version.size ? "@" : "");
    tn_builder_add(text, launch->version);
    tn_builder_add_text(text, launch->model.size ? " " : "");
    tn_builder_add_text(text, launch->model_is_of_ollama ? "ollama:" : "");
    tn_builder_add(text, launch->model);
    tn_builder_add_text(text, launch->revision.size ? "@" : "");
    tn_builder_add(text, launch->revision);
    add_assignments(text, " ", launch->sets, launch->set_count);
    add_assignments(text, " --", launch->inputs, launch->input_count);
    add_names(text, " pass:", &launch->passed);
    add_names(text, " unplanned:", &launch->unplanned);
    add_names(text, " unknown:", &launch->unknown);
}

struct reading {
    const char *command;
    const char *wanted;
};

static void check_readings(const struct reading *readings, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct tn_arena arena = {0};
        struct tn_launch launch;
        struct tn_error error = {0};
        struct tn_builder text = {0};
        if (!tn_launch_read(real.catalog, &arena, tn_str_of(readings[k].command), &launch, &error)) {
            fail_msg("%s\n%s", readings[k].command, error.message);
        }
        write_launch(&launch, &text);
        if (strcmp(text.data, readings[k].wanted) != 0) {
            fail_msg("%s\nis    %s\nnot   %s", readings[k].command, text.data, readings[k].wanted);
        }
        tn_builder_free(&text);
        tn_arena_free(&arena);
    }
}

#define CHECK(readings) check_readings(readings, sizeof(readings) / sizeof(readings)[0])

static void options_of_vllm(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"vllm serve org/model", "vllm org/model"},
        {"vllm serve --model org/model --revision abc", "vllm org/model@abc"},
        {"vllm serve org/model --tensor-parallel-size 2 -pp=2 -dp 4 --enable-expert-parallel",
         "vllm org/model tensor_parallel_size=2 pipeline_parallel_size=2 data_parallel_size=4 "
         "enable_expert_parallel=true"},
        {"vllm serve org/model --tensor_parallel_size=2 --max-model-len=4096",
         "vllm org/model tensor_parallel_size=2 max_model_len=4096"},
        /* vLLM's own reading: k is 1000, K is 1024 */
        {"vllm serve m --max-model-len 32k", "vllm m max_model_len=32000"},
        {"vllm serve m --max-model-len 32K", "vllm m max_model_len=32768"},
        {"vllm serve m --max-model-len 25.6k", "vllm m max_model_len=25600"},
        {"vllm serve m --kv-cache-memory-bytes 16G", "vllm m kv_cache_memory_bytes=17179869184"},
        {"vllm serve m --max-model-len auto", "vllm m unplanned:--max-model-len"},
        {"vllm serve m --max-num-seqs 64 --max-num-seqs 128", "vllm m max_num_seqs=128"},
        {"vllm serve m --no-enable-prefix-caching --enable-chunked-prefill=False",
         "vllm m enable_prefix_caching=false enable_chunked_prefill=false"},
        {"vllm serve m --speculative-config '{\"method\": \"mtp\", \"num_speculative_tokens\": 2, \"model\": \"d\"}'",
         "vllm m speculative_method=mtp num_speculative_tokens=2 unplanned:--speculative-config.model"},
        {"vllm serve m --speculative-config.num_speculative_tokens 3", "vllm m num_speculative_tokens=3"},
        {"vllm serve m --limit-mm-per-prompt '{\"image\": 2}'", "vllm m limit_mm_per_prompt=2"},
        {"vllm serve m --limit-mm-per-prompt image=2,video=0",
         "vllm m limit_mm_per_prompt=2 unplanned:--limit-mm-per-prompt.video"},
        {"vllm serve m --dtype half", "vllm m dtype=half"},
        {"vllm serve m --dtype float32", "vllm m dtype=float32 --dtype=fp32"},
        {"vllm serve m --port 80 --trust-remote-code --swap-space 4 --brand-new 7 --other-new",
         "vllm m pass:--port pass:--trust-remote-code unplanned:--swap-space unknown:--brand-new unknown:--other-new"},
        {"python3 -m vllm.entrypoints.openai.api_server --model m --gpu-memory-utilization .9",
         "vllm m gpu_memory_utilization=.9"},
        {"python -m vllm.entrypoints.api_server --model m", "vllm m"},
    };
    CHECK(readings);
}

static void options_of_sglang(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"python3 -m sglang.launch_server --model-path m --tp 8 --mem-fraction-static 0.85 --context-length 8192",
         "sglang m tp_size=8 mem_fraction_static=0.85 context_length=8192"},
        {"sglang serve --model m --tensor-parallel-size 2", "sglang m tp_size=2"},
        /* copies are ours, groups of attention are SGLang's */
        {"python -m sglang.launch_server --model m --dp-size 2", "sglang m --dp=2"},
        {"python -m sglang.launch_server --model m --tp 8 --dp 8 --enable-dp-attention",
         "sglang m tp_size=8 dp_size=8 enable_dp_attention=true"},
        {"python -m sglang.launch_server --model m --chunked-prefill-size -1",
         "sglang m unplanned:--chunked-prefill-size"},
        {"python -m sglang.launch_server --model m --quantization fp8 --cuda-graph-max-bs-decode 8",
         "sglang m cuda_graph_max_bs=8 unplanned:--quantization"},
    };
    CHECK(readings);
}

static void options_of_trtllm(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"trtllm-serve m --tp_size 4 --kv_cache_free_gpu_memory_fraction 0.8",
         "trtllm m tensor_parallel_size=4 free_gpu_memory_fraction=0.8"},
        {"trtllm-serve serve m --tensor-parallel-size=4", "trtllm m tensor_parallel_size=4"},
        {"trtllm-serve m --config x.yaml", "trtllm m unplanned:--config"}, /* a file that is not here */
        {"cat > x.yaml <<EOF\nenable_attention_dp: true\nkv_cache_config:\n  dtype: fp8 # half\n"
         "  max_attention_window: [512, 1024]\ncuda_graph_config:\n  max_batch_size: 8\nEOF\n"
         "trtllm-serve m --extra_llm_api_options x.yaml",
         "trtllm m enable_attention_dp=true kv_cache_dtype=fp8 max_attention_window=512,1024 "
         "cuda_graph_max_batch_size=8"},
        {"cat <<'EOF' > x.yaml\nkv_cache_config:\n  max_attention_window:\n  - 512\n  - 1024\ncuda_graph_config: null\n"
         "novel: {a: 1}\nEOF\nmpirun -n 2 trtllm-llmapi-launch trtllm-serve m --config x.yaml",
         "trtllm m max_attention_window=512,1024 cuda_graph_max_batch_size=0 unknown:novel"},
    };
    CHECK(readings);
}

static void options_of_llamacpp(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"./build/bin/llama-server -m a/b.gguf -c 8192 -ngl 99",
         "llamacpp a/b.gguf n_ctx=8192 n_gpu_layers=99 --context=8192"},
        /* cells of all sequences: each has its share, unless they are unified */
        {"llama-server -m b.gguf -c 8192 -np 4", "llamacpp b.gguf n_ctx=8192 parallel=4 --context=2048"},
        {"llama-server -m b.gguf -c 8192 -np 4 -kvu",
         "llamacpp b.gguf n_ctx=8192 parallel=4 kv_unified=true --context=8192"},
        {"llama-server -m b.gguf -c 0", "llamacpp b.gguf"},
        {"llama-server -m b.gguf -fa", "llamacpp b.gguf flash_attn=on"},
        {"llama-server -m b.gguf -fa off --jinja", "llamacpp b.gguf flash_attn=off pass:--jinja"},
        {"llama-server -m b.gguf -ctk q8_0 -ctv q8_0", "llamacpp b.gguf --kv-dtype=q8_0"},
        {"llama-server -m b.gguf -ctk q8_0", "llamacpp b.gguf type_k=q8_0"},
        {"llama-server -m b.gguf -ngl -1 -ncmoe 10", "llamacpp b.gguf n_gpu_layers=auto n_cpu_moe=10"},
        {"llama-server -m b.gguf -ot 'blk\\.1.*=CPU' -ot \"blk\\.2.*=CPU\"",
         "llamacpp b.gguf override_tensor=blk\\.1.*=CPU,blk\\.2.*=CPU"},
        {"llama-server -m b.gguf -fitt 2048 --fit-ctx 8192", "llamacpp b.gguf fit_target=2147483648 fit_ctx=8192"},
        {"CUDA_VISIBLE_DEVICES=0,1 llama-cli -m b.gguf -dev CUDA0,CUDA1,CUDA2", "llamacpp b.gguf server=false --pp=3"},
        {"llama-server -m b.gguf -dev none", "llamacpp b.gguf device=none"},
        {"LLAMA_ARG_CTX_SIZE=4096 LLAMA_ARG_N_GPU_LAYERS=20 llama-server -hf org/name-GGUF:Q4_K_M",
         "llamacpp org/name-GGUF:Q4_K_M n_ctx=4096 n_gpu_layers=20 --context=4096"},
        {"llama-server.exe -m C:\\\\m\\\\b.gguf", "llamacpp C:\\m\\b.gguf"},
    };
    CHECK(readings);
}

static void options_of_ollama(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"ollama run llama3.1:8b", "ollama ollama:llama3.1:8b"},
        {"export OLLAMA_NUM_PARALLEL=4\nOLLAMA_KV_CACHE_TYPE=q8_0 ollama serve",
         "ollama OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_NUM_PARALLEL=4"},
        {"cat > Modelfile <<EOF\nFROM ./b.gguf\n# words\nPARAMETER num_ctx 8192\nPARAMETER stop \"x\"\nSYSTEM "
         "hello\nEOF\n"
         "ollama create mine -f Modelfile && ollama run mine",
         "ollama ./b.gguf num_ctx=8192 pass:-f pass:stop"},
    };
    CHECK(readings);
}

static void shells_containers_and_prompts(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"$ vllm serve m \\\n    --max-model-len 4096 \\  \n    --enforce-eager   # quick\n",
         "vllm m max_model_len=4096 enforce_eager=true"},
        {"nohup vllm serve m --max-num-seqs 8 > log.txt 2>&1 &", "vllm m max_num_seqs=8"},
        {"cd /tmp && VLLM_USE_V1=1 HF_TOKEN=x sudo -E vllm serve 'my model'", "vllm my model"},
        {"docker run --gpus all -e A=1 -p 8000:8000 vllm/vllm-openai:v0.11.0 --model m --tensor-parallel-size 2",
         "vllm@0.11.0 m tensor_parallel_size=2"},
        {"docker run docker.io/vllm/vllm-openai:v0.10.1.1 m", "vllm@0.10.1.1 m"},
        {"docker run vllm/vllm-openai:latest m", "vllm m"},
        {"docker run --env CUDA_VISIBLE_DEVICES=0,1 ghcr.io/ggml-org/llama.cpp:server-cuda-b6500 -m b.gguf",
         "llamacpp@b6500 b.gguf --pp=2"},
        {"docker run lmsysorg/sglang:v0.5.6-cu126 python3 -m sglang.launch_server --model m", "sglang@0.5.6 m"},
        {"docker run my/vllm:1 bash -c \"vllm serve m --max-num-seqs 4\"", "vllm m max_num_seqs=4"},
        {"docker run -e CUDA_VISIBLE_DEVICES=0 vllm/vllm-openai:v0.19.0 sh -c 'sleep 1; exec vllm serve m "
         "--max-num-seqs 4'",
         "vllm@0.19.0 m max_num_seqs=4"},
        {"docker run nvcr.io/nvidia/tensorrt-llm/release:1.2.0rc6 trtllm-serve m", "trtllm@1.2.0rc6 m"},
        {"vllm serve $(cat name) --max-num-seqs 2", "vllm $(cat name) max_num_seqs=2"},
        {"(vllm serve a) | tee log; vllm serve b", "vllm a unknown:b"},
    };
    CHECK(readings);
}

static void broken_commands_are_errors_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int64_t offset; /* -1: none */
        const char *message;
    } cases[] = {
        {"", -1, "no command of an engine"},
        {"ls -l", -1, "no command of an engine"},
        {"vllm bench m", -1, "no command of an engine"},
        {"vllm serve m --max-model-len 4x", 29, "takes a number such as 32768 or 32k, not '4x'"},
        {"vllm serve m --max-model-len=4x", 13, "takes a number such as 32768 or 32k, not '4x'"},
        {"vllm serve m --max-model-len", 13, "--max-model-len has no value"},
        {"vllm serve m --gpu-memory-utilization high", 38, "takes a number such as 0.9, not 'high'"},
        {"vllm serve m --block-size 1.5", 26, "takes a whole number, not '1.5'"},
        {"vllm serve m --enforce-eager=maybe", 13, "takes true or false, or no value"},
        {"vllm serve m --speculative-config '{\"method\"'", 34, "takes a JSON object"},
        {"vllm serve m --speculative-config '{]'", 34, "takes a JSON object"},
        {"llama-server -m b.gguf -ngl most", 28, "takes a number of layers, auto or all"},
        {"llama-server -m b.gguf -fitt 1024,2048", 29, "takes one number of MiB"},
        {"vllm serve 'm", 11, "a quote begins here"},
        {"vllm serve \"m", 11, "a quote begins here"},
        {"cat > x <<END\na: 1\n", 10, "has no line 'END'"},
        {"bash -c 'vllm serve m --block-size x'", 8, "takes a whole number"},
        {"cat > x <<END\njust words\nEND\ntrtllm-serve m --config x", 53, "line 1 of the options file"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_launch launch;
        struct tn_error error = {.offset = -1};
        if (tn_launch_read(real.catalog, &arena, tn_str_of(cases[k].command), &launch, &error)) {
            fail_msg("%s: is read", cases[k].command);
        }
        if (error.code != TN_ERROR_USAGE || error.offset != cases[k].offset
            || !strstr(error.message, cases[k].message)) {
            fail_msg("%s: %s, byte %lld", cases[k].command, error.message, (long long)error.offset);
        }
        tn_arena_free(&arena);
    }
}

static void a_command_has_at_most_a_mebibyte(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_arena arena = {0};
    struct tn_launch launch;
    struct tn_error error = {0};
    tn_builder_add_text(&text, "vllm serve m ");
    tn_builder_add_repeated(&text, "-x 1 ", TN_SHELL_MOST_BYTES / 5);
    assert_false(tn_launch_read(real.catalog, &arena, tn_builder_str(&text), &launch, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    tn_builder_free(&text);
    tn_arena_free(&arena);
}

/* ---- quotes ------------------------------------------------------------------------------------------------------- */

static void words_survive_the_shell(void **state)
{
    (void)state;
    static const char *const words[] = {"",           "plain", "two words", "it's",  "\"quoted\"", "$HOME", "a\\b",
                                        "a\nb",       "`x`",   "*",         "#hash", "a=b",        "~",     "-x",
                                        "{\"a\": 1}", "<>",    "a;b",       "'",     "''",         "\t"};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        struct tn_builder text = {0};
        struct tn_arena arena = {0};
        struct tn_shell shell;
        tn_builder_add_text(&text, "first ");
        tn_shell_write_word(&text, tn_str_of(words[k]));
        assert_true(tn_shell_read(&arena, tn_builder_str(&text), &shell, NULL));
        assert_int_equal(shell.command_count, 1);
        assert_int_equal(shell.commands[0].word_count, 2);
        assert_true(tn_str_is(shell.commands[0].words[1].text, words[k]));
        tn_builder_free(&text);
        tn_arena_free(&arena);
    }
}

static void scalars_are_quoted_where_yaml_would_read_something_else(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"plain", "plain"},
        {"org/model-1.5", "org/model-1.5"},
        {"--max-model-len", "--max-model-len"},
        {"1", "\"1\""},
        {"0.9", "\"0.9\""},
        {"true", "\"true\""},
        {"No", "\"No\""},
        {"null", "\"null\""},
        {"", "\"\""},
        {"-", "\"-\""},
        {"a: b", "\"a: b\""},
        {"a #b", "\"a #b\""},
        {"{\"a\": 1}", "\"{\\\"a\\\": 1}\""},
        {"a\\b", "\"a\\\\b\""},
        {"a\nb", "\"a\\nb\""},
        {"\x01", "\"\\x01\""},
        {"1e5", "\"1e5\""},
        {"12:30", "\"12:30\""},
        {"0x1f", "\"0x1f\""},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_builder text = {0};
        tn_yaml_write_scalar(&text, tn_str_of(cases[k].command));
        assert_string_equal(text.data, cases[k].wanted);
        tn_builder_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_vllm),
        cmocka_unit_test(options_of_sglang),
        cmocka_unit_test(options_of_trtllm),
        cmocka_unit_test(options_of_llamacpp),
        cmocka_unit_test(options_of_ollama),
        cmocka_unit_test(shells_containers_and_prompts),
        cmocka_unit_test(broken_commands_are_errors_with_their_place),
        cmocka_unit_test(a_command_has_at_most_a_mebibyte),
        cmocka_unit_test(words_survive_the_shell),
        cmocka_unit_test(scalars_are_quoted_where_yaml_would_read_something_else),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
