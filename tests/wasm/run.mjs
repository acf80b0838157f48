// Runs a WebAssembly program of the build: a unit test once for each of its cases, each in a fresh instance; any other program once.
//
// usage: node run.mjs PROGRAM.wasm
import fs from "node:fs";
import process from "node:process";

import { Exit, System } from "./system.mjs";

const [SKIPPED, NO_SUCH_CASE] = [77, 99]; // tests/wasm/cmocka.c
const module = await WebAssembly.compile(fs.readFileSync(process.argv[2]));

/** The exit code; a trap is one too. @param {number} number of the case */
async function run(number) {
    const system = new System({ ...process.env, TEST_CASE: String(number) });
    const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: system.imports });
    system.memory = /** @type {WebAssembly.Memory} */ (exports.memory);
    try {
        /** @type {() => void} */ (exports._start)();
        return 0;
    } catch (error) {
        if (error instanceof Exit) {
            return error.code;
        }
        console.log(error instanceof Error ? error.stack : error);
        console.log(`[  FAILED  ] case_${number}`);
        return 1;
    }
}

const hasCases = WebAssembly.Module.exports(module).some(({ name }) => name === "has_cases");
let failed = false;
let skipped = 0;
let count = 0;
for (; ; count++) {
    const code = await run(count);
    if (!hasCases) {
        process.exit(code);
    }
    if (code === NO_SUCH_CASE) {
        break;
    }
    skipped += code === SKIPPED ? 1 : 0;
    failed ||= code !== 0 && code !== SKIPPED;
}
process.exit(failed || count === 0 ? 1 : skipped === count ? SKIPPED : 0);
