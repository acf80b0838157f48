/* Strings as pointer and length, never owned by the view, and a growable buffer to write text into. */
#ifndef TN_BASE_TEXT_H
#define TN_BASE_TEXT_H

#include "base/arena.h"
#include "base/error.h"

struct tn_str {
    const char *data; /* not terminated; NULL only where size is 0 */
    size_t size;      /* bytes */
};

#define TN_STR(literal) ((struct tn_str){"" literal, sizeof(literal) - 1})
#define TN_STR_FORMAT "%.*s"
#define TN_STR_ARGUMENTS(str) (int)((str).size > 200 ? 200 : (str).size), ((str).data ? (str).data : "")

struct tn_str tn_str_of(const char *terminated); /* NULL gives the empty string */
bool tn_str_equal(struct tn_str a, struct tn_str b);
bool tn_str_is(struct tn_str a, const char *terminated);
char tn_lower(char one);                                      /* of A to Z; others stay */
bool tn_str_equal_any_case(struct tn_str a, struct tn_str b); /* of A to Z */
bool tn_str_starts(struct tn_str a, struct tn_str prefix);
bool tn_str_ends(struct tn_str a, struct tn_str suffix);
int tn_str_compare(struct tn_str a, struct tn_str b);                /* byte order */
size_t tn_str_find(struct tn_str text, struct tn_str part);          /* index of the first hit, or SIZE_MAX */
struct tn_str tn_str_slice(struct tn_str a, size_t from, size_t to); /* bounds are clamped */
struct tn_str tn_str_trim(struct tn_str a);     /* without spaces, tabs and line ends at both sides */
struct tn_str tn_str_word(struct tn_str *text); /* takes the first word and the space behind it off `text` */
bool tn_str_copy(struct tn_arena *arena, struct tn_str from,
                 struct tn_str *to);                                 /* terminated copy; false when memory is out */
char *tn_str_terminated(struct tn_arena *arena, struct tn_str from); /* NULL when memory is out */

/* A growable text buffer on the heap. {0} is empty. After a failed growth all writes are ignored and `failed` stays
 * set. */
struct tn_builder {
    char *data; /* terminated after every write; NULL while empty */
    size_t size;
    size_t capacity;
    bool failed;
};

void tn_builder_free(struct tn_builder *builder);
void tn_builder_clear(struct tn_builder *builder); /* keeps the memory */
void tn_builder_add(struct tn_builder *builder, struct tn_str text);
void tn_builder_add_text(struct tn_builder *builder, const char *terminated);
void tn_builder_add_char(struct tn_builder *builder, char one);
void tn_builder_add_repeated(struct tn_builder *builder, const char *terminated, size_t times);
void tn_builder_add_u64(struct tn_builder *builder, uint64_t number);
void tn_builder_add_grouped(struct tn_builder *builder, uint64_t number);                  /* 13,015,864,320 */
void tn_builder_addf(struct tn_builder *builder, const char *format, ...) TN_PRINTF(2, 3); /* no %f %g: locale */
/* numerator / denominator with `decimals` digits after the point, rounded half up; denominator > 0. */
void tn_builder_add_fixed(struct tn_builder *builder, uint64_t numerator, uint64_t denominator, unsigned decimals);
/* The shortest decimal that reads back as the same double; "NaN", "Infinity", "-Infinity" for those. Independent of the
 * locale. */
void tn_builder_add_real(struct tn_builder *builder, double number);
struct tn_str tn_builder_str(const struct tn_builder *builder);

#endif
