// Light and dark: as the system has it, or as chosen here; remembered by the browser alone.

/** @typedef {"auto" | "light" | "dark"} Theme */

/** @type {readonly Theme[]} */
export const THEMES = ["auto", "light", "dark"];
const KEY = "tonnage-theme";

/** @returns {Theme} */
export function theme() {
    const chosen = document.documentElement.dataset.theme;
    return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

/** @param {Theme} wanted */
export function setTheme(wanted) {
    if (wanted === "auto") {
        delete document.documentElement.dataset.theme;
    } else {
        document.documentElement.dataset.theme = wanted;
    }
    try {
        localStorage.setItem(KEY, wanted);
    } catch {
        // a browser that stores nothing: it holds until the page is left
    }
}

/** As it was chosen the last time. */
export function restoreTheme() {
    try {
        const stored = localStorage.getItem(KEY);
        setTheme(stored === "light" || stored === "dark" ? stored : "auto");
    } catch {
        setTheme("auto");
    }
}
