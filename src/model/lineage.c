/* Which record a config means, and the lines that it has with those of its ancestors. */
#include "model/lineage.h"

/* ---- which record ------------------------------------------------------------------------------------------------- */

static bool words_contain(struct tn_str words, struct tn_str wanted)
{
    for (struct tn_str word = tn_str_word(&words); word.size; word = tn_str_word(&words)) {
        if (tn_str_equal(word, wanted)) {
            return true;
        }
    }
    return false;
}

static bool record_matches(const struct tn_record *record, struct tn_str key, struct tn_str wanted)
{
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_str rest = record->statements[k].rest;
        if (tn_str_is(record->statements[k].word, "match") && tn_str_equal(tn_str_word(&rest), key)
            && words_contain(rest, wanted)) {
            return true;
        }
    }
    return false;
}

static const struct tn_record *find_by(const struct tn_catalog *catalog, const char *key, const struct tn_value *wanted)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("arch"), &records);
    for (size_t k = 0; wanted && wanted->kind == TN_STRING && k < count; k++) {
        if (record_matches(records[k], tn_str_of(key), wanted->as.string)) {
            return records[k];
        }
    }
    return NULL;
}

const struct tn_record *tn_architecture_find(const struct tn_catalog *catalog, const struct tn_facts *facts)
{
    const struct tn_value *names = tn_facts_find(facts, TN_STR("architectures"), NULL);
    for (uint32_t k = 0; names && names->kind == TN_LIST && k < names->count; k++) {
        const struct tn_record *found = find_by(catalog, "architectures", &names->as.items[k]);
        if (found) {
            return found;
        }
    }
    /* a config that names a class nobody knows must not be taken for its model_type's plain relative */
    if (names && names->kind == TN_LIST && names->count) {
        return NULL;
    }
    const struct tn_record *found = find_by(catalog, "model_type", tn_facts_find(facts, TN_STR("model_type"), NULL));
    return found ? found : find_by(catalog, "gguf", tn_facts_find(facts, TN_STR("general_architecture"), NULL));
}

/* ---- inheritance -------------------------------------------------------------------------------------------------- */

enum { MOST_ANCESTORS = 16 };

struct collection {
    const struct tn_catalog *catalog;
    const struct tn_facts *facts;
    struct tn_arena *arena;
    struct tn_lineage *lineage;
    size_t capacity; /* of the lineage's lines */
    struct tn_error *error;
};

bool tn_fail_line(const struct tn_line *line, const char *message, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT " " TN_STR_FORMAT "'", message,
            TN_STR_ARGUMENTS(line->statement->word), TN_STR_ARGUMENTS(line->statement->rest));
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(line->record->file), line->statement->line);
}

/* How many words of the rest make two lines "the same" for a later line to replace an earlier one; 0: they add up. */
static size_t key_words(struct tn_str word)
{
    static const struct {
        const char *word;
        size_t words;
    } rows[] = {{"param", 1}, {"stack", 1}, {"prefix", 1}, {"layer", 2}, {"once", 1}, {"note", 1}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (tn_str_is(word, rows[k].word)) {
            return rows[k].words;
        }
    }
    return 0;
}

static bool same_key(const struct tn_line *a, const struct tn_line *b)
{
    size_t words = key_words(a->statement->word);
    if (!words || !tn_str_equal(a->statement->word, b->statement->word)
        || (tn_str_is(a->statement->word, "layer") && !tn_str_equal(a->stack, b->stack))) {
        return false;
    }
    struct tn_str rest_a = a->statement->rest;
    struct tn_str rest_b = b->statement->rest;
    for (size_t k = 0; k < words; k++) {
        if (!tn_str_equal(tn_str_word(&rest_a), tn_str_word(&rest_b))) {
            return false;
        }
    }
    return true;
}

static bool add_line(struct collection *collection, struct tn_line line)
{
    for (size_t k = 0; k < collection->lineage->count; k++) {
        if (same_key(&line, &collection->lineage->lines[k])) {
            collection->lineage->lines[k] = line;
            return true;
        }
    }
    if (collection->lineage->count == collection->capacity) {
        size_t capacity = collection->capacity ? collection->capacity * 2 : 128;
        void *grown = tn_arena_grow(collection->arena, collection->lineage->lines, collection->lineage->count, capacity,
                                    sizeof line);
        if (!grown) {
            return tn_fail_memory(collection->error);
        }
        collection->lineage->lines = grown;
        collection->capacity = capacity;
    }
    collection->lineage->lines[collection->lineage->count++] = line;
    return true;
}

static bool is_word_of_stacks(struct tn_str word)
{
    return tn_str_is(word, "mixer") || tn_str_is(word, "ffn") || tn_str_is(word, "cache") || tn_str_is(word, "layer");
}

/* `drop NAME` removes the param, once, note or stack of that name and, in the open stack, the layer lines whose tensor name begins with
 * NAME; `drop cache`, `drop mixer`, `drop ffn` and `drop layer` remove all statements of that word in the open stack, and nothing else. */
static bool dropped(const struct tn_line *line, const struct tn_line *drop)
{
    struct tn_str name = drop->statement->rest;
    if (is_word_of_stacks(name)) {
        return tn_str_equal(line->statement->word, name) && tn_str_equal(line->stack, drop->stack);
    }
    if (is_word_of_stacks(line->statement->word) && tn_str_equal(line->stack, name)) {
        return true; /* the lines of a stack go with it */
    }
    struct tn_str rest = line->statement->rest;
    struct tn_str first = tn_str_word(&rest);
    if (tn_str_is(line->statement->word, "layer")) {
        first = tn_str_word(&rest);
        return tn_str_starts(first, name) && tn_str_equal(line->stack, drop->stack);
    }
    return (tn_str_is(line->statement->word, "param") || tn_str_is(line->statement->word, "once")
            || tn_str_is(line->statement->word, "note") || tn_str_is(line->statement->word, "stack"))
           && tn_str_equal(first, name);
}

static bool drop_lines(struct collection *collection, const struct tn_line *drop)
{
    size_t kept = 0;
    if (!drop->statement->rest.size) {
        return tn_fail_line(drop, "drop what", collection->error);
    }
    for (size_t k = 0; k < collection->lineage->count; k++) {
        if (!dropped(&collection->lineage->lines[k], drop)) {
            collection->lineage->lines[kept++] = collection->lineage->lines[k];
        }
    }
    if (kept == collection->lineage->count) {
        return tn_fail_line(drop, "nothing to drop", collection->error);
    }
    collection->lineage->count = kept;
    return true;
}

static bool belongs_to_child_only(struct tn_str word)
{
    return tn_str_is(word, "match") || tn_str_is(word, "verified");
}

static bool collect_own(struct collection *collection, const struct tn_record *record, bool is_ancestor,
                        unsigned depth);

/* `use NAME`: the lines of another record, at this place. */
static bool use_record(struct collection *collection, const struct tn_line *line, unsigned depth)
{
    const struct tn_record *used = tn_catalog_record(collection->catalog, TN_STR("arch"), line->statement->rest);
    if (!used || depth == MOST_ANCESTORS) {
        return tn_fail_line(line, used ? "records use each other" : "no such record", collection->error);
    }
    return collect_own(collection, used, true, depth + 1);
}

static bool collect_own(struct collection *collection, const struct tn_record *record, bool is_ancestor, unsigned depth)
{
    struct tn_str stack = TN_STR("text");
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_line line = {&record->statements[k], record, stack};
        if (tn_str_is(line.statement->word, "stack")) {
            struct tn_str rest = line.statement->rest;
            stack = tn_str_word(&rest);
            line.stack = stack;
            if (!rest.size) { /* reopens the stack of an ancestor */
                continue;
            }
        }
        if (is_ancestor && belongs_to_child_only(line.statement->word)) {
            continue;
        }
        bool done;
        if (tn_str_is(line.statement->word, "use")) {
            done = use_record(collection, &line, depth);
        } else if (tn_str_is(line.statement->word, "drop")) {
            done = drop_lines(collection, &line);
        } else {
            done = add_line(collection, line);
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

/* "$path ? NAME": the record whose id, or whose model_type, is the fact; NAME where the fact is absent. */
static const struct tn_record *find_dynamic(const struct collection *collection, struct tn_str parent)
{
    size_t mark = tn_str_find(parent, TN_STR("?"));
    struct tn_str path = tn_str_trim(tn_str_slice(parent, 1, mark == SIZE_MAX ? parent.size : mark));
    struct tn_str name =
        mark == SIZE_MAX ? (struct tn_str){0} : tn_str_trim(tn_str_slice(parent, mark + 1, parent.size));
    for (size_t k = 0; collection->facts && k < collection->facts->source_count; k++) {
        const struct tn_value *value = tn_value_path(&collection->facts->sources[k].value, path);
        if (value && value->kind == TN_STRING) {
            name = value->as.string;
            break;
        }
    }
    struct tn_value wanted = tn_value_string(name);
    const struct tn_record *found = find_by(collection->catalog, "model_type", &wanted);
    return found ? found : tn_catalog_record(collection->catalog, TN_STR("arch"), name);
}

static bool find_parent(struct collection *collection, const struct tn_record *record, const struct tn_record **parent)
{
    *parent = NULL;
    if (!record->parent.size) {
        return true;
    }
    bool is_dynamic = record->parent.data[0] == '$';
    *parent = is_dynamic ? find_dynamic(collection, record->parent)
                         : tn_catalog_record(collection->catalog, TN_STR("arch"), record->parent);
    if (*parent) {
        return true;
    }
    if (is_dynamic) {
        tn_fail(collection->error, TN_ERROR_UNKNOWN_ARCHITECTURE,
                "no architecture record for the text model of " TN_STR_FORMAT " (" TN_STR_FORMAT ")",
                TN_STR_ARGUMENTS(record->id), TN_STR_ARGUMENTS(record->parent));
        return tn_fail_hint(collection->error,
                            "give the folder with its safetensors headers: they are exact without a record");
    }
    tn_fail(collection->error, TN_ERROR_RECORD,
            "record " TN_STR_FORMAT " inherits from " TN_STR_FORMAT ", which does not exist",
            TN_STR_ARGUMENTS(record->id), TN_STR_ARGUMENTS(record->parent));
    return tn_fail_at(collection->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
}

static bool collect(struct collection *collection, const struct tn_record *record)
{
    const struct tn_record *chain[MOST_ANCESTORS];
    size_t count = 0;
    for (const struct tn_record *next = record; next;) {
        if (count == MOST_ANCESTORS) {
            tn_fail(collection->error, TN_ERROR_RECORD,
                    "record " TN_STR_FORMAT " has too many ancestors, or inherits itself",
                    TN_STR_ARGUMENTS(record->id));
            return tn_fail_at(collection->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
        }
        chain[count++] = next;
        if (!find_parent(collection, next, &next)) {
            return false;
        }
    }
    while (count) {
        count--;
        if (!collect_own(collection, chain[count], count > 0, 0)) {
            return false;
        }
    }
    return true;
}

bool tn_lineage_collect(const struct tn_catalog *catalog, const struct tn_record *record, const struct tn_facts *facts,
                        struct tn_arena *arena, struct tn_lineage *lineage, struct tn_error *error)
{
    *lineage = (struct tn_lineage){0};
    struct collection collection = {
        .catalog = catalog, .facts = facts, .arena = arena, .lineage = lineage, .error = error};
    return collect(&collection, record);
}
