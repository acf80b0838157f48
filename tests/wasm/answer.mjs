// Answers requests by tonnage.wasm: a line of JSON in, a line {"text", "exit"} out.
//
// usage: node answer.mjs WEB-FOLDER      the folder of the page that the build made
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const web = path.resolve(process.argv[2]);
const { openCore } = await import(pathToFileURL(path.join(web, "core.js")).href);
const core = await openCore(fs.readFileSync(path.join(web, "tonnage.wasm")));
for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(core.call(line))}\n`);
}
