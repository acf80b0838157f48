// The state in the address: shared, stepped through, from another version, damaged.
import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const LINK = "#v=1&model=qwen3-32b&engine=sglang@0.5.9&gpu=l40sx4&context=16k&concurrency=4&kv-dtype=fp8&tp=4"
    + "&set.mem_fraction_static=0.8";

test("a shared link shows the same deployment to whoever opens it", async (visitor) => {
    await visitor.open(LINK);
    await visitor.sees(/qwen3-32b · sglang 0\.5\.9/);
    const seen = await visitor.verdict();
    await visitor.locate('[name="share"]').click();
    await visitor.reads(".tools", /Link copied/);
    const link = await visitor.page.evaluate(() => navigator.clipboard.readText());
    assert.equal(new URL(link).hash, LINK);
    await visitor.open(new URL(link).hash);
    await eventually(async () => assert.equal(await visitor.verdict(), seen));
    assert.equal(await visitor.locate('.question [name="kv-dtype"]').inputValue(), "fp8");
    assert.equal(await visitor.locate('.question [name="count"]').inputValue(), "4");
}, { permissions: ["clipboard-read", "clipboard-write"] });

test("back and forward step through what was asked", async (visitor) => {
    await visitor.sees(/It fits/);
    await visitor.fill("context", "64k");
    await visitor.reads(".figures", /64k tokens/);
    await visitor.fill("concurrency", "2");
    await visitor.reads('[name="concurrency"]', /^$/);
    await visitor.page.goBack();
    await eventually(async () => assert.equal(await visitor.locate('[name="concurrency"]').inputValue(), "16"));
    await visitor.page.goBack();
    await visitor.reads(".figures", /8k tokens/);
    await visitor.page.goForward();
    await visitor.reads(".figures", /64k tokens/);
});

test("keys that are not known are named, and the rest is shown", async (visitor) => {
    await visitor.open("#v=1&model=llama-3.1-8b&gpu=h100-80gb&flux=9&b.capacitor=1&context=8k");
    await visitor.reads(".notice", /Not understood in this link, and left out: flux, b\.capacitor/);
    await visitor.sees(/It fits/);
    assert.equal(await visitor.locate(".side").count(), 2); // verdict and charts of one deployment
});

test("a link of another version says so, and shows what is understood", async (visitor) => {
    await visitor.open("#v=7&model=llama-3.1-8b&gpu=h100-80gb&context=8k");
    await visitor.reads(".notice", /another version of the page \(v=7\)/);
    await visitor.sees(/It fits/);
});

test("a link to a file says that files stay where they are", async (visitor) => {
    await visitor.open("#v=1&model=file:mine.gguf&gpu=h100-80gb");
    await visitor.reads(".notice", /This link is about a file, mine\.gguf/);
    await visitor.choose("small.gguf");
    await visitor.sees(/It fits/);
});

test("damaged links never leave the page blank", async (visitor) => {
    for (const hash of ["#%%%&=&model=%zz", "#&&&", "#model=&gpu=", "#b.", "#set.=1", `#model=${"x".repeat(5000)}`, "#context=-1",
        "#model=llama-3.1-8b&tp=99999999999999999999"]) {
        await visitor.open(hash);
        await eventually(async () => assert.ok((await visitor.locate("#answer").innerText()).length > 20, hash));
    }
});

test("the link has the language only where it is not the reader's own", async (visitor) => {
    await visitor.locate('header [name="lang"]').selectOption("zh");
    assert.match(visitor.page.url(), /lang=zh/);
    await visitor.locate('header [name="lang"]').selectOption("en");
    assert.doesNotMatch(visitor.page.url(), /lang=/);
});
