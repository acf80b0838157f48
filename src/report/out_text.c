/* Text for terminals and pipes: tones, line breaks and the order of blocks. Tables, bars and charts have files of their own. */
#include "report/out_text.h"

#include "text/utf8.h"

enum { USUAL_COLUMNS = 100, LEAST_COLUMNS = 40, MOST_COLUMNS = 1000 };

static const char *const tone_codes[] = {
    [TN_TONE_PLAIN] = "", [TN_TONE_GOOD] = "32", [TN_TONE_BAD] = "1;31", [TN_TONE_DIM] = "2", [TN_TONE_STRONG] = "1",
};

/* A verdict must be seen without colour too. */
static const struct tn_str tone_marks[] = {
    [TN_TONE_PLAIN] = {"  ", 2}, [TN_TONE_GOOD] = {"  ✓ ", 6}, [TN_TONE_BAD] = {"  ✗ ", 6},
    [TN_TONE_DIM] = {"  ", 2},   [TN_TONE_STRONG] = {"  ", 2},
};

void tn_page_space(struct tn_page *page, size_t columns)
{
    tn_builder_add_repeated(page->out, " ", columns);
}

struct tn_builder *tn_page_scratch(struct tn_page *page)
{
    page->out->failed |= page->scratch.failed;
    tn_builder_clear(&page->scratch);
    return &page->scratch;
}

void tn_page_toned(struct tn_page *page, enum tn_tone tone, struct tn_str text)
{
    bool coloured = page->style->colour && tone != TN_TONE_PLAIN && text.size;
    if (coloured) {
        tn_builder_addf(page->out, "\033[%sm", tone_codes[tone]);
    }
    tn_builder_add(page->out, text);
    if (coloured) {
        tn_page_unpaint(page);
    }
}

void tn_page_paint(struct tn_page *page, const char *foreground, const char *background)
{
    if (page->style->colour && foreground) {
        tn_builder_addf(page->out, "\033[38;%sm", foreground);
    }
    if (page->style->colour && background) {
        tn_builder_addf(page->out, "\033[48;%sm", background);
    }
}

void tn_page_unpaint(struct tn_page *page)
{
    if (page->style->colour) {
        tn_builder_add_text(page->out, "\033[0m");
    }
}

/* May not begin a line: a mark that closes what stands before it. */
static bool closes(struct tn_str character)
{
    return tn_str_find(TN_STR("、。，．！？：；）〕］｝〉》」』】”’…％"), character) != SIZE_MAX;
}

struct tn_str tn_page_line(struct tn_str *text, size_t columns)
{
    size_t width = 0;
    size_t at = 0;
    size_t place = 0; /* the last one where the line may end */
    bool was_wide = false;
    bool was_space = false;
    while (at < text->size) {
        uint32_t code_point;
        struct tn_str rest = tn_str_slice(*text, at, text->size);
        struct tn_str one = tn_str_slice(rest, 0, tn_utf8_decode(rest, &code_point));
        size_t one_width = tn_utf8_columns(one);
        bool is_space = code_point == ' ';
        bool is_wide = one_width > 1;
        if (!is_space && (was_space || ((is_wide || was_wide) && !closes(one)))) {
            place = at;
        }
        if (at > 0 && !is_space && width + one_width > columns) {
            break;
        }
        width += one_width;
        at += one.size;
        was_wide = is_wide;
        was_space = is_space;
    }
    size_t end = at == text->size || place == 0 ? at : place;
    struct tn_str line = tn_str_slice(*text, 0, end);
    *text = tn_str_slice(*text, end, text->size);
    while (line.size && line.data[line.size - 1] == ' ') {
        line.size--;
    }
    return line;
}

void tn_page_wrapped(struct tn_page *page, size_t indent, enum tn_tone tone, struct tn_str text)
{
    size_t room = page->columns > indent ? page->columns - indent : 1;
    text = tn_str_trim(text);
    do {
        tn_page_toned(page, tone, tn_page_line(&text, room));
        tn_builder_add_char(page->out, '\n');
        tn_page_space(page, text.size ? indent : 0);
    } while (text.size);
}

void tn_page_title(struct tn_page *page, struct tn_str title)
{
    struct tn_builder *clean = tn_page_scratch(page);
    tn_clean_add(clean, title, NULL);
    if (clean->size) {
        tn_page_space(page, TN_TEXT_INDENT);
        tn_page_wrapped(page, TN_TEXT_INDENT, TN_TONE_STRONG, tn_builder_str(clean));
    }
}

/* Each line of the text wrapped on its own; `first` stands before the first. */
static void write_lines(struct tn_page *page, struct tn_str first, enum tn_tone tone, struct tn_str text)
{
    size_t indent = tn_utf8_columns(first);
    bool begun = false;
    while (tn_clean_line(tn_page_scratch(page), &text, NULL)) {
        struct tn_str line = tn_str_trim(tn_builder_str(&page->scratch));
        if (!begun) {
            tn_page_toned(page, tone, line.size ? first : TN_STR(""));
        } else {
            tn_page_space(page, line.size ? indent : 0);
        }
        begun = true;
        tn_page_wrapped(page, indent, tone, line);
    }
}

static void write_heading(struct tn_page *page, const struct tn_block *block)
{
    write_lines(page, TN_STR(""), block->tone == TN_TONE_PLAIN ? TN_TONE_STRONG : block->tone, block->text);
}

static void write_text(struct tn_page *page, const struct tn_block *block)
{
    write_lines(page, tone_marks[block->tone], block->tone, block->text);
}

static void write_note(struct tn_page *page, const struct tn_block *block)
{
    write_lines(page, TN_STR("  • "), block->tone, block->text);
}

/* Never broken: it is there to be copied, or compared. */
static void write_command(struct tn_page *page, const struct tn_block *block)
{
    struct tn_str text = block->text;
    while (tn_clean_line(tn_page_scratch(page), &text, NULL)) {
        struct tn_str line = tn_builder_str(&page->scratch);
        tn_page_space(page, line.size ? 2 * TN_TEXT_INDENT : 0);
        tn_page_toned(page, block->tone, line);
        tn_builder_add_char(page->out, '\n');
    }
}

/* Backgrounds on which black can be read, in turns, so that one sees where a piece ends; a line feed ends the background too. */
static void write_coloured(struct tn_page *page, const struct tn_block *block)
{
    static const char *const backgrounds[] = {"\033[30;48;5;153m", "\033[30;48;5;222m"};
    bool begins_line = true;
    for (size_t k = 0; k < block->piece_count; k++) {
        struct tn_str rest = block->pieces[k];
        while (rest.size) {
            bool ends_line = tn_str_find(rest, TN_STR("\n")) != SIZE_MAX;
            tn_page_space(page, begins_line ? 2 * TN_TEXT_INDENT : 0);
            tn_builder_add_text(page->out, backgrounds[k % 2]);
            (void)tn_clean_line(page->out, &rest, NULL);
            tn_builder_add_text(page->out, ends_line ? "↵\033[0m\n" : "\033[0m");
            begins_line = ends_line;
        }
    }
    tn_builder_add_text(page->out, begins_line ? "" : "\n");
}

static void write_pieces(struct tn_page *page, const struct tn_block *block)
{
    if (page->style->colour) {
        write_coloured(page, block);
    } else {
        write_command(page, block);
    }
}

static void write_bars(struct tn_page *page, const struct tn_block *block)
{
    tn_page_bars(page, block);
}

static void write_table(struct tn_page *page, const struct tn_block *block)
{
    tn_page_table(page, block->table);
}

static void write_chart(struct tn_page *page, const struct tn_block *block)
{
    tn_page_chart(page, block->chart);
}

static void write_grid(struct tn_page *page, const struct tn_block *block)
{
    tn_page_grid(page, block->grid);
}

static const struct {
    void (*write)(struct tn_page *page, const struct tn_block *block);
    bool follows_itself; /* without an empty line between two of the kind */
} block_rows[] = {
    [TN_BLOCK_HEADING] = {write_heading, false}, [TN_BLOCK_TEXT] = {write_text, true},
    [TN_BLOCK_BARS] = {write_bars, false},       [TN_BLOCK_TABLE] = {write_table, false},
    [TN_BLOCK_CHART] = {write_chart, false},     [TN_BLOCK_NOTE] = {write_note, true},
    [TN_BLOCK_COMMAND] = {write_command, true},  [TN_BLOCK_OUTPUT] = {write_command, true},
    [TN_BLOCK_PIECES] = {write_pieces, false},   [TN_BLOCK_GRID] = {write_grid, false},
};

void tn_write_text(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    size_t columns = style->columns ? style->columns : USUAL_COLUMNS;
    columns = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
    columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns;
    struct tn_page page = {.out = out, .style = style, .columns = columns};
    size_t start = out->size;
    write_lines(&page, TN_STR(""), TN_TONE_STRONG, report->title);
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        const struct tn_block *before = k ? block - 1 : NULL;
        bool joined = before
                      && (before->kind == TN_BLOCK_HEADING
                          || (before->kind == block->kind && block_rows[block->kind].follows_itself));
        if (out->size > start && !joined) {
            tn_builder_add_char(out, '\n');
        }
        block_rows[block->kind].write(&page, block);
    }
    out->failed |= page.scratch.failed;
    tn_builder_free(&page.scratch);
}
