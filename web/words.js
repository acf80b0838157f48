// Command lines of tonnage, read and written: remedies, plans of a diagnosis, what `tonnage` itself is called with.

/**
 * The words of a line as a shell splits it: quotes and backslashes, nothing else.
 * @param {string} text
 * @returns {string[]}
 */
export function splitWords(text) {
    const words = [];
    const pattern = /\s*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+)/gy;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
        words.push(match[1].replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
            (_, single, double, escaped) => single ?? escaped ?? double.replace(/\\(.)/g, "$1")));
    }
    return words;
}

/**
 * Options and settings of a command line; a word in front of the options is the model.
 * @param {string} text "tonnage plan MODEL --gpu l4 --set a=b", or options alone
 * @returns {{options: Record<string, string>, set: Record<string, string>}}
 */
export function parseWords(text) {
    /** @type {Record<string, string>} */
    const options = {};
    /** @type {Record<string, string>} */
    const set = {};
    const words = splitWords(text);
    let k = words[0] === "tonnage" ? 2 : 0;
    for (; k < words.length; k++) {
        if (!words[k].startsWith("--")) {
            options.model = words[k];
            continue;
        }
        const name = words[k].slice(2);
        const value = words[++k] ?? "";
        if (name === "set") {
            const mark = value.indexOf("=");
            set[value.slice(0, mark)] = value.slice(mark + 1);
        } else {
            options[name] = value;
        }
    }
    return { options, set };
}

/** @param {string} word */
function quoted(word) {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The command line of a deployment.
 * @param {string} operation
 * @param {{options: Record<string, string>, set: Record<string, string>}} deployment
 * @param {string[]} order of the options
 */
export function commandLine(operation, deployment, order) {
    const words = ["tonnage", operation];
    for (const option of order) {
        const value = deployment.options[option];
        if (value !== undefined) {
            words.push(...(option === "model" ? [quoted(value)] : [`--${option}`, quoted(value)]));
        }
    }
    for (const [key, value] of Object.entries(deployment.set)) {
        words.push("--set", quoted(`${key}=${value}`));
    }
    return words.join(" ");
}
