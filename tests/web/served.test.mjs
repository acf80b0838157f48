// The page from `tonnage serve`, with the policy that it really has.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "./harness.mjs";

/** Starts the server on a free port; its first line says where it listens. */
async function startServer(visitor) {
    const server = spawn(path.join(visitor.files, "..", "tonnage"), ["serve", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
    const line = await new Promise((resolve, reject) => {
        let text = "";
        server.on("exit", (code) => reject(new Error(`tonnage serve ended with ${code}: ${text}`)));
        server.stderr.on("data", (bytes) => {
            text += bytes;
            if (text.includes("\n")) {
                resolve(text.split("\n")[0]);
            }
        });
    });
    return { server, address: JSON.parse(line).detail };
}

test("tonnage serve shows the page, and its policy allows all that the page does", async (visitor) => {
    const { server, address } = await startServer(visitor);
    try {
        const reply = await fetch(address);
        assert.match(reply.headers.get("Content-Security-Policy") ?? "", /script-src 'self'/);
        visitor.address = address.replace(/\/*$/, "/");
        await visitor.open("#model=qwen3-32b&engine=vllm&gpu=l40sx2&context=16k");
        await visitor.sees(/qwen3-32b · vllm/);
        await visitor.locate('[data-chart="grid"] svg').waitFor();
        await visitor.choose("small.gguf");
        await visitor.reads(".about", /1\.84 M parameters/);
    } finally {
        server.kill();
    }
});
