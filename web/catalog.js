// The tables of the core that the fields are made from: models, GPUs, engines and their settings.
import { readReply } from "./plan.js";

/**
 * @typedef {import("./search.js").Entry & {labels: string[], parameters: number, released: string, longest: number}} Model
 * @typedef {import("./search.js").Entry & {name: string, memory: number, price: number | null}} Gpu
 * @typedef {{name: string, summary: string, oldest: string | null, newest: string | null}} Engine
 * @typedef {{name: string, type: "count" | "tokens" | "bytes" | "real" | "flag" | "word", option: string | null,
 *     default: string, help: string}} EngineSetting
 */

/** GPUs of data centres in front of those of desks, the newer in front of the older. */
const WELL_KNOWN = ["h100-sxm5-80gb", "h200-sxm5-141gb", "b200-sxm-180gb", "a100-sxm4-80gb", "l40s", "l4", "rtx-4090",
    "rtx-5090", "rtx-3090", "mi300x", "rtx-6000-ada", "t4"];

export class Catalog {
    /** @type {Model[]} */
    models = [];
    /** @type {Gpu[]} */
    gpus = [];
    /** @type {Engine[]} */
    engines = [{ name: "generic", summary: "", oldest: null, newest: null }];
    /** @type {Map<string, EngineSetting[]>} */
    #settings = new Map();
    /** @type {Map<string, number>} */
    #longest = new Map();

    /**
     * The engines, of which a field is made. Takes no time.
     * @param {import("./client.js").Client} client
     */
    async loadEngines(client) {
        this.engines = await ask(client, "engines");
    }

    /**
     * What is searched. Counting the parameters of all models takes a while: the first answer does not wait for it.
     * @param {import("./client.js").Client} client
     */
    async loadNames(client) {
        this.gpus = (await ask(client, "gpus")).filter(({ memory_bytes: memory }) => memory).map(readGpu);
        this.models = (await ask(client, "models")).map(readModel);
        for (const model of this.models) {
            this.#longest.set(model.id, model.longest);
        }
    }

    /** The longest context of a model; 0 where it is not known. @param {string} id */
    longest(id) {
        return this.#longest.get(id) ?? 0;
    }

    /**
     * The settings of an engine, where they were loaded.
     * @param {string | undefined} engine NAME or NAME@VERSION
     */
    settings(engine) {
        return this.#settings.get(engine ?? "generic") ?? [];
    }

    /**
     * Loads the settings of an engine.
     * @param {import("./client.js").Client} client
     * @param {string | undefined} engine
     */
    async loadSettings(client, engine) {
        if (!engine || this.#settings.has(engine)) {
            return;
        }
        const [reply] = await client.ask([{ operation: "engines", engine }]);
        const { value } = readReply(reply);
        this.#settings.set(engine, /** @type {any} */ (value)?.engines[0]?.settings ?? []);
    }
}

/**
 * The list of an operation, which has its name.
 * @param {import("./client.js").Client} client
 * @param {string} operation
 * @returns {Promise<any[]>}
 */
async function ask(client, operation) {
    const [reply] = await client.ask([{ operation }]);
    return /** @type {Record<string, any>} */ (readReply(reply).value ?? {})[operation] ?? [];
}

/** @param {any} row */
function readModel(row) {
    const labels = [row.id, row.hf_id, ...row.aliases].filter(Boolean);
    return {
        id: row.id, labels, names: labels.map((name) => name.toLowerCase()), parameters: row.parameters, released: row.released ?? "",
        longest: row.max_context, rank: Number((row.released ?? "0").replace("-", "")),
    };
}

/** @param {any} row */
function readGpu(row) {
    const place = WELL_KNOWN.indexOf(row.id);
    return {
        id: row.id, name: row.name, names: [row.id, `${row.vendor} ${row.name}`.toLowerCase()],
        memory: row.memory_bytes, price: row.price?.usd_per_hour ?? null,
        rank: place < 0 ? row.memory_bytes / 1e15 : WELL_KNOWN.length - place,
    };
}
