// web/core.js and tonnage.wasm beside the command line: the same answers, also about files of which only the headers are read.
//
// usage: node check_core.mjs WEB-FOLDER PROGRAM      the folder of the page that the build made; $SOURCE_DIR is the checkout
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { runCases } from "./cases.mjs";
import { llama, writeGguf, writeSafetensors } from "./model_files.mjs";

const [web, program] = process.argv.slice(2).map((name) => path.resolve(name));
const source = process.env.SOURCE_DIR || ".";
const bytes = fs.readFileSync(path.join(web, "tonnage.wasm"));
const { openCore } = await import(pathToFileURL(path.join(web, "core.js")).href);
const core = await openCore(bytes);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tonnage-wasm-"));

/** What the command line prints in the folder. @param {string[]} words */
function run(...words) {
    const done = spawnSync(program, [...words, "--json"], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
    return { text: done.stdout, exit: done.status };
}

/** Files of the folder, which count what is read of them. @param {string[]} names */
function open(...names) {
    const counted = { bytes: 0, reads: 0 };
    const files = names.map((name) => ({
        name,
        size: fs.statSync(path.join(folder, name)).size,
        async read(/** @type {number} */ offset, /** @type {number} */ length) {
            const buffer = Buffer.alloc(length);
            const descriptor = fs.openSync(path.join(folder, name), "r");
            const got = fs.readSync(descriptor, buffer, 0, length, offset);
            fs.closeSync(descriptor);
            counted.bytes += got;
            counted.reads++;
            return new Uint8Array(buffer.subarray(0, got));
        },
    }));
    return { files, counted };
}

/** @param {string} name @param {string | Buffer} data */
function write(name, data) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), data);
}

/** @param {string} name */
function place(name) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    return path.join(folder, name);
}

/** The same from both, and no more read than `most` bytes. @param {object} request @param {string[]} words @param {string[]} names @param {number} most */
async function assertSame(request, words, names, most) {
    const { files, counted } = open(...names);
    assert.deepEqual(await core.callWithFiles(request, files), run(...words));
    assert.ok(counted.bytes <= most, `${counted.bytes} bytes were read`);
}

/** @param {string} text @returns {{code: string, message: string, where: string}} */
function errorOf(text) {
    const error = JSON.parse(text);
    assert.equal(error.schema, "tonnage.error/1");
    return error;
}

const LARGE = 512; // times 64 hidden: 27.6 GB
const words = Array.from({ length: 60000 }, (_, k) => `word ${k}`);

await runCases({
    async the_module_exports_what_the_list_says_and_imports_nothing() {
        const lines = fs.readFileSync(path.join(source, "wasm", "exports.txt"), "utf8").split("\n");
        const listed = lines.filter((line) => line && !line.startsWith("#"));
        const module = await WebAssembly.compile(bytes);
        const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
        assert.deepEqual(exported.sort(), ["_initialize", "memory", ...listed].sort());
        assert.deepEqual(WebAssembly.Module.imports(module), []);
    },
    the_module_has_less_than_2_MB_compressed() {
        assert.ok(gzipSync(bytes, { level: 9 }).length < 2_000_000);
    },
    async a_core_opens_from_bytes_responses_and_modules() {
        const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
        const typed = { headers: { "Content-Type": "application/wasm" } };
        for (const given of [buffer, Promise.resolve(buffer), new Response(buffer), new Response(buffer, typed), await WebAssembly.compile(bytes)]) {
            assert.equal((await openCore(given)).call({ operation: "models", model: "gpt2" }).exit, 0);
        }
        await assert.rejects(openCore(new Response("", { status: 404, statusText: "Not Found" })), /tonnage.wasm cannot be loaded: 404 Not Found/);
    },
    a_request_is_an_object_or_its_text() {
        const request = { operation: "plan", model: "llama-3.1-8b", engine: "vllm", gpu: "l40s" };
        const expected = run("plan", "llama-3.1-8b", "--engine", "vllm", "--gpu", "l40s");
        assert.deepEqual(core.call(request), expected);
        assert.deepEqual(core.call(JSON.stringify(request)), expected);
    },
    exit_codes_are_those_of_the_command_line() {
        assert.equal(core.call({ operation: "plan", model: "llama-2-70b", gpu: "l4" }).exit, 1);
        assert.equal(core.call({ operation: "plan", model: "no such" }).exit, 2);
        assert.equal(core.call("{").exit, 3);
        assert.equal(errorOf(core.call("{").text).code, "json");
    },
    async a_config_alone_gives_the_same() {
        write("config.json", JSON.stringify(llama(1).config));
        await assertSame({ operation: "plan", model: "config.json", gpu: "l4", engine: "vllm" }, ["plan", "config.json", "--gpu", "l4", "--engine", "vllm"], ["config.json"], 1000);
        await assertSame({ operation: "inspect", model: "config.json", tensors: true }, ["inspect", "config.json", "--tensors"], ["config.json"], 1000);
    },
    async of_a_safetensors_file_of_27_GB_only_the_header_is_read() {
        const { config, tensors } = llama(LARGE);
        write("one/config.json", JSON.stringify(config));
        writeSafetensors(place("one/model.safetensors"), tensors);
        assert.ok(fs.statSync(place("one/model.safetensors")).size > 2 ** 34);
        const names = ["one/config.json", "one/model.safetensors"];
        await assertSame({ operation: "plan", model: "one/model.safetensors", gpu: "h100" }, ["plan", "one/model.safetensors", "--gpu", "h100"], names, 10000);
        await assertSame({ operation: "plan", model: "one", gpu: "h100x2", engine: "sglang" }, ["plan", "one", "--gpu", "h100x2", "--engine", "sglang"], names, 10000);
    },
    async shards_with_an_index_give_the_same() {
        const { config, tensors } = llama(LARGE);
        const entries = Object.entries(tensors);
        const map = Object.fromEntries(entries.map(([name], k) => [name, k % 2 ? "b.safetensors" : "a.safetensors"]));
        write("two/config.json", JSON.stringify(config));
        write("two/model.safetensors.index.json", JSON.stringify({ weight_map: map }));
        writeSafetensors(place("two/a.safetensors"), Object.fromEntries(entries.filter((_, k) => k % 2 === 0)));
        writeSafetensors(place("two/b.safetensors"), Object.fromEntries(entries.filter((_, k) => k % 2 === 1)));
        const names = ["two/a.safetensors", "two/b.safetensors", "two/config.json", "two/model.safetensors.index.json"];
        await assertSame({ operation: "inspect", model: "two" }, ["inspect", "two"], names, 20000);
        await assertSame({ operation: "inspect", model: "two/model.safetensors.index.json" }, ["inspect", "two/model.safetensors.index.json"], names, 20000);
        fs.rmSync(place("two/a.safetensors"));
        await assertSame({ operation: "inspect", model: "two" }, ["inspect", "two"], names.slice(1), 20000);
        fs.rmSync(place("two/b.safetensors"));
        await assertSame({ operation: "inspect", model: "two" }, ["inspect", "two"], names.slice(2), 20000);
    },
    async a_gguf_with_a_vocabulary_gives_the_same() {
        const { metadata, gguf } = llama(LARGE);
        writeGguf(place("big.gguf"), metadata, gguf, words);
        assert.ok(fs.statSync(place("big.gguf")).size > 2 ** 34);
        for (const engine of ["llamacpp", "ollama", "generic"]) {
            await assertSame({ operation: "plan", model: "big.gguf", gpu: "l40s", engine }, ["plan", "big.gguf", "--gpu", "l40s", "--engine", engine], ["big.gguf"], 8 << 20);
        }
    },
    async a_split_gguf_is_found_by_any_of_its_parts() {
        const { metadata, gguf } = llama(1);
        const entries = Object.entries(gguf);
        const names = [1, 2, 3].map((number) => `split/m-0000${number}-of-00003.gguf`);
        names.forEach((name, k) => {
            /** @type {typeof metadata} */
            const split = [["split.no", "u16", k], ["split.count", "u16", 3], ["split.tensors.count", "i32", entries.length]];
            writeGguf(place(name), [...(k ? [] : metadata), ...split], Object.fromEntries(entries.filter((_, number) => number % 3 === k)));
        });
        for (const model of [...names, "split"]) {
            await assertSame({ operation: "inspect", model }, ["inspect", model], names, 100000);
        }
        fs.rmSync(place(names[1]));
        const answer = await core.callWithFiles({ operation: "inspect", model: names[0] }, open(names[0], names[2]).files);
        assert.equal(errorOf(answer.text).code, "unreadable");
        assert.equal(errorOf(answer.text).where, names[1]);
    },
    async logs_tokenizers_and_texts_give_the_same() {
        write("server.log", "INFO 11-22 10:00:00 [core.py:1] Initializing a V1 LLM engine (v0.10.0)\nother\n".repeat(50));
        await assertSame({ operation: "diagnose", log: "server.log" }, ["diagnose", "server.log"], ["server.log"], 10000);
        for (const name of ["bert_cased.json", "bert_uncased.gguf"]) {
            write(name, fs.readFileSync(path.join(source, "tests", "tokens", name)));
            write("a.txt", "Where people would rather look than read: 256 pages.");
            await assertSame({ operation: "tokens", tokenizer: name, file: "a.txt", ids: true }, ["tokens", "--tokenizer", name, "--file", "a.txt", "--ids"], [name, "a.txt"], 1 << 24);
        }
    },
    async what_is_no_model_gives_the_same_error() {
        write("a.exe", "MZ");
        write("page.json", "<html>");
        write("short.safetensors", Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 123]));
        write("wrong.gguf", "this is no GGUF");
        for (const name of ["a.exe", "page.json", "short.safetensors", "wrong.gguf"]) {
            await assertSame({ operation: "inspect", model: name }, ["inspect", name], [name], 1000);
        }
    },
    async a_file_that_changes_while_it_is_read_is_an_error_that_says_so() {
        const files = [{ name: "a.gguf", size: 70e9, read: async () => new Uint8Array(3) }];
        const { text, exit } = await core.callWithFiles({ operation: "inspect", model: "a.gguf" }, files);
        assert.equal(exit, 3);
        assert.equal(errorOf(text).code, "unreadable");
        assert.equal(errorOf(text).message, "the file has changed since it was chosen: choose it again");
        assert.equal(errorOf(text).where, "a.gguf");
    },
    async a_file_that_cannot_be_read_is_an_error_that_says_why() {
        const files = [{ name: "a.safetensors", size: 70e9, read: () => Promise.reject(new Error("the disk is gone")) }];
        const { text, exit } = await core.callWithFiles({ operation: "inspect", model: "a.safetensors" }, files);
        assert.equal(exit, 3);
        assert.equal(errorOf(text).message, "cannot be read: the disk is gone");
    },
    async a_log_of_70_GB_is_refused_without_being_read() {
        const files = [{ name: "a.log", size: 70e9, read: () => Promise.reject(new Error("it was read")) }];
        const { text, exit } = await core.callWithFiles({ operation: "diagnose", log: "a.log" }, files);
        assert.equal(exit, 3);
        assert.equal(errorOf(text).code, "too_large");
    },
    async what_was_read_is_kept_for_the_same_files() {
        const { files, counted } = open("big.gguf");
        await core.callWithFiles({ operation: "plan", model: "big.gguf", gpu: "l40s", context: 1000 }, files);
        const before = counted.reads;
        await core.callWithFiles({ operation: "plan", model: "big.gguf", gpu: "l40s", context: 2000 }, files);
        assert.equal(counted.reads, before);
    },
    async calls_at_the_same_time_do_not_disturb_each_other() {
        const one = open("big.gguf");
        const other = open("config.json");
        const answers = await Promise.all([
            core.callWithFiles({ operation: "inspect", model: "big.gguf" }, one.files),
            core.callWithFiles({ operation: "inspect", model: "config.json" }, other.files),
            core.callWithFiles({ operation: "inspect", model: "big.gguf" }, one.files),
            core.call({ operation: "inspect", model: "gpt2" }),
        ]);
        const expected = ["big.gguf", "config.json", "big.gguf", "gpt2"].map((model) => run("inspect", model));
        assert.deepEqual(answers, expected);
    },
    two_hundred_answers_leave_no_memory_behind() {
        const request = { operation: "plan", model: "llama-3.1-8b", engine: "vllm", gpu: "l40s", format: "svg" };
        core.call(request);
        const before = core.memoryBytes;
        for (let k = 0; k < 200; k++) {
            core.call(request);
        }
        assert.equal(core.memoryBytes, before);
    },
});
fs.rmSync(folder, { recursive: true });
