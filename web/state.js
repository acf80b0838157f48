// What was asked: the options of `tonnage plan` under their own names, as typed, for one deployment or two.
import { parseWords } from "./words.js";

/**
 * One deployment. A key of `options` is an option of the command line without dashes; an absent one was not given.
 * @typedef {{options: Record<string, string>, set: Record<string, string>}} Deployment
 * @typedef {{a: Deployment, b: Deployment | null, lang: string | null, units: import("./format.js").Units}} PageState
 */

/** The options that the page knows, in the order in which a command line has them. */
export const OPTIONS = [
    "model", "params", "layers", "hidden", "heads", "kv-heads", "head-dim", "engine", "gpu", "gpu-memory", "context",
    "concurrency", "dtype", "quant", "kv-dtype", "tp", "pp", "ep", "dp", "overhead",
];

/** What a model by its numbers alone is made of. */
export const NUMBERS = ["params", "layers", "hidden", "heads", "kv-heads", "head-dim"];

/** The model is a file of this computer: its name stands behind this. */
export const FILE_PREFIX = "file:";

/** @returns {PageState} what a first visitor sees */
export function firstState() {
    return {
        a: {
            options: { model: "llama-3.1-8b", engine: "vllm", gpu: "h100-80gb", context: "8k", concurrency: "16" },
            set: {},
        },
        b: null,
        lang: null,
        units: "iec",
    };
}

/**
 * @param {Deployment} deployment
 * @returns {Deployment}
 */
export function copy(deployment) {
    return { options: { ...deployment.options }, set: { ...deployment.set } };
}

/**
 * The deployment with some options changed; an empty text takes one away. Another engine has other settings.
 * @param {Deployment} deployment
 * @param {Record<string, string>} options
 * @param {Record<string, string>} [set]
 * @returns {Deployment}
 */
export function changed(deployment, options, set = {}) {
    const isOther = "engine" in options && splitEngine(options.engine || undefined).name
        !== splitEngine(deployment.options.engine).name;
    const result = { options: { ...deployment.options, ...options }, set: { ...(isOther ? {} : deployment.set), ...set } };
    for (const part of [result.options, result.set]) {
        for (const key of Object.keys(part)) {
            if (part[key].trim() === "") {
                delete part[key];
            }
        }
    }
    return result;
}

/**
 * The deployment with the options of a command line: "--gpu l4x2 --tp 2", as remedies are written.
 * @param {Deployment} deployment
 * @param {string} text
 */
export function withOptions(deployment, text) {
    const { options, set } = parseWords(text);
    return changed(deployment, options, set);
}

/**
 * The request of an operation for a deployment. Numbers stay texts: the core reads them, and says what is wrong.
 * @param {string} operation
 * @param {Deployment} deployment
 * @param {Record<string, unknown>} [more]
 * @returns {Record<string, unknown>}
 */
export function toRequest(operation, deployment, more = {}) {
    /** @type {Record<string, unknown>} */
    const request = { operation };
    for (const option of OPTIONS) {
        const value = deployment.options[option];
        if (value !== undefined) {
            request[option.replaceAll("-", "_")] = option === "model" ? modelName(value) : value;
        }
    }
    if (Object.keys(deployment.set).length) {
        request.set = deployment.set;
    }
    return { ...request, ...more };
}

/**
 * The name of a model as the core knows it. Of files with one name the second is NAME~2.
 * @param {string} model
 */
export function modelName(model) {
    return model.startsWith(FILE_PREFIX) ? model.slice(FILE_PREFIX.length).replace(/~\d+$/, "") : model;
}

/**
 * NAMExCOUNT taken apart, as --gpu has it.
 * @param {string | undefined} gpu
 * @returns {{name: string, count: number}}
 */
export function splitGpu(gpu) {
    const match = /^(.*[^x\d].*?)\s*x\s*(\d+)$/i.exec(gpu ?? "");
    return match ? { name: match[1], count: Number(match[2]) } : { name: gpu ?? "", count: 1 };
}

/**
 * @param {string} name
 * @param {number} count
 */
export function joinGpu(name, count) {
    return name && count > 1 ? `${name}x${count}` : name;
}

/**
 * NAME@VERSION taken apart, as --engine has it.
 * @param {string | undefined} engine
 */
export function splitEngine(engine) {
    const [name, version = ""] = (engine ?? "generic").split("@");
    return { name, version };
}
