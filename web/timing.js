// How long the page takes, by the browser's own means: entries "tonnage:script" and "tonnage:picture" of User Timing.
// The last of each is kept.

/**
 * Runs a function and reports the time of its script.
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
export function timed(work) {
    const start = performance.now();
    const result = work();
    report("tonnage:script", start);
    return result;
}

/**
 * Reports the time from an input to the frame that shows its answer.
 * @param {number} start
 */
export function pictured(start) {
    requestAnimationFrame(() => report("tonnage:picture", start));
}

/**
 * @param {string} name
 * @param {number} start
 */
function report(name, start) {
    performance.clearMeasures(name);
    performance.measure(name, { start });
}
