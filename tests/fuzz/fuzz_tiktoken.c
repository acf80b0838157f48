/* Any bytes as a rank file, of an encoding that its name tells, and a text: tokenizer_checks.h says how they lie. */
#include "tokenizer_checks.h"
#include "tokens/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_file_and_text("cl100k.tiktoken", tn_tiktoken_matches, data, size);
    return 0;
}
