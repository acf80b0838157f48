// Values of the sliders: on a logarithmic scale, each octave in eight steps of round numbers.

const STEPS = 8;

/**
 * The stops from one number to another: powers of two, seven between each two of them, and both ends.
 * @param {number} first
 * @param {number} last
 * @returns {number[]} ascending
 */
export function stops(first, last) {
    const values = new Set([first, last]);
    for (let power = 1; power <= last; power *= 2) {
        for (let k = 0; k < STEPS; k++) {
            const value = power + (power * k) / STEPS;
            if (Number.isInteger(value) && value > first && value < last) {
                values.add(value);
            }
        }
    }
    return [...values].sort((a, b) => a - b);
}

/**
 * The position of the stop nearest to a value.
 * @param {number[]} values
 * @param {number} value
 */
export function nearest(values, value) {
    let best = 0;
    values.forEach((stop, k) => {
        if (Math.abs(Math.log(stop / value)) < Math.abs(Math.log(values[best] / value))) {
            best = k;
        }
    });
    return best;
}
