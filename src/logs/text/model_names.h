/* Models as logs name them: paths, caches of the hub, files with their quantisation in the name. */
#ifndef TN_LOGS_TEXT_MODEL_NAMES_H
#define TN_LOGS_TEXT_MODEL_NAMES_H

#include "base/text.h"

/* "/models/hub/models--org--name/snapshots/1234" -> "org/name"; "/models/Qwen2.5-7B-Instruct-Q4_K_M-00001-of-00002.gguf" ->
 * "Qwen2.5-7B-Instruct"; "org/name" stays. In the arena; empty where the text says nothing, as a digest does not. false where memory is out. */
bool tn_log_model_name(struct tn_arena *arena, struct tn_str text, struct tn_str *name);

#endif
