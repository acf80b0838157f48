// Starts the page from a single file, which needs no web server: tools/page.py puts this into tonnage.html, and before it the files that
// stand beside the page elsewhere. Into the modules it writes what they refer to: "@module/PATH" for an import, "@worker/PATH" for a worker,
// "@file/PATH" for any other file. Each gets a URL of its own here.

/**
 * Runs modules out of files. The function runs in a worker too, as its own text, since a page that was opened from a disk can neither share URLs
 * with its workers nor start one from a module.
 * @param {Record<string, {type: string, text?: string, gzip?: string}>} files by path: their text, or bytes packed by gzip in base64
 * @param {string[]} entries paths of the modules
 */
async function runModules(files, entries) {
    /** @type {Map<string, Promise<string>>} */
    const urls = new Map();

    /** @param {string} path @returns {Promise<string>} */
    function urlOf(path) {
        const url = urls.get(path) || makeUrl(path);
        urls.set(path, url);
        return url;
    }

    /** @param {string} path */
    async function makeUrl(path) {
        const { type, text, gzip } = files[path];
        const content = text === undefined ? await unpack(gzip || "") : await linked(text);
        return URL.createObjectURL(new Blob([content], { type }));
    }

    /** @param {string} base64 */
    function unpack(base64) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    }

    /** The text with the URLs of what it refers to. @param {string} text */
    async function linked(text) {
        const parts = text.split(/"@(module|worker|file)\/([^"]+)"/);
        for (let k = 1; k < parts.length; k += 3) {
            const url = parts[k] === "worker" ? workerUrl(parts[k + 1]) : await urlOf(parts[k + 1]);
            parts.splice(k, 2, JSON.stringify(url), "");
        }
        return parts.join("");
    }

    /** @param {string} path */
    function workerUrl(path) {
        const text = `(${runModules})(${JSON.stringify(files)}, ${JSON.stringify([path])});`;
        return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    }

    // What is sent to a worker before its module runs is given to it then.
    const isWorker = typeof document === "undefined";
    /** @type {MessageEvent[]} */
    const early = [];
    const keep = (/** @type {MessageEvent} */ message) => early.push(message);
    if (isWorker) {
        addEventListener("message", keep);
    }
    for (const path of entries) {
        await import(await urlOf(path));
    }
    if (isWorker) {
        removeEventListener("message", keep);
        for (const { data, ports } of early) {
            dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
        }
    }
}

const store = /** @type {HTMLElement} */ (document.getElementById("files"));
const scripts = [...document.querySelectorAll("script[data-module]")];
runModules(JSON.parse(store.textContent || "{}"), scripts.map((script) => script.getAttribute("data-module") || ""));
