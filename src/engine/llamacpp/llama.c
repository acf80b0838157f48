#include "engine/llamacpp/llama.h"

bool tn_llama_compute(struct tn_llama *llama, struct tn_llama_share *shares)
{
    return tn_llama_size(llama) && tn_llama_read_weights(llama) && tn_llama_place_layers(llama)
           && tn_llama_place_weights(llama) && tn_llama_resolve_flash(llama) && tn_llama_add_weights(llama, shares)
           && tn_llama_add_caches(llama, shares) && tn_llama_add_compute(llama, shares);
}
