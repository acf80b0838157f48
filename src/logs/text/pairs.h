/* Settings as programs print them: "model='a/b', max_seq_len=8192", "{'tensor_parallel_size': 2}", "map[OLLAMA_DEBUG:false ...]". */
#ifndef TN_LOGS_TEXT_PAIRS_H
#define TN_LOGS_TEXT_PAIRS_H

#include "base/text.h"

/* Takes the next pair off the text: a name, and a value without its quotes; of an object, a list or a call all of it, as it stands. A value
 * whose end is missing goes to the end of the text. false where there is none. */
bool tn_pair_next(struct tn_str *text, struct tn_str *name, struct tn_str *value);

#endif
