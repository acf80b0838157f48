// The whole state in the fragment of the address: readable, with the options' names, and never sent to a server.
//
//     #v=1&model=llama-3.1-8b&engine=vllm@0.19.0&gpu=h100-80gbx2&set.max_num_seqs=64&b.gpu=l40sx4
//
// `b.` stands in front of the second deployment's.
import { OPTIONS, firstState } from "./state.js";

/** The version of this form; another one is read as far as it is understood, and said. */
export const VERSION = "1";

/**
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {import("./state.js").PageState} PageState
 */

/** @param {string} text */
function encode(text) {
    return encodeURIComponent(text).replace(/%(40|3A|2F|2C|20|3D)/g, (all, code) =>
        ({ "40": "@", "3A": ":", "2F": "/", "2C": ",", "20": "+", "3D": "=" })[/** @type {string} */ (code)] ?? all);
}

/**
 * @param {Deployment} deployment
 * @param {string} prefix
 */
function pairsOf(deployment, prefix) {
    const given = OPTIONS.filter((option) => option in deployment.options);
    return [
        ...given.map((option) => `${prefix}${option}=${encode(deployment.options[option])}`),
        ...Object.entries(deployment.set).map(([key, value]) => `${prefix}set.${encode(key)}=${encode(value)}`),
    ];
}

/**
 * @param {PageState} state
 * @returns {string} with the # in front
 */
export function writeUrl(state) {
    const pairs = [`v=${VERSION}`, ...pairsOf(state.a, ""), ...(state.b ? pairsOf(state.b, "b.") : [])];
    if (state.b && !Object.keys(state.b.options).length) {
        pairs.push("b.model=");
    }
    if (state.lang) {
        pairs.push(`lang=${state.lang}`);
    }
    if (state.units !== "iec") {
        pairs.push(`units=${state.units}`);
    }
    return `#${pairs.join("&")}`;
}

/** @param {string} text */
function decode(text) {
    try {
        return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
        return text; // a % that encodes nothing: as it stands
    }
}

/**
 * Reads one pair into the state; false where the key is not known.
 * @param {PageState} state
 * @param {string} key
 * @param {string} value
 */
function readPair(state, key, value) {
    if (key === "lang") {
        state.lang = value;
        return value === "en" || value === "zh";
    }
    if (key === "units") {
        state.units = value === "si" ? "si" : "iec";
        return value === "si" || value === "iec";
    }
    const isSecond = key.startsWith("b.");
    const name = isSecond ? key.slice(2) : key;
    const isSetting = name.startsWith("set.") && name.length > 4;
    if (!isSetting && !OPTIONS.includes(name)) {
        return false;
    }
    if (isSecond) {
        state.b ??= { options: {}, set: {} };
    }
    const deployment = isSecond && state.b ? state.b : state.a;
    if (value !== "") {
        (isSetting ? deployment.set : deployment.options)[isSetting ? name.slice(4) : name] = value;
    }
    return true;
}

/**
 * The state of an address, with what of it was not understood.
 * @param {string} fragment with or without the #
 * @returns {{state: PageState, version: string | null, unknown: string[]}} version: null where it is ours
 */
export function readUrl(fragment) {
    const text = fragment.replace(/^#/, "");
    if (!text) {
        return { state: firstState(), version: null, unknown: [] };
    }
    /** @type {PageState} */
    const state = { a: { options: {}, set: {} }, b: null, lang: null, units: "iec" };
    const unknown = [];
    let version = null;
    for (const pair of text.split("&").filter(Boolean)) {
        const mark = pair.indexOf("=");
        const key = decode(mark < 0 ? pair : pair.slice(0, mark));
        const value = mark < 0 ? "" : decode(pair.slice(mark + 1));
        if (key === "v") {
            version = value === VERSION ? null : value;
        } else if (!readPair(state, key, value)) {
            unknown.push(key);
        }
    }
    if (!Object.keys(state.a.options).length) {
        state.a = firstState().a;
    }
    return { state, version, unknown };
}
