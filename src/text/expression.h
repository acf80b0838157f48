/* The expression language of the records: 64-bit checked integers, reals, booleans, strings, lists and objects; no loops, no
 * definitions, so that evaluation always ends. docs/records.md is its manual.
 *
 *     $key  $a.b[i].c        a fact by its path; indices are expressions
 *     name                   a symbol: given by the scope
 *     1  2.5  "text"  true  false  null  [a, b, c]  {"key": a}
 *     a ? b                  a, or b where a is absent or null
 *     or  and  not  == != < <= > >= in     + - * /  //  %    unary -    a[i]  a.name
 *     min max ceil_div round_up floor ceil has count sum if is_list
 *
 * "/" of two integers must come out even; "//" rounds down. "list * n" repeats, "list + list" joins, text[i] is one character,
 * "a in b" looks for an item in a list or a part in a text. A path that leads nowhere is null, as a null in the file is.
 */
#ifndef TN_TEXT_EXPRESSION_H
#define TN_TEXT_EXPRESSION_H

#include "text/value.h"

enum { TN_EXPRESSION_DEPTH = 64, TN_EXPRESSION_LIST_LIMIT = 1 << 20 };

struct tn_expression; /* immutable, in the arena of the parse */

/* Parses the longest expression at the start of text; *consumed gets its length in bytes, so that statements can hold several
 * expressions and words. The text must outlive the expression.
 * Errors: TN_ERROR_EXPRESSION with the offset in text, TN_ERROR_MEMORY. */
bool tn_expression_parse(struct tn_arena *arena, struct tn_str text, const struct tn_expression **expression,
                         size_t *consumed, struct tn_error *error);

/* The same where the whole text must be one expression. */
bool tn_expression_parse_all(struct tn_arena *arena, struct tn_str text, const struct tn_expression **expression,
                             struct tn_error *error);

/* What names mean during one evaluation. */
struct tn_scope {
    void *context;
    /* The value of a symbol. false with the error filled where there is none. */
    bool (*symbol)(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error);
    /* The same for symbols that have a number (tn_expression_number); NULL: all are asked for by name. */
    bool (*numbered)(void *context, uint32_t number, struct tn_value *value, struct tn_error *error);
    /* The root fact of a $path (its first name); NULL where absent. */
    const struct tn_value *(*fact)(void *context, struct tn_str name);
};

/* Evaluates. Lists and strings that are made on the way come from the arena.
 * Errors: TN_ERROR_CONFIG where a $key without a default is absent or of the wrong type (where = the key) and where "/" does not
 * come out even, TN_ERROR_TOO_LARGE on overflow, TN_ERROR_EXPRESSION for everything else, TN_ERROR_MEMORY. */
bool tn_expression_evaluate(const struct tn_expression *expression, const struct tn_scope *scope,
                            struct tn_arena *arena, struct tn_value *value, struct tn_error *error);

/* The same where the result must be of one kind; the error names the key when the expression is one. */
bool tn_expression_integer(const struct tn_expression *expression, const struct tn_scope *scope, struct tn_arena *arena,
                           int64_t *integer, struct tn_error *error);
bool tn_expression_boolean(const struct tn_expression *expression, const struct tn_scope *scope, struct tn_arena *arena,
                           bool *boolean, struct tn_error *error);

/* Gives its symbols numbers, so that evaluation does not look for names. By the owner of the expression, before anybody evaluates it.
 * number  of the symbol of that name; UINT32_MAX: it has none, and is asked for by its name */
void tn_expression_number(const struct tn_expression *expression,
                          uint32_t (*number)(const void *context, struct tn_str name), const void *context);

/* The source text of an expression. */
struct tn_str tn_expression_text(const struct tn_expression *expression);

/* Calls visit for every symbol (is_fact false) and every $key (is_fact true, the root name) in it, in order of the text. */
void tn_expression_names(const struct tn_expression *expression,
                         void (*visit)(void *context, struct tn_str name, bool is_fact), void *context);

#endif
