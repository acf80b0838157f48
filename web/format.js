// Numbers as people read them: bytes, tokens, parameters, shares.

/** @typedef {"iec" | "si"} Units */

const UNITS = {
    iec: { base: 1024, names: ["bytes", "KiB", "MiB", "GiB", "TiB"] },
    si: { base: 1000, names: ["bytes", "kB", "MB", "GB", "TB"] },
};

/**
 * Bytes in the largest unit that leaves a digit in front of the point, two digits behind it.
 * @param {number} count
 * @param {Units} units
 */
export function bytes(count, units) {
    const { base, names } = UNITS[units];
    let value = Math.abs(count);
    let unit = 0;
    while (value >= base && unit < names.length - 1) {
        value /= base;
        unit++;
    }
    return `${count < 0 ? "−" : ""}${unit ? value.toFixed(2) : grouped(value)} ${names[unit]}`;
}

/**
 * As bytes(), with a sign in front.
 * @param {number} count
 * @param {Units} units
 */
export function signedBytes(count, units) {
    return count > 0 ? `+${bytes(count, units)}` : bytes(count, units);
}

/**
 * An integer with commas between thousands.
 * @param {number} count
 */
export function grouped(count) {
    return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * Parameters: 8.03 B, 494 M.
 * @param {number} count
 */
export function parameters(count) {
    const [value, unit] = count >= 1e12 ? [count / 1e12, "T"] : count >= 1e9 ? [count / 1e9, "B"] : [count / 1e6, "M"];
    return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
}

/**
 * Tokens, in k where that is exact: 8k, 128k, 44,656.
 * @param {number} count
 */
export function tokens(count) {
    return count >= 1024 && count % 1024 === 0 ? `${grouped(count / 1024)}k` : grouped(count);
}

/**
 * What people type for a number of tokens or requests, as the core reads it: 4096, 4k, 1m. NaN where it is none.
 * @param {string} text
 */
export function readCount(text) {
    const match = /^\s*(\d[\d,_]*(?:\.\d+)?)\s*([km]?)\s*$/i.exec(text);
    if (!match) {
        return NaN;
    }
    const scale = { k: 1024, m: 1024 * 1024 }[match[2].toLowerCase()] ?? 1;
    return Math.round(Number(match[1].replace(/[,_]/g, "")) * scale);
}

/**
 * A share in per cent with one digit.
 * @param {number} part
 * @param {number} whole
 */
export function share(part, whole) {
    return whole ? `${((100 * part) / whole).toFixed(1)}` : "";
}
