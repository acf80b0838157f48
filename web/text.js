// What the page says for people, in the language chosen. What the core says comes from the core, with `lang`.
import { en } from "./lang/en.js";
import { zh } from "./lang/zh.js";

/** @typedef {keyof typeof en} Key */
/** @typedef {"en" | "zh"} Language */

/** @type {Record<Language, {name: string, texts: Record<Key, string>}>} */
export const LANGUAGES = { en: { name: "English", texts: en }, zh: { name: "中文", texts: zh } };

/** @type {Language} */
let current = "en";

/** The browser's own language, if we have it. @returns {Language} */
export function preferredLanguage() {
    return navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag))?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** @param {Language} language */
export function setLanguage(language) {
    current = language;
    document.documentElement.lang = language;
}

export function language() {
    return current;
}

/**
 * A text with {values} put in.
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
    return LANGUAGES[current].texts[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * The text of a key that is put together, such as "category.weights"; the fallback where there is none.
 * @param {string} key
 * @param {string} fallback
 */
export function tOr(key, fallback) {
    return key in en ? t(/** @type {Key} */ (key)) : fallback;
}
