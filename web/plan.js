// The answers of the core, as docs/json.md describes them: only what the page reads.
import { t } from "./text.js";

/**
 * @typedef {{category: string, label: string, low: number, mid: number, high: number, basis: string, formula: string}} LedgerEntry
 * @typedef {{rank: number, gpu: string | null, memory_bytes: number | null, low: number, mid: number, high: number,
 *     free_bytes: number | null, entries: LedgerEntry[]}} Device
 * @typedef {{option: string, meaning: string, pool_tokens: number | null, requests: number | null}} Remedy
 * @typedef {{fits: boolean | null, start: "yes" | "partly" | "unsure" | "no" | null, complaint: string | null,
 *     binding: string, gpus_needed: number | null, max_context: number | null, max_concurrency: number | null,
 *     message: string, remedies: Remedy[]}} Verdict
 * @typedef {{value: string | number | boolean | null, origin: string, formula?: string}} Setting
 * @typedef {{code: string, message: string}} Note
 * @typedef {{name: string, value: number | string | boolean | null, formula: string,
 *     facts: {key: string, value: unknown, origin: string, where: string}[]}} ModelSymbol
 * @typedef {object} Plan
 * @property {string} schema
 * @property {{id: string, architecture: string | null, source: string, parameters: number, parameters_active: number,
 *     checkpoint_bytes: number}} model
 * @property {{name: string, version: string | null}} engine
 * @property {Record<string, Setting>} settings
 * @property {{bytes_per_token: number, state_bytes_per_request: number, bytes_per_request: number,
 *     pool_bytes: number | null, pool_tokens: number | null, max_concurrency: number | null}} kv
 * @property {Device[]} devices
 * @property {{low: number, mid: number, high: number, entries: LedgerEntry[]} | null} host
 * @property {{low: number, mid: number, high: number}} total
 * @property {string[]} log
 * @property {string | null} command
 * @property {Record<string, string>} [commands]
 * @property {Verdict} verdict
 * @property {Note[]} notes
 * @property {ModelSymbol[]} [symbols]
 * @property {{name: string, formula: string}[]} [formulas]
 *
 * @typedef {{schema: "tonnage.error/1", code: string, message: string, where: string | null, hint: string | null}} CoreError
 */

/**
 * An answer as an object: what was asked for, or the error. A file that changed is the one error that is not the core's.
 * @template T
 * @param {import("./client.js").Reply} reply
 * @returns {{value: T, error: null} | {value: null, error: CoreError}}
 */
export function readReply(reply) {
    const value = JSON.parse(reply.text);
    if (value.code === "file_changed") {
        value.message = t("drop.changed", { name: value.where });
    }
    return value.schema === "tonnage.error/1" ? { value: null, error: value } : { value, error: null };
}

/**
 * The device that needs most, of which the verdict speaks.
 * @param {Plan} plan
 */
export function fullest(plan) {
    return plan.devices.reduce((most, device) => (device.high > most.high ? device : most));
}

/**
 * Bytes of a category on all devices, or on one.
 * @param {Device[]} devices
 * @param {string} category
 */
export function categoryBytes(devices, category) {
    let sum = 0;
    for (const device of devices) {
        for (const entry of device.entries) {
            sum += entry.category === category ? entry.mid : 0;
        }
    }
    return sum;
}

/**
 * "2 × H100 SXM5 80GB", or null without a GPU.
 * @param {Plan} plan
 */
export function gpuText(plan) {
    const name = plan.devices[0]?.gpu ?? null;
    return name === null ? null : plan.devices.length > 1 ? `${plan.devices.length} × ${name}` : name;
}
