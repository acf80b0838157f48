// What was assumed, and what the plan rests on: settings, log lines, the model's symbols and formulas.
import { card, h } from "./dom.js";
import { grouped } from "./format.js";
import { t, tOr } from "./text.js";

/** @typedef {import("./plan.js").Plan} Plan */

/**
 * A part that is made when it is opened first: most are never.
 * @param {string} title
 * @param {() => HTMLElement} make
 */
function folded(title, make) {
    const part = h("details", {
        ontoggle: () => {
            if (part.open && part.children.length === 1) {
                part.append(make());
            }
        },
    }, h("summary", {}, title));
    return part;
}

/**
 * @param {string[]} heads
 * @param {(string | Node)[][]} rows
 */
function table(heads, rows) {
    return h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))))));
}

/** @param {unknown} value */
function valueText(value) {
    return value === null || value === "" ? "–" : typeof value === "number" && Number.isInteger(value)
        ? grouped(value) : String(value);
}

/** @param {Plan} plan */
function settingsTable({ settings }) {
    return table([t("notes.setting"), t("notes.value"), t("notes.origin"), t("notes.formula")],
        Object.entries(settings).map(([name, { value, origin, formula }]) => [
            h("code", {}, name), valueText(value), tOr(`origin.${origin}`, origin), h("code", {}, formula ?? ""),
        ]));
}

/** @param {Plan} plan */
function symbolTable({ symbols = [], formulas = [] }) {
    return h("div", {},
        table([t("notes.symbol"), t("notes.value"), t("notes.formula"), t("notes.from")],
            symbols.map(({ name, value, formula, facts }) => [h("code", {}, name), valueText(value),
                h("code", {}, formula), facts.map(({ key, where }) => `${key} (${where})`).join(", ")])),
        table([t("breakdown.term"), t("notes.formula")],
            formulas.map(({ name, formula }) => [h("code", {}, name), h("code", {}, formula)])));
}

/** @param {Plan} plan */
export function notesView(plan) {
    const { notes, log, symbols } = plan;
    return card("notes", t("notes.title"),
        notes.length ? h("ul", {}, ...notes.map(({ code, message }) => h("li", { "data-code": code }, message)))
            : h("p", { class: "help" }, t("notes.none")),
        log.length > 0 && folded(t("notes.log"), () => h("pre", {}, log.join("\n"))),
        folded(t("notes.settings"), () => settingsTable(plan)),
        symbols && folded(t("notes.symbols"), () => symbolTable(plan)));
}
