/* The command line that starts llama.cpp's server with the settings of a plan. */
#ifndef TN_ENGINE_LLAMACPP_COMMAND_H
#define TN_ENGINE_LLAMACPP_COMMAND_H

#include "engine/llamacpp/llama.h"
#include "engine/work.h"

/* Sets work->ledger->command: the model, the context and the layers on GPUs always, of the other settings those that were given.
 * settings  whose context, layers and experts count, instead of those that were given: fitted or advised
 * Errors: TN_ERROR_MEMORY. */
bool tn_llama_add_command(struct tn_work *work, const struct tn_llama_settings *settings);

#endif
