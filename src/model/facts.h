/* Facts: every value that a formula may read, with its origin. A fact comes from config.json, a header, the catalog, or the user;
 * the first source that has a key (and not as null) wins. */
#ifndef TN_MODEL_FACTS_H
#define TN_MODEL_FACTS_H

#include "text/value.h"

enum tn_origin {
    TN_ORIGIN_GIVEN,   /* by the user */
    TN_ORIGIN_CONFIG,  /* config.json */
    TN_ORIGIN_HEADER,  /* metadata of a GGUF */
    TN_ORIGIN_CATALOG, /* a model record */
    TN_ORIGIN_DEFAULT,
    TN_ORIGIN_DERIVED,
};

/* "given", "config", ...: as JSON shows it. */
const char *tn_origin_name(enum tn_origin origin);

enum { TN_FACT_SOURCES = 4, TN_FACT_ROOTS = 4 };

struct tn_fact_source {
    enum tn_origin origin;
    struct tn_str where;   /* the file or record, for messages */
    struct tn_value value; /* an object */
};

struct tn_facts {
    struct tn_fact_source sources[TN_FACT_SOURCES]; /* strongest first */
    size_t source_count;
    struct tn_str roots[TN_FACT_ROOTS]; /* nested objects that are searched before the top level ("text_config") */
    size_t root_count;
};

/* Adds a source behind those that are there; false where there are too many. */
bool tn_facts_add(struct tn_facts *facts, enum tn_origin origin, struct tn_str where, struct tn_value value);

/* The value of a key, or NULL; *source (may be NULL) gets where it came from. */
const struct tn_value *tn_facts_find(const struct tn_facts *facts, struct tn_str name,
                                     const struct tn_fact_source **source);

/* Puts the file in front of the key that an error of TN_ERROR_CONFIG or _TOO_LARGE names, so that the message says where to look, and a hint where there is none. Always returns
 * false. */
bool tn_fail_in_source(struct tn_error *error, struct tn_str where);

#endif
