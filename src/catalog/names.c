/* Matching names, and how far apart two names are. */
#include "catalog/names.h"

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ' || c == ':';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t tn_name_fold(struct tn_str name, char folded[TN_LONGEST_NAME])
{
    size_t size = 0;
    bool separated = false;
    for (size_t k = 0; k < name.size && size + 1 < TN_LONGEST_NAME; k++) {
        char c = name.data[k];
        if (is_separator(c)) {
            separated = true;
            continue;
        }
        if (separated && size && is_digit(folded[size - 1]) && is_digit(c)) {
            folded[size++] = '-';
        }
        folded[size++] = tn_lower(c);
        separated = false;
    }
    return size;
}

struct tn_str tn_name_without_organisation(struct tn_str name)
{
    size_t slash = tn_str_find(name, TN_STR("/"));
    return slash == SIZE_MAX ? name : tn_str_slice(name, slash + 1, name.size);
}

static bool same_folded(struct tn_str a, struct tn_str b)
{
    char folded_a[TN_LONGEST_NAME];
    char folded_b[TN_LONGEST_NAME];
    struct tn_str text_a = {folded_a, tn_name_fold(a, folded_a)};
    struct tn_str text_b = {folded_b, tn_name_fold(b, folded_b)};
    return text_a.size > 0 && tn_str_equal(text_a, text_b);
}

bool tn_names_match(struct tn_str a, struct tn_str b)
{
    bool both_have_one = tn_str_find(a, TN_STR("/")) != SIZE_MAX && tn_str_find(b, TN_STR("/")) != SIZE_MAX;
    return same_folded(both_have_one ? a : tn_name_without_organisation(a),
                       both_have_one ? b : tn_name_without_organisation(b));
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edit distance where leaving out the end of the longer name is cheap: "llama-3-8b" is near to "llama-3-8b-instruct". */
unsigned tn_name_distance(struct tn_str wanted, struct tn_str name)
{
    char folded_a[TN_LONGEST_NAME];
    char folded_b[TN_LONGEST_NAME];
    size_t size_a = tn_name_fold(tn_name_without_organisation(wanted), folded_a);
    size_t size_b = tn_name_fold(tn_name_without_organisation(name), folded_b);
    unsigned row[TN_LONGEST_NAME + 1];
    for (size_t k = 0; k <= size_b; k++) {
        row[k] = (unsigned)k * 4;
    }
    for (size_t i = 0; i < size_a; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)(i + 1) * 4;
        for (size_t j = 0; j < size_b; j++) {
            unsigned changed = diagonal + (folded_a[i] == folded_b[j] ? 0U : 4U);
            unsigned inserted = row[j] + (i + 1 == size_a ? 1U : 4U);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, least(inserted, row[j + 1] + 4U));
        }
    }
    return row[size_b];
}

void tn_nearest_offer(struct tn_nearest *nearest, struct tn_str name)
{
    unsigned far = tn_name_distance(nearest->wanted, name);
    size_t place = nearest->count;
    while (place > 0 && far < nearest->distances[place - 1]) {
        place--;
    }
    if (place == TN_NEAREST) {
        return;
    }
    size_t last = nearest->count < TN_NEAREST ? nearest->count++ : TN_NEAREST - 1;
    for (size_t k = last; k > place; k--) {
        nearest->names[k] = nearest->names[k - 1];
        nearest->distances[k] = nearest->distances[k - 1];
    }
    nearest->names[place] = name;
    nearest->distances[place] = far;
}

void tn_nearest_hint(const struct tn_nearest *nearest, const char *type, struct tn_error *error)
{
    if (nearest->count < TN_NEAREST) {
        tn_fail_hint(error, "`tonnage %ss` lists all", type);
        return;
    }
    tn_fail_hint(error,
                 "did you mean " TN_STR_FORMAT ", " TN_STR_FORMAT " or " TN_STR_FORMAT "? `tonnage %ss` lists all",
                 TN_STR_ARGUMENTS(nearest->names[0]), TN_STR_ARGUMENTS(nearest->names[1]),
                 TN_STR_ARGUMENTS(nearest->names[2]), type);
}
