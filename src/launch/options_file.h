/* The YAML file of options that an engine reads beside its command line: mappings in mappings, of scalars and lists. A key is written with those
 * around it, "kv_cache_config.dtype". What else YAML has (anchors, documents, text in blocks) options do not need. */
#ifndef TN_LAUNCH_OPTIONS_FILE_H
#define TN_LAUNCH_OPTIONS_FILE_H

#include "base/text.h"

struct tn_file_option {
    struct tn_str key;   /* "kv_cache_config.dtype" */
    struct tn_str value; /* a scalar without its quotes; a list as it stands, "[1, 2]" */
    size_t line;         /* counted from 1 */
};

struct tn_file_options {
    struct tn_file_option *options; /* [count] */
    size_t count;
};

/* Errors: TN_ERROR_USAGE with the line for what is no such mapping; TN_ERROR_MEMORY. */
bool tn_options_file_read(struct tn_arena *arena, struct tn_str text, struct tn_file_options *options,
                          struct tn_error *error);

/* Options in the order of their keys' first mappings, those of one mapping together. */
void tn_options_file_write(struct tn_builder *out, const struct tn_file_option *options, size_t count);

/* A scalar as YAML reads it back as that text: in quotes where it would be something else. */
void tn_yaml_write_scalar(struct tn_builder *out, struct tn_str text);

#endif
