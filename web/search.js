// Instant search over a catalog: every word of the query must be in a name of the entry; the best match first.

/**
 * @typedef {{id: string, names: string[], rank: number}} Entry
 *   names: all names in lower case, the id first; rank: a larger one wins between equal matches
 */

/** Letters and digits of a name without what people leave out or write otherwise. @param {string} text */
function squeezed(text) {
    return text.toLowerCase().replace(/[^a-z0-9.]+/g, "");
}

/**
 * How well a name matches, 0: not at all.
 * @param {string} name
 * @param {string[]} words
 * @param {string} whole the query, squeezed
 */
function score(name, words, whole) {
    const tight = squeezed(name);
    if (tight === whole) {
        return 100;
    }
    if (!words.every((word) => name.includes(word) || tight.includes(squeezed(word)))) {
        return 0;
    }
    const starts = words.filter((word) => new RegExp(`(^|[^a-z0-9])${escaped(word)}`).test(name)).length;
    return 10 + (tight.startsWith(whole) ? 40 : 0) + (20 * starts) / words.length - Math.min(tight.length / 10, 9);
}

/** @param {string} text */
function escaped(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * @template {Entry} T
 * @param {T[]} entries
 * @param {string} query
 * @param {number} limit
 * @returns {{entry: T, name: number}[]} name: which of the names matched best
 */
export function search(entries, query, limit) {
    const words = query.toLowerCase().split(/[\s_]+/).filter(Boolean);
    if (!words.length) {
        return [...entries].sort((a, b) => b.rank - a.rank).slice(0, limit).map((entry) => ({ entry, name: 0 }));
    }
    const whole = squeezed(query);
    const found = [];
    for (const entry of entries) {
        const scores = entry.names.map((name, k) => score(name, words, whole) - (k ? 1 : 0));
        const best = Math.max(...scores);
        if (best > 0) {
            found.push({ entry, best, name: scores.indexOf(best) });
        }
    }
    found.sort((a, b) => b.best - a.best || b.entry.rank - a.entry.rank);
    return found.slice(0, limit);
}
