// What the tests of the page share: a browser, a server with the policy of `tonnage serve`, and a page that fails its test
// where the console has an error or the policy was violated.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    + "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PATIENCE_MS = 30000;

/** All tests, in the order of their files. */
export const tests = [];

/** A test by a name that says what it shows. options: of the browser's context, and `address` in place of the server's. */
export function test(name, run, options = {}) {
    tests.push({ name, run, options });
}

/** Starts Debian's Chromium. */
export async function openBrowser() {
    const { chromium } = createRequire(path.join(ROOT, "build-tools", "package.json"))("playwright-core");
    return chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** Serves a folder on a free port of loopback. */
export async function serve(folder) {
    const server = createServer(async (request, response) => {
        const name = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
        const file = path.join(folder, path.normalize(name === "/" ? "/index.html" : name));
        const found = await stat(file).catch(() => null);
        if (!found?.isFile()) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
            "Content-Security-Policy": POLICY, "Content-Length": found.size });
        createReadStream(file).pipe(response);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** Waits until a check no longer throws; throws what it threw last. */
export async function eventually(check) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
        try {
            return await check();
        } catch (fault) {
            if (Date.now() > end) {
                throw fault;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }
}

/** The page in a context of its own, with what tests do on it. */
export class Visitor {
    static async arrive(browser, { address, files, options }) {
        const { hash = "", ...context } = options;
        const visitor = new Visitor();
        visitor.context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...context });
        visitor.context.setDefaultTimeout(PATIENCE_MS);
        visitor.page = await visitor.context.newPage();
        visitor.files = files;
        visitor.address = options.address ?? address;
        visitor.faults = [];
        visitor.page.on("console", (message) => {
            if (message.type() === "error" || /Content Security Policy/.test(message.text())) {
                visitor.faults.push(`${message.text()} (${message.location().url})`);
            }
        });
        visitor.page.on("pageerror", (error) => visitor.faults.push(error.stack));
        await visitor.open(hash);
        return visitor;
    }

    /** Another address, as a link that was followed, or typed. */
    async open(hash) {
        await this.page.goto("about:blank");
        await this.page.goto(this.address + hash);
        await this.page.locator("header").waitFor();
    }

    file(name) {
        return path.join(this.files, name);
    }

    locate(selector, filter = {}) {
        return this.page.locator(selector, filter);
    }

    /** The headline of the verdict and the core's sentence. */
    async verdict(side = "a") {
        return (await this.locate(`[data-side="${side}"] .verdict`).innerText()).replaceAll(/\s+/g, " ");
    }

    /** Waits for a verdict that matches. */
    async sees(pattern, side = "a") {
        await eventually(async () => {
            const text = await this.verdict(side);
            if (!pattern.test(text)) {
                throw new Error(`the verdict is "${text}", and not ${pattern}`);
            }
        });
    }

    /** Waits for a text anywhere in what the selector finds. */
    async reads(selector, pattern) {
        await eventually(async () => {
            const text = (await this.locate(selector).allInnerTexts()).join("\n");
            if (!pattern.test(text)) {
                throw new Error(`${selector} says "${text.slice(0, 300)}", and not ${pattern}`);
            }
        });
    }

    /** Chooses files with the button. */
    async choose(...names) {
        await this.locate('input[type="file"]').setInputFiles(names.map((name) => path.isAbsolute(name) ? name : this.file(name)));
    }

    /** Drops a text as a file onto the page, as a mouse would. */
    async drop(name, content) {
        const transfer = await this.page.evaluateHandle(([file, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], file));
            return data;
        }, [name, content]);
        await this.page.dispatchEvent("body", "dragover", { dataTransfer: transfer });
        await this.page.dispatchEvent("body", "drop", { dataTransfer: transfer });
    }

    /** Fills a field as people do: the text, then away from it. */
    async fill(name, text) {
        const field = this.locate(`.question [name="${name}"]`);
        await field.fill(text);
        await field.press("Tab");
    }

    async leave() {
        await this.context.close();
    }
}
