// Files of this computer: what kind they are, from their names and first bytes. They are never read whole.
import { bytes } from "./format.js";
import { t } from "./text.js";

/**
 * What was dropped: a model with the files that belong to it, a log, or a sentence that says why it is neither.
 * @typedef {{kind: "model" | "log", main: string, files: File[]} | {kind: "nothing", message: string}} Dropped
 */

/** Logs are read whole, into memory. */
export const MOST_LOG_BYTES = 256 * 1024 * 1024;

/** @param {File} file */
async function firstBytes(file) {
    return new Uint8Array(await file.slice(0, 64).arrayBuffer());
}

/**
 * A safetensors file begins with the length of its header, and the header with a brace.
 * @param {Uint8Array} head
 */
function isSafetensors(head) {
    return head.length > 8 && head[8] === 0x7b && head[5] === 0 && head[6] === 0 && head[7] === 0;
}

/** Bytes that no text has. @param {Uint8Array} head */
function isText(head) {
    const isWide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
    return isWide || !head.some((byte) => byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32));
}

/**
 * @param {File} file
 * @returns {Promise<"gguf" | "safetensors" | "index" | "json" | "log" | "nothing">}
 */
async function kindOf(file) {
    const name = file.name.toLowerCase();
    const head = await firstBytes(file);
    const magic = String.fromCharCode(...head.subarray(0, 4));
    if (magic === "GGUF" || name.endsWith(".gguf")) {
        return "gguf";
    }
    if (name.endsWith(".safetensors") || (isSafetensors(head) && !isText(head))) {
        return "safetensors";
    }
    if (!isText(head)) {
        return "nothing";
    }
    if (name.endsWith(".index.json")) {
        return "index";
    }
    return name.endsWith(".json") ? "json" : "log";
}

/** Which file stands for the model where several belong to it, the first that is there. */
const ORDER = /** @type {const} */ (["index", "safetensors", "gguf", "json"]);

/**
 * @param {File[]} files
 * @returns {Promise<Dropped>}
 */
export async function classify(files) {
    const [first] = files;
    const empty = files.find((file) => file.size === 0);
    if (empty) {
        return { kind: "nothing", message: t("drop.empty", { name: empty.name }) };
    }
    try {
        const kinds = await Promise.all(files.map(kindOf));
        for (const kind of ORDER) {
            const members = files.filter((_, k) => kinds[k] === kind).sort((a, b) => a.name < b.name ? -1 : 1);
            if (members.length) {
                const main = kind === "json" ? members.find((file) => file.name === "config.json") ?? members[0] : members[0];
                return { kind: "model", main: main.name, files };
            }
        }
        return kinds[0] === "log" ? log(first)
            : { kind: "nothing", message: t("drop.nothing", { name: first.name }) };
    } catch {
        return { kind: "nothing", message: t("drop.changed", { name: first.name }) };
    }
}

/** @param {File} file @returns {Dropped} */
function log(file) {
    return file.size <= MOST_LOG_BYTES ? { kind: "log", main: file.name, files: [file] } : {
        kind: "nothing",
        message: t("drop.large_log", {
            name: file.name, size: bytes(file.size, "iec"), limit: bytes(MOST_LOG_BYTES, "iec"),
        }),
    };
}

/**
 * What the page says of files that it reads.
 * @param {File[]} files
 * @param {string} main
 */
export function filesText(files, main) {
    const size = bytes(files.reduce((sum, file) => sum + file.size, 0), "iec");
    return files.length > 1 ? t("drop.files", { name: main, count: files.length - 1, size })
        : t("drop.file", { name: main, size });
}

/**
 * Takes files that are dropped anywhere on the page; while they are over it, the element is shown.
 * @param {HTMLElement} cover
 * @param {(files: File[]) => void} open
 */
export function takeDrops(cover, open) {
    addEventListener("dragover", (event) => {
        if (event.dataTransfer?.types.includes("Files")) {
            event.preventDefault();
            cover.hidden = false;
        }
    });
    addEventListener("dragleave", (event) => {
        if (!event.relatedTarget) {
            cover.hidden = true;
        }
    });
    addEventListener("drop", (event) => {
        cover.hidden = true;
        if (event.dataTransfer?.files.length) {
            event.preventDefault();
            open([...event.dataTransfer.files]);
        }
    });
}
