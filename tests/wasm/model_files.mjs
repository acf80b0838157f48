// Writes files of models for tests: headers, and holes in place of the data, so that a model of any size takes no disk.
import fs from "node:fs";

/** @param {number} value @param {number} bytes */
function number(value, bytes) {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer.subarray(0, bytes);
}

/** @param {string} value */
function string(value) {
    return Buffer.concat([number(Buffer.byteLength(value), 8), Buffer.from(value)]);
}

/** @param {string} path @param {Buffer} header @param {number} dataBytes */
function write(path, header, dataBytes) {
    fs.writeFileSync(path, header);
    fs.truncateSync(path, header.length + dataBytes);
}

/**
 * @param {string} path
 * @param {Record<string, number[]>} tensors shapes by name, all in F16
 */
export function writeSafetensors(path, tensors) {
    let at = 0;
    const entries = Object.entries(tensors).map(([name, shape]) => {
        const begin = at;
        at += 2 * shape.reduce((product, size) => product * size, 1);
        return [name, { dtype: "F16", shape, data_offsets: [begin, at] }];
    });
    const json = JSON.stringify(Object.fromEntries(entries));
    write(path, Buffer.concat([number(Buffer.byteLength(json), 8), Buffer.from(json)]), at);
}

const GGUF_TYPES = { u16: 2, u32: 4, string: 8, i32: 5 };

/**
 * @param {string} path
 * @param {[string, keyof GGUF_TYPES, string | number][]} metadata
 * @param {Record<string, number[]>} tensors shapes by name, outermost first, all in F16
 * @param {string[]} words of its vocabulary
 */
export function writeGguf(path, metadata, tensors, words = []) {
    const pairs = metadata.map(([key, type, value]) => [
        string(key),
        number(GGUF_TYPES[type], 4),
        typeof value === "string" ? string(value) : number(value, type === "u16" ? 2 : 4),
    ]);
    if (words.length) {
        pairs.push([string("tokenizer.ggml.tokens"), number(9, 4), number(8, 4), number(words.length, 8), ...words.map(string)]);
    }
    let at = 0;
    const infos = Object.entries(tensors).map(([name, shape]) => {
        const offset = at;
        at += 2 * shape.reduce((product, size) => product * size, 1);
        at = 32 * Math.ceil(at / 32);
        return [string(name), number(shape.length, 4), ...[...shape].reverse().map((size) => number(size, 8)), number(1, 4), number(offset, 8)];
    });
    const start = [Buffer.from("GGUF"), number(3, 4), number(infos.length, 8), number(pairs.length, 8)];
    const header = Buffer.concat([...start, ...pairs.flat(), ...infos.flat()]);
    write(path, Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32)]), at);
}

/** A small Llama; `scale` makes it large. @param {number} scale */
export function llama(scale) {
    const hidden = 64 * scale;
    const config = {
        architectures: ["LlamaForCausalLM"],
        model_type: "llama",
        hidden_size: hidden,
        intermediate_size: 2 * hidden,
        num_hidden_layers: 2,
        num_attention_heads: 8,
        num_key_value_heads: 4,
        vocab_size: 1000,
        max_position_embeddings: 8192,
        torch_dtype: "float16",
        tie_word_embeddings: false,
    };
    /** @type {Record<string, number[]>} */
    const tensors = { "model.embed_tokens.weight": [1000, hidden], "lm_head.weight": [1000, hidden], "model.norm.weight": [hidden] };
    /** @type {Record<string, number[]>} */
    const gguf = { "token_embd.weight": [1000, hidden], "output.weight": [1000, hidden], "output_norm.weight": [hidden] };
    for (let layer = 0; layer < 2; layer++) {
        for (const [name, short, shape] of /** @type {[string, string, number[]][]} */ ([
            ["self_attn.q_proj", "attn_q", [hidden, hidden]],
            ["self_attn.k_proj", "attn_k", [hidden / 2, hidden]],
            ["self_attn.v_proj", "attn_v", [hidden / 2, hidden]],
            ["self_attn.o_proj", "attn_output", [hidden, hidden]],
            ["mlp.gate_proj", "ffn_gate", [2 * hidden, hidden]],
            ["mlp.up_proj", "ffn_up", [2 * hidden, hidden]],
            ["mlp.down_proj", "ffn_down", [hidden, 2 * hidden]],
            ["input_layernorm", "attn_norm", [hidden]],
            ["post_attention_layernorm", "ffn_norm", [hidden]],
        ])) {
            tensors[`model.layers.${layer}.${name}.weight`] = shape;
            gguf[`blk.${layer}.${short}.weight`] = shape;
        }
    }
    /** @type {[string, keyof GGUF_TYPES, string | number][]} */
    const metadata = [
        ["general.architecture", "string", "llama"],
        ["llama.embedding_length", "u32", hidden],
        ["llama.feed_forward_length", "u32", 2 * hidden],
        ["llama.block_count", "u32", 2],
        ["llama.attention.head_count", "u32", 8],
        ["llama.attention.head_count_kv", "u32", 4],
        ["llama.context_length", "u32", 8192],
        ["llama.vocab_size", "u32", 1000],
    ];
    return { config, tensors, gguf, metadata };
}
