/* Any bytes as a SentencePiece .model and a text: tokenizer_checks.h says how they lie. */
#include "tokenizer_checks.h"
#include "tokens/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_file_and_text("fuzz.model", tn_sentencepiece_matches, data, size);
    return 0;
}
