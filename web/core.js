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
 * @property {(count: number) => number} tonnage_files
 * @property {(files: number) => void} tonnage_files_forget
 * @property {(files: number, number: number, name: number, bytes: number, fileBytes: number) => void} tonnage_file_name
 * @property {(files: number, number: number, bytes: number) => number} tonnage_file_room
 * @property {(files: number, number: number, message: number, bytes: number) => void} tonnage_file_fault
 * @property {(files: number, number: number) => number} tonnage_file_missing
 * @property {(context: number, files: number, request: number, bytes: number) => number} tonnage_call
 * @property {(answer: number) => void} tonnage_forget
 */

/**
 * A file that is read as far as an answer needs it: of a model only the header. `read` gives exactly the bytes asked for; where it rejects
 * or gives fewer, the answer is an error that says so.
 * @typedef {object} CoreFile
 * @property {string} name as the request calls it, with "/" between folders
 * @property {number} size bytes of the whole file
 * @property {(offset: number, length: number) => Promise<Uint8Array>} read
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

const PIECE_BYTES = 16 * 1024 * 1024; // what is read of a file at once

/** One instance of the module. It answers one call after the other; a further one can run in another worker. */
export class Core {
    /** @type {Exports} */
    #wasm;
    #context;
    /** @type {readonly CoreFile[] | null} */
    #files = null; // those of the last call with files
    #list = 0; // what was read of them
    /** @type {number[]} */
    #offsets = []; // how much of each
    /** @type {Promise<unknown>} */
    #last = Promise.resolve(); // the last call with files

    /** @param {Exports} wasm */
    constructor(wasm) {
        this.#wasm = wasm;
        this.#context = need(wasm.tonnage_open());
    }

    /** How much memory the module has taken. */
    get memoryBytes() {
        return this.#wasm.memory.buffer.byteLength;
    }

    /**
     * Answers a request (docs/json.md). No file is read: a model is a name of the catalog, or the object under "config"; texts may be
     * given under "files".
     * @param {object | string} request an object, or its JSON text
     * @returns {Answer}
     */
    call(request) {
        return this.#ask(request, 0);
    }

    /**
     * The same with files that the request names: a config.json, an index, .safetensors, .gguf, a tokenizer, a log. Calls with files
     * are answered one after the other. What was read is kept for the next call with the same array.
     * @param {object | string} request
     * @param {readonly CoreFile[]} files
     * @returns {Promise<Answer>}
     */
    callWithFiles(request, files) {
        const answer = this.#last.then(() => this.#askWithFiles(request, files));
        this.#last = answer.catch(() => undefined);
        return answer;
    }

    /**
     * @param {object | string} request
     * @param {readonly CoreFile[]} files
     */
    async #askWithFiles(request, files) {
        if (files !== this.#files) {
            this.#wasm.tonnage_files_forget(this.#list);
            this.#files = null;
            this.#list = 0;
            this.#list = this.#nameFiles(files);
            this.#offsets = files.map(() => 0);
            this.#files = files;
        }
        for (;;) {
            const answer = this.#ask(request, this.#list);
            const missing = files.map((_, number) => this.#wasm.tonnage_file_missing(this.#list, number));
            if (missing.every((bytes) => bytes === 0)) {
                return answer;
            }
            for (const [number, bytes] of missing.entries()) {
                await this.#read(files[number], number, bytes);
            }
        }
    }

    /** @param {readonly CoreFile[]} files */
    #nameFiles(files) {
        const list = need(this.#wasm.tonnage_files(files.length));
        files.forEach(({ name, size }, number) => {
            const bytes = new TextEncoder().encode(name);
            this.#wasm.tonnage_file_name(list, number, this.#put(bytes), bytes.length, size);
        });
        return list;
    }

    /**
     * Reads the next bytes of a file, in pieces.
     * @param {CoreFile} file
     * @param {number} number
     * @param {number} missing
     */
    async #read(file, number, missing) {
        let offset = this.#offsets[number];
        for (const end = offset + missing; offset < end; ) {
            const length = Math.min(PIECE_BYTES, end - offset);
            let bytes;
            try {
                bytes = await file.read(offset, length);
            } catch (error) {
                this.#fail(number, `cannot be read: ${error instanceof Error ? error.message : error}`);
                return;
            }
            if (bytes.length !== length) {
                this.#fail(number, "the file has changed since it was chosen: choose it again");
                return;
            }
            const room = need(this.#wasm.tonnage_file_room(this.#list, number, length));
            new Uint8Array(this.#wasm.memory.buffer, room, length).set(bytes);
            offset += length;
            this.#offsets[number] = offset;
        }
    }

    /**
     * @param {number} number of the file
     * @param {string} message
     */
    #fail(number, message) {
        const bytes = new TextEncoder().encode(message);
        this.#wasm.tonnage_file_fault(this.#list, number, this.#put(bytes), bytes.length);
    }

    /**
     * @param {object | string} request
     * @param {number} list of files; 0: none
     * @returns {Answer}
     */
    #ask(request, list) {
        const bytes = new TextEncoder().encode(typeof request === "string" ? request : JSON.stringify(request));
        const place = this.#put(bytes);
        const answer = this.#wasm.tonnage_call(this.#context, list, place, bytes.length);
        this.#wasm.tonnage_release(place);
        return this.#take(need(answer));
    }

    /**
     * Copies bytes into the module's memory.
     * @param {Uint8Array} bytes
     * @returns {number} where they are
     */
    #put(bytes) {
        const place = need(this.#wasm.tonnage_allocate(bytes.length));
        new Uint8Array(this.#wasm.memory.buffer, place, bytes.length).set(bytes);
        return place;
    }

    /**
     * Reads a struct tonnage_answer and releases it.
     * @param {number} answer
     * @returns {Answer}
     */
    #take(answer) {
        const { buffer } = this.#wasm.memory;
        const [text, size, exit] = new Int32Array(buffer, answer, 3);
        const result = { text: new TextDecoder().decode(new Uint8Array(buffer, text >>> 0, size >>> 0)), exit };
        this.#wasm.tonnage_forget(answer);
        return result;
    }
}

/**
 * @param {number} pointer
 * @returns {number} the pointer, where it is one
 */
function need(pointer) {
    if (!pointer) {
        throw new Error("tonnage.wasm: no memory left");
    }
    return pointer >>> 0;
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
