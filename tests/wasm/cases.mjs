// The runner of the tests in JavaScript: prints what cmocka prints, so that tests/summary.py counts them.

/**
 * @param {Record<string, () => unknown>} cases by name, in their order; one that throws has failed
 */
export async function runCases(cases) {
    const failed = [];
    console.log(`[==========] Running ${Object.keys(cases).length} test(s).`);
    for (const [name, run] of Object.entries(cases)) {
        console.log(`[ RUN      ] ${name}`);
        try {
            await run();
            console.log(`[       OK ] ${name}`);
        } catch (error) {
            console.log(error instanceof Error ? error.stack : error);
            console.log(`[  FAILED  ] ${name}`);
            failed.push(name);
        }
    }
    process.exitCode = failed.length ? 1 : 0;
}
