// Tests the page in a browser. The last line is the count.
//
// usage: run.mjs BUILD_FOLDER [WORD ...]     only tests with one of these words in the name
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, Visitor, openBrowser, serve, tests } from "./harness.mjs";

const AT_ONCE = 2;

async function runOne(browser, where, { name, run, options }) {
    const start = Date.now();
    let visitor = null;
    try {
        visitor = await Visitor.arrive(browser, { ...where, options });
        await run(visitor);
        if (visitor.faults.length) {
            throw new Error(`the console says: ${visitor.faults.join("; ")}`);
        }
        console.log(`[       OK ] ${name} (${Date.now() - start} ms)`);
        return true;
    } catch (fault) {
        console.log(`[  FAILED  ] ${name}\n    ${fault.stack.slice(0, 2000).replaceAll("\n", "\n    ")}`);
        if (visitor?.faults.length) {
            console.log(`    the console says: ${visitor.faults.join("; ")}`);
        }
        return false;
    } finally {
        await visitor?.leave();
    }
}

async function main([build, ...words]) {
    const folder = path.resolve(build);
    const files = path.join(folder, "web-test");
    execFileSync("python3", [path.join(ROOT, "tests", "web", "make_files.py"), files]);
    for (const name of readdirSync(path.join(ROOT, "tests", "web")).filter((file) => file.endsWith(".test.mjs")).sort()) {
        await import(pathToFileURL(path.join(ROOT, "tests", "web", name)).href);
    }
    const wanted = tests.filter(({ name }) => !words.length || words.some((word) => name.includes(word)));
    const server = await serve(path.join(folder, "web"));
    const browser = await openBrowser();
    const where = { address: server.address, files, build: folder };
    let passed = 0;
    let next = 0;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (next < wanted.length) {
            const isPassed = await runOne(browser, where, wanted[next++]);
            passed += isPassed ? 1 : 0;
        }
    }));
    await browser.close();
    server.close();
    console.log(`${passed} passed, ${wanted.length - passed} failed`);
    process.exit(passed === wanted.length && passed > 0 ? 0 : 1);
}

await main(process.argv.slice(2));
