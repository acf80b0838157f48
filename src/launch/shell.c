/* Reading shell text one character after the other. */
#include "launch/shell.h"

enum { MOST_DOCUMENTS = 4 };

struct lexer {
    struct tn_arena *arena;
    struct tn_str text;
    size_t at;
    struct tn_builder word;
    int64_t word_offset; /* -1: no word is open */
    struct tn_shell *shell;
    struct tn_shell_command command;
    bool wants_file; /* the next word is what > writes to */
    struct {
        struct tn_str end;
        int64_t offset;
    } documents[MOST_DOCUMENTS]; /* that begin with the next line */
    size_t document_count;
    bool wants_end;
    struct tn_error *error;
};

static char peek(const struct lexer *lexer, size_t ahead)
{
    size_t k = lexer->at + ahead;
    return k < lexer->text.size ? lexer->text.data[k] : '\0';
}

static bool is_space(char one)
{
    return one == ' ' || one == '\t' || one == '\r';
}

static void open_word(struct lexer *lexer)
{
    lexer->word_offset = lexer->word_offset < 0 ? (int64_t)lexer->at : lexer->word_offset;
}

static bool grow_command(struct lexer *lexer, struct tn_word word)
{
    struct tn_shell_command *command = &lexer->command;
    void *grown =
        tn_arena_grow(lexer->arena, command->words, command->word_count, command->word_count + 1, sizeof word);
    if (!grown) {
        return tn_fail_memory(lexer->error);
    }
    command->words = grown;
    command->words[command->word_count++] = word;
    return true;
}

static bool end_word(struct lexer *lexer)
{
    struct tn_word word = {.offset = lexer->word_offset};
    if (lexer->word_offset < 0) {
        return true;
    }
    lexer->word_offset = -1;
    if (lexer->word.failed || !tn_str_copy(lexer->arena, tn_builder_str(&lexer->word), &word.text)) {
        return tn_fail_memory(lexer->error);
    }
    tn_builder_clear(&lexer->word);
    if (lexer->wants_file) {
        lexer->wants_file = false;
        lexer->command.file = word.text;
        return true;
    }
    if (lexer->wants_end) {
        lexer->wants_end = false;
        if (lexer->document_count < MOST_DOCUMENTS) {
            lexer->documents[lexer->document_count].end = word.text;
            lexer->documents[lexer->document_count++].offset = word.offset;
        }
        return true;
    }
    return grow_command(lexer, word);
}

/* A prompt in front of what was copied from a terminal is no word of it. */
static void drop_prompt(struct tn_shell_command *command)
{
    bool is_prompt =
        command->word_count && (tn_str_is(command->words[0].text, "$") || tn_str_is(command->words[0].text, "#"));
    command->words += is_prompt;
    command->word_count -= is_prompt;
}

static bool end_command(struct lexer *lexer)
{
    struct tn_shell *shell = lexer->shell;
    if (!end_word(lexer)) {
        return false;
    }
    lexer->wants_file = lexer->wants_end = false;
    drop_prompt(&lexer->command);
    if (lexer->command.word_count) {
        void *grown = tn_arena_grow(lexer->arena, shell->commands, shell->command_count, shell->command_count + 1,
                                    sizeof lexer->command);
        if (!grown) {
            return tn_fail_memory(lexer->error);
        }
        shell->commands = grown;
        shell->commands[shell->command_count++] = lexer->command;
    }
    lexer->command = (struct tn_shell_command){0};
    return true;
}

/* ---- documents: from the next line to the one that is END alone --------------------------------------------------- */

static struct tn_str take_line(struct lexer *lexer)
{
    struct tn_str rest = tn_str_slice(lexer->text, lexer->at, lexer->text.size);
    size_t end = tn_str_find(rest, TN_STR("\n"));
    struct tn_str line = tn_str_slice(rest, 0, end);
    lexer->at += line.size + (end != SIZE_MAX);
    return line;
}

/* The document belongs to the command that its line ended, which is already kept. */
static bool read_document(struct lexer *lexer, struct tn_str end, int64_t offset)
{
    size_t from = lexer->at;
    while (lexer->at < lexer->text.size) {
        size_t to = lexer->at;
        if (tn_str_equal(tn_str_trim(take_line(lexer)), end)) {
            struct tn_shell *shell = lexer->shell;
            if (shell->command_count) {
                struct tn_shell_command *command = &shell->commands[shell->command_count - 1];
                command->document = tn_str_slice(lexer->text, from, to);
                command->has_document = true;
            }
            return true;
        }
    }
    tn_fail(lexer->error, TN_ERROR_USAGE, "the document that begins here has no line '" TN_STR_FORMAT "'",
            TN_STR_ARGUMENTS(end));
    return tn_fail_at(lexer->error, offset, "command");
}

static bool end_line(struct lexer *lexer)
{
    bool done = end_command(lexer);
    lexer->at++;
    for (size_t k = 0; done && k < lexer->document_count; k++) {
        done = read_document(lexer, lexer->documents[k].end, lexer->documents[k].offset);
    }
    lexer->document_count = 0;
    return done;
}

/* ---- characters --------------------------------------------------------------------------------------------------- */

static bool fail_quote(struct lexer *lexer, size_t from)
{
    tn_fail(lexer->error, TN_ERROR_USAGE, "a quote begins here and does not end");
    return tn_fail_at(lexer->error, (int64_t)from, "command");
}

static bool read_single_quotes(struct lexer *lexer)
{
    size_t from = lexer->at;
    struct tn_str rest = tn_str_slice(lexer->text, from + 1, lexer->text.size);
    size_t end = tn_str_find(rest, TN_STR("'"));
    open_word(lexer);
    if (end == SIZE_MAX) {
        return fail_quote(lexer, from);
    }
    tn_builder_add(&lexer->word, tn_str_slice(rest, 0, end));
    lexer->at = from + end + 2;
    return true;
}

static bool read_double_quotes(struct lexer *lexer)
{
    size_t from = lexer->at;
    open_word(lexer);
    lexer->at++;
    while (lexer->at < lexer->text.size) {
        char one = peek(lexer, 0);
        char next = peek(lexer, 1);
        if (one == '"') {
            lexer->at++;
            return true;
        }
        if (one == '\\' && next == '\n') {
            lexer->at += 2;
            continue;
        }
        bool is_escape = one == '\\' && (next == '"' || next == '\\' || next == '$' || next == '`');
        lexer->at += is_escape;
        tn_builder_add_char(&lexer->word, is_escape ? next : one);
        lexer->at++;
    }
    return fail_quote(lexer, from);
}

/* $(...) stays in the word as it is. */
static void read_substitution(struct lexer *lexer)
{
    int depth = 0;
    open_word(lexer);
    tn_builder_add_char(&lexer->word, '$');
    lexer->at++;
    do {
        char one = peek(lexer, 0);
        depth += one == '(' ? 1 : one == ')' ? -1 : 0;
        tn_builder_add_char(&lexer->word, one);
        lexer->at++;
    } while (lexer->at < lexer->text.size && depth > 0);
}

/* A backslash at the end of a line continues it, also where spaces follow it, as copied text often has them. */
static bool continues_line(struct lexer *lexer)
{
    size_t k = 1;
    while (is_space(peek(lexer, k))) {
        k++;
    }
    bool is_end = peek(lexer, k) == '\n';
    lexer->at += is_end ? k + 1 : 0;
    return is_end;
}

static bool read_backslash(struct lexer *lexer)
{
    if (continues_line(lexer)) {
        return end_word(lexer);
    }
    open_word(lexer);
    if (lexer->at + 1 < lexer->text.size) {
        tn_builder_add_char(&lexer->word, peek(lexer, 1));
        lexer->at++;
    }
    lexer->at++;
    return true;
}

static bool is_descriptor(const struct lexer *lexer)
{
    struct tn_str word = tn_builder_str(&lexer->word);
    return lexer->word_offset >= 0 && word.size == 1 && word.data[0] >= '0' && word.data[0] <= '9';
}

/* > FILE, >> FILE, 2>&1, < FILE, <<END, <<-END */
static bool read_redirection(struct lexer *lexer)
{
    bool is_input = peek(lexer, 0) == '<';
    bool is_document = is_input && peek(lexer, 1) == '<';
    if (is_descriptor(lexer)) {
        tn_builder_clear(&lexer->word);
        lexer->word_offset = -1;
    } else if (!end_word(lexer)) {
        return false;
    }
    lexer->at += peek(lexer, 1) == peek(lexer, 0) ? 2 : 1;
    lexer->at += is_document && peek(lexer, 0) == '-';
    if (peek(lexer, 0) == '&') { /* >&2 */
        lexer->at++;
        while (peek(lexer, 0) >= '0' && peek(lexer, 0) <= '9') {
            lexer->at++;
        }
        return true;
    }
    lexer->wants_end = is_document;
    lexer->wants_file = !is_document;
    return true;
}

static bool read_character(struct lexer *lexer)
{
    char one = peek(lexer, 0);
    if (one == '\n') {
        return end_line(lexer);
    }
    if (is_space(one)) {
        lexer->at++;
        return end_word(lexer);
    }
    if (one == '#' && lexer->word_offset < 0) {
        while (lexer->at < lexer->text.size && peek(lexer, 0) != '\n') {
            lexer->at++;
        }
        return true;
    }
    if (one == ';' || one == '|' || one == '&' || one == '(' || one == ')') {
        lexer->at++;
        return end_command(lexer);
    }
    if (one == '<' || one == '>') {
        return read_redirection(lexer);
    }
    if (one == '\\') {
        return read_backslash(lexer);
    }
    if (one == '\'' || one == '"') {
        return one == '"' ? read_double_quotes(lexer) : read_single_quotes(lexer);
    }
    if (one == '$' && peek(lexer, 1) == '(') {
        read_substitution(lexer);
        return true;
    }
    open_word(lexer);
    tn_builder_add_char(&lexer->word, one);
    lexer->at++;
    return true;
}

bool tn_shell_read(struct tn_arena *arena, struct tn_str text, struct tn_shell *shell, struct tn_error *error)
{
    struct lexer lexer = {.arena = arena, .text = text, .word_offset = -1, .shell = shell, .error = error};
    *shell = (struct tn_shell){0};
    if (text.size > TN_SHELL_MOST_BYTES) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "a command of more than %d bytes", TN_SHELL_MOST_BYTES);
    }
    bool done = true;
    while (done && lexer.at < text.size) {
        done = read_character(&lexer);
    }
    done = done && end_command(&lexer);
    tn_builder_free(&lexer.word);
    return done;
}

bool tn_shell_assignment(struct tn_str word, struct tn_str *name, struct tn_str *value)
{
    size_t mark = tn_str_find(word, TN_STR("="));
    bool is_name = mark != SIZE_MAX && mark > 0;
    for (size_t k = 0; is_name && k < mark; k++) {
        char one = word.data[k];
        is_name =
            one == '_' || (one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z') || (k && one >= '0' && one <= '9');
    }
    *name = tn_str_slice(word, 0, mark);
    *value = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(word, mark + 1, word.size);
    return is_name;
}

void tn_shell_write_word(struct tn_builder *out, struct tn_str word)
{
    bool is_plain = word.size > 0;
    for (size_t k = 0; k < word.size; k++) {
        char one = word.data[k];
        bool is_letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
        is_plain = is_plain && (is_letter || tn_str_find(TN_STR("_,.=:/-@+%"), (struct tn_str){&one, 1}) != SIZE_MAX);
    }
    if (is_plain) {
        tn_builder_add(out, word);
        return;
    }
    tn_builder_add_char(out, '\'');
    for (size_t k = 0; k < word.size; k++) {
        tn_builder_add(out, word.data[k] == '\'' ? TN_STR("'\\''") : tn_str_slice(word, k, k + 1));
    }
    tn_builder_add_char(out, '\'');
}
