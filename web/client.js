// The window's side of the worker: requests in, answers out, files once and by name.

/**
 * @typedef {{text: string, exit: number}} Reply
 * @typedef {{id: number, requests: object[], files: string | null}} Ask
 * @typedef {{give: string, files: File[]}} Give
 */

/** The one place that starts the worker. */
function startWorker() {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}

export class Client {
    #worker = startWorker();
    #last = 0;
    /** @type {Map<number, {resolve: (replies: Reply[]) => void, reject: (error: Error) => void}>} */
    #waiting = new Map();
    /** @type {Error | null} */
    #broken = null;

    constructor() {
        this.#worker.addEventListener("message", ({ data }) => this.#receive(data));
        this.#worker.addEventListener("error", (event) => this.#fail(event.message || "the worker did not start"));
    }

    /** @param {{id: number, replies?: Reply[], fault?: string}} data */
    #receive(data) {
        const { id, replies, fault } = data;
        const asked = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (replies) {
            asked?.resolve(replies);
        } else {
            asked?.reject(new Error(fault));
        }
    }

    /** @param {string} message */
    #fail(message) {
        this.#broken = new Error(message);
        for (const { reject } of this.#waiting.values()) {
            reject(this.#broken);
        }
        this.#waiting.clear();
    }

    /**
     * Answers in the order of the requests. Rejects only where the core itself cannot run.
     * @param {object[]} requests
     * @param {string | null} [files] the name under which the files were given that the requests may read
     * @returns {Promise<Reply[]>}
     */
    ask(requests, files = null) {
        if (this.#broken) {
            return Promise.reject(this.#broken);
        }
        const id = ++this.#last;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { resolve, reject });
            /** @type {Ask} */
            const ask = { id, requests, files };
            this.#worker.postMessage(ask);
        });
    }

    /**
     * Files of this computer, to be read in slices by the worker.
     * @param {string} name
     * @param {File[]} files
     */
    give(name, files) {
        /** @type {Give} */
        const give = { give: name, files };
        this.#worker.postMessage(give);
    }
}
