/* Reading the records of commands. */
#include "launch/table.h"

#include "engine/record/rules.h"
#include "text/quantity.h"

static const char *const kind_names[TN_OPTION_KIND_COUNT] = {
    "count", "human", "real", "word", "on", "switch", "optional", "mib", "layers", "list", "devices", "float32"};

struct reading {
    struct tn_arena *arena;
    const struct tn_record *record;
    struct tn_launch_table *table;
    struct tn_error *error;
};

static bool fail_line(const struct reading *reading, const struct tn_statement *statement, const char *what)
{
    tn_fail(reading->error, TN_ERROR_RECORD, "%s in '" TN_STR_FORMAT " " TN_STR_FORMAT "'", what,
            TN_STR_ARGUMENTS(statement->word), TN_STR_ARGUMENTS(statement->rest));
    return tn_fail_at(reading->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reading->record->file),
                      statement->line);
}

/* Splits "a b : c d" at its colon. */
static void split(struct tn_str rest, struct tn_str *before, struct tn_str *behind)
{
    size_t mark = tn_str_find(rest, TN_STR(": "));
    *before = tn_str_trim(tn_str_slice(rest, 0, mark));
    *behind = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_trim(tn_str_slice(rest, mark + 1, rest.size));
}

uint64_t tn_launch_version(struct tn_str version)
{
    static const uint64_t BUILDS = 1000000000;
    uint64_t number;
    size_t size;
    if (tn_build_read(version, &number)) {
        return number;
    }
    return tn_version_read(version, &number, &size) ? BUILDS + number : 0;
}

bool tn_option_is_of(const struct tn_option *option, uint64_t version)
{
    return version >= option->since && version < option->until;
}

enum tn_option_place tn_option_place(struct tn_str name)
{
    if (tn_str_starts(name, TN_STR("-"))) {
        return TN_PLACE_LINE;
    }
    for (size_t k = 0; k < name.size; k++) {
        if (name.data[k] != '_' && !(name.data[k] >= 'A' && name.data[k] <= 'Z')) {
            return TN_PLACE_FILE;
        }
    }
    return TN_PLACE_ENVIRONMENT;
}

struct tn_str tn_first_word(struct tn_str words)
{
    return tn_str_word(&words);
}

static bool same_name(struct tn_str a, struct tn_str b)
{
    bool is_long = tn_str_starts(a, TN_STR("--")) && tn_str_starts(b, TN_STR("--"));
    bool same = a.size == b.size;
    for (size_t k = 0; same && k < a.size; k++) {
        char left = is_long && a.data[k] == '_' ? '-' : a.data[k];
        char right = is_long && b.data[k] == '_' ? '-' : b.data[k];
        same = left == right;
    }
    return same;
}

bool tn_names_have(struct tn_str names, struct tn_str name)
{
    for (struct tn_str word = tn_str_word(&names); word.size; word = tn_str_word(&names)) {
        if (same_name(word, name)) {
            return true;
        }
    }
    return false;
}

bool tn_launch_is_fact(const struct tn_launch_table *table, struct tn_str setting)
{
    for (size_t k = 0; k < table->fact_count; k++) {
        if (tn_str_equal(table->facts[k], setting)) {
            return true;
        }
    }
    return false;
}

/* ---- the lines ---------------------------------------------------------------------------------------------------- */

static bool read_version(struct tn_str text, uint64_t *version)
{
    *version = tn_launch_version(text);
    return *version > 0;
}

/* always, unless 1, since 0.8, until 0.11, with NAME, also KEY=VALUE, null 0, joined, written */
static bool read_attributes(struct tn_str rest, struct tn_option *option)
{
    bool done = true;
    for (struct tn_str word = tn_str_word(&rest); done && word.size; word = tn_str_word(&rest)) {
        struct tn_str *text = tn_str_is(word, "unless") ? &option->usual
                              : tn_str_is(word, "with") ? &option->with
                              : tn_str_is(word, "also") ? &option->also
                              : tn_str_is(word, "null") ? &option->none
                                                        : NULL;
        uint64_t *version = tn_str_is(word, "since")   ? &option->since
                            : tn_str_is(word, "until") ? &option->until
                                                       : NULL;
        bool *flag = tn_str_is(word, "always")    ? &option->always
                     : tn_str_is(word, "written") ? &option->only_written
                     : tn_str_is(word, "joined")  ? &option->joined
                                                  : NULL;
        if (text) {
            *text = tn_str_word(&rest);
            done = text->size > 0;
        } else if (version) {
            done = read_version(tn_str_word(&rest), version);
        } else if (flag) {
            *flag = true;
        } else {
            done = false;
        }
    }
    return done;
}

static bool read_option(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_option option = {.until = UINT64_MAX};
    struct tn_str rest;
    int kind = 0;
    split(statement->rest, &rest, &option.names);
    size_t slash = tn_str_find(option.names, TN_STR(" / "));
    if (slash != SIZE_MAX) {
        option.other_names = tn_str_trim(tn_str_slice(option.names, slash + 2, option.names.size));
        option.names = tn_str_slice(option.names, 0, slash);
    }
    option.target = tn_str_word(&rest);
    struct tn_str word = tn_str_word(&rest);
    while (kind < TN_OPTION_KIND_COUNT && !tn_str_is(word, kind_names[kind])) {
        kind++;
    }
    if (kind == TN_OPTION_KIND_COUNT || !option.names.size || !read_attributes(rest, &option)) {
        return fail_line(reading, statement,
                         "option SETTING KIND [ATTRIBUTES] : NAMES: something is missing or unknown");
    }
    option.kind = (enum tn_option_kind)kind;
    table->options[table->option_count++] = option;
    return true;
}

static bool read_pass(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_str how;
    struct tn_passed_options passed = {.bears_on_memory = tn_str_is(statement->word, "unplanned")};
    split(statement->rest, &how, &passed.names);
    passed.takes_value = tn_str_is(how, "value");
    if ((!passed.takes_value && !tn_str_is(how, "flag")) || table->passed_count == TN_LAUNCH_PASSED) {
        return fail_line(reading, statement,
                         "'value : NAMES' or 'flag : NAMES' is missing, or there are too many such lines");
    }
    table->passed[table->passed_count++] = passed;
    return true;
}

static bool read_program(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    size_t mark = tn_str_find(statement->rest, TN_STR(" set "));
    if (table->program_count == TN_LAUNCH_PROGRAMS) {
        return fail_line(reading, statement, "too many programs");
    }
    table->programs[table->program_count++] = (struct tn_program){
        .words = tn_str_slice(statement->rest, 0, mark),
        .is_module = tn_str_is(statement->word, "module"),
        .set = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(statement->rest, mark + 5, statement->rest.size),
    };
    return true;
}

static bool read_image(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_str rest = statement->rest;
    if (table->image_count == TN_LAUNCH_IMAGES) {
        return fail_line(reading, statement, "too many images");
    }
    struct tn_image *image = &table->images[table->image_count++];
    image->repository = tn_str_word(&rest);
    image->tag = tn_str_word(&rest);
    image->is_of_builds = tn_str_is(rest, "when b1");
    return image->tag.size > 0 || fail_line(reading, statement, "no tag");
}

static bool read_port(const struct reading *reading, const struct tn_statement *statement)
{
    return tn_quantity_number(statement->rest, &reading->table->port) || fail_line(reading, statement, "no number");
}

/* model [positional|gguf|modelfile] : NAMES */
static bool read_model(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_str how;
    split(statement->rest, &how, &reading->table->model);
    reading->table->model_is_positional = tn_str_is(how, "positional");
    reading->table->model_is_gguf = tn_str_is(how, "gguf") || tn_str_is(how, "modelfile");
    return reading->table->model.size > 0 || fail_line(reading, statement, "no names");
}

static bool read_names(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_str none;
    bool is_hub = tn_str_is(statement->word, "hub");
    split(statement->rest, &none, is_hub ? &reading->table->hub : &reading->table->revision);
    return true;
}

static bool read_text(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_str *text = tn_str_is(statement->word, "file")         ? &table->file
                          : tn_str_is(statement->word, "entrypoint") ? &table->entrypoint
                                                                     : &table->container;
    *text = statement->rest;
    return true;
}

static bool read_facts(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_str rest = statement->rest;
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        void *grown =
            tn_arena_grow(reading->arena, table->facts, table->fact_count, table->fact_count + 1, sizeof word);
        if (!grown) {
            return tn_fail_memory(reading->error);
        }
        table->facts = grown;
        table->facts[table->fact_count++] = word;
    }
    return true;
}

static bool read_refused(const struct reading *reading, const struct tn_statement *statement)
{
    struct tn_launch_table *table = reading->table;
    struct tn_refused_setting refused;
    struct tn_str pair;
    split(statement->rest, &pair, &refused.why);
    refused.name = tn_str_word(&pair);
    refused.value = pair;
    if (!refused.value.size || !refused.why.size || table->refused_count == TN_LAUNCH_REFUSED) {
        return fail_line(reading, statement, "refuse SETTING VALUE : WHY");
    }
    table->refused[table->refused_count++] = refused;
    return true;
}

static bool read_statement(const struct reading *reading, const struct tn_statement *statement)
{
    static const struct {
        const char *word;
        bool (*read)(const struct reading *reading, const struct tn_statement *statement);
    } words[] = {
        {"option", read_option},  {"pass", read_pass},       {"unplanned", read_pass}, {"program", read_program},
        {"module", read_program}, {"image", read_image},     {"port", read_port},      {"model", read_model},
        {"revision", read_names}, {"hub", read_names},       {"file", read_text},      {"fact", read_facts},
        {"refuse", read_refused}, {"entrypoint", read_text}, {"container", read_text},
    };
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_is(statement->word, words[k].word)) {
            return words[k].read(reading, statement);
        }
    }
    return fail_line(reading, statement, "unknown word");
}

const struct tn_launch_table *tn_launch_table(const struct tn_catalog *catalog, const struct tn_engine *engine,
                                              struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_record *record = tn_catalog_record(catalog, TN_STR("launch"), tn_str_of(engine->name));
    struct tn_launch_table *table = TN_NEW(arena, struct tn_launch_table);
    if (!record) {
        tn_fail(error, TN_ERROR_USAGE, "there are no commands of %s here", engine->name);
        return NULL;
    }
    if (!table || !(table->options = TN_NEW_ARRAY(arena, struct tn_option, record->count))) {
        tn_fail_memory(error);
        return NULL;
    }
    struct reading reading = {arena, record, table, error};
    table->engine = engine;
    for (uint32_t k = 0; k < record->count; k++) {
        if (!read_statement(&reading, &record->statements[k])) {
            return NULL;
        }
    }
    return table;
}
