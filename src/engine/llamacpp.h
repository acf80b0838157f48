/* One process of llama.cpp, as the engines of this program start it: its own server (llamacpp.c) and ollama. The engine's record has the
 * settings under llama.cpp's names; data/engine/llama_process.rec lists them. */
#ifndef TN_ENGINE_LLAMACPP_H
#define TN_ENGINE_LLAMACPP_H

#include "engine/llamacpp/llama.h"
#include "engine/work.h"

struct tn_llama_session {
    struct tn_work work; /* the evaluated record of the engine */
    struct tn_llama llama;
    struct tn_llama_share shares[TN_LLAMA_MOST_GPUS + 1]; /* of each GPU; behind the last one the host's */
    bool is_fitted;           /* n_gpu_layers auto: what was not given is fitted to the memory */
    struct tn_error unwanted; /* what is written where the caller wants no error */
};

/* Evaluates the record and reads the settings into session->llama.settings. Memory is that of the planner.
 * Errors: those of the record's refusals, TN_ERROR_USAGE for a setting that cannot be read, those of tn_llama_open_file. */
bool tn_llama_session_begin(struct tn_llama_session *session, struct tn_planner *planner,
                            const struct tn_deployment *deployment, struct tn_ledger *ledger, struct tn_error *error);

/* Fills session->llama with sizes, weights and layers. */
bool tn_llama_session_look(struct tn_llama_session *session);

/* The same, and the shares; again and again where the settings were changed. */
bool tn_llama_session_compute(struct tn_llama_session *session);

/* Fills the ledger from the shares, with settings, and lines of the log and notes that the record has. The engine is to finish it. */
bool tn_llama_session_report(struct tn_llama_session *session);

#endif
