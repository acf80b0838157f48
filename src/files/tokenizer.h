/* Where the tokenizer of a file or of a folder lies, and the chat template beside it. */
#ifndef TN_FILES_TOKENIZER_H
#define TN_FILES_TOKENIZER_H

#include "files/source.h"

/* A tokenizer's file. All must live as long as the source. */
struct tn_tokenizer_input {
    struct tn_str where; /* the file */
    struct tn_str bytes; /* all of it */
    struct tn_str
        chat_template; /* of the model, as it lies beside the tokenizer or in the file; empty where there is none */
};

/* Fills the input from a file, from what lies beside a file of weights or a config, or from a folder. *found false where there is no
 * tokenizer.
 * is_model  the place is that of a model, of whose files only a GGUF has its tokenizer in it
 * Errors: TN_ERROR_MEMORY, and those of the source. */
bool tn_files_tokenizer(struct tn_arena *arena, const struct tn_file_source *source, const struct tn_model_place *place,
                        bool is_model, struct tn_tokenizer_input *input, bool *found, struct tn_error *error);

/* Says that there is none in what the name leads to: TN_ERROR_NOT_A_MODEL. Always false. */
bool tn_files_no_tokenizer(struct tn_str name, struct tn_error *error);

#endif
