/* One reader for all formats: a file is lines; a line is an object, or fields between commas. What a field or a key means is a table. */
#include "trace/trace.h"

#include "base/number.h"
#include "text/json.h"

enum role { ROLE_NONE, ROLE_DATE, ROLE_SECONDS, ROLE_MILLISECONDS, ROLE_PROMPT, ROLE_OUTPUT, ROLE_TOTAL, ROLE_COUNT };
enum { MOST_FIELDS = 32 };
static const uint64_t MICROSECONDS = 1000000;

/* Letters and digits of names of columns and keys, in lower case. */
static const struct {
    const char *name;
    enum role role;
} names[] = {
    {"contexttokens", ROLE_PROMPT},    {"generatedtokens", ROLE_OUTPUT}, /* Azure */
    {"inputlength", ROLE_PROMPT},      {"outputlength", ROLE_OUTPUT},    /* Mooncake, Bailian */
    {"requesttokens", ROLE_PROMPT},    {"responsetokens", ROLE_OUTPUT},  /* BurstGPT */
    {"numprefilltokens", ROLE_PROMPT}, {"numdecodetokens", ROLE_OUTPUT}, /* vidur */
    {"inputtokens", ROLE_PROMPT},      {"outputtokens", ROLE_OUTPUT},    {"prompttokens", ROLE_PROMPT},
    {"completiontokens", ROLE_OUTPUT}, {"promptlength", ROLE_PROMPT},    {"promptlen", ROLE_PROMPT},
    {"outputlen", ROLE_OUTPUT},        {"input", ROLE_PROMPT},           {"prompt", ROLE_PROMPT},
    {"output", ROLE_OUTPUT},           {"length", ROLE_TOTAL},           {"tokens", ROLE_TOTAL},
    {"totaltokens", ROLE_TOTAL},       {"numtotaltokens", ROLE_TOTAL},   {"context", ROLE_TOTAL},
    {"timestamp", ROLE_DATE},          {"arrivals", ROLE_SECONDS},       {"arrivaltime", ROLE_SECONDS},
    {"arrivedat", ROLE_SECONDS},
};

struct reading {
    struct tn_arena *arena;
    struct tn_arena line_arena;
    struct tn_trace *trace;
    struct tn_error *error;
    struct tn_str file;
    uint64_t line; /* from 1 */
    size_t capacity;
    bool has_columns;
    enum role columns[MOST_FIELDS]; /* [column_count] of a CSV file */
    size_t column_count;
    uint64_t first_us;
    bool has_first;
};

/* What a line says: microseconds, or tokens. */
struct fields {
    bool known[ROLE_COUNT];
    uint64_t numbers[ROLE_COUNT];
};

static bool fail_line(struct reading *reading, const char *what, struct tn_str text)
{
    struct tn_str shown = tn_str_slice(text, 0, 60);
    tn_fail(reading->error, TN_ERROR_UNREADABLE, "%s '" TN_STR_FORMAT "'", what, TN_STR_ARGUMENTS(shown));
    return tn_fail_at(reading->error, -1, TN_STR_FORMAT ":%llu", TN_STR_ARGUMENTS(reading->file),
                      (unsigned long long)reading->line);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* "12", "12.5": in millionths; further digits are cut. */
static bool read_millionths(struct tn_str text, uint64_t *millionths)
{
    uint64_t sum = 0;
    uint64_t unit = MICROSECONDS;
    bool has_point = false;
    bool fits = text.size > 0 && is_digit(text.data[0]);
    for (size_t k = 0; fits && k < text.size; k++) {
        char letter = text.data[k];
        uint64_t digit = (uint64_t)(letter - '0');
        if (letter == '.' && !has_point) {
            has_point = true;
            continue;
        }
        unit /= has_point ? 10 : 1;
        fits = is_digit(letter)
               && (has_point ? tn_add_u64(sum, digit * unit, &sum)
                             : tn_mul_u64(sum, 10, &sum) && tn_add_u64(sum, digit * MICROSECONDS, &sum));
    }
    *millionths = sum;
    return fits;
}

static uint64_t digits_at(struct tn_str text, size_t from, size_t count)
{
    uint64_t number = 0;
    for (size_t k = from; k < from + count; k++) {
        number = number * 10 + (uint64_t)(text.data[k] - '0');
    }
    return number;
}

/* Days since 0000-03-01 of the Gregorian calendar: years begin in March, so that the odd day is the last. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t years = month > 2 ? year : year - 1;
    uint64_t months = month > 2 ? month - 3 : month + 9;
    return 365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day;
}

/* "2023-11-16 18:17:03.9799600", also with a T or a time zone that is then passed over. */
static bool read_date(struct tn_str text, uint64_t *microseconds)
{
    static const char pattern[] = "dddd-dd-dd?dd:dd:dd";
    size_t length = sizeof pattern - 1;
    bool fits = text.size >= length;
    for (size_t k = 0; fits && k < length; k++) {
        fits = pattern[k] == 'd' ? is_digit(text.data[k]) : (pattern[k] == '?' || pattern[k] == text.data[k]);
    }
    if (!fits || digits_at(text, 0, 4) < 1 || digits_at(text, 5, 2) < 1 || digits_at(text, 5, 2) > 12) {
        return false;
    }
    uint64_t seconds = days_of(digits_at(text, 0, 4), digits_at(text, 5, 2), digits_at(text, 8, 2)) * 86400
                       + digits_at(text, 11, 2) * 3600 + digits_at(text, 14, 2) * 60 + digits_at(text, 17, 2);
    uint64_t fraction = 0;
    uint64_t unit = MICROSECONDS / 10;
    for (size_t k = length + 1; k < text.size && text.data[length] == '.' && is_digit(text.data[k]); k++) {
        fraction += (uint64_t)(text.data[k] - '0') * unit;
        unit /= 10;
    }
    *microseconds = seconds * MICROSECONDS + fraction;
    return true;
}

/* A time or a number of tokens. A time without a date counts in seconds. */
static bool read_number(enum role role, struct tn_str text, uint64_t *number)
{
    uint64_t millionths;
    if (role == ROLE_DATE && read_date(text, number)) {
        return true;
    }
    if (!read_millionths(text, &millionths)) {
        return false;
    }
    bool is_time = role == ROLE_DATE || role == ROLE_SECONDS || role == ROLE_MILLISECONDS;
    *number = role == ROLE_MILLISECONDS ? millionths / 1000 : is_time ? millionths : millionths / MICROSECONDS;
    return is_time || (millionths % MICROSECONDS == 0 && *number <= TN_TRACE_MOST_TOKENS);
}

/* ---- one request -------------------------------------------------------------------------------------------------- */

static enum role role_of(struct tn_str name)
{
    char plain[24];
    size_t size = 0;
    for (size_t k = 0; k < name.size; k++) {
        char letter = name.data[k] >= 'A' && name.data[k] <= 'Z' ? (char)(name.data[k] - 'A' + 'a') : name.data[k];
        bool is_kept = is_digit(letter) || (letter >= 'a' && letter <= 'z');
        if (is_kept && size == sizeof plain) {
            return ROLE_NONE;
        }
        if (is_kept) {
            plain[size++] = letter;
        }
    }
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        if (tn_str_is((struct tn_str){plain, size}, names[k].name)) {
            return names[k].role;
        }
    }
    return ROLE_NONE;
}

static bool add_request(struct reading *reading, struct tn_traced_request request)
{
    struct tn_trace *trace = reading->trace;
    if (trace->count == TN_TRACE_MOST_REQUESTS) {
        tn_fail(reading->error, TN_ERROR_TOO_LARGE, "a trace of more than %d requests", TN_TRACE_MOST_REQUESTS);
        return tn_fail_at(reading->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(reading->file));
    }
    if (trace->count == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 1024;
        struct tn_traced_request *grown =
            tn_arena_grow(reading->arena, trace->requests, trace->count, capacity, sizeof *grown);
        if (!grown) {
            return tn_fail_memory(reading->error);
        }
        trace->requests = grown;
        reading->capacity = capacity;
    }
    trace->requests[trace->count++] = request;
    return true;
}

static bool add_fields(struct reading *reading, const struct fields *fields, struct tn_str line)
{
    struct tn_trace *trace = reading->trace;
    bool has_total = fields->known[ROLE_TOTAL] && !fields->known[ROLE_PROMPT];
    struct tn_traced_request request = {.prompt_tokens =
                                            has_total ? fields->numbers[ROLE_TOTAL] : fields->numbers[ROLE_PROMPT],
                                        .output_tokens = fields->numbers[ROLE_OUTPUT]};
    if (!has_total && !fields->known[ROLE_PROMPT]) {
        return fail_line(reading, "there is no length of a request in", line);
    }
    for (int role = ROLE_DATE; role <= ROLE_MILLISECONDS; role++) {
        uint64_t time = fields->numbers[role];
        if (fields->known[role]) {
            reading->first_us = reading->has_first ? reading->first_us : time;
            reading->has_first = trace->has_arrivals = true;
            request.arrival_us = time > reading->first_us ? time - reading->first_us : 0;
        }
    }
    trace->has_outputs = trace->has_outputs || fields->known[ROLE_OUTPUT];
    if (!request.prompt_tokens && !request.output_tokens) {
        trace->empty_count++;
        return true;
    }
    return add_request(reading, request);
}

/* ---- comma separated values --------------------------------------------------------------------------------------- */

/* Takes the next field off the line, without quotes around it. */
static struct tn_str next_field(struct tn_str *line, bool *has_more)
{
    bool is_quoted = line->size && line->data[0] == '"';
    size_t quote = is_quoted ? tn_str_find(tn_str_slice(*line, 1, line->size), TN_STR("\"")) : SIZE_MAX;
    size_t from = quote == SIZE_MAX ? 0 : quote + 2;
    size_t comma = tn_str_find(tn_str_slice(*line, from, line->size), TN_STR(","));
    size_t end = comma == SIZE_MAX ? line->size : from + comma;
    struct tn_str field = quote == SIZE_MAX ? tn_str_slice(*line, 0, end) : tn_str_slice(*line, 1, quote + 1);
    *has_more = comma != SIZE_MAX;
    *line = *has_more ? tn_str_slice(*line, end + 1, line->size) : (struct tn_str){0};
    return tn_str_trim(field);
}

/* Names of columns; or numbers in the first line: a length, or a prompt and an output. */
static bool read_columns(struct reading *reading, struct tn_str line, bool *is_data)
{
    struct tn_str rest = line;
    bool has_more = line.size > 0;
    bool has_length = false;
    uint64_t number;
    *is_data = is_digit(line.data[0]);
    while (has_more && reading->column_count < MOST_FIELDS) {
        struct tn_str name = next_field(&rest, &has_more);
        enum role role = *is_data ? ROLE_NONE : role_of(name);
        *is_data = *is_data && read_number(ROLE_PROMPT, name, &number);
        reading->columns[reading->column_count++] = role;
        has_length = has_length || role == ROLE_PROMPT || role == ROLE_TOTAL;
    }
    if (*is_data && reading->column_count <= 2) {
        reading->columns[0] = reading->column_count == 1 ? ROLE_TOTAL : ROLE_PROMPT;
        reading->columns[1] = ROLE_OUTPUT;
        has_length = true;
    }
    reading->has_columns = true;
    if (has_length) {
        return true;
    }
    fail_line(reading, "no column is known as the length of a request in", line);
    return tn_fail_hint(reading->error, "name the columns prompt_tokens and output_tokens, or tokens");
}

static bool read_row(struct reading *reading, struct tn_str line)
{
    struct fields fields = {0};
    struct tn_str rest = line;
    bool has_more = true;
    for (size_t k = 0; has_more && k < reading->column_count; k++) {
        struct tn_str text = next_field(&rest, &has_more);
        enum role role = reading->columns[k];
        if (role == ROLE_NONE) {
            continue;
        }
        if (!read_number(role, text, &fields.numbers[role])) {
            return fail_line(reading, "neither a time nor a number of tokens:", text);
        }
        fields.known[role] = true;
    }
    return add_fields(reading, &fields, line);
}

/* ---- JSON Lines --------------------------------------------------------------------------------------------------- */

/* Mooncake counts milliseconds, Bailian, whose requests are turns of chats, seconds. */
static enum role role_of_key(const struct tn_value *object, struct tn_str key)
{
    enum role role = role_of(key);
    bool is_chat = tn_value_member(object, TN_STR("chat_id")) != NULL;
    return role == ROLE_DATE ? (is_chat ? ROLE_SECONDS : ROLE_MILLISECONDS) : role;
}

static bool read_value(enum role role, const struct tn_value *value, uint64_t *number)
{
    if (value->kind == TN_STRING) {
        return read_number(role, value->as.string, number);
    }
    bool is_time = role == ROLE_SECONDS || role == ROLE_MILLISECONDS;
    double unit = role == ROLE_SECONDS ? 1e6 : role == ROLE_MILLISECONDS ? 1e3 : 1;
    double real = value->kind == TN_INTEGER ? (double)value->as.integer : value->kind == TN_REAL ? value->as.real : -1;
    double most = is_time ? 1e18 : (double)TN_TRACE_MOST_TOKENS;
    bool fits = real >= 0 && real * unit <= most;
    *number = fits ? (uint64_t)(real * unit) : 0;
    return fits && (is_time || (double)*number >= real); /* tokens are whole */
}

/* A line that describes the run, in front of its requests. */
static bool is_description(const struct tn_value *object)
{
    const struct tn_value *kind = tn_value_member(object, TN_STR("kind"));
    return kind && kind->kind == TN_STRING && tn_str_is(kind->as.string, "meta");
}

static bool read_object(struct reading *reading, struct tn_str line)
{
    struct tn_value object;
    struct fields fields = {0};
    tn_arena_reset(&reading->line_arena);
    if (!tn_json_read(&reading->line_arena, line, &object, reading->error)) {
        return tn_fail_at(reading->error, -1, TN_STR_FORMAT ":%llu", TN_STR_ARGUMENTS(reading->file),
                          (unsigned long long)reading->line);
    }
    if (is_description(&object)) {
        return true;
    }
    for (uint32_t k = 0; k < object.count; k++) {
        const struct tn_member *member = &object.as.members[k];
        enum role role = role_of_key(&object, member->key);
        if (role == ROLE_NONE || member->value.kind == TN_NULL) {
            continue;
        }
        if (!read_value(role, &member->value, &fields.numbers[role])) {
            return fail_line(reading, "neither a time nor a number of tokens:", member->key);
        }
        fields.known[role] = true;
    }
    return add_fields(reading, &fields, line);
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static bool read_line(struct reading *reading, struct tn_str line)
{
    bool is_data = true;
    if (!line.size || line.data[0] == '#') {
        return true;
    }
    if (line.data[0] == '{') {
        return read_object(reading, line);
    }
    return (reading->has_columns || read_columns(reading, line, &is_data)) && (!is_data || read_row(reading, line));
}

static bool read_lines(struct reading *reading, struct tn_str text)
{
    bool done = true;
    while (done && text.size) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        reading->line++;
        done = read_line(reading, tn_str_trim(tn_str_slice(text, 0, end)));
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
    return done;
}

static bool fail_file(struct tn_str file, const char *what, const char *hint, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_UNREADABLE, "%s", what);
    tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(file));
    return tn_fail_hint(error, "%s", hint);
}

bool tn_trace_read(struct tn_arena *arena, struct tn_str text, struct tn_str file, struct tn_trace *trace,
                   struct tn_error *error)
{
    struct reading reading = {.arena = arena, .trace = trace, .error = error, .file = file};
    *trace = (struct tn_trace){0};
    if (tn_str_starts(text, TN_STR("\x1f\x8b"))) {
        return fail_file(file, "a compressed trace", "gunzip it first: gunzip -k FILE.gz", error);
    }
    text = tn_str_starts(text, TN_STR("\xef\xbb\xbf")) ? tn_str_slice(text, 3, text.size) : text;
    bool done = read_lines(&reading, text);
    tn_arena_free(&reading.line_arena);
    return done
           && (trace->count
               || fail_file(file, "a trace without requests", "one request a line, as CSV or as JSON objects", error));
}
