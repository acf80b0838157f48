/* Shapes of log lines: literals and captures, as the records in data/log write them (docs/diagnose.md).
 *
 *     Model loading took {weights:GiB} GiB memory and {*} seconds
 *
 * A space is one space, ~ any white space or none; {*} is any text. {TERM:KIND} captures; KIND is one of
 *
 *     GiB MiB KiB GB MB B  a number in that unit
 *     size                 a number with its unit behind: "1.5 GiB", "80MB", "0 bytes"
 *     n                    a whole number; its digits may be grouped: 126,256
 *     x  share             a number; a share of 1, kept in percent
 *     word                 up to white space or one of , ; ) ] " '
 *     text                 up to what follows in the shape, or to the end of the line
 *     pairs                the rest of the line: key=value or 'key': value, as Python prints arguments
 *
 * White space in front of a capture is passed over. A word may stand at the very start: it is then what stands before the literal.
 */
#ifndef TN_LOGS_TEXT_SHAPE_H
#define TN_LOGS_TEXT_SHAPE_H

#include "logs/measured.h"
#include "logs/text/terms.h"

enum tn_shape_kind {
    TN_SHAPE_LITERAL,
    TN_SHAPE_SPACE,
    TN_SHAPE_SKIP,
    TN_SHAPE_NUMBER,
    TN_SHAPE_SIZE,
    TN_SHAPE_WORD,
    TN_SHAPE_TEXT,
    TN_SHAPE_PAIRS
};

enum { TN_SHAPE_PARTS = 32, TN_SHAPE_CAPTURES = 12 };

struct tn_shape_part {
    enum tn_shape_kind kind;
    struct tn_str literal;
    enum tn_log_term term; /* of a capture */
    uint64_t unit;         /* of a NUMBER: bytes, or what 1 counts as */
    bool is_whole;
};

struct tn_shape {
    struct tn_shape_part parts[TN_SHAPE_PARTS]; /* [part_count] */
    size_t part_count;
    struct tn_str anchor; /* the longest literal: a line without it does not have the shape */
};

/* What a line says. */
struct tn_captured {
    enum tn_log_term term;
    enum tn_shape_kind kind;
    struct tn_figure figure; /* NUMBER, SIZE: rounded where it is no whole number */
    double real;             /* the same with its decimals */
    struct tn_str text;      /* as it stands in the line */
};

/* The text must outlive the shape. Errors: TN_ERROR_RECORD with what is wrong. */
bool tn_shape_parse(struct tn_str text, struct tn_shape *shape, struct tn_error *error);

/* Whether the line has the shape anywhere; *count captures are filled, which point into the line. */
bool tn_shape_match(const struct tn_shape *shape, struct tn_str line, struct tn_captured captured[TN_SHAPE_CAPTURES],
                    size_t *count);

#endif
