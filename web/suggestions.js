// What the fields for dtypes suggest. They take all that the core knows; a test holds that it knows these.

export const QUANTISATIONS = [
    "fp8", "int8", "int4", "awq", "gptq", "nvfp4", "mxfp4", "bnb-4bit", "fp8-dynamic", "w4a16",
    "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0", "q3_k_m", "q2_k", "iq4_xs", "iq2_xs",
];

export const DTYPES = ["bf16", "fp16", "fp32", "fp8", "int8", "int4"];

export const KV_DTYPES = ["auto", "bf16", "fp16", "fp8", "int8", "q8_0", "q4_0"];
