/* tokens: from a request to what was counted. Reads inputs one after the other, and plans for their lengths. */
#include "api/count/count.h"
#include "api/count/find.h"
#include "api/count/item.h"

#include <stdarg.h>
#include <stdio.h>

static void add_note(struct tn_count *count, const char *code, const char *format, ...) TN_PRINTF(3, 4);

static void add_note(struct tn_count *count, const char *code, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct tn_note note = {.code = code};
    if (count->note_count < TN_COUNT_NOTES && tn_str_copy(count->arena, tn_str_of(text), &note.message)) {
        count->notes[count->note_count++] = note;
    }
}

static bool is_format(const struct tn_request *request, const char *format)
{
    return tn_str_is(request->values[TN_INPUT_FORMAT].text, format);
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

/* What is given without effect is an error. */
static bool check_options(const struct tn_request *request, struct tn_error *error)
{
    static const struct {
        enum tn_input input;
        enum tn_input needs;
    } rows[] = {{TN_INPUT_CHAT, TN_INPUT_FIELD}, {TN_INPUT_DETAILS, TN_INPUT_FIELD}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (request->values[rows[k].input].given && !request->values[rows[k].needs].given) {
            tn_fail(error, TN_ERROR_USAGE, "--%s is of requests: give --%s with it", tn_inputs[rows[k].input].name,
                    tn_inputs[rows[k].needs].name);
            return tn_fail_at(error, -1, "--%s", tn_inputs[rows[k].input].name);
        }
    }
    for (int input = TN_INPUT_ENGINE; input <= TN_INPUT_SET; input++) {
        if (request->values[input].given && !tn_count_has_model(request)) {
            tn_fail(error, TN_ERROR_USAGE, "--%s is of a model: give --model with it", tn_inputs[input].name);
            return tn_fail_at(error, -1, "--%s", tn_inputs[input].name);
        }
    }
    return true;
}

/* Ids and pieces are those of a tokenizer. */
static bool check_estimate(const struct tn_count *count, struct tn_error *error)
{
    if (count->counter.tokenizer || !(count->wants_ids || count->wants_pieces)) {
        return true;
    }
    tn_fail(error, TN_ERROR_USAGE, "--%s needs a tokenizer: an estimate has no tokens",
            count->wants_ids ? "ids" : "pieces");
    return tn_fail_hint(error, "give --tokenizer FILE");
}

static unsigned worker_count(const struct tn_session *session, const struct tn_request *request)
{
    const struct tn_input_value *jobs = &request->values[TN_INPUT_JOBS];
    unsigned usual = session->workers && session->workers->usual ? session->workers->usual : 1;
    return jobs->given ? (unsigned)jobs->number : usual;
}

static bool begin(struct tn_count *count, const struct tn_session *session, const struct tn_request *request,
                  struct tn_found_tokenizer *found, struct tn_error *error)
{
    count->has_requests = request->values[TN_INPUT_FIELD].given;
    count->wants_ids = request->values[TN_INPUT_IDS].flag;
    count->wants_pieces = request->values[TN_INPUT_PIECES].flag;
    count->units = tn_request_units(request);
    count->has_model = tn_count_has_model(request);
    if (!check_options(request, error)
        || (count->has_model && !tn_count_memory_open(&count->memory, session, request, error))
        || !tn_find_tokenizer(found, session, request, count->arena, error)) {
        return false;
    }
    uint64_t vocabulary = count->has_model ? tn_count_memory_vocabulary(&count->memory) : 0;
    count->tokenizer = found->where;
    count->counter.tokenizer = found->tokenizer;
    count->counter.with_special = request->values[TN_INPUT_SPECIAL].flag;
    count->counter.threads = session->workers;
    return check_estimate(count, error)
           && (found->tokenizer || tn_estimate_read(session->catalog, vocabulary, &count->counter.estimate, error))
           && tn_counter_open(&count->counter, worker_count(session, request), error);
}

/* What is written around messages: as asked for, else the model's own. Where it is not known, that is an error of the first
 * request that has messages. */
static bool find_chat(struct tn_count *count, const struct tn_session *session, const struct tn_request *request,
                      const struct tn_found_tokenizer *found, struct tn_error *no_chat, struct tn_error *error)
{
    const struct tn_input_value *name = &request->values[TN_INPUT_CHAT];
    struct tn_request_reading *how = &count->how;
    *how = (struct tn_request_reading){.field = request->values[TN_INPUT_FIELD].text, .no_chat = no_chat};
    how->wants_ids = count->wants_ids;
    how->wants_pieces = count->wants_pieces;
    how->wants_items = count->has_requests
                       && (count->wants_ids || count->wants_pieces || request->values[TN_INPUT_DETAILS].flag
                           || is_format(request, "jsonl"));
    if (!count->has_requests || tn_str_is(name->text, "none")) {
        how->has_chat = true;
        return true;
    }
    if (name->given) {
        count->counter.chat = tn_chat_open(count->arena, session->catalog, name->text, error);
    } else {
        count->counter.chat =
            tn_chat_find(count->arena, session->catalog, found->tokenizer, found->chat_template, no_chat);
    }
    how->has_chat = count->counter.chat != NULL;
    return how->has_chat || !name->given;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------- */

struct output {
    const struct tn_session *session;
    struct tn_count *count;
    struct tn_result *result;
    bool is_lines; /* --format jsonl */
};

/* Lines go out at once where there is somebody to take them. */
static bool write_lines(void *context, struct tn_str lines, struct tn_error *error)
{
    struct output *output = context;
    if (!output->is_lines) {
        tn_builder_add(&output->count->items, lines);
        return !output->count->items.failed || tn_fail_memory(error);
    }
    if (output->session->sink) {
        return output->session->sink->write(output->session->sink->context, lines, error);
    }
    tn_builder_add(&output->result->json, lines);
    return !output->result->json.failed || tn_fail_memory(error);
}

static bool add_kv(struct tn_count *count, const struct tn_lengths *lengths, struct tn_counted *text,
                   struct tn_error *error)
{
    uint64_t sum;
    if (!count->has_model) {
        return true;
    }
    if (!tn_count_memory_sum(&count->memory, lengths, &text->kv_bytes, error)) {
        return false;
    }
    sum = count->kv_bytes + text->kv_bytes;
    if (sum < text->kv_bytes) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of all texts exceeds 64 bits");
    }
    count->kv_bytes = sum;
    return true;
}

static bool count_requests(struct output *output, struct tn_intake *intake, struct tn_counted *text,
                           struct tn_lengths *lengths, struct tn_error *error)
{
    struct tn_count *count = output->count;
    struct tn_request_sums sums = {0};
    bool done = tn_count_requests(&count->counter, intake, &count->how, &sums,
                                  count->how.wants_items ? write_lines : NULL, output, error);
    text->tally = sums.tally;
    text->requests = sums.requests;
    count->extras.tool_calls += sums.extras.tool_calls;
    count->extras.parts += sums.extras.parts;
    *lengths = sums.lengths;
    return done;
}

static bool count_whole(struct output *output, struct tn_intake *intake, struct tn_counted *text,
                        struct tn_lengths *lengths, struct tn_error *error)
{
    struct tn_count *count = output->count;
    struct tn_builder line = {0};
    bool wants_ids = count->wants_ids || count->wants_pieces;
    text->requests = 1;
    bool done = tn_count_text(&count->counter, intake, &text->tally, wants_ids ? &text->ids : NULL, error)
                && tn_lengths_add(lengths, text->tally.tokens, 1, error);
    if (done && output->is_lines) {
        tn_count_line(count, text, &line);
        done = line.failed ? tn_fail_memory(error) : write_lines(output, tn_builder_str(&line), error);
        tn_id_list_free(&text->ids);
    }
    tn_builder_free(&line);
    return done;
}

/* Counts what the intake gives, and closes it. */
static bool count_intake(struct output *output, struct tn_intake *intake, struct tn_error *error)
{
    struct tn_count *count = output->count;
    struct tn_counted *text = &count->texts[count->text_count++];
    struct tn_lengths lengths = {0};
    text->name = intake->name;
    bool done = count->has_requests ? count_requests(output, intake, text, &lengths, error)
                                    : count_whole(output, intake, text, &lengths, error);
    done = done && add_kv(count, &lengths, text, error) && tn_lengths_merge(&count->lengths, &lengths, error);
    tn_tally_add(&count->total, &text->tally);
    count->requests += text->requests;
    tn_lengths_free(&lengths);
    tn_intake_close(intake);
    return done;
}

static bool count_file(struct output *output, struct tn_str name, struct tn_error *error)
{
    struct tn_intake intake;
    if (!tn_intake_open(&intake, output->session->texts, name, error)) {
        tn_intake_close(&intake);
        return false;
    }
    if (!output->count->has_requests && tn_str_ends(name, TN_STR(".jsonl"))) {
        add_note(output->count, "jsonl_as_text",
                 TN_STR_FORMAT " is counted as text; --field prompt, or messages, counts its lines as requests",
                 TN_STR_ARGUMENTS(name));
    }
    return count_intake(output, &intake, error);
}

/* The words of the command line as one text. */
static bool count_words(struct output *output, const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *words = &request->values[TN_INPUT_PROMPT];
    struct tn_builder joined = {0};
    struct tn_intake intake;
    if (words->item_count == 1 && tn_str_is(words->text, "-")) {
        return count_file(output, words->text, error);
    }
    for (size_t k = 0; k < words->item_count; k++) {
        tn_builder_add_text(&joined, k ? " " : "");
        tn_builder_add(&joined, words->items[k]);
    }
    tn_intake_of(&intake, TN_STR("text"), tn_builder_str(&joined));
    bool done = joined.failed ? tn_fail_memory(error) : count_intake(output, &intake, error);
    tn_builder_free(&joined);
    return done;
}

static bool count_inputs(struct output *output, const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *words = &request->values[TN_INPUT_PROMPT];
    const struct tn_input_value *files = &request->values[TN_INPUT_FILE];
    struct tn_count *count = output->count;
    count->texts = TN_NEW_ARRAY(count->arena, struct tn_counted, files->item_count + 1);
    if (!count->texts) {
        return tn_fail_memory(error);
    }
    if (!words->given && !files->given) {
        return count_file(output, TN_STR("-"), error);
    }
    bool done = !words->given || count_words(output, request, error);
    for (size_t k = 0; done && k < files->item_count; k++) {
        done = count_file(output, files->items[k], error);
    }
    return done;
}

/* ---- what follows from it ----------------------------------------------------------------------------------------- */

static void add_room(struct tn_count *count, const char *of, uint64_t tokens)
{
    count->rooms[count->room_count++] = (struct tn_room){.of = of, .tokens = tokens};
}

static bool plan_rooms(struct tn_count *count, struct tn_error *error)
{
    bool is_one = !count->has_requests && count->text_count == 1;
    uint64_t longest = tn_lengths_most(&count->lengths);
    if (!count->has_model) {
        return true;
    }
    if (count->has_requests) {
        add_room(count, "p50", tn_lengths_percentile(&count->lengths, 50));
        add_room(count, "p95", tn_lengths_percentile(&count->lengths, 95));
    }
    add_room(count, is_one ? "text" : "longest", longest);
    for (size_t k = 0; k < count->room_count; k++) {
        if (!tn_count_memory_room(&count->memory, count->arena, &count->rooms[k], error)) {
            return false;
        }
    }
    return tn_count_memory_request(&count->memory, longest, &count->kv, error);
}

bool tn_count_is_exact(const struct tn_count *count)
{
    return count->counter.tokenizer && !count->extras.tool_calls && !count->extras.parts;
}

static void add_notes(struct tn_count *count)
{
    if (count->has_model) {
        count->note_count +=
            tn_question_machine_notes(&count->memory.question, count->arena, &count->notes[count->note_count],
                                      TN_COUNT_NOTES - count->note_count);
    }
    const struct tn_estimate *estimate = &count->counter.estimate;
    if (!count->counter.tokenizer) {
        add_note(count, "estimate",
                 "no tokenizer: estimated from the scripts of the text, as " TN_STR_FORMAT " take it; " TN_STR_FORMAT
                 "; --tokenizer FILE counts",
                 TN_STR_ARGUMENTS(estimate->tokenizers), TN_STR_ARGUMENTS(estimate->error));
    }
    if (count->extras.tool_calls) {
        add_note(count, "tool_calls",
                 "what is called of tools, and what they answer, is counted as plain text in %llu message%s: each "
                 "format writes it in "
                 "a way of its own",
                 (unsigned long long)count->extras.tool_calls, count->extras.tool_calls == 1 ? "" : "s");
    }
    if (count->extras.parts) {
        add_note(count, "parts_left_out", "%llu part%s of messages that %s no text %s not counted",
                 (unsigned long long)count->extras.parts, count->extras.parts == 1 ? "" : "s",
                 count->extras.parts == 1 ? "is" : "are", count->extras.parts == 1 ? "is" : "are");
    }
}

/* No room for the longest is the verdict that it does not fit. */
static bool fits(const struct tn_count *count)
{
    const struct tn_room *longest = count->room_count ? &count->rooms[count->room_count - 1] : NULL;
    return !longest || !longest->is_judged || longest->requests > 0;
}

static bool run(struct tn_count *count, const struct tn_session *session, const struct tn_request *request,
                struct tn_found_tokenizer *found, struct tn_result *result, struct tn_error *error)
{
    struct tn_error no_chat = {0};
    struct output output = {session, count, result, is_format(request, "jsonl")};
    if (!begin(count, session, request, found, error) || !find_chat(count, session, request, found, &no_chat, error)
        || !count_inputs(&output, request, error)) {
        return false;
    }
    tn_lengths_sort(&count->lengths);
    if (!plan_rooms(count, error)) {
        return false;
    }
    add_notes(count);
    result->fits = fits(count);
    if (!output.is_lines) {
        tn_count_json(count, &result->json);
        tn_count_report(count, &result->report);
    }
    return true;
}

bool tn_run_tokens(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error)
{
    struct tn_count count = {.arena = &result->arena};
    struct tn_found_tokenizer found = {0};
    bool done = run(&count, session, request, &found, result, error);
    for (size_t k = 0; k < count.text_count; k++) {
        tn_id_list_free(&count.texts[k].ids);
    }
    if (count.has_model) {
        tn_count_memory_close(&count.memory);
    }
    tn_counter_close(&count.counter);
    tn_lengths_free(&count.lengths);
    tn_builder_free(&count.items);
    tn_found_tokenizer_free(&found);
    return done;
}
