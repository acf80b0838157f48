// The answer: verdict, pictures, breakdown, command, what helps, how far it goes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { eventually, test } from "./harness.mjs";

const TIGHT = "#model=llama-3.3-70b&engine=vllm&gpu=a100-80gbx2&context=128k&concurrency=8";

function program(visitor, ...words) {
    const run = path.join(visitor.files, "..", "tonnage");
    try {
        return JSON.parse(execFileSync(run, [...words, "--json"], { encoding: "utf8" }));
    } catch (fault) {
        return JSON.parse(fault.stdout); // 1: it does not fit
    }
}

test("the first visit has an answer: verdict, bars, both charts, breakdown", async (visitor) => {
    await visitor.sees(/It fits llama-3\.1-8b/);
    for (const chart of ["bars", "context", "grid"]) {
        await visitor.locate(`[data-chart="${chart}"] svg`).waitFor();
    }
    assert.ok(await visitor.locate(".breakdown tbody tr").count() > 10);
    const [{ duration }] = await visitor.page.evaluate(() => performance.getEntriesByName("tonnage:picture").map((entry) => entry.toJSON()));
    console.log(`             from opening to the first answer: ${duration.toFixed(0)} ms`);
});

test("the page says what the program says", async (visitor) => {
    const plan = program(visitor, "plan", "qwen3-32b", "--engine", "sglang", "--gpu", "l40sx4", "--context", "16k");
    await visitor.open("#model=qwen3-32b&engine=sglang&gpu=l40sx4&context=16k");
    await visitor.sees(/qwen3-32b/);
    assert.equal(await visitor.locate(".verdict .message").innerText(), plan.verdict.message);
    const total = await visitor.locate(".breakdown tfoot td").first().innerText();
    assert.equal(total, `${(plan.devices[0].mid / 2 ** 30).toFixed(2)} GiB`);
});

test("a model that does not fit: what makes it fit applies with a click", async (visitor) => {
    await visitor.open(TIGHT);
    await visitor.sees(/It does not fit/);
    const remedy = visitor.locate(".remedies li").first();
    assert.match(await remedy.innerText(), /--context \d+/);
    await remedy.getByRole("button").click();
    await visitor.sees(/It fits/);
    assert.match(visitor.page.url(), /context=\d{4}&/);
    assert.equal(await visitor.page.evaluate(() => document.activeElement?.className), "headline");
});

test("each term shows its formula and the values in it on click", async (visitor) => {
    const term = visitor.locate(".term", { hasText: "CUDA graphs" });
    await term.click();
    assert.equal(await term.getAttribute("aria-expanded"), "true");
    await visitor.reads("tr.detail:not([hidden])", /graph_spread[\s\S]*bytes · a formula fitted/);
    await visitor.fill("context", "16k");
    await visitor.reads(".figures", /16k tokens/);
    assert.equal(await visitor.locate("tr.detail:not([hidden])").count(), 1); // it stays open
    await term.click();
    assert.equal(await visitor.locate("tr.detail:not([hidden])").count(), 0);
});

test("a click in the grid asks for that context and concurrency", async (visitor) => {
    await visitor.locate('[data-chart="grid"] [data-context="16384"][data-concurrency="8"]').click();
    await visitor.reads(".figures", /16k tokens/);
    assert.match(visitor.page.url(), /context=16384&concurrency=8/);
    assert.equal(await visitor.locate('.question [name="concurrency"]').inputValue(), "8");
});

test("marks of the charts tell what they are when the mouse is over them", async (visitor) => {
    await visitor.locate('[data-chart="grid"] [data-context="4096"][data-concurrency="1"]').hover();
    await visitor.reads(".grid .tip", /4,096 tokens\s+1 request\s+19\.\d\d GiB\s+fits/);
    await visitor.locate('[data-chart="bars"] rect[data-category="weights"]').first().hover();
    await visitor.reads(".bars .tip", /weights\s+14\.99 GiB/);
});

test("the command for each target is the program's, and is copied", async (visitor) => {
    const words = ["plan", "llama-3.1-8b", "--engine", "vllm", "--gpu", "h100-80gb", "--context", "8k", "--concurrency", "16"];
    for (const target of ["vllm", "compose", "kubernetes"]) {
        const { commands } = program(visitor, ...words, "--emit", target);
        await visitor.page.getByRole("tab", { name: target }).click();
        await eventually(async () => assert.equal(await visitor.locate("#launch-text").innerText(), commands[target]));
    }
    await visitor.page.getByRole("tab", { name: "tonnage" }).click();
    await visitor.locate('[name="copy"]').click();
    await visitor.reads(".launch", /Copied/);
    assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), `tonnage ${words.join(" ")}`);
}, { permissions: ["clipboard-read", "clipboard-write"] });

test("the inverse questions are answered as by `tonnage fit`, and apply", async (visitor) => {
    const fit = program(visitor, "fit", "llama-3.1-8b", "--engine", "vllm", "--gpu", "h100-80gb", "--context", "8k",
        "--max", "concurrency");
    const row = visitor.locate('[data-limit="concurrency"]');
    await eventually(async () => assert.match(await row.innerText(), new RegExp(`\\b${fit.answer.value}\\b`)));
    assert.match(await visitor.locate('[data-limit="gpus"]').innerText(), /1 × h100/);
    await row.getByRole("button").click();
    await eventually(async () =>
        assert.equal(await visitor.locate('.question [name="concurrency"]').inputValue(), String(fit.answer.value)));
});

test("settings of the engine come from its table, are filtered, set and taken back", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.locate(".settings summary").click();
    await visitor.locate('.settings [type="search"]').fill("utilization");
    assert.equal(await visitor.locate(".setting:visible").count(), 1);
    const input = visitor.locate('[data-name="gpu_memory_utilization"] input');
    assert.equal(await input.getAttribute("placeholder"), "0.92");
    await input.fill("0.5");
    await input.press("Tab");
    await visitor.sees(/2[0-9] requests of this length/);
    assert.match(visitor.page.url(), /set\.gpu_memory_utilization=0\.5/);
    await input.fill("");
    await input.press("Tab");
    await visitor.sees(/55 requests of this length/);
});

test("another engine has other settings, and an older version plans otherwise", async (visitor) => {
    await visitor.open("#model=llama-3.1-8b&engine=vllm&gpu=h100-80gb&context=8k&set.enforce_eager=true");
    await visitor.sees(/vllm 0\.29\.0/);
    await visitor.fill("version", "0.6.0");
    await visitor.sees(/vllm 0\.6\.0/);
    await visitor.locate('.question [name="engine"]').selectOption("sglang");
    await visitor.sees(/sglang/);
    assert.doesNotMatch(visitor.page.url(), /set\.|0\.6\.0/);
    await visitor.locate('[data-name="mem_fraction_static"]').waitFor({ state: "attached" });
});

test("a bare memory size stands for a GPU, several of it for tensor parallelism", async (visitor) => {
    await visitor.open("#model=llama-3.1-8b&context=8k");
    await visitor.sees(/What it takes/);
    await visitor.fill("gpu-memory", "12GiB");
    await visitor.sees(/does not fit on GPU of 12\.00 GiB/);
    await visitor.fill("count", "2");
    await visitor.sees(/It fits[\s\S]*2 x GPU of 12\.00 GiB/);
    assert.match(visitor.page.url(), /tp=2/);
});

test("a model by its numbers alone", async (visitor) => {
    await visitor.locate("summary", { hasText: "Only numbers" }).click();
    for (const [name, value] of [["params", "13B"], ["layers", "40"], ["hidden", "5120"]]) {
        await visitor.fill(name, value);
    }
    await visitor.locate('.question [name="engine"]').selectOption("generic");
    await visitor.reads(".question .about", /13 B parameters/);
    await visitor.sees(/(It fits|It does not fit)/);
    assert.match(visitor.page.url(), /params=13B&layers=40&hidden=5120/);
});

test("ranks that hold different things can be looked at one by one", async (visitor) => {
    await visitor.open("#model=llama-3.3-70b&engine=vllm&gpu=h100-80gbx3&pp=3&context=8k");
    await visitor.sees(/3 x H100/);
    const picker = visitor.locate(".breakdown select");
    assert.ok(await picker.locator("option").count() > 1);
    const first = await visitor.locate(".breakdown tfoot").innerText();
    await picker.selectOption({ index: await picker.locator("option").count() - 1 });
    assert.notEqual(await visitor.locate(".breakdown tfoot").innerText(), first);
});

test("notes, settings, log lines and the model's symbols unfold", async (visitor) => {
    await visitor.open("#model=llama-2-70b&gpu=a100-80gbx2");
    await visitor.reads(".notes", /the model's maximum of 4096 tokens/);
    await visitor.locate("summary", { hasText: "numbers and formulas" }).click();
    await visitor.reads(".notes", /num_hidden_layers/);
    await visitor.locate("summary", { hasText: "All settings" }).click();
    await visitor.reads(".notes", /overhead_ppm/);
});

test("GB instead of GiB, everywhere", async (visitor) => {
    await visitor.locate('header [name="units"]').selectOption("si");
    await visitor.reads(".figures", /16\.09 GB/);
    await visitor.reads(".verdict .message", / GB free/);
    assert.match(visitor.page.url(), /units=si/);
});
