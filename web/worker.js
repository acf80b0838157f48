// The core in a worker of its own, so that no plan ever holds up the page.
import { openCore } from "./core.js";

/** The one place that gets the WebAssembly. */
function fetchModule() {
    return fetch(new URL("./tonnage.wasm", import.meta.url));
}

/** @typedef {{name: string, size: number, read: (offset: number, length: number) => Promise<Uint8Array>}} Source */

let core = openCore(fetchModule());

/** @type {Map<string, Source[]>} */
const given = new Map();

/**
 * A file that is read in slices, each only once: a slider asks for the same header again and again.
 * @param {File} file
 * @returns {Source}
 */
function source(file) {
    /** @type {Map<string, Promise<Uint8Array>>} */
    const slices = new Map();
    const read = async (/** @type {number} */ offset, /** @type {number} */ length) =>
        new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    return {
        name: file.name,
        size: file.size,
        read(offset, length) {
            const key = `${offset}+${length}`;
            const slice = slices.get(key) ?? read(offset, length);
            slices.set(key, slice);
            slice.catch(() => slices.delete(key));
            return slice;
        },
    };
}

/**
 * What the browser says of a file that cannot be read (any more), as an error of the core's form.
 * @param {unknown} fault
 */
function unreadable(fault) {
    const message = fault instanceof Error ? fault.message : String(fault);
    const name = fault instanceof Error ? fault.name : "";
    const error = { schema: "tonnage.error/1", code: "unreadable", message, where: null, offset: null, hint: name };
    return { text: JSON.stringify(error), exit: 3 };
}

/**
 * @param {object} request
 * @param {string | null} files
 */
async function answer(request, files) {
    const opened = await core;
    if (files === null) {
        return opened.call(request);
    }
    try {
        return await opened.callWithFiles(request, given.get(files) ?? []);
    } catch (fault) {
        if (fault instanceof WebAssembly.RuntimeError) {
            throw fault;
        }
        return unreadable(fault);
    }
}

addEventListener("message", async ({ data }) => {
    if ("give" in data) {
        given.set(data.give, data.files.map(source));
        return;
    }
    const { id, requests, files } = data;
    try {
        const replies = [];
        for (const request of requests) {
            replies.push(await answer(request, files));
        }
        postMessage({ id, replies });
    } catch (fault) {
        core = openCore(fetchModule()); // a core that failed once is not asked again
        postMessage({ id, fault: fault instanceof Error ? fault.message : String(fault) });
    }
});
