// Sliders, errors beside their fields, the keyboard alone, names for screen readers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { DTYPES, KV_DTYPES, QUANTISATIONS } from "../../web/suggestions.js";
import { nearest, stops } from "../../web/scale.js";
import { eventually, test } from "./harness.mjs";

test("sliders have a logarithmic scale with both ends", () => {
    const values = stops(256, 131072);
    assert.equal(values[0], 256);
    assert.equal(values.at(-1), 131072);
    assert.ok(values.includes(8192) && values.includes(9216));
    assert.equal(values.length, 9 * 8 + 1);
    assert.equal(values[nearest(values, 8200)], 8192);
    assert.deepEqual(stops(1, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a slider that is moved recomputes; each answer takes little script", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.locate('[data-chart="grid"] svg').waitFor();
    await visitor.page.evaluate(() => {
        globalThis.taken = { "tonnage:script": [], "tonnage:picture": [] };
        new PerformanceObserver((list) => list.getEntries().forEach(({ name, duration }) => globalThis.taken[name]?.push(duration)))
            .observe({ type: "measure" });
    });
    const devtools = await visitor.context.newCDPSession(visitor.page);
    await devtools.send("Performance.setTimeDomain", { timeDomain: "threadTicks" }); // not what other programs take
    await devtools.send("Performance.enable");
    const metrics = async () => Object.fromEntries((await devtools.send("Performance.getMetrics")).metrics
        .map(({ name, value }) => [name, value]));
    const before = await metrics();
    const slider = visitor.locate('[name="context-slider"]');
    const box = await slider.boundingBox();
    await visitor.page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
    await visitor.page.mouse.down();
    for (let k = 0; k <= 40; k++) {
        await visitor.page.mouse.move(box.x + box.width * (0.3 + k / 100), box.y + box.height / 2);
        await visitor.page.waitForTimeout(15);
    }
    await visitor.page.mouse.up();
    const wanted = await visitor.locate('[name="context"]').inputValue();
    await visitor.reads(".figures", new RegExp(`${wanted} tokens`));
    const after = await metrics();
    const taken = await visitor.page.evaluate(() => globalThis.taken);
    const pictures = taken["tonnage:picture"].length;
    const each = (name) => `${((1000 * (after[name] - before[name])) / pictures).toFixed(1)} ms`;
    console.log(`             of each of ${pictures} pictures, in the page's own thread: script ${each("ScriptDuration")}, `
        + `style ${each("RecalcStyleDuration")}, layout ${each("LayoutDuration")}, all tasks ${each("TaskDuration")}`);
    for (const [name, times] of Object.entries(taken)) {
        times.sort((a, b) => a - b);
        assert.ok(times.length > 3, `${name} was measured`);
        const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
        console.log(`             ${name}: ${times.length} times, median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms`);
    }
});

test("a slider that is dragged is one step back, and asks only for the newest", async (visitor) => {
    await visitor.sees(/It fits/);
    const before = await visitor.page.evaluate(() => history.length);
    const slider = visitor.locate('[name="concurrency-slider"]');
    const box = await slider.boundingBox();
    await visitor.page.mouse.move(box.x + 5, box.y + box.height / 2);
    await visitor.page.mouse.down();
    for (let k = 0; k < 60; k++) {
        await visitor.page.mouse.move(box.x + 5 + k * 2, box.y + box.height / 2);
    }
    await visitor.page.mouse.up();
    const wanted = await visitor.locate('[name="concurrency"]').inputValue();
    await eventually(async () => assert.match(visitor.page.url(), new RegExp(`concurrency=${wanted}`)));
    assert.equal(await visitor.page.evaluate(() => history.length), before + 1);
    await visitor.reads("#launch-text", new RegExp(`${wanted} requests of`));
});

for (const [name, text, message] of [
    ["tp", "3", /32 attention heads do not divide by tensor_parallel_size 3/],
    ["tp", "x", /--tp 'x' is not a number/],
    ["context", "lots", /--context 'lots' is not a number of tokens/],
    ["concurrency", "none", /--concurrency 'none' is not a number/],
    ["gpu-memory", "big", /--gpu-memory 'big' is not a size/],
    ["gpu", "h99", /unknown gpu 'h99'.*did you mean/],
    ["version", "99", /99/],
    ["quant", "q9", /q9/],
    ["kv-dtype", "q9", /q9/],
    ["dtype", "q9", /q9/],
]) {
    test(`an error of ${name} (${text}) stands beside ${name}, and goes when it is mended`, async (visitor) => {
        await visitor.sees(/It fits/);
        const before = await visitor.locate(`.question [name="${name}"]`).inputValue();
        await visitor.fill(name, text);
        const field = visitor.locate(`.field:has([name="${name}"])`);
        await eventually(async () => assert.match(await field.locator(".error").innerText(), message));
        await visitor.sees(/No plan/);
        await visitor.fill(name, before);
        await visitor.sees(/It fits/);
        assert.equal(await visitor.locate(".question .error:visible").count(), 0);
    });
}

test("a setting that the engine does not have can be taken away where it is named", async (visitor) => {
    await visitor.open("#model=llama-3.1-8b&engine=vllm&gpu=h100-80gb&context=8k&set.flux=1");
    await visitor.reads(".settings .error", /vllm has no setting 'flux'/);
    const input = visitor.locate('[data-name="flux"] input');
    await input.fill("");
    await input.press("Tab");
    await visitor.sees(/It fits/);
});

test("everything by keyboard: model, slider, engine, remedy, breakdown, grid", async (visitor) => {
    const { keyboard } = visitor.page;
    const focused = () => visitor.page.evaluate(() => {
        let active = document.activeElement;
        while (active?.shadowRoot?.activeElement) {
            active = active.shadowRoot.activeElement;
        }
        return active?.getAttribute("name") ?? active?.getAttribute("class") ?? active?.textContent ?? "";
    });
    const tabTo = async (name) => {
        for (let k = 0; k < 80; k++) {
            await keyboard.press("Tab");
            if ((await focused()).split(" ").includes(name)) {
                return;
            }
        }
        assert.fail(`Tab does not lead to ${name}`);
    };
    await visitor.sees(/It fits/);
    await visitor.reads('[data-limit="context"]', /\d/); // the catalog is there, too
    await keyboard.press("Tab");
    assert.equal(await focused(), "skip");
    await tabTo("model");
    await keyboard.press("Control+a");
    await keyboard.type("llama 3.3 70b");
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    await visitor.sees(/It does not fit/);
    await tabTo("engine");
    await keyboard.type("sg");
    await visitor.sees(/sglang/);
    await tabTo("context-slider");
    await keyboard.press("End");
    await eventually(async () => assert.equal(await visitor.locate('[name="context"]').inputValue(), "128k"));
    await tabTo("cell");
    await keyboard.press("ArrowUp");
    await keyboard.press("ArrowRight");
    await keyboard.press("Enter");
    await eventually(async () => assert.match(visitor.page.url(), /concurrency=\d+/));
    await tabTo("term");
    await keyboard.press("Enter");
    await eventually(async () => assert.equal(await visitor.locate("tr.detail:not([hidden])").count(), 1));
});

test("every control has a name, every section a heading, the verdict is spoken", async (visitor) => {
    await visitor.sees(/It fits/);
    const nameless = await visitor.page.evaluate(() => [...document.querySelectorAll("input, select, button, textarea")]
        .filter((control) => !control.matches("[aria-hidden]") && !control.getAttribute("aria-label")
            && !control.labels?.length && !control.textContent.trim()).map((control) => control.outerHTML));
    assert.deepEqual(nameless, []);
    const ids = await visitor.page.evaluate(() => [...document.querySelectorAll("[id]")].map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    for (const landmark of ["header", "main", "footer", "form[aria-label]", "section[aria-label], section[aria-labelledby]"]) {
        assert.ok(await visitor.locate(landmark).count(), landmark);
    }
    await visitor.reads('body > [role="status"]', /It fits: starts on H100/);
    await visitor.fill("context", "64k");
    await visitor.reads('body > [role="status"]', /holds 6 requests/);
});

test("what the fields suggest is known to the core", (visitor) => {
    const program = path.join(visitor.files, "..", "tonnage");
    const known = (...words) => {
        try {
            execFileSync(program, ["plan", "llama-3.1-8b", "--context", "4k", ...words, "--json"], { stdio: "pipe" });
        } catch (fault) {
            assert.fail(`${words.join(" ")}: ${fault.stdout}`);
        }
    };
    QUANTISATIONS.forEach((name) => known("--quant", name));
    DTYPES.forEach((name) => known("--dtype", name));
    KV_DTYPES.forEach((name) => known("--kv-dtype", name));
});
