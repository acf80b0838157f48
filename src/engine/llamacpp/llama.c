#include "engine/llamacpp/llama.h"

struct tn_llama tn_llama_anew(const struct tn_llama *llama, struct tn_arena *arena, struct tn_error *error)
{
    return (struct tn_llama){.model = llama->model,
                             .file = llama->file,
                             .recipe = llama->file->recipe,
                             .arena = arena,
                             .settings = llama->settings,
                             .error = error};
}

bool tn_llama_compute(struct tn_llama *llama, struct tn_llama_share *shares)
{
    return tn_llama_size(llama) && tn_llama_read_weights(llama) && tn_llama_place_layers(llama)
           && tn_llama_place_weights(llama) && tn_llama_resolve_flash(llama) && tn_llama_add_weights(llama, shares)
           && tn_llama_add_caches(llama, shares) && tn_llama_add_compute(llama, shares);
}
