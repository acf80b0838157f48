/* Configs of published models that several tests plan, with what of them decides memory. */
#ifndef TN_TESTS_PUBLISHED_CONFIGS_H
#define TN_TESTS_PUBLISHED_CONFIGS_H

/* more: further members, each with its comma in front */
#define LLAMA_3_1_8B_WITH(dtype, more)                                                                             \
    "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 4096, \"intermediate_size\": 14336,"             \
    " \"num_attention_heads\": 32, \"num_key_value_heads\": 8, \"num_hidden_layers\": 32, \"vocab_size\": 128256," \
    " \"max_position_embeddings\": 131072, \"torch_dtype\": \"" dtype "\"" more "}"
#define LLAMA_3_1_8B LLAMA_3_1_8B_WITH("bfloat16", "")

#define QWEN_3_8B                                                                                     \
    "{\"architectures\": [\"Qwen3ForCausalLM\"], \"head_dim\": 128, \"hidden_size\": 4096,"           \
    " \"intermediate_size\": 12288, \"max_position_embeddings\": 40960, \"num_attention_heads\": 32," \
    " \"num_hidden_layers\": 36, \"num_key_value_heads\": 8, \"vocab_size\": 151936, \"torch_dtype\": \"bfloat16\"}"

#define DEEPSEEK_WITH(class, more)                                                                                   \
    "{\"first_k_dense_replace\": 3, \"hidden_size\": 7168, \"intermediate_size\": 18432, \"kv_lora_rank\": 512,"     \
    " \"max_position_embeddings\": 163840, \"moe_intermediate_size\": 2048, \"n_routed_experts\": 256,"              \
    " \"n_shared_experts\": 1, \"num_attention_heads\": 128, \"num_experts_per_tok\": 8, \"num_hidden_layers\": 61," \
    " \"num_key_value_heads\": 128, \"q_lora_rank\": 1536, \"qk_nope_head_dim\": 128, \"qk_rope_head_dim\": 64,"     \
    " \"v_head_dim\": 128, \"vocab_size\": 129280, \"torch_dtype\": \"bfloat16\", \"architectures\": [\"" class      \
        "\"]" more "}"

/* As it was published, in 8 bits in blocks, and with its weights in 16. */
#define DEEPSEEK_PUBLISHED(class, more)                                                                                \
    DEEPSEEK_WITH(                                                                                                     \
        class, ", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 40, \"original_max_position_embeddings\": 4096}," \
               " \"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}" more)
#define DEEPSEEK_R1 DEEPSEEK_PUBLISHED("DeepseekV3ForCausalLM", "")
#define DEEPSEEK_V3_BF16 DEEPSEEK_WITH("DeepseekV3ForCausalLM", "")

#endif
