// Pictures of the page's main views, to be looked at; two of them are in docs/images.
//
// usage: screenshots.mjs BUILD_FOLDER TARGET_FOLDER [NAME ...]
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, Visitor, openBrowser, serve } from "./harness.mjs";

const LOG = path.join(ROOT, "tests", "diagnose", "vllm_short_pool.log");
const PHONE = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const WINDOW = { width: 1280, height: 860 };

async function drawn(visitor) {
    await visitor.locate('[data-chart="grid"] svg').first().waitFor();
    await visitor.reads("#launch-text", /\S/);
}

/** What is shown, how, and what is done before. */
const VIEWS = {
    light: { viewport: WINDOW, hash: "" },
    dark: {
        viewport: WINDOW, colorScheme: "dark",
        hash: "#v=1&model=llama-3.3-70b&engine=vllm&gpu=a100-80gbx2&context=128k&concurrency=8",
    },
    whole: { viewport: WINDOW, whole: true, hash: "#v=1&model=deepseek-v3&engine=sglang&gpu=h200x8&tp=8&context=64k&concurrency=8" },
    zh: { viewport: WINDOW, locale: "zh-CN", hash: "#v=1&model=qwen3-32b&engine=sglang&gpu=l40sx4&context=32k&concurrency=8" },
    phone: { ...PHONE, hash: "" },
    "phone-answer": { ...PHONE, hash: "", act: (visitor) => visitor.locate(".verdict").scrollIntoViewIfNeeded(), top: ".verdict" },
    "phone-breakdown": { ...PHONE, colorScheme: "dark", hash: "", top: ".breakdown" },
    compare: {
        viewport: WINDOW,
        hash: "#v=1&model=qwen3-32b&engine=vllm&gpu=h100-80gb&context=16k&concurrency=8"
            + "&b.model=qwen3-32b&b.engine=vllm&b.quant=fp8&b.gpu=l40sx2&b.context=16k&b.concurrency=8",
    },
    diagnose: {
        viewport: WINDOW, hash: "",
        act: async (visitor) => {
            await visitor.drop("server.log", readFileSync(LOG, "utf8"));
            await visitor.reads("#answer", /Measured/);
            await visitor.locate('[name="log-gpu"]').fill("l4");
            await visitor.locate('[name="log-gpu"]').press("Tab");
            await visitor.reads("#answer", /Plan with this/);
        },
    },
    errors: { viewport: WINDOW, hash: "#v=9&model=llama-3.1-8b&engine=vllm&gpu=h100-80gbx3&tp=3&flux=1", act: () => undefined, bare: true },
    search: {
        viewport: WINDOW, hash: "",
        act: async (visitor) => {
            await visitor.reads('[data-limit="context"]', /\d/);
            await visitor.locate('[name="model"]').fill("qwen3 coder");
            await visitor.page.keyboard.press("ArrowDown");
        },
    },
    paper: { viewport: { width: 794, height: 1123 }, hash: "", whole: true, act: (visitor) => visitor.page.emulateMedia({ media: "print" }) },
};

async function main([build, target, ...names]) {
    const folder = path.resolve(build);
    mkdirSync(target, { recursive: true });
    const server = await serve(path.join(folder, "web"));
    const browser = await openBrowser();
    for (const [name, { act, top, whole = false, bare = false, ...options }] of Object.entries(VIEWS)) {
        if (names.length && !names.includes(name)) {
            continue;
        }
        const visitor = await Visitor.arrive(browser, { address: server.address, files: path.join(folder, "web-test"), options });
        await (bare ? visitor.reads("#answer", /\S/) : drawn(visitor));
        await act?.(visitor);
        if (top) {
            await visitor.locate(top).first().evaluate((element) => scrollTo(0, element.getBoundingClientRect().top + scrollY - 8));
        }
        await visitor.page.waitForTimeout(600);
        await visitor.page.screenshot({ path: path.join(target, `${name}.png`), fullPage: whole });
        console.log(`${name}${visitor.faults.length ? `: ${visitor.faults.join("; ")}` : ""}`);
        await visitor.leave();
    }
    await browser.close();
    server.close();
}

await main(process.argv.slice(2));
