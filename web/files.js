// The files that were opened: kept by the browser while the page is open, read by the worker alone.
import { FILE_PREFIX } from "./state.js";

/** @typedef {{main: string, files: File[]}} Opened */

export class OpenedFiles {
    /** @type {Map<string, Opened>} */
    #opened = new Map();

    /** @param {import("./client.js").Client} client */
    constructor(client) {
        this.client = client;
    }

    /**
     * Keeps files and gives them to the worker.
     * @param {string} main the one that stands for all
     * @param {File[]} files
     * @returns {string} the model as the state names it
     */
    add(main, files) {
        let name = `${FILE_PREFIX}${main}`;
        for (let k = 2; this.#opened.has(name); k++) {
            name = `${FILE_PREFIX}${main}~${k}`;
        }
        this.#opened.set(name, { main, files });
        this.client.give(name, files);
        return name;
    }

    /** @param {string | undefined} model */
    get(model) {
        return model === undefined ? undefined : this.#opened.get(model);
    }

    /**
     * The file that a link names and this browser does not have; null where there is none.
     * @param {import("./state.js").Deployment} deployment
     */
    missing({ options: { model } }) {
        return model?.startsWith(FILE_PREFIX) && !this.#opened.has(model) ? model.slice(FILE_PREFIX.length) : null;
    }
}
