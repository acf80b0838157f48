/* Names as people type them: any case, any dashes, with or without a hub's "ORG/" in front; and the nearest ones to a wrong name. */
#ifndef TN_CATALOG_NAMES_H
#define TN_CATALOG_NAMES_H

#include "base/text.h"

/* True where the two differ only in case, in separators ("-", "_", ".", ":", spaces; between two digits any one of them must stand), and in
 * an "ORG/" that only one of them has. */
bool tn_names_match(struct tn_str a, struct tn_str b);

enum { TN_LONGEST_NAME = 96 }; /* bytes that count */

/* What is compared: lower case without separators, but for one between two digits: opt-1.3b is not opt-13b. The size is returned. */
size_t tn_name_fold(struct tn_str name, char folded[TN_LONGEST_NAME]);

struct tn_str tn_name_without_organisation(struct tn_str name);

enum { TN_NEAREST = 3 };

struct tn_nearest {
    struct tn_str wanted;
    struct tn_str names[TN_NEAREST];
    unsigned distances[TN_NEAREST];
    size_t count;
};

/* How far a name is from the wanted one: edit distance without case, dashes and organisation; what is missing at the end of the
 * wanted one counts little. */
unsigned tn_name_distance(struct tn_str wanted, struct tn_str name);

/* Keeps the name if it is among the nearest so far. */
void tn_nearest_offer(struct tn_nearest *nearest, struct tn_str name);

/* "did you mean a, b or c? `tonnage gpus` lists all" */
void tn_nearest_hint(const struct tn_nearest *nearest, const char *type, struct tn_error *error);

#endif
