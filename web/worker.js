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
 * A file that is read in slices.
 * @param {File} file
 * @returns {Source}
 */
function source(file) {
    return {
        name: file.name,
        size: file.size,
        async read(offset, length) {
            try {
                return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
            } catch (cause) {
                throw new ChangedFile(file.name, { cause });
            }
        },
    };
}

/** A file that the browser does not read any more: it was changed, moved or removed. */
class ChangedFile extends Error {}

/**
 * An error in the form of the core's.
 * @param {ChangedFile} fault
 */
function changedReply({ message: where }) {
    const error = { schema: "tonnage.error/1", code: "file_changed", message: "", where, offset: null, hint: null };
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
        if (fault instanceof ChangedFile) {
            return changedReply(fault);
        }
        throw fault;
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
