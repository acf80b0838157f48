/* Where the tokenizer of a name lies: a file, a folder, a remote repository; and the chat template beside it. */
#ifndef TN_HOST_TOKENIZER_FILES_H
#define TN_HOST_TOKENIZER_FILES_H

#include "host/model_files.h"

/* As tn_tokenizer_finder.find; context is a struct tn_model_files. */
bool tn_tokenizer_files_find(void *context, struct tn_str name, bool is_model, struct tn_tokenizer_input *input,
                             bool *found, struct tn_error *error);

#endif
