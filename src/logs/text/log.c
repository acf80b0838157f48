/* Gathering what lines say. */
#include "logs/text/log.h"

#include "base/number.h"
#include "engine/record/rules.h"
#include "logs/text/pairs.h"

#include <string.h>

enum { PREFIX = 160 }; /* bytes of a line in which its rank is looked for */

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

/* A terminated copy, cut where there is no room. */
static void keep(char *to, size_t room, struct tn_str from)
{
    size_t size = from.size < room - 1 ? from.size : room - 1;
    if (size) {
        memcpy(to, from.data, size);
    }
    to[size] = '\0';
}

bool tn_log_begin(struct tn_log *log, const struct tn_log_shapes *shapes, struct tn_arena *arena)
{
    *log = (struct tn_log){.shapes = shapes};
    log->values = TN_NEW_ARRAY(arena, struct tn_log_value, TN_LOG_MOST_VALUES);
    log->settings = TN_NEW_ARRAY(arena, struct tn_log_assignment, TN_LOG_MOST_SETTINGS);
    log->last.values = TN_NEW_ARRAY(arena, struct tn_log_value, TN_LOG_MOST_VALUES);
    log->last.settings = TN_NEW_ARRAY(arena, struct tn_log_assignment, TN_LOG_MOST_SETTINGS);
    log->command = tn_arena_alloc(arena, TN_LOG_COMMAND_SIZE);
    return log->command && log->values && log->settings && log->last.values && log->last.settings;
}

/* The value of the term, rank and device; NULL where there is no room for a new one. */
static struct tn_log_value *value_of(struct tn_log *log, enum tn_log_term term, struct tn_str rank,
                                     struct tn_str device)
{
    struct tn_log_value wanted = {.term = term, .part = log->part};
    keep(wanted.rank, sizeof wanted.rank, rank);
    keep(wanted.device, sizeof wanted.device, device);
    for (size_t k = 0; k < log->value_count; k++) {
        struct tn_log_value *value = &log->values[k];
        if (value->term == term && value->part == wanted.part && strcmp(value->rank, wanted.rank) == 0
            && strcmp(value->device, wanted.device) == 0) {
            return value;
        }
    }
    if (log->value_count == TN_LOG_MOST_VALUES) {
        log->is_full = true;
        return NULL;
    }
    log->values[log->value_count] = wanted;
    return &log->values[log->value_count++];
}

static bool is_measured(enum tn_log_term term)
{
    return term >= TN_LOG_REQUESTED && term <= TN_LOG_COMPUTE_BUFFER;
}

static void keep_value(struct tn_log *log, const struct tn_captured *captured, struct tn_str rank, struct tn_str device,
                       uint64_t line)
{
    struct tn_log_value *value = value_of(log, captured->term, rank, device);
    log->is_measured = log->is_measured || is_measured(captured->term);
    if (!value) {
        return;
    }
    int64_t number = captured->figure.value;
    value->least = value->count && value->least < number ? value->least : number;
    value->most = value->count && value->most > number ? value->most : number;
    bool is_sum = captured->kind == TN_SHAPE_SIZE; /* ollama adds a device's buffers up, and may say it again */
    value->sum = is_sum ? number : tn_add_i64(value->sum, number, &value->sum) ? value->sum : INT64_MAX;
    value->first = value->count ? value->first : captured->figure;
    value->first_line = value->count ? value->first_line : line;
    value->last_line = line;
    value->count++;
    value->figure = captured->figure;
    value->real = captured->real;
    keep(value->text, sizeof value->text, captured->text);
}

/* ---- settings ----------------------------------------------------------------------------------------------------- */

static bool is_nothing(struct tn_str value)
{
    static const char *const words[] = {"None", "null", "nil", "", "[]", "{}", "default"};
    bool found = false;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        found = found || tn_str_is(value, words[k]);
    }
    return found;
}

static void keep_setting(struct tn_log *log, struct tn_str name, struct tn_str value, uint64_t line)
{
    size_t k = 0;
    while (k < log->setting_count && !tn_str_is(name, log->settings[k].name)) {
        k++;
    }
    bool fits = name.size < TN_LOG_NAME_SIZE && value.size < TN_LOG_TEXT_SIZE && k < TN_LOG_MOST_SETTINGS;
    log->is_full = log->is_full || k == TN_LOG_MOST_SETTINGS;
    if (fits && !is_nothing(value)) {
        keep(log->settings[k].name, sizeof log->settings[k].name, name);
        keep(log->settings[k].value, sizeof log->settings[k].value, value);
        log->settings[k].line = line;
        log->setting_count += k == log->setting_count;
    }
}

void tn_log_add_setting(struct tn_log *log, struct tn_str name, struct tn_str value, uint64_t line)
{
    bool is_new = true;
    for (size_t k = 0; k < log->setting_count; k++) {
        is_new = is_new && !tn_str_is(name, log->settings[k].name);
    }
    if (is_new) {
        keep_setting(log, name, value, line);
    }
}

static void keep_settings(struct tn_log *log, const struct tn_log_program *program, struct tn_str text, uint64_t line)
{
    struct tn_str name;
    struct tn_str value;
    while (tn_pair_next(&text, &name, &value)) {
        keep_setting(log, tn_log_setting(program, name), value, line);
    }
}

/* ---- ranks -------------------------------------------------------------------------------------------------------- */

/* What names a rank in front of a line: "Worker_TP0", "rank=1", "[rank1]", "RayWorkerWrapper pid=1234". */
static const struct {
    const char *mark;
    size_t kept; /* of its end, as part of the name */
} rank_marks[] = {{"Worker_", 0},
                  {"rank=", 0},
                  {"[rank", 0},
                  {"[RANK ", 0},
                  {"WorkerProcess pid=", 4},
                  {"WorkerWrapper pid=", 4},
                  {"EngineCore_DP", 2}};

static bool is_of_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '=';
}

/* SGLang: "[2025-11-10 19:59:09 DP1 TP0] ...": what stands behind the time. */
static struct tn_str rank_in_brackets(struct tn_str prefix)
{
    static const char *const names[] = {" DP", " PP", " TP", " EP"};
    struct tn_str inside = tn_str_slice(prefix, 1, tn_str_find(prefix, TN_STR("]")));
    size_t start = SIZE_MAX;
    if (!prefix.size || prefix.data[0] != '[' || inside.size + 1 >= prefix.size) {
        return (struct tn_str){0};
    }
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t at = tn_str_find(inside, tn_str_of(names[k]));
        bool is_number =
            at < inside.size && at + 3 < inside.size && inside.data[at + 3] >= '0' && inside.data[at + 3] <= '9';
        start = is_number && at < start ? at : start;
    }
    return start == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(inside, start + 1, inside.size);
}

static struct tn_str rank_of(struct tn_str line)
{
    struct tn_str prefix = tn_str_slice(line, 0, PREFIX);
    for (size_t k = 0; k < sizeof rank_marks / sizeof rank_marks[0]; k++) {
        struct tn_str mark = tn_str_of(rank_marks[k].mark);
        size_t at = tn_str_find(prefix, mark);
        size_t end = at == SIZE_MAX ? 0 : at + mark.size;
        size_t start = end - (end ? rank_marks[k].kept : 0);
        while (end < prefix.size && end && is_of_name(prefix.data[end])) {
            end++;
        }
        if (end > start + rank_marks[k].kept) {
            return tn_str_slice(prefix, start, end);
        }
    }
    return rank_in_brackets(tn_str_slice(line, tn_str_find(prefix, TN_STR("[")), PREFIX));
}

/* ---- starts ------------------------------------------------------------------------------------------------------- */

static bool captures_any(const struct tn_captured *captured, size_t count, const enum tn_log_term *terms,
                         size_t terms_count)
{
    bool found = false;
    for (size_t k = 0; k < count; k++) {
        for (size_t n = 0; n < terms_count; n++) {
            found = found || captured[k].term == terms[n];
        }
    }
    return found;
}

/* What a process says of its machine once, before it starts engines. */
static bool outlives_engine(enum tn_log_term term)
{
    static const enum tn_log_term terms[] = {TN_LOG_VERSION,   TN_LOG_BUILD,    TN_LOG_GPU,
                                             TN_LOG_GPU_TOTAL, TN_LOG_GPU_FREE, TN_LOG_HOST_FREE};
    bool found = false;
    for (size_t k = 0; k < sizeof terms / sizeof terms[0]; k++) {
        found = found || terms[k] == term;
    }
    return found;
}

/* Keeps the run that ends aside, in case that the next one says nothing. */
static void put_aside(struct tn_log *log)
{
    struct tn_log_run run = log->last;
    log->last.value_count = log->value_count;
    log->last.setting_count = log->setting_count;
    log->last.start_line = log->start_line;
    log->last.fail_line = log->fail_line;
    memcpy(run.values, log->values, log->value_count * sizeof *log->values);
    memcpy(run.settings, log->settings, log->setting_count * sizeof *log->settings);
}

static void begin_run(struct tn_log *log, bool is_new_process)
{
    size_t kept = 0;
    put_aside(log);
    for (size_t k = 0; k < log->value_count; k++) {
        if (!is_new_process && outlives_engine(log->values[k].term)) {
            log->values[kept++] = log->values[k];
        }
    }
    log->value_count = kept;
    log->setting_count = is_new_process ? 0 : log->setting_count;
    log->is_measured = false;
    log->fail_line = 0;
    log->part = 0;
}

static void start(struct tn_log *log, const struct tn_captured *captured, size_t count, uint64_t line)
{
    static const enum tn_log_term processes[] = {TN_LOG_VERSION, TN_LOG_BUILD, TN_LOG_SETTINGS};
    bool is_next = log->is_measured || log->fail_line;
    if (is_next) {
        begin_run(log, captures_any(captured, count, processes, sizeof processes / sizeof processes[0]));
    }
    if (is_next || !log->starts) {
        log->starts++;
        log->start_line = line;
    }
}

void tn_log_end(struct tn_log *log)
{
    bool says_nothing = log->starts > 1 && !log->is_measured && !log->fail_line;
    if (says_nothing) {
        log->values = log->last.values;
        log->value_count = log->last.value_count;
        log->settings = log->last.settings;
        log->setting_count = log->last.setting_count;
        log->start_line = log->last.start_line;
        log->fail_line = log->last.fail_line;
    }
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

/* A model is read: one behind another that lies in memory is a second one. */
static void load(struct tn_log *log, uint64_t line)
{
    bool has_first = false;
    for (size_t k = 0; k < log->value_count; k++) {
        has_first = has_first || (log->values[k].term == TN_LOG_MODEL_BUFFER && log->values[k].part == log->part);
    }
    if (has_first) {
        struct tn_captured mark = {.term = TN_LOG_SECOND_MODEL};
        keep_value(log, &mark, (struct tn_str){0}, (struct tn_str){0}, line);
        log->part++;
    }
}

static uint64_t number_of(struct tn_str version)
{
    uint64_t number = 0;
    size_t size;
    (void)tn_version_read(version, &number, &size);
    return number;
}

static void narrow_version(struct tn_log *log, const struct tn_line_shape *shape)
{
    struct tn_str *from = &log->from[shape->program];
    struct tn_str *to = &log->to[shape->program];
    *from = number_of(shape->from) > number_of(*from) ? shape->from : *from;
    *to = shape->to.size && (!to->size || number_of(shape->to) < number_of(*to)) ? shape->to : *to;
}

/* All of the command, from its first word on; one that does not find room is none. */
static void keep_command(struct tn_log *log, const struct tn_line_shape *shape, struct tn_str line, uint64_t number)
{
    size_t start = tn_str_find(line, shape->shape.parts[0].literal);
    struct tn_str command = tn_str_slice(line, start, line.size);
    if (start != SIZE_MAX && command.size < TN_LOG_COMMAND_SIZE) {
        keep(log->command, TN_LOG_COMMAND_SIZE, command);
        log->command_line = number;
    }
}

static void take_captured(struct tn_log *log, const struct tn_line_shape *shape, struct tn_str line,
                          const struct tn_captured *captured, size_t count, uint64_t number)
{
    struct tn_str rank = rank_of(line);
    struct tn_str device = {0};
    for (size_t k = 0; k < count; k++) {
        rank = captured[k].term == TN_LOG_RANK ? captured[k].text : rank;
        device = captured[k].term == TN_LOG_DEVICE ? captured[k].text : device;
    }
    for (size_t k = 0; k < count; k++) {
        enum tn_log_term term = captured[k].term;
        if (term == TN_LOG_SETTINGS) {
            keep_settings(log, &log->shapes->programs[shape->program], captured[k].text, number);
        } else if (term == TN_LOG_COMMAND) {
            keep_command(log, shape, line, number);
        } else if (term != TN_LOG_RANK && term != TN_LOG_DEVICE) {
            keep_value(log, &captured[k], rank, device, number);
        }
    }
    if (shape->marks < TN_LOG_TERM_COUNT) {
        struct tn_captured mark = {.term = shape->marks};
        keep_value(log, &mark, rank, device, number);
    }
}

static bool take_shape(struct tn_log *log, const struct tn_line_shape *shape, struct tn_str line, uint64_t number)
{
    struct tn_captured captured[TN_SHAPE_CAPTURES];
    size_t count;
    if (!tn_shape_match(&shape->shape, line, captured, &count)) {
        return false;
    }
    if (shape->kind == TN_LINE_STARTS) {
        start(log, captured, count, number);
    }
    if (shape->loads) {
        load(log, number);
    }
    if (shape->kind == TN_LINE_FAILS && !log->fail_line) {
        log->fail_line = number;
    }
    if (!shape->is_weak) {
        log->hits[shape->program]++;
        narrow_version(log, shape);
    }
    take_captured(log, shape, line, captured, count, number);
    return true;
}

void tn_log_line(struct tn_log *log, struct tn_str line, uint64_t number, uint16_t *hits, size_t hit_count)
{
    bool is_known = false;
    bool is_over = false;
    for (size_t k = 1; k < hit_count; k++) { /* few: in the order of the records */
        for (size_t n = k; n > 0 && hits[n - 1] > hits[n]; n--) {
            uint16_t other = hits[n];
            hits[n] = hits[n - 1];
            hits[n - 1] = other;
        }
    }
    for (size_t k = 0; k < hit_count && !is_over; k++) {
        const struct tn_line_shape *shape = &log->shapes->shapes[hits[k]];
        bool is_found = take_shape(log, shape, line, number);
        is_known = is_known || is_found;
        is_over = is_found && shape->is_alone;
    }
    log->known_lines += is_known;
}

/* ---- asking ------------------------------------------------------------------------------------------------------- */

static const struct tn_log_program *program_named(const struct tn_log_shapes *shapes, struct tn_str id, size_t *index)
{
    for (size_t k = 0; k < shapes->program_count; k++) {
        if (tn_str_equal(shapes->programs[k].id, id)) {
            *index = k;
            return &shapes->programs[k];
        }
    }
    return NULL;
}

const struct tn_log_program *tn_log_program(const struct tn_log *log)
{
    const struct tn_log_shapes *shapes = log->shapes;
    const struct tn_log_program *best = NULL;
    uint64_t most = 0;
    for (size_t k = 0; k < shapes->program_count; k++) {
        const struct tn_log_program *program = &shapes->programs[k];
        size_t inner;
        uint64_t hits = log->hits[k];
        if (hits && program->within.size && program_named(shapes, program->within, &inner)) {
            hits += log->hits[inner];
        }
        if (program->engine.size && hits > most) {
            most = hits;
            best = program;
        }
    }
    return best;
}

const struct tn_log_value *tn_log_next(const struct tn_log *log, enum tn_log_term term,
                                       const struct tn_log_value *after)
{
    for (size_t k = after ? (size_t)(after - log->values) + 1 : 0; k < log->value_count; k++) {
        if (log->values[k].term == term) {
            return &log->values[k];
        }
    }
    return NULL;
}

const struct tn_log_value *tn_log_find(const struct tn_log *log, enum tn_log_term term)
{
    return tn_log_next(log, term, NULL);
}

const struct tn_log_assignment *tn_log_setting_named(const struct tn_log *log, const char *name)
{
    for (size_t k = 0; k < log->setting_count; k++) {
        if (strcmp(log->settings[k].name, name) == 0) {
            return &log->settings[k];
        }
    }
    return NULL;
}
