// Files: every kind that is opened or dropped, and everything that is none.
import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, eventually, test } from "./harness.mjs";

const log = (name) => path.join(ROOT, "tests", "diagnose", name);
const SMALL = /1\.84 M parameters/;

for (const [what, names] of [
    ["a config.json", ["config.json"]],
    ["a GGUF", ["small.gguf"]],
    ["a GGUF in two parts", ["split-00001-of-00002.gguf", "split-00002-of-00002.gguf"]],
    ["a safetensors file with its config", ["model.safetensors", "config.json"]],
    ["an index of safetensors with its files and config", ["model.safetensors.index.json", "config.json",
        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]],
]) {
    test(`${what} is planned`, async (visitor) => {
        await visitor.choose(...names);
        await visitor.reads(".about", SMALL);
        await visitor.sees(/It fits/);
        assert.match(visitor.page.url(), /model=file:/);
        await visitor.locate('[data-chart="grid"] svg').waitFor();
    });
}

test("a config.json that is dropped with the mouse is planned, and sliders go on working", async (visitor) => {
    await visitor.drop("config.json", readFileSync(visitor.file("config.json"), "utf8"));
    await visitor.reads(".about", SMALL);
    await visitor.locate('[name="concurrency-slider"]').press("ArrowRight");
    await visitor.reads(".figures", /Requests at once/);
    await visitor.sees(/It fits/);
});

test("a GGUF of 82 GB is planned from its header", async (visitor) => {
    const start = Date.now();
    await visitor.choose("huge.gguf");
    await visitor.reads(".about", /41\.1 B parameters/);
    assert.ok(Date.now() - start < 5000);
});

test("a log is diagnosed: measured beside predicted, findings, and a remedy opens as a plan", async (visitor) => {
    await visitor.choose(log("vllm_short_pool.log"));
    await visitor.reads("#answer", /The engine did not start[\s\S]*one request of 131,072 tokens needs 16\.00 GiB/);
    await visitor.reads(".terms", /weights\s+14\.99 GiB\s+14\.99 GiB/);
    await visitor.locate('[name="log-gpu"]').fill("l4");
    await visitor.locate('[name="log-gpu"]').press("Tab");
    const remedy = visitor.locate(".finding li", { hasText: "max_model_len=" });
    await remedy.first().getByRole("button").click();
    await visitor.sees(/It fits llama-3\.1-8b · vllm 0\.10\.0/);
    assert.match(visitor.page.url(), /gpu=l4/);
});

for (const name of ["vllm_v1_tp2.log", "sglang_tp2.log", "trtllm.log", "llamacpp_two_gpus.log", "ollama.log"]) {
    test(`the log ${name} is read`, async (visitor) => {
        await visitor.drop(name, readFileSync(log(name), "utf8"));
        await visitor.reads("#answer", /lines understood[\s\S]*Measured/);
        await visitor.locate('[name="close-log"]').click();
        await visitor.sees(/It fits/);
    });
}

for (const [name, message] of [
    ["picture.png", /picture\.png is neither a model nor a log/],
    ["empty.json", /empty\.json is empty/],
    ["huge.bin", /huge\.bin is neither a model nor a log/],
    ["huge.log", /huge\.log has 65\.19 GiB; logs are read up to 256\.00 MiB/],
]) {
    test(`${name}: a notice, and the answer stays`, async (visitor) => {
        await visitor.sees(/It fits/);
        await visitor.choose(name);
        await visitor.reads(".notice", message);
        await visitor.sees(/It fits/);
        await visitor.locate(".notice button").click();
        assert.equal(await visitor.locate(".notice").count(), 0);
    });
}

for (const [name, message] of [
    ["broken.json", /expected ',' or '\}'/],
    ["list.json", /a config is a JSON object; this is a list/],
    ["cut.gguf", /the file ends here/],
    ["short.safetensors", /99000000 bytes of the header should follow/],
]) {
    test(`${name}: the core's error beside the model`, async (visitor) => {
        await visitor.choose(name);
        await visitor.reads(".field .error:visible", message);
        assert.equal(await visitor.locate('[name="model"]').getAttribute("aria-invalid"), "true");
    });
}

test("a file that changes while it is read", async (visitor) => {
    const changing = visitor.file("changing.gguf");
    copyFileSync(visitor.file("small.gguf"), changing);
    await visitor.page.evaluate(() => {
        const { slice } = File.prototype; // as a disk that is slow: the file changes after it was chosen, before it is read
        File.prototype.slice = function (...range) {
            const part = slice.apply(this, range);
            part.arrayBuffer = () => new Promise((resolve) => setTimeout(resolve, 500)).then(() => Blob.prototype.arrayBuffer.call(part));
            return part;
        };
    });
    await visitor.choose(changing);
    appendFileSync(changing, "more");
    await visitor.reads(".notice", /changing\.gguf was changed, moved or removed/);
});

test("nothing of a file leaves the browser", async (visitor) => {
    await visitor.sees(/It fits/);
    const requests = [];
    visitor.page.on("request", (request) => request.url().endsWith("favicon.svg") || requests.push(request.url()));
    await visitor.choose("small.gguf");
    await visitor.reads(".about", SMALL);
    await visitor.choose(log("ollama.log"));
    await visitor.reads("#answer", /Measured/);
    assert.deepEqual(requests, []);
});

test("two files of one name are two models", async (visitor) => {
    await visitor.choose("config.json");
    await visitor.reads(".about", SMALL);
    const other = readFileSync(visitor.file("config.json"), "utf8").replace('"num_hidden_layers": 2', '"num_hidden_layers": 4');
    await visitor.drop("config.json", other);
    await eventually(async () => assert.match(await visitor.locate(".about").innerText(), /3\.15 M parameters/));
    await visitor.page.goBack();
    await visitor.reads(".about", SMALL);
});
