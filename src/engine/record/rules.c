/* Reading an engine record for one version. */
#include "engine/record/rules_compiled.h"

#include "base/number.h"
#include "catalog/kept.h"

const char *const tn_given_names[TN_GIVEN_COUNT] = {
    [TN_GIVEN_VERSION] = "version",
    [TN_GIVEN_TP] = "tp",
    [TN_GIVEN_PP] = "pp",
    [TN_GIVEN_EP] = "ep",
    [TN_GIVEN_DP] = "dp",
    [TN_GIVEN_STAGE] = "stage",
    [TN_GIVEN_CONTEXT] = "context",
    [TN_GIVEN_CONCURRENCY] = "concurrency",
    [TN_GIVEN_KV_DTYPE_IS_GIVEN] = "kv_dtype_is_given",
    [TN_GIVEN_KV_BITS] = "kv_bits",
    [TN_GIVEN_GPU_MEMORY] = "gpu_memory",
    [TN_GIVEN_GPU_VISIBLE] = "gpu_visible",
    [TN_GIVEN_RANK_VISIBLE] = "rank_visible",
    [TN_GIVEN_MOST_VISIBLE] = "most_visible",
    [TN_GIVEN_ALL_VISIBLE] = "all_visible",
    [TN_GIVEN_COMPUTE_CAPABILITY] = "compute_capability",
    [TN_GIVEN_GPU_IS_UNIFIED] = "gpu_is_unified",
    [TN_GIVEN_HIDDEN] = "hidden",
    [TN_GIVEN_VOCAB] = "vocab",
    [TN_GIVEN_LAYERS] = "layers",
    [TN_GIVEN_HEADS] = "heads",
    [TN_GIVEN_KV_HEADS] = "kv_heads",
    [TN_GIVEN_ATTENTION_WIDTH] = "attention_width",
    [TN_GIVEN_ATTENTION_OUT] = "attention_out",
    [TN_GIVEN_FFN_WIDTH] = "ffn_width",
    [TN_GIVEN_EXPERTS] = "experts",
    [TN_GIVEN_EXPERTS_ACTIVE] = "experts_active",
    [TN_GIVEN_EXPERT_WIDTH] = "expert_width",
    [TN_GIVEN_SHARED_WIDTH] = "shared_width",
    [TN_GIVEN_LATENT_WIDTH] = "latent_width",
    [TN_GIVEN_STATE_LAYERS] = "state_layers",
    [TN_GIVEN_WINDOW_LAYERS] = "window_layers",
    [TN_GIVEN_VISION_WIDTH] = "vision_width",
    [TN_GIVEN_ELEMENT_BYTES] = "element_bytes",
    [TN_GIVEN_MAX_POSITION] = "max_position",
    [TN_GIVEN_FILE_BYTES] = "file_bytes",
    [TN_GIVEN_WEIGHTS] = "weights",
    [TN_GIVEN_WEIGHTS_ALLOCATED] = "weights_allocated",
    [TN_GIVEN_WEIGHTS_RESERVED] = "weights_reserved",
    [TN_GIVEN_WEIGHTS_LARGEST] = "weights_largest",
    [TN_GIVEN_WEIGHTS_OFFLOADED] = "weights_offloaded",
    [TN_GIVEN_KV_PER_TOKEN] = "kv_per_token",
    [TN_GIVEN_STATE_PER_REQUEST] = "state_per_request",
    [TN_GIVEN_KV_BLOCK_TOKENS] = "kv_block_tokens",
    [TN_GIVEN_POOL_BYTES] = "pool_bytes",
    [TN_GIVEN_POOL_TOKENS] = "pool_tokens",
    [TN_GIVEN_BLOCKS] = "blocks",
    [TN_GIVEN_MAX_CONCURRENCY] = "max_concurrency",
    [TN_GIVEN_REQUESTS] = "requests",
    [TN_GIVEN_WINDOW_TOKENS] = "window_tokens",
    [TN_GIVEN_STATE_POOL_SLOTS] = "state_pool_slots",
    [TN_GIVEN_AVAILABLE] = "available",
    [TN_GIVEN_NEEDED] = "needed",
    [TN_GIVEN_STARTS] = "starts",
    [TN_GIVEN_GPU_LAYERS] = "gpu_layers",
    [TN_GIVEN_ALL_LAYERS] = "all_layers",
    [TN_GIVEN_REPORTED_BYTES] = "reported_bytes",
    [TN_GIVEN_REPORTED_GPU_BYTES] = "reported_gpu_bytes",
    [TN_GIVEN_SUGGESTED] = "suggested",
    [TN_GIVEN_QUANT] = "quant",
    [TN_GIVEN_GPU_NAME] = "gpu_name",
    [TN_GIVEN_ARCHITECTURE] = "architecture",
    [TN_GIVEN_FAMILY] = "family",
    [TN_GIVEN_KV_DTYPE] = "kv_dtype",
    [TN_GIVEN_GGUF_ARCHITECTURE] = "gguf",
    [TN_GIVEN_BUILD] = "build",
    [TN_GIVEN_KIB] = "KiB",
    [TN_GIVEN_MIB] = "MiB",
    [TN_GIVEN_GIB] = "GiB",
};

bool tn_given_is_late(enum tn_given given)
{
    return given == TN_GIVEN_STAGE || (given >= TN_GIVEN_WEIGHTS && given <= TN_GIVEN_SUGGESTED);
}

const char *const tn_setting_type_names[TN_SETTING_WORD + 1] = {"count", "tokens", "bytes", "real", "flag", "word"};

enum { MOST_VERSION_PART = 999, PARTS = 3 };

bool tn_build_read(struct tn_str version, uint64_t *build)
{
    struct tn_str digits = tn_str_slice(version, 1, version.size);
    bool is_build = tn_str_starts(version, TN_STR("b")) && digits.size && digits.size <= 9;
    *build = 0;
    for (size_t k = 0; is_build && k < digits.size; k++) {
        is_build = digits.data[k] >= '0' && digits.data[k] <= '9';
        *build = *build * 10 + (uint64_t)(digits.data[k] - '0');
    }
    return is_build;
}

bool tn_version_read(struct tn_str text, uint64_t *number, size_t *size)
{
    uint64_t build;
    if (tn_build_read(text, &build)) {
        *number = 0;
        *size = text.size;
        return true;
    }
    uint64_t parts[PARTS] = {0};
    size_t k = 0;
    *size = 0;
    for (int part = 0; part < PARTS && k < text.size && text.data[k] >= '0' && text.data[k] <= '9'; part++) {
        for (; k < text.size && text.data[k] >= '0' && text.data[k] <= '9' && parts[part] <= MOST_VERSION_PART; k++) {
            parts[part] = 10 * parts[part] + (uint64_t)(text.data[k] - '0');
        }
        *size = k;
        k += k < text.size && text.data[k] == '.';
    }
    *number = (parts[0] * 1000 + parts[1]) * 1000 + parts[2];
    return *size > 0 && parts[0] <= MOST_VERSION_PART && parts[1] <= MOST_VERSION_PART && parts[2] <= MOST_VERSION_PART;
}

struct reader {
    const struct tn_catalog *catalog;
    const struct tn_record *record;
    const struct tn_statement *statement;
    struct tn_arena *arena;
    struct tn_rules *rules;
    struct tn_error *error;
};

static bool fail_line(struct reader *reader, const char *message)
{
    tn_fail(reader->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT " " TN_STR_FORMAT "'", message,
            TN_STR_ARGUMENTS(reader->statement->word), TN_STR_ARGUMENTS(reader->statement->rest));
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                      reader->statement->line);
}

/* Takes the expression at the start of the text off it. */
static bool take_expression(struct reader *reader, struct tn_str *text, const struct tn_expression **expression)
{
    size_t used;
    if (!tn_expression_parse(reader->arena, *text, expression, &used, reader->error)) {
        return tn_fail_in_record(reader->record, reader->statement->line, reader->error);
    }
    *text = tn_str_trim(tn_str_slice(*text, used, text->size));
    return true;
}

static bool take_mark(struct tn_str *text, const char *mark)
{
    bool found = tn_str_starts(*text, tn_str_of(mark));
    if (found) {
        *text = tn_str_trim(tn_str_slice(*text, tn_str_of(mark).size, text->size));
    }
    return found;
}

/* EXPRESSION [range LOW, HIGH] [: HELP] */
static bool take_formula(struct reader *reader, struct tn_str text, struct tn_rule_row *row)
{
    const char *start = text.data;
    row->low = row->high = NULL;
    row->record = reader->record;
    row->line = reader->statement->line;
    if (!take_expression(reader, &text, &row->expression)) {
        return false;
    }
    row->setting.formula = tn_expression_text(row->expression);
    if (take_mark(&text, "range ")) {
        if (!take_expression(reader, &text, &row->low) || !take_mark(&text, ",")
            || !take_expression(reader, &text, &row->high)) {
            return fail_line(reader, "expected 'range LOW, HIGH'");
        }
        row->setting.formula = tn_str_trim((struct tn_str){start, (size_t)(text.data - start)});
    }
    if (take_mark(&text, ":")) {
        row->setting.help = text;
        text.size = 0;
    }
    return !text.size || fail_line(reader, "cannot read what follows the formula");
}

static struct tn_rule_row *find_row(const struct tn_rules *rules, struct tn_str name)
{
    uint32_t index = tn_map_find(&rules->names, name);
    return index == TN_MAP_NONE || index < TN_GIVEN_COUNT ? NULL : &rules->rows[index - TN_GIVEN_COUNT];
}

static int find_word(struct tn_str word, const char *const *words, int count)
{
    int k = 0;
    while (k < count && !tn_str_is(word, words[k])) {
        k++;
    }
    return k;
}

/* The row of that name, or a new one. NULL with the error filled. */
static struct tn_rule_row *take_row(struct reader *reader, struct tn_str name)
{
    struct tn_rules *rules = reader->rules;
    struct tn_rule_row *row = find_row(rules, name);
    uint32_t existing;
    if (row) {
        return row;
    }
    if (!tn_map_insert(reader->arena, &rules->names, name, TN_GIVEN_COUNT + (uint32_t)rules->row_count, &existing)) {
        (void)tn_fail_memory(reader->error);
        return NULL;
    }
    if (existing != TN_MAP_NONE) {
        (void)fail_line(reader, "the name is one of a given value");
        return NULL;
    }
    return &rules->rows[rules->row_count++];
}

/* A record that inherits may say anew what its parent said. */
static bool read_row(struct reader *reader, bool is_setting)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_str name = tn_str_word(&rest);
    struct tn_rule_row *row = take_row(reader, name);
    if (!row) {
        return false;
    }
    *row = (struct tn_rule_row){.is_setting = is_setting, .setting.name = name};
    if (is_setting) {
        int type = find_word(tn_str_word(&rest), tn_setting_type_names, TN_SETTING_WORD + 1);
        if (type > TN_SETTING_WORD) {
            return fail_line(reader, "expected 'setting NAME count|tokens|bytes|real|flag|word DEFAULT'");
        }
        row->setting.type = (enum tn_setting_type)type;
    }
    return take_formula(reader, rest, row);
}

static bool read_setting(struct reader *reader)
{
    return read_row(reader, true);
}

static bool read_let(struct reader *reader)
{
    return read_row(reader, false);
}

static bool read_since(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_str version = tn_str_word(&rest);
    struct tn_str name = tn_str_word(&rest);
    struct tn_rule_row *row = find_row(reader->rules, name);
    uint64_t number;
    size_t size;
    if (!row || !tn_version_read(version, &number, &size) || size != version.size) {
        return fail_line(reader, "expected 'since VERSION NAME FORMULA' behind the line that NAME stands in");
    }
    struct tn_rule_row newer = *row;
    if (!take_formula(reader, rest, &newer)) {
        return false;
    }
    *row = number <= reader->rules->version_number ? newer : *row;
    return true;
}

static bool read_same(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_rule_row *row = find_row(reader->rules, tn_str_word(&rest));
    if (!row || !row->is_setting || !rest.size) {
        return fail_line(reader, "expected 'same SETTING INPUT'");
    }
    row->setting.same = rest;
    return true;
}

static bool read_entry(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    int category = find_word(tn_str_word(&rest), tn_category_names, TN_CATEGORY_COUNT);
    int basis = find_word(tn_str_word(&rest), tn_basis_names, TN_BASIS_COUNT);
    bool is_beside = take_mark(&rest, "beside ");
    struct tn_rule_row *row = find_row(reader->rules, tn_str_word(&rest));
    struct tn_rule_entry *entry = &reader->rules->entries[reader->rules->entry_count];
    *entry = (struct tn_rule_entry){
        .category = (enum tn_category)category, .basis = (enum tn_basis)basis, .is_beside = is_beside};
    if (category == TN_CATEGORY_COUNT || basis == TN_BASIS_COUNT || !row) {
        return fail_line(reader, "expected 'entry CATEGORY BASIS [beside] NAME [when CONDITION] : LABEL'");
    }
    entry->row = (uint32_t)(row - reader->rules->rows);
    if (take_mark(&rest, "when ") && !take_expression(reader, &rest, &entry->when)) {
        return false;
    }
    if (!take_mark(&rest, ":") || !rest.size) {
        return fail_line(reader, "expected ': LABEL'");
    }
    entry->label = rest;
    reader->rules->entry_count++;
    return true;
}

static bool add_text(struct reader *reader, struct tn_rule_texts *texts, bool has_name)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_rule_text *text = &texts->texts[texts->count];
    *text = (struct tn_rule_text){.record = reader->record, .line = reader->statement->line};
    if (has_name) {
        text->name = tn_str_word(&rest);
    } else if (!take_expression(reader, &rest, &text->when)) {
        return false;
    }
    if (!take_mark(&rest, ":") || !rest.size) {
        return fail_line(reader, "expected ': TEXT'");
    }
    text->text = rest;
    texts->count++;
    return true;
}

static bool read_refuse(struct reader *reader)
{
    return add_text(reader, &reader->rules->refusals, false);
}

static bool read_log(struct reader *reader)
{
    return add_text(reader, &reader->rules->logs, false);
}

static bool read_tell(struct reader *reader)
{
    return add_text(reader, &reader->rules->notes, false);
}

static bool read_say(struct reader *reader)
{
    return add_text(reader, &reader->rules->says, true);
}

static bool read_remedy(struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_rule_row *row = find_row(reader->rules, tn_str_word(&rest));
    struct tn_rule_remedy *remedy = &reader->rules->remedies[reader->rules->remedy_count];
    *remedy = (struct tn_rule_remedy){.text = {.record = reader->record, .line = reader->statement->line}};
    if (!row || !row->is_setting) {
        return fail_line(reader, "expected 'remedy SETTING EXPRESSION [when CONDITION] : TEXT'");
    }
    remedy->row = (uint32_t)(row - reader->rules->rows);
    if (!take_expression(reader, &rest, &remedy->value)
        || (take_mark(&rest, "when ") && !take_expression(reader, &rest, &remedy->text.when))) {
        return false;
    }
    if (!take_mark(&rest, ":") || !rest.size) {
        return fail_line(reader, "expected ': TEXT'");
    }
    remedy->text.text = rest;
    reader->rules->remedy_count++;
    return true;
}

/* `versions` and `name` are read elsewhere; `note` is for people. */
static bool read_nothing(struct reader *reader)
{
    (void)reader;
    return true;
}

static bool read_statement(struct reader *reader)
{
    static const struct {
        const char *word;
        bool (*read)(struct reader *reader);
    } words[] = {
        {"setting", read_setting},  {"let", read_let},       {"since", read_since},  {"same", read_same},
        {"entry", read_entry},      {"refuse", read_refuse}, {"log", read_log},      {"say", read_say},
        {"remedy", read_remedy},    {"tell", read_tell},     {"name", read_nothing}, {"note", read_nothing},
        {"versions", read_nothing},
    };
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_is(reader->statement->word, words[k].word)) {
            return words[k].read(reader);
        }
    }
    return fail_line(reader, "unknown statement of an engine record");
}

enum { MOST_ANCESTORS = 4 };

/* The record and its ancestors, the eldest last; 0 where one is missing or there are too many. */
static size_t line_of(const struct tn_catalog *catalog, const struct tn_record *record, const struct tn_record **line)
{
    size_t count = 0;
    while (record && count < MOST_ANCESTORS) {
        struct tn_str parent = record->parent;
        line[count++] = record;
        if (!parent.size) {
            return count;
        }
        record = tn_catalog_record(catalog, TN_STR("engine"), parent);
    }
    return 0;
}

/* Room for as many of each as there are statements: nothing grows while it is pointed into. */
static bool make_room(struct reader *reader, size_t count)
{
    struct tn_rules *rules = reader->rules;
    rules->rows = TN_NEW_ARRAY(reader->arena, struct tn_rule_row, count + 1);
    rules->entries = TN_NEW_ARRAY(reader->arena, struct tn_rule_entry, count + 1);
    rules->refusals.texts = TN_NEW_ARRAY(reader->arena, struct tn_rule_text, count + 1);
    rules->logs.texts = TN_NEW_ARRAY(reader->arena, struct tn_rule_text, count + 1);
    rules->says.texts = TN_NEW_ARRAY(reader->arena, struct tn_rule_text, count + 1);
    rules->notes.texts = TN_NEW_ARRAY(reader->arena, struct tn_rule_text, count + 1);
    rules->remedies = TN_NEW_ARRAY(reader->arena, struct tn_rule_remedy, count + 1);
    rules->settings = TN_NEW_ARRAY(reader->arena, struct tn_rules_setting, count + 1);
    bool done = rules->rows && rules->entries && rules->refusals.texts && rules->logs.texts && rules->says.texts
                && rules->notes.texts && rules->remedies && rules->settings
                && tn_map_reserve(reader->arena, &rules->names, TN_GIVEN_COUNT + count);
    uint32_t existing;
    for (uint32_t k = 0; done && k < TN_GIVEN_COUNT; k++) {
        done = tn_map_insert(reader->arena, &rules->names, tn_str_of(tn_given_names[k]), k, &existing);
    }
    return done || tn_fail_memory(reader->error);
}

struct dependence {
    struct tn_rules *rules;
    struct tn_given_set given;
    bool names_something;
};

static void look_at(struct tn_rules *rules, struct tn_rule_row *row);

static void visit_name(void *context, struct tn_str name, bool is_fact)
{
    struct dependence *dependence = context;
    dependence->names_something = true;
    uint32_t index = is_fact ? TN_MAP_NONE : tn_map_find(&dependence->rules->names, name);
    if (index < TN_GIVEN_COUNT) {
        dependence->given.words[index / 64] |= UINT64_C(1) << index % 64;
    } else if (index != TN_MAP_NONE) {
        struct tn_rule_row *row = &dependence->rules->rows[index - TN_GIVEN_COUNT];
        look_at(dependence->rules, row);
        for (int k = 0; k < TN_GIVEN_WORDS; k++) {
            dependence->given.words[k] |= row->depends_on.words[k];
        }
    }
}

static bool has_given(const struct tn_given_set *set, uint32_t given)
{
    return set->words[given / 64] >> given % 64 & 1;
}

static bool names_gpu(const struct tn_given_set *set)
{
    static const enum tn_given of_gpu[] = {TN_GIVEN_GPU_MEMORY,     TN_GIVEN_GPU_VISIBLE, TN_GIVEN_RANK_VISIBLE,
                                           TN_GIVEN_MOST_VISIBLE,   TN_GIVEN_ALL_VISIBLE, TN_GIVEN_COMPUTE_CAPABILITY,
                                           TN_GIVEN_GPU_IS_UNIFIED, TN_GIVEN_GPU_NAME};
    bool found = false;
    for (size_t k = 0; k < sizeof of_gpu / sizeof of_gpu[0]; k++) {
        found = found || has_given(set, of_gpu[k]);
    }
    return found;
}

/* What the formula of a row depends on. A formula that needs itself is found when it is evaluated. */
static void look_at(struct tn_rules *rules, struct tn_rule_row *row)
{
    struct dependence dependence = {.rules = rules};
    if (row->is_looked_at) {
        return;
    }
    row->is_looked_at = true;
    tn_expression_names(row->expression, visit_name, &dependence);
    if (row->low) {
        tn_expression_names(row->low, visit_name, &dependence);
        tn_expression_names(row->high, visit_name, &dependence);
    }
    row->depends_on = dependence.given;
    row->setting.depends_on_gpu = names_gpu(&dependence.given);
    row->is_constant = !dependence.names_something;
}

static uint32_t number_of(const void *context, struct tn_str name)
{
    return tn_map_find(&((const struct tn_rules *)context)->names, name);
}

static void number_symbols(const struct tn_rules *rules, const struct tn_expression *expression)
{
    if (expression) {
        tn_expression_number(expression, number_of, rules);
    }
}

static void number_texts(const struct tn_rules *rules, const struct tn_rule_texts *texts)
{
    for (size_t k = 0; k < texts->count; k++) {
        number_symbols(rules, texts->texts[k].when);
    }
}

static void number_all(const struct tn_rules *rules)
{
    for (size_t k = 0; k < rules->row_count; k++) {
        number_symbols(rules, rules->rows[k].expression);
        number_symbols(rules, rules->rows[k].low);
        number_symbols(rules, rules->rows[k].high);
    }
    for (size_t k = 0; k < rules->entry_count; k++) {
        number_symbols(rules, rules->entries[k].when);
    }
    for (size_t k = 0; k < rules->remedy_count; k++) {
        number_symbols(rules, rules->remedies[k].value);
        number_symbols(rules, rules->remedies[k].text.when);
    }
    number_texts(rules, &rules->refusals);
    number_texts(rules, &rules->logs);
    number_texts(rules, &rules->notes);
}

static bool list_dependents(struct reader *reader, uint32_t given)
{
    struct tn_rules *rules = reader->rules;
    struct tn_dependents *dependents = &rules->dependents[given];
    for (uint32_t k = 0; k < rules->row_count; k++) {
        dependents->count += has_given(&rules->rows[k].depends_on, given);
    }
    dependents->rows = TN_NEW_ARRAY(reader->arena, uint32_t, dependents->count + 1);
    if (!dependents->rows) {
        return tn_fail_memory(reader->error);
    }
    dependents->count = 0;
    for (uint32_t k = 0; k < rules->row_count; k++) {
        if (has_given(&rules->rows[k].depends_on, given)) {
            dependents->rows[dependents->count++] = k;
        }
    }
    return true;
}

static bool complete(struct reader *reader)
{
    struct tn_rules *rules = reader->rules;
    bool done = true;
    for (size_t k = 0; k < rules->row_count; k++) {
        look_at(rules, &rules->rows[k]);
        if (rules->rows[k].is_setting) {
            rules->settings[rules->setting_count++] = rules->rows[k].setting;
        }
    }
    for (uint32_t given = 0; done && given < TN_GIVEN_COUNT; given++) {
        done = list_dependents(reader, given);
    }
    number_all(rules);
    return done;
}

/* The version that was asked for, within what the record knows. */
static bool choose_version(struct reader *reader, struct tn_str wanted)
{
    struct tn_str newest = tn_record_text(reader->record, "versions");
    struct tn_str oldest = tn_str_word(&newest);
    struct tn_str version = wanted.size ? wanted : newest;
    uint64_t least;
    uint64_t most;
    size_t size;
    if (!tn_version_read(oldest, &least, &size) || !tn_version_read(newest, &most, &size)) {
        tn_fail(reader->error, TN_ERROR_RECORD, "engine record without 'versions OLDEST NEWEST'");
        return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                          reader->record->line);
    }
    bool known = tn_version_read(version, &reader->rules->version_number, &size);
    reader->rules->version = version;
    if (known && reader->rules->version_number >= least && reader->rules->version_number / 1000 <= most / 1000) {
        return true;
    }
    tn_fail(reader->error, TN_ERROR_USAGE, "version '" TN_STR_FORMAT "' of %s is not known", TN_STR_ARGUMENTS(version),
            tn_str_terminated(reader->arena, reader->rules->engine));
    tn_fail_at(reader->error, -1, "--engine");
    return tn_fail_hint(reader->error, "known are " TN_STR_FORMAT " to " TN_STR_FORMAT, TN_STR_ARGUMENTS(oldest),
                        TN_STR_ARGUMENTS(newest));
}

static bool read_record(struct reader *reader, struct tn_str version)
{
    const struct tn_record *line[MOST_ANCESTORS];
    size_t ancestors = line_of(reader->catalog, reader->record, line);
    size_t statements = 0;
    for (size_t k = 0; k < ancestors; k++) {
        statements += line[k]->count;
    }
    if (!ancestors) {
        tn_fail(reader->error, TN_ERROR_RECORD, "there is no parent '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(reader->record->parent));
        return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                          reader->record->line);
    }
    if (!choose_version(reader, version) || !make_room(reader, statements)) {
        return false;
    }
    for (size_t k = ancestors; k-- > 0;) {
        reader->record = line[k];
        for (uint32_t s = 0; s < line[k]->count; s++) {
            reader->statement = &line[k]->statements[s];
            if (!read_statement(reader)) {
                return false;
            }
        }
    }
    return complete(reader);
}

struct wanted {
    const struct tn_catalog *catalog;
    struct tn_str engine;
    struct tn_str version;
};

static const void *compile(const void *what, struct tn_arena *arena, struct tn_error *error)
{
    const struct wanted *wanted = what;
    struct reader reader = {.catalog = wanted->catalog,
                            .record = tn_catalog_record(wanted->catalog, TN_STR("engine"), wanted->engine),
                            .arena = arena,
                            .rules = TN_NEW(arena, struct tn_rules),
                            .error = error};
    struct tn_str version; /* the caller's may go before the rules do */
    if (!reader.rules || !tn_str_copy(arena, wanted->version, &version)) {
        tn_fail_memory(error);
        return NULL;
    }
    if (!reader.record) {
        tn_fail(error, TN_ERROR_RECORD, "there is no engine record '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(wanted->engine));
        return NULL;
    }
    reader.rules->engine = reader.record->id;
    return read_record(&reader, version) ? reader.rules : NULL;
}

const struct tn_rules *tn_rules_open(const struct tn_catalog *catalog, struct tn_str engine, struct tn_str version,
                                     struct tn_arena *arena, struct tn_error *error)
{
    struct wanted wanted = {catalog, engine, version};
    struct tn_builder name = {0};
    const void *rules = NULL;
    tn_builder_addf(&name, "rules " TN_STR_FORMAT " " TN_STR_FORMAT, TN_STR_ARGUMENTS(engine),
                    TN_STR_ARGUMENTS(version));
    if (!name.failed || tn_fail_memory(error)) {
        rules = tn_kept_make(tn_catalog_kept(catalog), tn_builder_str(&name), compile, &wanted, arena, error);
    }
    tn_builder_free(&name);
    return rules;
}

struct tn_str tn_rules_version(const struct tn_rules *rules)
{
    return rules->version;
}

uint64_t tn_rules_version_number(const struct tn_rules *rules)
{
    return rules->version_number;
}

bool tn_rules_have(const struct tn_rules *rules, const char *name)
{
    return find_row(rules, tn_str_of(name)) != NULL;
}

bool tn_rules_have_term(const struct tn_rules *rules, enum tn_fitted_term term)
{
    for (size_t k = 0; k < rules->entry_count; k++) {
        const struct tn_rule_entry *entry = &rules->entries[k];
        if (tn_fitted_term_of(entry->category, entry->basis, entry->is_beside) == term) {
            return true;
        }
    }
    return false;
}

size_t tn_rules_settings(const struct tn_rules *rules, const struct tn_rules_setting **settings)
{
    *settings = rules->settings;
    return rules->setting_count;
}
