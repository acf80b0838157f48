// Searching the catalogs: instant, by any of the names, with the keys of a combobox.
import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const options = (visitor) => visitor.locate('.combobox [role="option"] .name').allInnerTexts();

test("a model is found while it is typed, by parts of its names", async (visitor) => {
    const field = visitor.locate('[name="model"]');
    await field.fill("deepseek v3");
    await eventually(async () => assert.ok((await options(visitor)).every((name) => /deepseek.*v3/i.test(name))));
    await field.fill("Qwen/Qwen3-32B");
    await eventually(async () => assert.equal((await options(visitor))[0], "Qwen/Qwen3-32B"));
    await field.fill("llama 70b 3.3");
    await eventually(async () => assert.match((await options(visitor))[0], /Llama-3\.3-70B/));
    await visitor.locate('.combobox [role="option"]').first().click();
    await visitor.sees(/llama-3\.3-70b/);
    assert.match(visitor.page.url(), /model=llama-3\.3-70b/);
});

test("a combobox by keys: arrows move, Enter takes, Escape puts back", async (visitor) => {
    const field = visitor.locate('[name="model"]');
    await field.fill("gpt-oss");
    await visitor.locate('.combobox [role="option"]').first().waitFor();
    assert.equal(await field.getAttribute("aria-expanded"), "true");
    await field.press("ArrowDown");
    const active = await field.getAttribute("aria-activedescendant");
    assert.equal(await visitor.locate(`[id="${active}"]`).getAttribute("aria-selected"), "true");
    await field.press("Escape");
    assert.equal(await field.inputValue(), "llama-3.1-8b");
    assert.equal(await field.getAttribute("aria-expanded"), "false");
    await field.fill("gpt-oss-20b");
    await visitor.locate('.combobox [role="option"]', { hasText: "20b" }).first().waitFor();
    await field.press("ArrowDown");
    await field.press("Enter");
    await visitor.sees(/gpt-oss-20b/);
});

test("a hub id that is typed is taken as it is", async (visitor) => {
    const field = visitor.locate('[name="model"]');
    await field.fill("mistralai/Mistral-7B-v0.1");
    await field.press("Enter");
    await visitor.sees(/mistral-7b/i);
});

test("what is in no catalog: nothing found, and the core's hint beside the field", async (visitor) => {
    const field = visitor.locate('[name="model"]');
    await field.fill("llamaa-3.1-8b");
    await visitor.reads(".combobox", /Nothing in the catalog/);
    await field.press("Enter");
    await visitor.reads(".field .error:visible", /unknown model 'llamaa-3\.1-8b'.*did you mean llama-3\.1-8b/);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
});

test("GPUs are searched in the same way", async (visitor) => {
    const field = visitor.locate('[name="gpu"]');
    await field.fill("rtx 4090");
    await visitor.locate('.combobox [role="option"]', { hasText: "GeForce RTX 4090" }).first().click();
    await visitor.sees(/RTX 4090/);
    assert.match(visitor.page.url(), /gpu=rtx-4090/);
});
