// What the unit tests ask of a system, of WASI's first preview: the environment, files to read, two streams to write. Node has an
// implementation of its own, node:wasi; Node 20 ends with a fault now and then where one process runs many programs with it.
import fs from "node:fs";

const [BAD_DESCRIPTOR, NO_ENTRY, NOT_SUPPORTED] = [8, 44, 58];
const [CHARACTERS, FOLDER, FILE] = [2, 3, 4]; // kinds of descriptors
const ROOT = 3; // the descriptor of "/"
const CREATE = 1;

/** What proc_exit throws. */
export class Exit extends Error {
    /** @param {number} code */
    constructor(code) {
        super(`exit ${code}`);
        this.code = code;
    }
}

/** @typedef {{kind: number, bytes: Uint8Array, names: string[], at: number}} Opened */

export class System {
    /** @type {WebAssembly.Memory | null} */
    memory = null; // to be set to that of the instance
    /** @type {(Opened | undefined)[]} */
    #opened = [CHARACTERS, CHARACTERS, CHARACTERS, FOLDER].map((kind) => ({ kind, bytes: new Uint8Array(), names: [], at: 0 }));
    /** @type {Buffer[]} */
    #environment;

    /** @param {Record<string, string | undefined>} environment */
    constructor(environment) {
        this.#environment = Object.entries(environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
    }

    get #view() {
        return new DataView(/** @type {WebAssembly.Memory} */ (this.memory).buffer);
    }

    /** @param {number} place @param {number} size */
    #bytes(place, size) {
        return new Uint8Array(/** @type {WebAssembly.Memory} */ (this.memory).buffer, place, size);
    }

    /** The buffers of a list of pointers and sizes. @param {number} list @param {number} count */
    #buffers(list, count) {
        const view = this.#view;
        return Array.from({ length: count }, (_, k) => this.#bytes(view.getUint32(list + 8 * k, true), view.getUint32(list + 8 * k + 4, true)));
    }

    /** @param {string} path @returns {Opened | null} */
    #open(path) {
        try {
            const isFolder = fs.statSync(path).isDirectory();
            return {
                kind: isFolder ? FOLDER : FILE,
                bytes: isFolder ? new Uint8Array() : fs.readFileSync(path),
                names: isFolder ? fs.readdirSync(path) : [],
                at: 0,
            };
        } catch {
            return null;
        }
    }

    /** The functions of wasi_snapshot_preview1; each gives an error number, 0 for none. */
    imports = {
        proc_exit: (/** @type {number} */ code) => {
            throw new Exit(code);
        },
        environ_sizes_get: (/** @type {number} */ count, /** @type {number} */ size) => {
            this.#view.setUint32(count, this.#environment.length, true);
            this.#view.setUint32(size, Buffer.concat(this.#environment).length, true);
            return 0;
        },
        environ_get: (/** @type {number} */ pointers, /** @type {number} */ place) => {
            for (const [k, text] of this.#environment.entries()) {
                this.#view.setUint32(pointers + 4 * k, place, true);
                this.#bytes(place, text.length).set(text);
                place += text.length;
            }
            return 0;
        },
        fd_prestat_get: (/** @type {number} */ descriptor, /** @type {number} */ place) => {
            if (descriptor !== ROOT) {
                return BAD_DESCRIPTOR;
            }
            this.#view.setUint32(place, 0, true);
            this.#view.setUint32(place + 4, 1, true); // the length of "/"
            return 0;
        },
        fd_prestat_dir_name: (/** @type {number} */ _, /** @type {number} */ place) => {
            this.#bytes(place, 1).set(Buffer.from("/"));
            return 0;
        },
        path_open: (/** @type {any[]} */ ...[, , name, size, how, , , , place]) => {
            const opened = this.#open(`/${Buffer.from(this.#bytes(name, size)).toString()}`);
            if (how & CREATE) {
                return NOT_SUPPORTED;
            }
            if (opened) {
                this.#view.setUint32(place, this.#opened.push(opened) - 1, true);
            }
            return opened ? 0 : NO_ENTRY;
        },
        fd_close: (/** @type {number} */ descriptor) => {
            this.#opened[descriptor] = undefined;
            return 0;
        },
        fd_fdstat_get: (/** @type {number} */ descriptor, /** @type {number} */ place) => {
            const opened = this.#opened[descriptor];
            this.#bytes(place, 24).fill(255); // all rights
            this.#view.setUint32(place, opened ? opened.kind : 0, true);
            return opened ? 0 : BAD_DESCRIPTOR;
        },
        fd_fdstat_set_flags: () => 0,
        fd_seek: (/** @type {number} */ descriptor, /** @type {bigint} */ offset, /** @type {number} */ from, /** @type {number} */ place) => {
            const opened = this.#opened[descriptor];
            if (!opened || opened.kind !== FILE) {
                return BAD_DESCRIPTOR;
            }
            opened.at = [0, opened.at, opened.bytes.length][from] + Number(offset);
            this.#view.setBigUint64(place, BigInt(opened.at), true);
            return 0;
        },
        fd_read: (/** @type {number} */ descriptor, /** @type {number} */ list, /** @type {number} */ count, /** @type {number} */ place) => {
            const opened = this.#opened[descriptor];
            if (!opened || opened.kind !== FILE) {
                return BAD_DESCRIPTOR;
            }
            const start = opened.at;
            for (const buffer of this.#buffers(list, count)) {
                const part = opened.bytes.subarray(opened.at, opened.at + buffer.length);
                buffer.set(part);
                opened.at += part.length;
            }
            this.#view.setUint32(place, opened.at - start, true);
            return 0;
        },
        fd_write: (/** @type {number} */ descriptor, /** @type {number} */ list, /** @type {number} */ count, /** @type {number} */ place) => {
            const text = Buffer.concat(this.#buffers(list, count));
            if (descriptor !== 1 && descriptor !== 2) {
                return BAD_DESCRIPTOR;
            }
            fs.writeSync(1, text);
            this.#view.setUint32(place, text.length, true);
            return 0;
        },
        fd_readdir: (/** @type {any[]} */ ...[descriptor, place, size, first, used]) => {
            const names = (this.#opened[descriptor] || { names: [] }).names.slice(Number(first));
            const entries = names.map((name, k) => {
                const entry = Buffer.alloc(24 + Buffer.byteLength(name));
                entry.writeBigUInt64LE(BigInt(k + 1) + first, 0);
                entry.writeUInt32LE(Buffer.byteLength(name), 16);
                entry.write(name, 24);
                return entry;
            });
            const all = Buffer.concat(entries).subarray(0, size); // the last one may be cut: it is asked for again
            this.#bytes(place, all.length).set(all);
            this.#view.setUint32(used, all.length, true);
            return 0;
        },
    };
}
