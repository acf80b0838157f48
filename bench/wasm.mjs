// A plan by WebAssembly, as the page asks it at each step of a slider, beside the program as a process.
//
// usage: node wasm.mjs WEB-FOLDER PROGRAM
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const WANTED_MS = 16; // a slider's step
const [web, program] = process.argv.slice(2).map((name) => path.resolve(name));
const { openCore } = await import(pathToFileURL(path.join(web, "core.js")).href);

/** The best of some rounds, in milliseconds of one call. @param {number} calls @param {() => unknown} call */
function time(calls, call) {
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
        const start = performance.now();
        for (let k = 0; k < calls; k++) {
            call();
        }
        best = Math.min(best, (performance.now() - start) / calls);
    }
    return best;
}

const began = performance.now();
const core = await openCore(fs.readFileSync(path.join(web, "tonnage.wasm")));
const opened = performance.now() - began;
const request = { operation: "plan", model: "llama-3.1-8b", engine: "vllm", gpu: "h100" };
const plan = time(100, () => core.call(request));
const words = ["plan", "llama-3.1-8b", "--engine", "vllm", "--gpu", "h100", "--json"];
const native = time(10, () => spawnSync(program, words));
console.log(`WebAssembly opened: ${opened.toFixed(1)} ms; a plan: ${plan.toFixed(2)} ms (wanted: below ${WANTED_MS} ms); as a process: ${native.toFixed(2)} ms`);
process.exit(plan < WANTED_MS ? 0 : 1);
