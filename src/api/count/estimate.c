/* Characters by script, and the records of what they cost. */
#include "api/count/estimate.h"

#include "base/number.h"
#include "text/json.h"
#include "text/quantity.h"
#include "text/utf8.h"

enum { MILLION = 1000000 };

const char *const tn_script_names[TN_SCRIPT_COUNT] = {
    [TN_SCRIPT_LATIN] = "latin",       [TN_SCRIPT_CAPITAL] = "capital",
    [TN_SCRIPT_ACCENTED] = "accented", [TN_SCRIPT_CYRILLIC] = "cyrillic",
    [TN_SCRIPT_GREEK] = "greek",       [TN_SCRIPT_ARABIC] = "arabic",
    [TN_SCRIPT_HEBREW] = "hebrew",     [TN_SCRIPT_INDIC] = "indic",
    [TN_SCRIPT_THAI] = "thai",         [TN_SCRIPT_KANA] = "kana",
    [TN_SCRIPT_HANGUL] = "hangul",     [TN_SCRIPT_HAN] = "han",
    [TN_SCRIPT_DIGIT] = "digit",       [TN_SCRIPT_SPACE] = "space",
    [TN_SCRIPT_INDENT] = "indent",     [TN_SCRIPT_PUNCTUATION] = "punctuation",
    [TN_SCRIPT_OTHER] = "other",       [TN_SCRIPT_SPECIAL] = "special",
};

/* ---- scripts ------------------------------------------------------------------------------------------------------ */

/* Blocks of Unicode, in their order; what lies between them is OTHER. */
static const struct {
    uint32_t first;
    uint32_t last;
    enum tn_script script;
} blocks[] = {
    {0x00AA, 0x00AA, TN_SCRIPT_ACCENTED}, {0x00BA, 0x00BA, TN_SCRIPT_ACCENTED}, {0x00C0, 0x00D6, TN_SCRIPT_ACCENTED},
    {0x00D8, 0x00F6, TN_SCRIPT_ACCENTED}, {0x00F8, 0x02AF, TN_SCRIPT_ACCENTED}, {0x0300, 0x036F, TN_SCRIPT_ACCENTED},
    {0x0370, 0x03FF, TN_SCRIPT_GREEK},    {0x0400, 0x052F, TN_SCRIPT_CYRILLIC}, {0x0590, 0x05FF, TN_SCRIPT_HEBREW},
    {0x0600, 0x06FF, TN_SCRIPT_ARABIC},   {0x0750, 0x077F, TN_SCRIPT_ARABIC},   {0x08A0, 0x08FF, TN_SCRIPT_ARABIC},
    {0x0900, 0x0DFF, TN_SCRIPT_INDIC},    {0x0E00, 0x0EFF, TN_SCRIPT_THAI},     {0x1000, 0x109F, TN_SCRIPT_THAI},
    {0x1100, 0x11FF, TN_SCRIPT_HANGUL},   {0x1780, 0x17FF, TN_SCRIPT_THAI},     {0x1C80, 0x1C8F, TN_SCRIPT_CYRILLIC},
    {0x1E00, 0x1EFF, TN_SCRIPT_ACCENTED}, {0x1F00, 0x1FFF, TN_SCRIPT_GREEK},    {0x2C60, 0x2C7F, TN_SCRIPT_ACCENTED},
    {0x2DE0, 0x2DFF, TN_SCRIPT_CYRILLIC}, {0x3040, 0x30FF, TN_SCRIPT_KANA},     {0x3130, 0x318F, TN_SCRIPT_HANGUL},
    {0x31F0, 0x31FF, TN_SCRIPT_KANA},     {0x3400, 0x4DBF, TN_SCRIPT_HAN},      {0x4E00, 0x9FFF, TN_SCRIPT_HAN},
    {0xA640, 0xA69F, TN_SCRIPT_CYRILLIC}, {0xA720, 0xA7FF, TN_SCRIPT_ACCENTED}, {0xA8E0, 0xA8FF, TN_SCRIPT_INDIC},
    {0xAC00, 0xD7FF, TN_SCRIPT_HANGUL},   {0xF900, 0xFAFF, TN_SCRIPT_HAN},      {0xFB50, 0xFDFF, TN_SCRIPT_ARABIC},
    {0xFE70, 0xFEFF, TN_SCRIPT_ARABIC},   {0xFF66, 0xFF9F, TN_SCRIPT_KANA},     {0x20000, 0x323AF, TN_SCRIPT_HAN},
};

static enum tn_script ascii_script(uint32_t code_point)
{
    if (code_point >= 'a' && code_point <= 'z') {
        return TN_SCRIPT_LATIN;
    }
    if (code_point >= 'A' && code_point <= 'Z') {
        return TN_SCRIPT_CAPITAL;
    }
    if (code_point >= '0' && code_point <= '9') {
        return TN_SCRIPT_DIGIT;
    }
    if (code_point == ' ') {
        return TN_SCRIPT_SPACE;
    }
    if (code_point >= '\t' && code_point <= '\r') {
        return TN_SCRIPT_INDENT;
    }
    return code_point > ' ' && code_point < 0x7F ? TN_SCRIPT_PUNCTUATION : TN_SCRIPT_OTHER;
}

enum tn_script tn_script_of(uint32_t code_point)
{
    if (code_point < 0x80) {
        return ascii_script(code_point);
    }
    size_t low = 0;
    size_t high = sizeof blocks / sizeof blocks[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code_point > blocks[middle].last) {
            low = middle + 1;
        } else if (code_point < blocks[middle].first) {
            high = middle;
        } else {
            return blocks[middle].script;
        }
    }
    return TN_SCRIPT_OTHER;
}

uint64_t tn_script_add(struct tn_str text, bool *in_space, uint64_t counts[TN_SCRIPT_COUNT])
{
    uint64_t characters = 0;
    for (size_t at = 0; at < text.size; characters++) {
        uint32_t code_point = 0;
        size_t size =
            (unsigned char)text.data[at] < 0x80 ? 1 : tn_utf8_decode(tn_str_slice(text, at, text.size), &code_point);
        code_point = size == 1 ? (unsigned char)text.data[at] : code_point;
        enum tn_script script = size ? tn_script_of(code_point) : TN_SCRIPT_OTHER;
        bool is_space = script == TN_SCRIPT_SPACE;
        counts[is_space && *in_space ? TN_SCRIPT_INDENT : script]++;
        *in_space = is_space || script == TN_SCRIPT_INDENT;
        at += size ? size : 1;
    }
    return characters;
}

uint64_t tn_estimate_tokens(const uint64_t rates[TN_SCRIPT_COUNT], const uint64_t counts[TN_SCRIPT_COUNT])
{
    tn_u128 sum = 0;
    bool any = false;
    for (int k = 0; k < TN_SCRIPT_COUNT; k++) {
        sum += (tn_u128)rates[k] * counts[k];
        any = any || counts[k];
    }
    uint64_t tokens = (uint64_t)((sum + MILLION / 2) / MILLION);
    return any && !tokens ? 1 : tokens;
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

static bool fail_line(const struct tn_record *record, const struct tn_statement *line, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_RECORD, "cannot read the line '" TN_STR_FORMAT "' of an estimate",
            TN_STR_ARGUMENTS(line->word));
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), line->line);
}

static enum tn_script find_script(struct tn_str name)
{
    int script = 0;
    while (script < TN_SCRIPT_COUNT && !tn_str_is(name, tn_script_names[script])) {
        script++;
    }
    return (enum tn_script)script;
}

/* "latin 0.21 0.24 0.3": tokens per character, of the best, the usual and the worst tokenizer. */
static bool read_rates(struct tn_str rest, struct tn_estimate *estimate)
{
    enum tn_script script = find_script(tn_str_word(&rest));
    if (script == TN_SCRIPT_COUNT) {
        return false;
    }
    uint64_t *rates[] = {&estimate->low[script], &estimate->mid[script], &estimate->high[script]};
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        if (!tn_quantity_share(tn_str_word(&rest), rates[k])) {
            return false;
        }
    }
    return !rest.size;
}

/* Whether the record is for a vocabulary of that size: "vocabulary FROM TO"; one without is for those not known. */
static bool is_for(const struct tn_record *record, uint64_t vocabulary)
{
    struct tn_str range = tn_record_text(record, "vocabulary");
    uint64_t from = 0;
    uint64_t to = 0;
    if (!vocabulary || !range.size) {
        return !vocabulary && !range.size;
    }
    return tn_quantity_number(tn_str_word(&range), &from) && tn_quantity_number(tn_str_word(&range), &to)
           && vocabulary >= from && vocabulary <= to;
}

static bool read_record(const struct tn_record *record, struct tn_estimate *estimate, struct tn_error *error)
{
    *estimate = (struct tn_estimate){.tokenizers = tn_record_text(record, "tokenizers"),
                                     .error = tn_record_text(record, "error")};
    for (uint32_t k = 0; k < record->count; k++) {
        const struct tn_statement *line = &record->statements[k];
        if (tn_str_is(line->word, "tokens") && !read_rates(line->rest, estimate)) {
            return fail_line(record, line, error);
        }
    }
    estimate->low[TN_SCRIPT_SPECIAL] = estimate->mid[TN_SCRIPT_SPECIAL] = estimate->high[TN_SCRIPT_SPECIAL] = MILLION;
    return true;
}

bool tn_estimate_read(const struct tn_catalog *catalog, uint64_t vocabulary, struct tn_estimate *estimate,
                      struct tn_error *error)
{
    const struct tn_record *const *records;
    const struct tn_record *plain = NULL;
    size_t count = tn_catalog_records(catalog, TN_STR("estimate"), &records);
    for (size_t k = 0; k < count; k++) {
        if (vocabulary && is_for(records[k], vocabulary)) {
            return read_record(records[k], estimate, error);
        }
        plain = is_for(records[k], 0) ? records[k] : plain;
    }
    return plain ? read_record(plain, estimate, error)
                 : tn_fail(error, TN_ERROR_RECORD, "there is no record of an estimate for all tokenizers");
}
