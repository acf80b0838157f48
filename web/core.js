// The core of tonnage in JavaScript: the same answers as the command line, computed by tonnage.wasm. For windows, workers and Node.
//
//     import { openCore } from "./core.js";
//     const core = await openCore(fetch("tonnage.wasm"));
//     const { text, exit } = core.call({ operation: "plan", model: "llama-3.1-8b", gpu: "h100" });

/**
 * What the command line prints with --json, and its exit status: 0 done, or it fits; 1 it does not fit; else an error, and the text is a
 * document tonnage.error/1. With another "format" in the request the text is of that format; errors are always JSON.
 * @typedef {{text: string, exit: number}} Answer
 */

/**
 * The functions of wasm/exports.txt; pointers are numbers.
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {() => void} _initialize
 * @property {(bytes: number) => number} tonnage_allocate
 * @property {(pointer: number) => void} tonnage_release
 * @property {() => number} tonnage_open
 * @property {(context: number, request: number, bytes: number) => number} tonnage_call
 * @property {(answer: number) => void} tonnage_forget
 */

/** @typedef {ArrayBuffer | Uint8Array | Response | WebAssembly.Module} ModuleSource */

/**
 * @param {ModuleSource | Promise<ModuleSource>} source
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source) {
    const given = await source;
    if (given instanceof WebAssembly.Module) {
        return given;
    }
    if (typeof Response !== "undefined" && given instanceof Response) {
        if (!given.ok) {
            throw new Error(`tonnage.wasm cannot be loaded: ${given.status} ${given.statusText}`);
        }
        const type = given.headers.get("Content-Type") || "";
        // A server that does not know the type of .wasm files: the bytes are as good.
        return type.startsWith("application/wasm")
            ? WebAssembly.compileStreaming(given)
            : WebAssembly.compile(await given.arrayBuffer());
    }
    return WebAssembly.compile(/** @type {BufferSource} */ (given));
}

/** One instance of the module. It answers one call after the other; a further one can run in another worker. */
export class Core {
    /** @param {Exports} wasm */
    constructor(wasm) {
        this.wasm = wasm;
        this.context = wasm.tonnage_open();
        if (!this.context) {
            throw new Error("tonnage.wasm: no memory for the catalog");
        }
    }

    /**
     * Answers a request (docs/json.md). No file is read: a model is a name of the catalog, or the object under "config"; texts may be
     * given under "files".
     * @param {object | string} request an object, or its JSON text
     * @returns {Answer}
     */
    call(request) {
        const bytes = new TextEncoder().encode(typeof request === "string" ? request : JSON.stringify(request));
        const place = this.#put(bytes);
        const answer = this.wasm.tonnage_call(this.context, place, bytes.length);
        this.wasm.tonnage_release(place);
        return this.#take(answer);
    }

    /**
     * Copies bytes into the module's memory.
     * @param {Uint8Array} bytes
     * @returns {number} where they are; to be released
     */
    #put(bytes) {
        const place = this.wasm.tonnage_allocate(bytes.length);
        if (!place) {
            throw new Error("tonnage.wasm: no memory left");
        }
        new Uint8Array(this.wasm.memory.buffer, place, bytes.length).set(bytes);
        return place;
    }

    /**
     * Reads a struct tonnage_answer and releases it.
     * @param {number} answer
     * @returns {Answer}
     */
    #take(answer) {
        if (!answer) {
            throw new Error("tonnage.wasm: no memory left");
        }
        const { buffer } = this.wasm.memory;
        const [text, size] = new Uint32Array(buffer, answer, 2);
        const [exit] = new Int32Array(buffer, answer + 8, 1);
        const result = { text: new TextDecoder().decode(new Uint8Array(buffer, text, size)), exit };
        this.wasm.tonnage_forget(answer);
        return result;
    }
}

/**
 * Makes a core from tonnage.wasm: its bytes, a fetch of it, or the compiled module.
 * @param {ModuleSource | Promise<ModuleSource>} source
 * @returns {Promise<Core>}
 */
export async function openCore(source) {
    const instance = await WebAssembly.instantiate(await compile(source), {});
    const wasm = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
    wasm._initialize();
    return new Core(wasm);
}
