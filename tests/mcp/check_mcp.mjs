// Asks `tonnage mcp` with the reference clients of the Model Context Protocol: 1.x, whose handshake all assistants of before July
// 2026 begin with, and 2.x in both of its modes. Each lists the tools and plans a model.
//
//     node check_mcp.mjs PROGRAM MODULES      MODULES: the folder in which those of tools/web/package.json are installed
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [program, modules] = process.argv.slice(2);
const find = createRequire(path.join(path.resolve(modules), "package.json"));

/** @param {string} name */
const load = (name) => import(pathToFileURL(find.resolve(name)).href);

/** @returns {Promise<Record<string, () => Promise<any>>>} what each client is called, and how it is connected */
async function clients() {
    const info = { name: "check_mcp", version: "1" };
    const server = { command: program, args: ["mcp"] };
    const first = await load("@modelcontextprotocol/sdk/client/index.js");
    const firstPipe = await load("@modelcontextprotocol/sdk/client/stdio.js");
    /** @type {Record<string, () => Promise<any>>} */
    const all = {
        "sdk 1.x": async () => {
            const client = new first.Client(info);
            await client.connect(new firstPipe.StdioClientTransport(server));
            return client;
        },
    };
    if (Number(process.versions.node.split(".")[0]) < 20) {
        console.log("skipped: client 2.x needs Node 20 or newer, this is " + process.versions.node);
        return all;
    }
    const second = await load("@modelcontextprotocol/client");
    const secondPipe = await load("@modelcontextprotocol/client/stdio");
    for (const mode of ["legacy", "auto", { pin: "2026-07-28" }]) {
        all[`client 2.x, ${JSON.stringify(mode)}`] = async () => {
            const client = new second.Client(info, { versionNegotiation: { mode } });
            await client.connect(new secondPipe.StdioClientTransport(server));
            return client;
        };
    }
    return all;
}

/** @param {any} client */
async function check(client) {
    const { tools } = await client.listTools();
    const names = tools.map((/** @type {{name: string}} */ tool) => tool.name);
    for (const name of ["plan", "fit", "inspect", "diagnose"]) {
        assert(names.includes(name), `no tool ${name}`);
    }
    // 2 (K and V) x 40 layers x 5120 elements x 2 bytes
    const plan = await client.callTool({ name: "plan", arguments: { model: "llama-2-13b", gpu: "a100-80gb", context: "4k" } });
    assert.equal(plan.structuredContent.kv.bytes_per_token, 819200);
    assert.equal(plan.structuredContent.verdict.fits, true);
    assert.match(plan.content[0].text, /13,015,864,320 parameters/);
    const log = "INFO 05-01 10:00:00 llm_engine.py:1] Initializing an LLM engine (v0.6.4) with config: model='m'\n";
    const told = await client.callTool({ name: "diagnose", arguments: { log: "x.log", files: { "x.log": log } } });
    assert.equal(told.structuredContent.schema, "tonnage.diagnose/1");
    const wrong = await client.callTool({ name: "plan", arguments: { model: "no-such-model" } });
    assert.equal(wrong.isError, true);
    const file = await client.callTool({ name: "inspect", arguments: { model: "/etc/passwd" } });
    assert.equal(file.isError, true, "no file of this machine is read");
    assert.doesNotMatch(JSON.stringify(file), /root:/);
}

let passed = 0;
let failed = 0;
for (const [name, connect] of Object.entries(await clients())) {
    try {
        const client = await connect();
        await check(client);
        await client.close();
        passed++;
        console.log(`ok: ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAILED: ${name}: ${error instanceof Error ? error.stack : error}`);
    }
}
console.log(`mcp: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
