/* Lines to requests, and what they take. */
#include "api/count/requests.h"

#include "api/count/item.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUP_BYTES = 256 << 10, /* of lines that one thread takes at once */
    GROUPS_OF_WORKER = 4,
    MOST_GROUPS = 1024,
    FIRST_LENGTHS = 64,
};

static const size_t LINE_LIMIT_BYTES = (size_t)1 << 30;

/* Some lines, and what they came to. */
struct group {
    struct tn_str text;  /* whole lines */
    uint64_t first_line; /* of the input; filled when it is added */
    uint64_t lines;      /* read, with empty ones */
    uint64_t *lengths;   /* [count] tokens of each request */
    size_t count;
    size_t capacity;
    struct tn_tally sum;
    struct tn_chat_extras extras;
    struct tn_builder items;
    bool failed;
    struct tn_error error;
};

struct reading {
    struct tn_counter *counter;
    const struct tn_request_reading *how;
    struct group *groups; /* [most_groups] */
    size_t most_groups;
    size_t group_count;
    uint64_t line; /* of what comes next, from 1 */
};

/* ---- one request -------------------------------------------------------------------------------------------------- */

static bool fail_field(const struct reading *reading, const struct tn_value *value, struct tn_error *error)
{
    struct tn_str field = reading->how->field;
    if (!value) {
        tn_fail(error, TN_ERROR_CONFIG, "the request has no field '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(field));
        return tn_fail_hint(error, "--field names where the text or the messages stand, as body.messages");
    }
    tn_fail(error, TN_ERROR_CONFIG, "'" TN_STR_FORMAT "' is %s, neither a text nor a list of messages",
            TN_STR_ARGUMENTS(field), tn_kind_name(value->kind));
    return tn_fail_hint(error, "--field names where the text or the messages stand, as body.messages");
}

/* The text of one line, in the line itself or in the worker's builder. */
static bool read_request(const struct reading *reading, struct tn_count_worker *worker, struct tn_str line,
                         struct tn_str *text, struct group *group)
{
    struct tn_value root;
    if (!tn_json_read(&worker->arena, line, &root, &group->error)) {
        return false;
    }
    const struct tn_value *value = tn_value_path(&root, reading->how->field);
    if (value && value->kind == TN_STRING) {
        *text = value->as.string;
        return true;
    }
    if (!value || value->kind != TN_LIST) {
        return fail_field(reading, value, &group->error);
    }
    if (!reading->how->has_chat) {
        group->error = *reading->how->no_chat;
        return false;
    }
    tn_builder_clear(&worker->text);
    if (!tn_chat_render(reading->counter->chat, &worker->arena, value, &worker->text, &group->extras, &group->error)) {
        return false;
    }
    *text = tn_builder_str(&worker->text);
    return true;
}

/* What an estimate is made from. */
static void write_scripts(struct tn_json_writer *json, const struct tn_part_tally *part)
{
    tn_json_key(json, "scripts");
    tn_json_begin_object(json);
    for (int k = 0; k < TN_SCRIPT_COUNT; k++) {
        if (part->scripts[k]) {
            tn_json_key(json, tn_script_names[k]);
            tn_json_u64(json, part->scripts[k]);
        }
    }
    tn_json_end_object(json);
}

static void write_item(const struct reading *reading, const struct tn_part_tally *part, const struct tn_tally *tally,
                       struct tn_token_ids ids, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out};
    tn_json_begin_object(&json);
    tn_json_key(&json, "tokens");
    tn_json_u64(&json, tally->tokens);
    tn_json_key(&json, "bytes");
    tn_json_u64(&json, tally->bytes);
    if (!reading->counter->tokenizer) {
        write_scripts(&json, part);
    }
    if (reading->how->wants_ids) {
        tn_write_ids(&json, ids);
    }
    if (reading->how->wants_pieces) {
        tn_write_pieces(&json, reading->counter->tokenizer, ids);
    }
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
}

/* The ids with those that the tokenizer puts around a text, in the arena. */
static bool surround(const struct tn_tokenizer *tokenizer, struct tn_arena *arena, struct tn_token_ids *ids)
{
    struct tn_token_ids parts[] = {tn_tokenizer_prefix(tokenizer), *ids, tn_tokenizer_suffix(tokenizer)};
    uint32_t *all = TN_NEW_ARRAY(arena, uint32_t, parts[0].count + parts[1].count + parts[2].count);
    size_t count = 0;
    for (size_t k = 0; all && k < sizeof parts / sizeof parts[0]; k++) {
        if (parts[k].count) {
            memcpy(all + count, parts[k].ids, parts[k].count * sizeof *all);
        }
        count += parts[k].count;
    }
    *ids = (struct tn_token_ids){all, count};
    return all != NULL;
}

static bool keep_length(struct group *group, uint64_t tokens)
{
    if (group->count == group->capacity) {
        size_t capacity = group->capacity ? group->capacity * 2 : FIRST_LENGTHS;
        uint64_t *grown = realloc(group->lengths, capacity * sizeof *grown);
        if (!grown) {
            return tn_fail_memory(&group->error);
        }
        group->lengths = grown;
        group->capacity = capacity;
    }
    group->lengths[group->count++] = tokens;
    return true;
}

static bool count_line(const struct reading *reading, unsigned number, struct tn_str line, struct group *group)
{
    struct tn_count_worker *worker = &reading->counter->workers[number];
    struct tn_str text = {0};
    struct tn_part_tally part = {0};
    struct tn_token_ids ids = {0};
    tn_arena_reset(&worker->arena);
    if (!read_request(reading, worker, line, &text, group)
        || !tn_counter_part(reading->counter, number, text, TN_TEXT_WHOLE, &part, &ids, &group->error)) {
        return false;
    }
    struct tn_tally tally = tn_counter_sum(reading->counter, &part);
    bool is_around = reading->how->wants_items && reading->counter->tokenizer && reading->counter->with_special;
    if (is_around && !surround(reading->counter->tokenizer, &worker->arena, &ids)) {
        return tn_fail_memory(&group->error);
    }
    if (reading->how->wants_items) {
        write_item(reading, &part, &tally, ids, &group->items);
    }
    tn_tally_add(&group->sum, &tally);
    return (!group->items.failed || tn_fail_memory(&group->error)) && keep_length(group, tally.tokens);
}

/* ---- many lines --------------------------------------------------------------------------------------------------- */

static void count_group(void *task, unsigned worker, size_t item)
{
    const struct reading *reading = task;
    struct group *group = &reading->groups[item];
    struct tn_str rest = group->text;
    while (rest.size && !group->failed) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        struct tn_str line = tn_str_trim(tn_str_slice(rest, 0, size));
        group->lines++;
        group->failed = line.size && !count_line(reading, worker, line, group);
        rest = tn_str_slice(rest, size + 1, rest.size);
    }
}

/* Where the last line of the text ends that is there as a whole; 0 where none does. */
static size_t whole_lines(struct tn_str text, bool at_end)
{
    size_t size = text.size;
    while (!at_end && size > 0 && text.data[size - 1] != '\n') {
        size--;
    }
    return size;
}

/* Groups of the lines at hand; returns how many bytes they are. */
static size_t make_groups(struct reading *reading, struct tn_str text)
{
    size_t done = 0;
    reading->group_count = 0;
    while (done < text.size && reading->group_count < reading->most_groups) {
        struct group *group = &reading->groups[reading->group_count++];
        size_t end = done + GROUP_BYTES < text.size ? done + GROUP_BYTES : text.size;
        const char *line_end = memchr(text.data + end - 1, '\n', text.size - end + 1);
        end = line_end ? (size_t)(line_end - text.data) + 1 : text.size;
        group->text = tn_str_slice(text, done, end);
        group->lines = 0;
        group->count = 0;
        group->sum = (struct tn_tally){0};
        group->extras = (struct tn_chat_extras){0};
        group->failed = false;
        tn_builder_clear(&group->items);
        done = end;
    }
    return done;
}

static bool fail_line(const struct tn_intake *intake, const struct reading *reading, const struct group *group,
                      struct tn_error *error)
{
    if (error) {
        *error = group->error;
    }
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%llu", TN_STR_ARGUMENTS(intake->name),
                      (unsigned long long)(reading->line + group->lines - 1));
}

static bool add_group(struct reading *reading, const struct tn_intake *intake, const struct group *group,
                      struct tn_request_sums *sums, struct tn_error *error)
{
    if (group->failed) {
        return fail_line(intake, reading, group, error);
    }
    for (size_t k = 0; k < group->count; k++) {
        if (!tn_lengths_add(&sums->lengths, group->lengths[k], 1, error)) {
            return false;
        }
    }
    tn_tally_add(&sums->tally, &group->sum);
    sums->requests += group->count;
    sums->extras.tool_calls += group->extras.tool_calls;
    sums->extras.parts += group->extras.parts;
    reading->line += group->lines;
    return true;
}

/* Counts the lines at hand; *size says how many bytes they were. */
static bool count_batch(struct reading *reading, struct tn_intake *intake, struct tn_request_sums *sums,
                        bool (*write)(void *context, struct tn_str lines, struct tn_error *error), void *context,
                        size_t *size, struct tn_error *error)
{
    struct tn_str lines = tn_str_slice(intake->rest, 0, whole_lines(intake->rest, intake->at_end));
    *size = make_groups(reading, lines);
    tn_counter_run(reading->counter, reading->group_count, count_group, reading);
    for (size_t k = 0; k < reading->group_count; k++) {
        struct group *group = &reading->groups[k];
        if (!add_group(reading, intake, group, sums, error)
            || (write && group->items.size && !write(context, tn_builder_str(&group->items), error))) {
            return false;
        }
    }
    tn_intake_drop(intake, *size);
    return true;
}

static bool count_all(struct reading *reading, struct tn_intake *intake, struct tn_request_sums *sums,
                      bool (*write)(void *context, struct tn_str lines, struct tn_error *error), void *context,
                      struct tn_error *error)
{
    size_t batch = (size_t)GROUP_BYTES * reading->most_groups;
    size_t size = 0;
    do {
        if (!tn_intake_fill(intake, batch, error)
            || !count_batch(reading, intake, sums, write, context, &size, error)) {
            return false;
        }
        if (!size && batch > LINE_LIMIT_BYTES) {
            tn_fail(error, TN_ERROR_TOO_LARGE, "the line is longer than %zu bytes", LINE_LIMIT_BYTES);
            return tn_fail_at(error, -1, TN_STR_FORMAT ":%llu", TN_STR_ARGUMENTS(intake->name),
                              (unsigned long long)reading->line);
        }
        batch = size ? batch : batch * 2; /* not one line is there as a whole */
    } while (!intake->at_end || intake->rest.size);
    return true;
}

bool tn_count_requests(struct tn_counter *counter, struct tn_intake *intake, const struct tn_request_reading *how,
                       struct tn_request_sums *sums,
                       bool (*write)(void *context, struct tn_str lines, struct tn_error *error), void *context,
                       struct tn_error *error)
{
    size_t most = (size_t)counter->worker_count * GROUPS_OF_WORKER;
    struct reading reading = {
        .counter = counter, .how = how, .most_groups = most < MOST_GROUPS ? most : MOST_GROUPS, .line = 1};
    reading.groups = calloc(reading.most_groups, sizeof *reading.groups);
    bool done = reading.groups ? count_all(&reading, intake, sums, write, context, error) : tn_fail_memory(error);
    for (size_t k = 0; reading.groups && k < reading.most_groups; k++) {
        free(reading.groups[k].lengths);
        tn_builder_free(&reading.groups[k].items);
    }
    free(reading.groups);
    return done;
}
