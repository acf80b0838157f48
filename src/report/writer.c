/* The table of writers, and what they share that is no drawing: looks, words, clean text, sizes, cells. */
#include "report/writer.h"

#include "base/number.h"
#include "text/utf8.h"

static const struct tn_writer writers[] = {
    {"text", "text/plain; charset=utf-8", tn_write_text},
    {"csv", "text/csv; charset=utf-8", tn_write_csv},
    {"md", "text/markdown; charset=utf-8", tn_write_markdown},
    {"html", "text/html; charset=utf-8", tn_write_html},
    {"svg", "image/svg+xml", tn_write_svg},
    {NULL, NULL, NULL},
};

const struct tn_writer *tn_writer_table(void)
{
    return writers;
}

const struct tn_writer *tn_writer_find(struct tn_str name)
{
    for (const struct tn_writer *writer = writers; writer->name; writer++) {
        if (tn_str_is(name, writer->name)) {
            return writer;
        }
    }
    return NULL;
}

const struct tn_shade_look tn_shade_looks[TN_SHADE_COUNT] = {
    [TN_SHADE_WEIGHTS] = {"weights", {"weights", "权重"}, "█", "5;67", true, "#3f6f9f", "#6b9bd1"},
    [TN_SHADE_KV] = {"kv", {"KV cache", "KV 缓存"}, "▓", "5;108", true, "#5f9a6e", "#7fbf8e"},
    [TN_SHADE_STATE] = {"state", {"state", "状态"}, "▚", "5;139", true, "#8a6aa8", "#b194d0"},
    [TN_SHADE_ROOM] = {"room", {"KV room", "KV 空位"}, "▁", "5;65", true, "#bcd6c2", "#3d5a45"},
    [TN_SHADE_OVERHEAD] = {"overhead", {"overhead", "开销"}, "▒", "5;179", true, "#c08a2e", "#dcb267"},
    [TN_SHADE_UNCERTAIN] = {"uncertain", {"uncertain", "不确定"}, "░", "5;173", false, "#d9a58c", "#8f5f48"},
    [TN_SHADE_FREE] = {"free", {"free", "空闲"}, "·", "5;245", false, "#e2e5e9", "#343a42"},
};

const struct tn_line_look tn_line_looks[TN_LINE_LOOKS] = {
    {"●", "5;67", "#3f6f9f", "#6b9bd1"},  {"■", "5;179", "#b07a1e", "#dcb267"}, {"▲", "5;108", "#4f8a5e", "#7fbf8e"},
    {"◆", "5;139", "#8a6aa8", "#b194d0"}, {"○", "5;173", "#b5613c", "#e09a78"}, {"□", "5;73", "#2f8a8a", "#6cc4c4"},
};

const struct tn_fits_look tn_fits_looks[TN_FITS_COUNT] = {
    [TN_FITS_YES] = {"fits", {"fits", "可运行"}, "█", "5;72", false, "#4c9a86", "#3d8674"},
    [TN_FITS_QUEUES] =
        {"queues", {"starts, but requests queue", "可启动，但请求需排队"}, "▒", "5;179", true, "#edc873", "#8a6a26"},
    [TN_FITS_PARTLY] =
        {"partly", {"runs partly on the CPU", "部分在 CPU 上运行"}, "▚", "5;179", true, "#edc873", "#8a6a26"},
    [TN_FITS_NO] = {"no", {"does not fit", "显存不足"}, "·", "5;245", false, "#e7d9d6", "#3b2f30"},
    [TN_FITS_REFUSED] = {"refused", {"refused by the engine", "引擎不接受"}, " ", "5;240", false, "#f0f1f3", "#1f2329"},
};

static const char *const words[TN_WORD_COUNT][TN_LANGUAGE_COUNT] = {
    [TN_WORD_TAG] = {"en", "zh"},
    [TN_WORD_UP_TO] = {"up to ", "最多"},
    [TN_WORD_OVER_BEFORE] = {"+", "超出 "},
    [TN_WORD_OVER_AFTER] = {" over", ""},
    [TN_WORD_OVER] = {"over", "超出"},
    [TN_WORD_EACH] = {"each", "每块"},
    [TN_WORD_SUM] = {"sum", "合计"},
    [TN_WORD_DEVICE] = {"device", "设备"},
    [TN_WORD_CAPACITY] = {"GPU memory", "显存"},
    [TN_WORD_SERIES] = {"series", "系列"},
    [TN_WORD_MEMORY] = {"memory", "占用"},
    [TN_WORD_MOST] = {"at most", "最多"},
    [TN_WORD_ASKED] = {"asked for", "所求"},
    [TN_WORD_UP_TO_HERE] = {"up to here it fits", "可运行边界"},
    [TN_WORD_HOLLOW] = {"does not fit", "无法运行"},
    [TN_WORD_ANY] = {"any", "不限"},
    [TN_WORD_IN_CELLS] = {"in the cells: need of the fullest GPU in", "格内：占用最多的 GPU 所需显存，单位"},
};

const char *tn_word(enum tn_word word, enum tn_language language)
{
    return words[word][language];
}

const char *tn_shade_name(enum tn_shade shade, enum tn_language language)
{
    return tn_shade_looks[shade].names[language];
}

/* Characters that would move the cursor, turn the direction of the text around or are not allowed in XML. */
static bool is_hidden(uint32_t code_point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x00, 0x1f}, {0x7f, 0x9f}, {0x202a, 0x202e}, {0x2066, 0x2069}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},
    };
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        if (code_point >= ranges[k].first && code_point <= ranges[k].last) {
            return true;
        }
    }
    return (code_point & 0xfffe) == 0xfffe;
}

struct tn_str tn_clean_next(struct tn_str *text)
{
    uint32_t code_point = 0;
    size_t size = tn_utf8_decode(*text, &code_point);
    struct tn_str shown = tn_str_slice(*text, 0, size);
    if (text->size == 0) {
        return shown;
    }
    if (code_point == '\t') {
        shown = TN_STR(" ");
    } else if (code_point == '\r' || code_point == 0x2028 || code_point == 0x2029) {
        shown = TN_STR("\n");
        size += tn_str_starts(*text, TN_STR("\r\n"));
    } else if (size == 0 || (code_point != '\n' && is_hidden(code_point))) {
        shown = TN_STR("\xef\xbf\xbd");
        size = size ? size : 1;
    }
    *text = tn_str_slice(*text, size, text->size);
    return shown;
}

bool tn_clean_line(struct tn_builder *out, struct tn_str *text, tn_escape *escape)
{
    if (text->size == 0) {
        return false;
    }
    for (struct tn_str one = tn_clean_next(text); one.size && one.data[0] != '\n'; one = tn_clean_next(text)) {
        const char *escaped = escape ? escape(one.data[0]) : NULL;
        tn_builder_add(out, escaped ? tn_str_of(escaped) : one);
    }
    return true;
}

void tn_clean_add(struct tn_builder *out, struct tn_str text, tn_escape *escape)
{
    while (tn_clean_line(out, &text, escape)) {
        if (text.size) {
            tn_builder_add_char(out, ' ');
        }
    }
}

const char *tn_escape_markup(char character)
{
    static const struct {
        char character;
        const char *entity;
    } entities[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (size_t k = 0; k < sizeof entities / sizeof *entities; k++) {
        if (entities[k].character == character) {
            return entities[k].entity;
        }
    }
    return NULL;
}

struct tn_unit tn_unit_for(uint64_t bytes, enum tn_units units, unsigned decimals)
{
    static const char *const names[][2] = {
        {"B", "B"}, {"KiB", "KB"}, {"MiB", "MB"}, {"GiB", "GB"}, {"TiB", "TB"}, {"PiB", "PB"}, {"EiB", "EB"},
    };
    const size_t largest = sizeof names / sizeof *names - 1;
    uint64_t base = units == TN_UNITS_SI ? 1000 : 1024;
    uint64_t scale = 1;
    uint64_t size = 1;
    size_t k = 0;
    /* bytes / size, rounded to the decimals, must stay below base: 1023.999 KiB is 1.00 MiB. */
    while (k < largest && (tn_u128)2 * bytes * scale + size >= (tn_u128)2 * base * scale * size) {
        k++;
        size *= base;
        if (k == 1) {
            for (unsigned digit = 0; digit < decimals; digit++) {
                scale *= 10;
            }
        }
    }
    return (struct tn_unit){names[k][units == TN_UNITS_SI], size};
}

void tn_write_bytes(struct tn_builder *out, uint64_t bytes, enum tn_units units)
{
    struct tn_unit unit = tn_unit_for(bytes, units, 2);
    tn_builder_add_fixed(out, bytes, unit.bytes, unit.bytes == 1 ? 0 : 2);
    tn_builder_add_char(out, ' ');
    tn_builder_add_text(out, unit.name);
}

void tn_write_cell(struct tn_builder *out, const struct tn_cell *cell, const struct tn_column *column,
                   enum tn_units units)
{
    switch (cell->kind) {
    case TN_CELL_EMPTY:
        break;
    case TN_CELL_TEXT:
        tn_clean_add(out, cell->text, NULL);
        break;
    case TN_CELL_COUNT:
        tn_builder_add_grouped(out, cell->number);
        break;
    case TN_CELL_BYTES:
        tn_write_bytes(out, cell->number, units);
        break;
    case TN_CELL_FIXED:
        tn_builder_add_fixed(out, cell->number, 1000, column->decimals);
        break;
    }
}
