/* What the files of a model mean together: a config, a header, an index with its shards, the parts of a split, a folder of these. Where
 * the files are, the source knows. */
#ifndef TN_FILES_MODEL_H
#define TN_FILES_MODEL_H

#include "files/source.h"
#include "model/load.h"

/* Fills the input (id, config, header ...) from a file or a folder.
 * arena  of what the input points into, besides the bytes of the source
 * place  of a file with an empty folder: its whole path
 * Errors: TN_ERROR_NOT_A_MODEL, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY, those of the source and of the parsers. */
bool tn_files_model(struct tn_arena *arena, const struct tn_file_source *source, const struct tn_model_place *place,
                    struct tn_model_input *input, struct tn_error *error);

/* The config of that name in a folder of many: by the name of its file, or by the name that stands in it. *found false where there is
 * none. */
bool tn_files_model_named(struct tn_arena *arena, const struct tn_file_source *source, struct tn_str folder,
                          struct tn_str name, struct tn_model_input *input, bool *found, struct tn_error *error);

/* What a path is called when the model has no name of its own: the folder, or the file. */
struct tn_str tn_files_shown_name(struct tn_str path);

#endif
