/* The table of inputs, and reading values by their type. */
#include "api/inputs.h"

#include "text/quantity.h"

#define PLANS "plan table fit"
#define DEPLOYS PLANS " tokens" /* where the length of requests is counted, and their number is the answer */
#define DESCRIBES \
    DEPLOYS " measure diagnose" /* of `measure` and `diagnose` they say what the command is, and the log */
#define WITH_MODEL PLANS " inspect tokens measure"

const struct tn_input_row tn_inputs[TN_INPUT_COUNT] = {
    [TN_INPUT_MODEL] =
        {"model", TN_INPUT_LIST, "MODEL", NULL, WITH_MODEL " models diagnose",
         "a catalog name, a folder, a config.json, a .safetensors or .gguf file, hf:ORG/NAME, ollama:NAME, or a URL"},
    [TN_INPUT_RECORDS] = {"records", TN_INPUT_LIST, "RECORDS.jsonl", NULL, "score calibrate",
                          "files of measured records, one JSON object a line"},
    [TN_INPUT_PROMPT] = {"text", TN_INPUT_LIST, "TEXT", NULL, "tokens",
                         "the text to count, several joined by spaces; -: standard input, as where there is none"},
    [TN_INPUT_LOG] = {"log", TN_INPUT_LIST, "LOG", NULL, "diagnose", "the log of an engine; -: standard input"},
    [TN_INPUT_RUN] = {"run", TN_INPUT_LIST, "COMMAND", NULL, "measure", "the command and its arguments, behind --"},
    [TN_INPUT_FILE] = {"file", TN_INPUT_LIST, "F", NULL, "tokens", "count this file, repeatable; -: standard input"},
    [TN_INPUT_TOKENIZER] =
        {"tokenizer", TN_INPUT_TEXT, "FILE", NULL, "tokens",
         "tokenizer.json, a SentencePiece .model, a .tiktoken file, a .gguf, a folder with one of them, or hf:ORG/NAME "
         "(default: that of --model; without one: an estimate)"},
    [TN_INPUT_FIELD] =
        {"field", TN_INPUT_TEXT, "NAME", NULL, "tokens",
         "the input is JSON Lines, one request a line: where its text or its messages stand, as prompt, messages, "
         "body.messages"},
    [TN_INPUT_CHAT] = {"chat", TN_INPUT_TEXT, "NAME", NULL, "tokens",
                       "what is written around messages: chatml, llama-3 or another format that `tonnage help tokens` "
                       "lists; none: nothing "
                       "(default: as the tokenizer's or the model's own)"},
    [TN_INPUT_IDS] = {"ids", TN_INPUT_FLAG, NULL, NULL, "tokens", "also show the ids of the tokens"},
    [TN_INPUT_PIECES] = {"pieces", TN_INPUT_FLAG, NULL, NULL, "tokens", "show the text as it is split into tokens"},
    [TN_INPUT_SPECIAL] =
        {"special", TN_INPUT_FLAG, NULL, NULL, "tokens",
         "also count what the tokenizer puts in front of and behind a text, such as <s> (default: the text alone)"},
    [TN_INPUT_JOBS] = {"jobs", TN_INPUT_NUMBER, "N", NULL, "tokens",
                       "threads for inputs of several MiB (default: one for each core, at most 8)"},
    [TN_INPUT_OUTPUT_TOKENS] = {"output-tokens", TN_INPUT_TOKENS, "N", NULL, "tokens",
                                "tokens that each request generates on top: memory is counted with them (default: 0)"},
    [TN_INPUT_ENGINE] =
        {"engine", TN_INPUT_TEXT, "NAME[@VERSION]", NULL, DESCRIBES " engines",
         "serving engine, and its version: vllm@0.19.0 (default: generic; of others the newest version)"},
    [TN_INPUT_GPU] = {"gpu", TN_INPUT_TEXT, "NAME[xCOUNT]", NULL, DESCRIBES,
                      "a GPU of the catalog, and how many: a100-80gbx2; several kinds: rtx-4090x2,rtx-3060; auto: "
                      "those of this machine"},
    [TN_INPUT_GPU_MEMORY] = {"gpu-memory", TN_INPUT_SIZE, "SIZE", NULL, DEPLOYS " diagnose",
                             "memory of one GPU, in place of the catalog's: 24GB, 80GiB; one for each: 24GB,12GB"},
    [TN_INPUT_DETECT] = {"detect", TN_INPUT_FLAG, NULL, NULL, "gpus",
                         "those of this machine, with what of each is in use, in place of the catalog's"},
    [TN_INPUT_INTERVAL] = {"interval", TN_INPUT_TIME, "TIME", NULL, "measure",
                           "from one sample to the next: 100ms (default), 2s"},
    [TN_INPUT_RECORD] = {"record", TN_INPUT_TEXT, "FILE", NULL, "measure",
                         "add what was measured to the file, as a line that `tonnage score` reads"},
    [TN_INPUT_OUTPUT] = {"output", TN_INPUT_TEXT, "FILE", NULL, "measure",
                         "write the answer to the file and not behind what the command prints"},
    [TN_INPUT_CONTEXT] = {"context", TN_INPUT_TOKENS, "N", NULL, PLANS " measure diagnose",
                          "tokens of one request, prompt and output: 4096, 4k, 128k (default: the model's maximum)"},
    [TN_INPUT_CONCURRENCY] = {"concurrency", TN_INPUT_NUMBER, "N", NULL, PLANS " diagnose",
                              "requests at once (default: 1)"},
    [TN_INPUT_DTYPE] =
        {"dtype", TN_INPUT_TEXT, "T", NULL, WITH_MODEL " diagnose",
         "dtype of the weights: fp32, fp16, bf16, fp8, int8, int4 ... (default: as the checkpoint has them)"},
    [TN_INPUT_QUANT] =
        {"quant", TN_INPUT_TEXT, "Q", NULL, WITH_MODEL " diagnose",
         "quantise the model: q4_k_m, awq, gptq, fp8-block, nvfp4 or another name that `tonnage help plan` lists"},
    [TN_INPUT_KV_DTYPE] = {"kv-dtype", TN_INPUT_TEXT, "T", NULL, DESCRIBES,
                           "dtype of the KV cache: auto, fp16, bf16, fp8, int8, q8_0, q4_0 ... (default: auto)"},
    [TN_INPUT_TP] = {"tp", TN_INPUT_NUMBER, "N", NULL, DESCRIBES, "tensor parallel (default: from the number of GPUs)"},
    [TN_INPUT_PP] = {"pp", TN_INPUT_NUMBER, "N", NULL, DESCRIBES,
                     "pipeline parallel (default: from the number of GPUs)"},
    [TN_INPUT_EP] = {"ep", TN_INPUT_NUMBER, "N", NULL, DESCRIBES,
                     "expert parallel, over the ranks of --tp x --dp (default: 1)"},
    [TN_INPUT_DP] = {"dp", TN_INPUT_NUMBER, "N", NULL, DESCRIBES,
                     "data parallel: whole copies of the model (default: 1)"},
    [TN_INPUT_PARAMS] = {"params", TN_INPUT_NUMBER, "N", NULL, DEPLOYS,
                         "a model by its numbers alone: parameters, 13B"},
    [TN_INPUT_LAYERS] = {"layers", TN_INPUT_NUMBER, "N", NULL, DEPLOYS, "with --params: layers"},
    [TN_INPUT_HIDDEN] = {"hidden", TN_INPUT_NUMBER, "N", NULL, DEPLOYS, "with --params: hidden size"},
    [TN_INPUT_HEADS] = {"heads", TN_INPUT_NUMBER, "N", NULL, DEPLOYS, "with --params: attention heads"},
    [TN_INPUT_KV_HEADS] = {"kv-heads", TN_INPUT_NUMBER, "N", NULL, DEPLOYS,
                           "with --params: KV heads (default: as --heads)"},
    [TN_INPUT_HEAD_DIM] = {"head-dim", TN_INPUT_NUMBER, "N", NULL, DEPLOYS,
                           "with --params: size of one head (default: hidden / heads)"},
    [TN_INPUT_OVERHEAD] = {"overhead", TN_INPUT_SHARE, "P", NULL, DEPLOYS,
                           "generic engine: overhead as a share of weights and KV (default: 10%)"},
    [TN_INPUT_SET] = {"set", TN_INPUT_PAIRS, "KEY=VALUE", NULL, DESCRIBES,
                      "a setting of the engine under its own name, repeatable: `tonnage engines NAME` lists them"},
    [TN_INPUT_NO_CALIBRATION] = {"no-calibration", TN_INPUT_FLAG, NULL, NULL, DEPLOYS,
                                 "plan without the measurements that `tonnage calibrate` keeps"},
    [TN_INPUT_LIST_RUNS] = {"list", TN_INPUT_FLAG, NULL, NULL, "calibrate", "also list every measurement that is kept"},
    [TN_INPUT_EXPORT] =
        {"export", TN_INPUT_FLAG, NULL, NULL, "calibrate",
         "write the measurements that are kept as JSON Lines, which `tonnage calibrate` takes elsewhere"},
    [TN_INPUT_FORGET] = {"forget", TN_INPUT_LIST, "ID", NULL, "calibrate",
                         "forget the measurements of that id, repeatable; all: every one"},
    [TN_INPUT_PRICE] = {"price", TN_INPUT_PAIRS, "GPU=USD", NULL, "gpus fit",
                        "US dollars for an hour of a GPU, in place of the catalog's, repeatable: h100=2.50"},
    [TN_INPUT_COMMAND] = {"command", TN_INPUT_TEXT, "TEXT", NULL, "plan fit",
                          "plan what a command starts: 'vllm serve ...', docker run, sglang, trtllm-serve, "
                          "llama-server, ollama; -: standard input, "
                          "@FILE: a script"},
    [TN_INPUT_EMIT] = {"emit", TN_INPUT_CHOICE, "TARGET", "vllm sglang trtllm llamacpp ollama compose kubernetes",
                       "plan fit",
                       "write the command that starts the plan, or the answer of fit, for a shell, as a Compose file, "
                       "or as Kubernetes objects"},
    [TN_INPUT_MOST] =
        {"max", TN_INPUT_CHOICE, "WHAT", "context concurrency tokens layers", "fit",
         "the longest context, the most requests at once, the most tokens of all requests together, or, of "
         "llama.cpp, the most layers on GPUs"},
    [TN_INPUT_LEAST] = {"min", TN_INPUT_CHOICE, "WHAT", "gpus cost", "fit",
                        "the fewest GPUs, or the cheapest, for --context and --concurrency"},
    [TN_INPUT_BEST] = {"best", TN_INPUT_CHOICE, "WHAT", "quant kv-dtype", "fit",
                       "the quantisation of the weights, or the dtype of the KV cache, with the most bits that fits"},
    [TN_INPUT_GPUS] =
        {"gpus", TN_INPUT_LIST, "NAMES", NULL, "fit",
         "GPUs to choose from, separated by commas: a100-80gb,h100-80gb,l40s (default: all with a price)"},
    [TN_INPUT_MAX_GPUS] = {"max-gpus", TN_INPUT_NUMBER, "N", NULL, "fit", "at most so many GPUs (default: 8)"},
    [TN_INPUT_MAX_COST] = {"max-cost", TN_INPUT_COST, "USD", NULL, "fit",
                           "at most so many US dollars an hour for all GPUs: 20, 20/h"},
    [TN_INPUT_REQUESTS] = {"requests", TN_INPUT_TEXT, "FILE", NULL, "fit",
                           "lengths of real requests: how many fit at once. A trace of Azure, Mooncake, Bailian, "
                           "BurstGPT or vidur, CSV or "
                           "JSON Lines, or lengths alone"},
    [TN_INPUT_MODELS] = {"models", TN_INPUT_TEXT, "DIR", NULL, PLANS " inspect tokens score calibrate diagnose",
                         "also look for MODEL among DIR/*.json"},
    [TN_INPUT_TENSORS] = {"tensors", TN_INPUT_FLAG, NULL, NULL, "inspect",
                          "show the table of tensors; with --json every tensor, not only the groups"},
    [TN_INPUT_CHECK] = {"check", TN_INPUT_FLAG, NULL, NULL, "inspect",
                        "compare the tensors of the files with the record; draft one where there is none"},
    [TN_INPUT_DETAILS] = {"details", TN_INPUT_FLAG, NULL, NULL, "score tokens",
                          "also list every record with its errors, or every request with its tokens"},
    [TN_INPUT_FAMILY] = {"family", TN_INPUT_TEXT, "F", NULL, "models",
                         "only models of this family, such as llama or qwen"},
    [TN_INPUT_ARCHITECTURE] = {"architecture", TN_INPUT_TEXT, "A", NULL, "models",
                               "only models whose architecture's name contains this"},
    [TN_INPUT_MIN_PARAMS] = {"min-params", TN_INPUT_NUMBER, "N", NULL, "models",
                             "only models of at least N parameters: 7B"},
    [TN_INPUT_MAX_PARAMS] = {"max-params", TN_INPUT_NUMBER, "N", NULL, "models",
                             "only models of at most N parameters: 70B"},
    [TN_INPUT_SORT] =
        {"sort", TN_INPUT_CHOICE, "BY", "name params context released", "models",
         "name, params, context or released, the largest or newest first (default: as the catalog has them)"},
    [TN_INPUT_LISTEN] =
        {"listen", TN_INPUT_TEXT, "ADDRESS:PORT", NULL, "serve",
         "where to listen; port 0: any that is free (default: 127.0.0.1:8080; under systemd its socket)"},
    [TN_INPUT_ALLOW_FILES] = {"allow-files", TN_INPUT_LIST, "DIR", NULL, "serve",
                              "requests may name files below this folder, repeatable (default: none)"},
    [TN_INPUT_ALLOW_REMOTE] = {"allow-remote", TN_INPUT_LIST, "HOST", NULL, "serve",
                               "requests may name models on this host, huggingface.co, repeatable (default: none)"},
    [TN_INPUT_MAX_BODY] = {"max-body", TN_INPUT_SIZE, "SIZE", NULL, "serve",
                           "the largest body of a request (default: 8MiB)"},
    [TN_INPUT_MAX_CONNECTIONS] = {"max-connections", TN_INPUT_NUMBER, "N", NULL, "serve",
                                  "connections at once (default: 1000)"},
    [TN_INPUT_TIMEOUT] = {"timeout", TN_INPUT_TIME, "TIME", NULL, "serve",
                          "close a connection that is silent for so long (default: 15s)"},
    [TN_INPUT_MAX_TIME] = {"max-time", TN_INPUT_TIME, "TIME", NULL, "serve",
                           "give up an answer that takes longer to compute (default: 10s)"},
    [TN_INPUT_THREADS] = {"threads", TN_INPUT_NUMBER, "N", NULL, "serve",
                          "threads that answer (default: one for each core)"},
    [TN_INPUT_CHART] =
        {"chart", TN_INPUT_CHOICE, "NAME", "bars context grid", "plan",
         "only that drawing, in any format: bars, what is in each GPU; context, memory against context for several "
         "numbers of requests; grid, context x concurrency by whether it fits"},
    [TN_INPUT_FORMAT] = {"format", TN_INPUT_CHOICE, "F", "text json jsonl csv md html svg", "*",
                         "text, json, csv, md, html or svg (default: text), of tokens also jsonl: an object a line, "
                         "written while they are counted; --json is short for --format json"},
    [TN_INPUT_WIDTH] = {"width", TN_INPUT_NUMBER, "N", NULL, "*",
                        "width of an SVG drawing in pixels, from 320 (default: 960)"},
    [TN_INPUT_EXPLAIN] = {"explain", TN_INPUT_FLAG, NULL, NULL, "plan inspect",
                          "show the formula of every number, what was put into it, and where that came from"},
    [TN_INPUT_UNITS] = {"units", TN_INPUT_CHOICE, "U", "iec si", "*",
                        "iec: GiB of 2^30 bytes (default), si: GB of 10^9 bytes"},
    [TN_INPUT_LANG] =
        {"lang", TN_INPUT_CHOICE, "L", "en zh", "*",
         "language of what people read: en (default) or zh; options, errors, names and what engines write "
         "stay as they are"},
    [TN_INPUT_COLOR] = {"color", TN_INPUT_CHOICE, "WHEN", "auto always never", "*",
                        "auto (default): on a terminal only"},
};

static bool same_name(const char *row, struct tn_str name)
{
    size_t k = 0;
    for (; k < name.size && row[k]; k++) {
        char c = name.data[k] == '_' ? '-' : name.data[k];
        if (c != row[k]) {
            return false;
        }
    }
    return k == name.size && !row[k];
}

static bool words_contain(const char *words, struct tn_str wanted)
{
    struct tn_str rest = tn_str_of(words);
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        if (tn_str_equal(word, wanted)) {
            return true;
        }
    }
    return false;
}

bool tn_input_applies(enum tn_input input, struct tn_str operation)
{
    return tn_str_is(tn_str_of(tn_inputs[input].operations), "*")
           || words_contain(tn_inputs[input].operations, operation);
}

enum tn_input tn_input_find(struct tn_str name, struct tn_str operation)
{
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (same_name(tn_inputs[k].name, name) && tn_input_applies((enum tn_input)k, operation)) {
            return (enum tn_input)k;
        }
    }
    return TN_INPUT_COUNT;
}

bool tn_input_is_local(enum tn_input input)
{
    static const bool rows[TN_INPUT_COUNT] = {
        [TN_INPUT_RECORDS] = true,        [TN_INPUT_RUN] = true,       [TN_INPUT_FILE] = true,
        [TN_INPUT_JOBS] = true,           [TN_INPUT_DETECT] = true,    [TN_INPUT_INTERVAL] = true,
        [TN_INPUT_RECORD] = true,         [TN_INPUT_OUTPUT] = true,    [TN_INPUT_MODELS] = true,
        [TN_INPUT_NO_CALIBRATION] = true, [TN_INPUT_LIST_RUNS] = true, [TN_INPUT_EXPORT] = true,
        [TN_INPUT_FORGET] = true,         [TN_INPUT_COLOR] = true,
    };
    return rows[input];
}

static bool fail_value(enum tn_input input, struct tn_str text, const char *wanted, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE, "--%s '" TN_STR_FORMAT "' is not %s", tn_inputs[input].name, TN_STR_ARGUMENTS(text),
            wanted);
    return tn_fail_at(error, -1, "--%s", tn_inputs[input].name);
}

static bool is_repeatable(enum tn_input input)
{
    return tn_inputs[input].type == TN_INPUT_LIST || tn_inputs[input].type == TN_INPUT_PAIRS;
}

static bool is_pair(struct tn_str text)
{
    size_t mark = tn_str_find(text, TN_STR("="));
    return mark > 0 && mark < text.size - 1;
}

static bool append_item(struct tn_request *request, struct tn_input_value *value, struct tn_str item,
                        struct tn_error *error)
{
    void *grown = tn_arena_grow(request->arena, value->items, value->item_count, value->item_count + 1, sizeof item);
    if (!grown) {
        return tn_fail_memory(error);
    }
    value->items = grown;
    value->items[value->item_count++] = item;
    return true;
}

/* One size, or several separated by commas: the smallest counts. */
static bool read_sizes(struct tn_str text, uint64_t *smallest)
{
    struct tn_str rest = text;
    *smallest = UINT64_MAX;
    for (bool is_last = false; !is_last;) {
        uint64_t bytes;
        size_t end = tn_str_find(rest, TN_STR(","));
        is_last = end == SIZE_MAX;
        if (!tn_quantity_bytes(tn_str_trim(tn_str_slice(rest, 0, end)), &bytes)) {
            return false;
        }
        *smallest = bytes < *smallest ? bytes : *smallest;
        rest = is_last ? rest : tn_str_slice(rest, end + 1, rest.size);
    }
    return true;
}

static bool read_number(enum tn_input input, struct tn_str text, uint64_t *number, struct tn_error *error)
{
    switch (tn_inputs[input].type) {
    case TN_INPUT_TOKENS:
        return tn_quantity_tokens(text, number)
               || fail_value(input, text, "a number of tokens such as 4096, 4k or 128k", error);
    case TN_INPUT_NUMBER:
        return tn_quantity_number(text, number) || fail_value(input, text, "a number such as 8, 1000 or 13B", error);
    case TN_INPUT_COST:
        return tn_quantity_usd_per_hour(text, number)
               || fail_value(input, text, "US dollars an hour such as 20, 2.50 or 20/h", error);
    case TN_INPUT_SIZE:
        return read_sizes(text, number) || fail_value(input, text, "a size such as 24GB or 80GiB", error);
    case TN_INPUT_TIME:
        return tn_quantity_time(text, number) || fail_value(input, text, "a time such as 100ms or 2s", error);
    default:
        return tn_quantity_share(text, number) || fail_value(input, text, "a share such as 10% or 0.1", error);
    }
}

static bool check_range(enum tn_input input, struct tn_str text, uint64_t number, struct tn_error *error)
{
    bool may_be_zero = input == TN_INPUT_OVERHEAD;
    bool is_parallel = (input >= TN_INPUT_TP && input <= TN_INPUT_DP) || input == TN_INPUT_MAX_GPUS;
    if ((input == TN_INPUT_JOBS || input == TN_INPUT_THREADS) && number > 256) {
        return fail_value(input, text, "at most 256", error);
    }
    if (input == TN_INPUT_MAX_CONNECTIONS && number > 1000000) {
        return fail_value(input, text, "at most 1000000", error);
    }
    if (input == TN_INPUT_WIDTH && (number < 320 || number > 4096)) {
        return fail_value(input, text, "between 320 and 4096", error);
    }
    if (tn_inputs[input].type == TN_INPUT_TIME && number > 3600000) {
        return fail_value(input, text, "at most an hour", error);
    }
    if (!number && !may_be_zero) {
        return fail_value(input, text, "at least 1", error);
    }
    if (input == TN_INPUT_OVERHEAD && number > 100 * UINT64_C(1000000)) {
        return fail_value(input, text, "at most 10000%", error);
    }
    return !is_parallel || number <= 4096 || fail_value(input, text, "at most 4096", error);
}

bool tn_request_set(struct tn_request *request, enum tn_input input, struct tn_str text, struct tn_error *error)
{
    const struct tn_input_row *row = &tn_inputs[input];
    struct tn_input_value *value = &request->values[input];
    if (value->given && !is_repeatable(input)) {
        tn_fail(error, TN_ERROR_USAGE, "--%s is given twice", row->name);
        return tn_fail_at(error, -1, "--%s", row->name);
    }
    if (row->type != TN_INPUT_FLAG && !text.size && input != TN_INPUT_PROMPT && input != TN_INPUT_RUN) {
        return fail_value(input, text, "a value: it is empty", error);
    }
    if (row->type == TN_INPUT_PAIRS && !is_pair(text)) {
        return fail_value(
            input, text, input == TN_INPUT_PRICE ? "GPU=USD, such as h100=2.50" : "KEY=VALUE, such as max_num_seqs=256",
            error);
    }
    value->given = true;
    value->text = value->item_count ? value->text : text;
    switch (row->type) {
    case TN_INPUT_TEXT:
        return true;
    case TN_INPUT_LIST:
    case TN_INPUT_PAIRS:
        return append_item(request, value, text, error);
    case TN_INPUT_FLAG:
        value->flag = !tn_str_is(text, "false");
        return true;
    case TN_INPUT_CHOICE:
        return words_contain(row->choices, text) || fail_value(input, text, row->choices, error);
    default:
        return read_number(input, text, &value->number, error) && check_range(input, text, value->number, error);
    }
}

static bool fail_kind(enum tn_input input, const struct tn_value *value, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE, "key '%s' cannot be %s", tn_inputs[input].name, tn_kind_name(value->kind));
    return tn_fail_at(error, value->offset, "%s", tn_inputs[input].name);
}

static bool is_scalar(const struct tn_value *value)
{
    return value->kind == TN_STRING || value->kind == TN_INTEGER || value->kind == TN_REAL || value->kind == TN_BOOL;
}

/* A JSON value as the text that the command line would have had. */
static void write_value(struct tn_builder *text, const struct tn_value *value)
{
    if (value->kind == TN_STRING) {
        tn_builder_add(text, value->as.string);
    } else if (value->kind == TN_BOOL) {
        tn_builder_add_text(text, value->as.boolean ? "true" : "false");
    } else if (value->kind == TN_INTEGER) {
        tn_builder_addf(text, "%lld", (long long)value->as.integer);
    } else {
        tn_builder_add_real(text, value->as.real);
    }
}

static bool set_from_builder(struct tn_request *request, enum tn_input input, struct tn_builder *builder,
                             struct tn_error *error)
{
    struct tn_str text;
    bool done =
        (!builder->failed && tn_str_copy(request->arena, tn_builder_str(builder), &text)) || tn_fail_memory(error);
    tn_builder_free(builder);
    return done && tn_request_set(request, input, text, error);
}

static bool read_scalar(struct tn_request *request, enum tn_input input, const struct tn_value *value,
                        struct tn_error *error)
{
    if (!is_scalar(value) || (value->kind == TN_BOOL) != (tn_inputs[input].type == TN_INPUT_FLAG)) {
        return fail_kind(input, value, error);
    }
    struct tn_builder text = {0};
    write_value(&text, value);
    return set_from_builder(request, input, &text, error);
}

/* {"max_num_seqs": 256, "enforce_eager": true} */
static bool read_pairs(struct tn_request *request, enum tn_input input, const struct tn_value *object,
                       struct tn_error *error)
{
    for (uint32_t k = 0; k < object->count; k++) {
        const struct tn_member *member = &object->as.members[k];
        struct tn_builder text = {0};
        if (member->value.kind == TN_NULL) {
            continue;
        }
        if (!is_scalar(&member->value)) {
            return fail_kind(input, &member->value, error);
        }
        tn_builder_add(&text, member->key);
        tn_builder_add_char(&text, '=');
        write_value(&text, &member->value);
        if (!set_from_builder(request, input, &text, error)) {
            return false;
        }
    }
    return true;
}

static bool read_member(struct tn_request *request, const struct tn_member *member, struct tn_error *error)
{
    const struct tn_value *value = &member->value;
    if (value->kind == TN_NULL) {
        return true;
    }
    if (tn_str_is(member->key, "config")) {
        request->config = *value;
        return value->kind == TN_OBJECT || tn_fail(error, TN_ERROR_USAGE, "key 'config' must be an object");
    }
    if (tn_str_is(member->key, "files")) {
        request->files = *value;
        if (value->kind != TN_OBJECT) {
            tn_fail(error, TN_ERROR_USAGE, "key 'files' must be an object");
            return tn_fail_at(error, value->offset, "files");
        }
        return true;
    }
    if (tn_str_is(member->key, "tokenizer") && value->kind == TN_OBJECT
        && tn_input_applies(TN_INPUT_TOKENIZER, request->operation)) {
        request->tokenizer = *value;
        return true;
    }
    enum tn_input input = tn_input_find(member->key, request->operation);
    if (input == TN_INPUT_COUNT) {
        tn_fail(error, TN_ERROR_USAGE, "operation '" TN_STR_FORMAT "' has no input '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(request->operation), TN_STR_ARGUMENTS(member->key));
        return tn_fail_at(error, value->offset, TN_STR_FORMAT, TN_STR_ARGUMENTS(member->key));
    }
    if (value->kind == TN_OBJECT && tn_inputs[input].type == TN_INPUT_PAIRS) {
        return read_pairs(request, input, value, error);
    }
    if (value->kind != TN_LIST || !is_repeatable(input)) {
        return read_scalar(request, input, value, error);
    }
    bool done = true;
    for (uint32_t k = 0; done && k < value->count; k++) {
        done = read_scalar(request, input, &value->as.items[k], error);
    }
    return done;
}

/* skipped  the key that is no input; NULL: each is one */
static bool read_members(struct tn_request *request, const struct tn_value *object, const char *skipped,
                         struct tn_error *error)
{
    for (uint32_t k = 0; k < object->count; k++) {
        const struct tn_member *member = &object->as.members[k];
        if (!(skipped && tn_str_is(member->key, skipped)) && !read_member(request, member, error)) {
            return false;
        }
    }
    return true;
}

bool tn_request_read_inputs(struct tn_request *request, struct tn_str operation, const struct tn_value *object,
                            struct tn_error *error)
{
    request->operation = operation;
    if (object->kind != TN_OBJECT) {
        return tn_fail(error, TN_ERROR_USAGE, "the inputs of '" TN_STR_FORMAT "' are an object",
                       TN_STR_ARGUMENTS(operation));
    }
    return read_members(request, object, NULL, error);
}

bool tn_request_read(struct tn_request *request, const struct tn_value *object, struct tn_error *error)
{
    const struct tn_value *operation = tn_value_member(object, TN_STR("operation"));
    if (object->kind != TN_OBJECT || !operation || operation->kind != TN_STRING) {
        return tn_fail(error, TN_ERROR_USAGE, "a request is an object with an \"operation\"");
    }
    request->operation = operation->as.string;
    return read_members(request, object, "operation", error);
}
