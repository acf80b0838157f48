/* fit --requests: how many requests of a trace fit at once, beside the worst case. */
#include "fit/requests.h"

#include "api/fit/fit.h"

struct asked {
    struct tn_fit *fit;
    struct tn_trace trace;
    struct tn_fit_moments moments;
    size_t left_out;
    struct tn_fit_shown worst;    /* as many as fit in the worst case */
    struct tn_fit_shown too_many; /* one more */
};

static bool read_trace(struct asked *asked, struct tn_str file)
{
    const struct tn_text_reader *reader = asked->fit->session->reader;
    struct tn_str text;
    if (!reader) {
        return tn_fail(asked->fit->error, TN_ERROR_USAGE, "--requests reads a file, and the library opens none");
    }
    return reader->read(reader->context, file, &text, asked->fit->error)
           && tn_trace_read(asked->fit->arena, text, file, &asked->trace, asked->fit->error);
}

/* Only pools are shared by what requests really hold; the generic engine is taken as if it had one. */
static bool check(const struct asked *asked)
{
    const struct tn_engine *engine = asked->fit->question.planner.engine;
    static const char *const whole[] = {"transformers", "llamacpp", "ollama"};
    if (!asked->fit->question.deployment.gpu_memory_bytes) {
        tn_fail(asked->fit->error, TN_ERROR_USAGE, "no GPU given");
        return tn_fail_hint(asked->fit->error,
                            "name one with --gpu NAME[xCOUNT], or its memory with --gpu-memory SIZE");
    }
    for (size_t k = 0; k < sizeof whole / sizeof whole[0]; k++) {
        if (tn_str_is(tn_str_of(engine->name), whole[k])) {
            tn_fail(asked->fit->error, TN_ERROR_USAGE,
                    "%s keeps the longest length for each request, however long it is: --requests changes nothing",
                    engine->name);
            return tn_fail_at(asked->fit->error, -1, "--requests");
        }
    }
    return true;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void write_u64(struct tn_json_writer *json, const char *key, uint64_t number, bool is_known)
{
    tn_json_key(json, key);
    if (is_known) {
        tn_json_u64(json, number);
    } else {
        tn_json_null(json);
    }
}

static void write_share(struct tn_json_writer *json, const char *key, uint64_t millionths)
{
    tn_json_key(json, key);
    tn_json_real(json, (double)millionths / 1e6);
}

/* Over all requests of the trace. */
static void write_means(const struct asked *asked)
{
    struct tn_json_writer *json = &asked->fit->json;
    double prompts = 0;
    double outputs = 0;
    for (size_t k = 0; k < asked->trace.count; k++) {
        prompts += (double)asked->trace.requests[k].prompt_tokens;
        outputs += (double)asked->trace.requests[k].output_tokens;
    }
    tn_json_key(json, "mean_prompt_tokens");
    tn_json_real(json, prompts / (double)asked->trace.count);
    tn_json_key(json, "mean_output_tokens");
    tn_json_real(json, outputs / (double)asked->trace.count);
}

static void write_levels(const struct asked *asked)
{
    struct tn_json_writer *json = &asked->fit->json;
    tn_json_key(json, "levels");
    tn_json_begin_list(json);
    for (size_t k = 0; k < TN_FIT_LEVELS; k++) {
        tn_json_begin_object(json);
        write_share(json, "share", tn_fit_levels[k]);
        tn_json_key(json, "concurrency");
        tn_json_u64(json, asked->moments.at_level[k]);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static void write_json(const struct asked *asked)
{
    struct tn_json_writer *json = &asked->fit->json;
    const struct tn_fit_moments *moments = &asked->moments;
    tn_json_key(json, "answer");
    tn_json_begin_object(json);
    write_u64(json, "concurrency", moments->asked, true);
    write_share(json, "share", moments->share_ppm);
    write_share(json, "share_of_one_more", moments->next_share_ppm);
    write_u64(json, "worst_case_concurrency", moments->worst_case, true);
    write_u64(json, "most_running", moments->most_running, moments->most_running != UINT64_MAX);
    write_levels(asked);
    tn_json_key(json, "kv_in_use");
    tn_json_begin_object(json);
    write_share(json, "p50", moments->in_use.p50);
    write_share(json, "p95", moments->in_use.p95);
    write_share(json, "p99", moments->in_use.p99);
    tn_json_end_object(json);
    write_u64(json, "kv_tokens", moments->room_tokens, moments->room_tokens > 0);
    write_u64(json, "requests", asked->trace.count - asked->left_out, true);
    write_u64(json, "requests_longer", asked->left_out, true);
    write_u64(json, "requests_empty", asked->trace.empty_count, true);
    write_means(asked);
    write_u64(json, "draws", moments->draws, true);
    tn_json_end_object(json);
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

static void report_levels(const struct asked *asked)
{
    static const struct tn_column columns[] = {{"moments in which they fit", "share", false, 0},
                                               {"requests at once", "concurrency", true, 0}};
    static const char *const titles[TN_FIT_LEVELS] = {"half of them", "95 %", "99 %", "99.9 %"};
    struct tn_report *report = &asked->fit->result->report;
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k <= TN_FIT_LEVELS; k++) {
        struct tn_cell *cells = tn_table_row(report, table);
        if (cells) {
            bool is_worst = k == TN_FIT_LEVELS;
            cells[0] = tn_cell_text(tn_str_of(is_worst ? "all, if each were the longest" : titles[k]));
            cells[1] = tn_cell_count(is_worst ? asked->moments.worst_case : asked->moments.at_level[k]);
        }
    }
}

static void add_percent(struct tn_builder *line, uint64_t millionths)
{
    tn_builder_add_fixed(line, millionths, 10000, 1);
    tn_builder_add_text(line, " %");
}

static void report_use(const struct asked *asked)
{
    const struct tn_fit_moments *moments = &asked->moments;
    struct tn_report *report = &asked->fit->result->report;
    struct tn_builder line = {0};
    tn_builder_add_text(&line, "KV cache in use by ");
    tn_builder_add_grouped(&line, moments->asked);
    tn_builder_add_text(&line, " of them: ");
    add_percent(&line, moments->in_use.p50);
    tn_builder_add_text(&line, " (p50), ");
    add_percent(&line, moments->in_use.p95);
    tn_builder_add_text(&line, " (p95), ");
    add_percent(&line, moments->in_use.p99);
    tn_builder_add_text(&line, " (p99)");
    if (moments->room_tokens) {
        tn_builder_add_text(&line, " of ");
        tn_builder_add_grouped(&line, moments->room_tokens);
        tn_builder_add_text(&line, " tokens");
    }
    tn_builder_add_char(&line, '.');
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
}

static void report_notes(const struct asked *asked)
{
    struct tn_report *report = &asked->fit->result->report;
    tn_report_text(
        report, TN_BLOCK_NOTE, TN_TONE_DIM,
        "%u moments were drawn, the same ones each time: a request is met the more often the longer its output "
        "is, and has made a part of it by then",
        asked->moments.draws);
    if (asked->left_out) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                       "%zu of %zu requests are longer than %llu tokens, and left out; --context takes longer ones",
                       asked->left_out, asked->trace.count, (unsigned long long)asked->moments.longest_tokens);
    }
    if (asked->moments.at_level[0] == asked->moments.most_running) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                       "the engine runs at most %llu requests at once (" TN_STR_FORMAT "), whatever the room",
                       (unsigned long long)asked->moments.most_running, TN_STR_ARGUMENTS(asked->worst.running_setting));
    }
}

static void report_all(const struct asked *asked)
{
    const struct tn_fit_moments *moments = &asked->moments;
    struct tn_report *report = &asked->fit->result->report;
    struct tn_builder line = {0};
    tn_builder_add(&line, asked->fit->model->id);
    tn_builder_add_text(&line, " on ");
    tn_fit_write_gpus(asked->fit, &asked->worst, &line);
    report->title = tn_report_keep(report, &line);
    tn_builder_add_grouped(&line, moments->asked);
    tn_builder_addf(&line, " request%s of the trace fit%s at once in ", moments->asked == 1 ? "" : "s",
                    moments->asked == 1 ? "s" : "");
    add_percent(&line, moments->share_ppm);
    tn_builder_add_text(&line, " of all moments, one more in ");
    add_percent(&line, moments->next_share_ppm);
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_HEADING, asked->fit->result->fits ? TN_TONE_GOOD : TN_TONE_BAD, TN_STR_FORMAT,
                   TN_STR_ARGUMENTS(text));
    report_levels(asked);
    report_use(asked);
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

/* The worst case is a plan that can be printed. */
static void show_worst(struct asked *asked)
{
    struct tn_fit_shown *const shown[] = {&asked->worst, &asked->too_many};
    for (uint64_t k = 0; k < 2; k++) {
        struct tn_variant variant = {0};
        tn_variant_change(&variant, asked->fit->arena, TN_INPUT_CONCURRENCY, "%llu",
                          (unsigned long long)(asked->moments.worst_case + k));
        tn_fit_show(asked->fit, &variant, shown[k]);
    }
}

bool tn_fit_requests(struct tn_fit *fit, struct tn_str file)
{
    enum { USUAL_PPM = 990000 };
    const struct tn_input_value *concurrency = &fit->question.request.values[TN_INPUT_CONCURRENCY];
    struct asked asked = {.fit = fit};
    if (!check(&asked) || !read_trace(&asked, file)
        || !tn_fit_draw(&fit->question.planner, &fit->question.deployment, &asked.trace,
                        concurrency->given ? concurrency->number : 0, &asked.moments, &asked.left_out, fit->error)) {
        return false;
    }
    fit->result->fits = asked.moments.share_ppm >= USUAL_PPM;
    show_worst(&asked);
    struct tn_str binding = tn_fit_binding(fit, &asked.too_many, &asked.worst);
    report_all(&asked);
    tn_fit_report_proof(fit, &asked.worst, &asked.too_many, binding);
    report_notes(&asked);
    write_json(&asked);
    tn_fit_write_proof(fit, &asked.worst, &asked.too_many, binding);
    tn_json_key(&fit->json, "alternatives");
    tn_json_begin_list(&fit->json);
    tn_json_end_list(&fit->json);
    return tn_fit_write_commands(fit, &asked.worst);
}
