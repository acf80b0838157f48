// Runs a WebAssembly program of the build: a unit test once for each of its cases, each in a fresh instance; any other program once.
//
// usage: node run.mjs PROGRAM.wasm [ARGUMENT ...]
import fs from "node:fs";
import process from "node:process";
import { WASI } from "node:wasi";

const [SKIPPED, NO_SUCH_CASE] = [77, 99]; // tests/wasm/cmocka.c
const [program, ...words] = process.argv.slice(2);
const module = await WebAssembly.compile(fs.readFileSync(program));

/** The exit code; a trap is one too. @param {number} number of the case */
async function run(number) {
    const wasi = new WASI({
        version: "preview1",
        args: [program, ...words],
        env: { ...process.env, TEST_CASE: String(number) },
        preopens: { "/": "/" },
        returnOnExit: true,
    });
    try {
        const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
        return wasi.start(instance);
    } catch (error) {
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
