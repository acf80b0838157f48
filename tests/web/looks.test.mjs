// Languages, light and dark, phones, paper, two deployments side by side, and a page without a network.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { en } from "../../web/lang/en.js";
import { zh } from "../../web/lang/zh.js";
import { ROOT, eventually, test } from "./harness.mjs";

const background = (visitor) => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("both languages have the same keys and the same values in their texts", () => {
    assert.deepEqual(Object.keys(zh), Object.keys(en));
    const values = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [key, text] of Object.entries(en)) {
        assert.deepEqual(values(zh[key]), values(text), key);
        assert.ok(text && zh[key], key);
    }
});

test("Chinese for a Chinese browser", async (visitor) => {
    await visitor.sees(/放得下/);
    assert.equal(await visitor.locate("html").getAttribute("lang"), "zh");
    await visitor.reads(".breakdown", /明细[\s\S]*权重/);
    await visitor.reads("footer", /不会离开本机/);
}, { locale: "zh-CN" });

test("the language is switched in place, and nothing that was asked is lost", async (visitor) => {
    await visitor.open("#model=qwen3-32b&gpu=l40sx2&context=16k");
    await visitor.sees(/It fits/);
    await visitor.locate('header [name="lang"]').selectOption("zh");
    await visitor.sees(/放得下 qwen3-32b/);
    assert.equal(await visitor.page.evaluate(() => document.activeElement?.getAttribute("name")), "lang");
    await visitor.page.goBack();
    await visitor.sees(/It fits qwen3-32b/);
});

test("dark where the system is dark, with charts in dark colours", async (visitor) => {
    await visitor.sees(/It fits/);
    assert.equal(await background(visitor), "rgb(15, 18, 21)");
    const text = visitor.locate('[data-chart="bars"] text').first();
    assert.equal(await text.evaluate((element) => getComputedStyle(element).fill), "rgb(223, 228, 234)");
}, { colorScheme: "dark" });

test("light or dark by the switch, and the browser remembers", async (visitor) => {
    await visitor.locate('header [name="theme"]').selectOption("dark");
    assert.equal(await background(visitor), "rgb(15, 18, 21)");
    await visitor.open("");
    assert.equal(await background(visitor), "rgb(15, 18, 21)");
    assert.equal(await visitor.locate('header [name="theme"]').inputValue(), "dark");
    await visitor.locate('header [name="theme"]').selectOption("light");
    const text = visitor.locate('[data-chart="bars"] text').first();
    assert.equal(await text.evaluate((element) => getComputedStyle(element).fill), "rgb(29, 35, 41)");
});

for (const [what, hash] of [["one deployment", ""], ["two deployments", "#model=llama-3.1-8b&gpu=l4&b.model=qwen3-32b&b.gpu=l40sx4"]]) {
    test(`a phone of 360 pixels: ${what}, nothing is wider than the screen`, async (visitor) => {
        await visitor.open(hash);
        await visitor.locate('[data-chart="grid"] svg').first().waitFor();
        const wide = await visitor.page.evaluate(() => [...document.querySelectorAll("body *")]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll, pre, .unseen, .skip"))
            .map((element) => element.outerHTML.slice(0, 120)));
        assert.deepEqual(wide, []);
        const size = await visitor.locate('[data-chart="bars"] svg').first().evaluate((svg) =>
            svg.getBoundingClientRect().width / svg.viewBox.baseVal.width * 14);
        assert.ok(size > 11, `text of a chart is ${size} pixels high`);
    }, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
}

test("on paper: the answer without its controls, in light colours", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.page.emulateMedia({ media: "print" });
    assert.equal(await visitor.locate(".asking").isVisible(), false);
    assert.equal(await visitor.locate(".tools").isVisible(), false);
    assert.equal(await visitor.locate(".verdict").isVisible(), true);
    assert.equal(await background(visitor), "rgb(255, 255, 255)");
    const pdf = await visitor.page.pdf({ format: "A4" });
    assert.ok(pdf.length > 20000);
}, { colorScheme: "dark" });

test("two deployments side by side, with the difference of every figure", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.locate('[name="compare"]').click();
    await visitor.sees(/It fits/, "b");
    await visitor.locate('[data-edit="b"]').click();
    await visitor.fill("quant", "fp8");
    await visitor.reads(".compare", /weights\s+14\.99 GiB\s+8\.\d\d GiB\s+−6\.\d\d GiB/);
    assert.match(visitor.page.url(), /b\.quant=fp8/);
    await visitor.locate(".compare button").click();
    await visitor.reads(".compare", /weights\s+8\.\d\d GiB\s+14\.99 GiB\s+\+6\.\d\d GiB/);
    await visitor.locate('[name="compare"]').click();
    await eventually(async () => assert.equal(await visitor.locate("[data-side]").count(), 1));
});

test("where one of two deployments has an error, the other stands", async (visitor) => {
    await visitor.open("#model=llama-3.1-8b&engine=vllm&gpu=h100-80gb&context=8k&b.model=llama-3.1-8b&b.engine=vllm&b.tp=3&b.gpu=h100-80gbx3");
    await visitor.sees(/It fits/, "a");
    await visitor.sees(/No plan 32 attention heads/, "b");
    await visitor.reads(".compare", /no plan/);
    await visitor.locate('[data-edit="b"]').click();
    await visitor.reads('.field:has([name="tp"]) .error', /32 attention heads/);
});

test("once open, the page needs no network", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.page.waitForLoadState("networkidle");
    await visitor.context.setOffline(true);
    await visitor.locate('.question [name="engine"]').selectOption("sglang");
    await visitor.sees(/sglang/);
    await visitor.choose("small.gguf");
    await visitor.reads(".about", /1\.84 M parameters/);
    visitor.faults = visitor.faults.filter((fault) => !/favicon/.test(fault)); // Chromium looks for it at each step of the history
});

test("a core that cannot be loaded is said, not a blank page", async (visitor) => {
    await visitor.context.route("**/tonnage.wasm", (route) => route.fulfill({ status: 404 }));
    await visitor.page.goto("about:blank");
    await visitor.page.goto(visitor.address);
    await visitor.reads("#page", /The core could not be started: .*404[\s\S]*use the program/);
    visitor.faults = visitor.faults.filter((fault) => !/404/.test(fault));
});

test("the page as one file, from the disk", async (visitor) => {
    const single = path.join(visitor.files, "..", "web", "tonnage.html");
    assert.ok(existsSync(single), "the build made tonnage.html");
    visitor.address = pathToFileURL(single).href;
    await visitor.open("#model=qwen3-32b&engine=vllm&gpu=l40sx2&context=16k");
    await visitor.sees(/qwen3-32b · vllm/);
    await visitor.locate('[data-chart="grid"] svg').waitFor();
    await visitor.choose("small.gguf");
    await visitor.reads(".about", /1\.84 M parameters/);
});

test("no file of the page names a host, an inline script or an inline style", () => {
    const html = readFileSync(path.join(ROOT, "web", "index.html"), "utf8");
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/);
    assert.doesNotMatch(html, /https?:/);
});
