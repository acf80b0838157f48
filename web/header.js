// The line at the top: what this is, and the switches of the whole page.
import { h } from "./dom.js";
import { LANGUAGES, language, t } from "./text.js";
import { THEMES, setTheme, theme } from "./theme.js";

/**
 * @param {object} how
 * @param {boolean} how.isComparing
 * @param {import("./format.js").Units} how.units
 * @param {() => void} how.compare
 * @param {() => Promise<void>} how.share
 * @param {() => void} how.reset
 * @param {(language: import("./text.js").Language) => void} how.speak
 * @param {(units: import("./format.js").Units) => void} how.measure
 */
export function headerView({ isComparing, units, compare, share, reset, speak, measure }) {
    const shared = h("span", { class: "help", role: "status" });
    const pick = (/** @type {string} */ name, /** @type {string} */ label,
        /** @type {[string, string][]} */ choices, /** @type {string} */ chosen,
        /** @type {(value: string) => void} */ take) => {
        const select = h("select", { name, "aria-label": label, title: label, onchange: () => take(select.value) },
            ...choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
        return select;
    };
    return h("header", {},
        h("h1", {}, h("img", { src: new URL("./favicon.svg", import.meta.url).href, alt: "", width: 26, height: 26 }),
            "tonnage"),
        h("p", { class: "tagline" }, t("page.tagline")),
        h("div", { class: "tools" }, shared,
            h("button", { type: "button", name: "compare", "aria-pressed": String(isComparing), onclick: compare },
                t(isComparing ? "tools.compare.end" : "tools.compare")),
            h("button", {
                type: "button", name: "share",
                onclick: async () => {
                    await share();
                    shared.textContent = t("tools.shared");
                },
            }, t("tools.share")),
            h("button", { type: "button", name: "reset", onclick: reset }, t("tools.reset")),
            pick("units", t("tools.units"), [["iec", "GiB"], ["si", "GB"]], units,
                (value) => measure(value === "si" ? "si" : "iec")),
            pick("lang", t("tools.language"), Object.entries(LANGUAGES).map(([code, { name }]) => [code, name]),
                language(), (value) => speak(value === "zh" ? "zh" : "en")),
            pick("theme", t("tools.theme"), THEMES.map((name) => [name, t(`tools.theme.${name}`)]),
                theme(), (value) => setTheme(value === "light" || value === "dark" ? value : "auto"))));
}
