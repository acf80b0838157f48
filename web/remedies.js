// What makes it fit: each change alone was planned by the core, and applies with a click.
import { card, h } from "./dom.js";
import { grouped } from "./format.js";
import { t } from "./text.js";

/**
 * @param {import("./plan.js").Remedy[]} remedies
 * @param {(option: string) => void} apply
 */
export function remediesView(remedies, apply) {
    return remedies.length ? card("remedies", t("remedies.title"), remedyList(remedies.map((remedy) => ({
        option: remedy.option,
        meaning: remedy.meaning,
        after: [
            remedy.requests && t("remedies.requests", { count: grouped(remedy.requests) }),
            remedy.pool_tokens && t("remedies.tokens", { count: grouped(remedy.pool_tokens) }),
        ].filter(Boolean).join(", "),
    })), t("remedies.apply"), apply)) : null;
}

/**
 * @param {{option: string, meaning: string, after: string}[]} remedies
 * @param {string} verb of the button
 * @param {(option: string) => void} apply
 */
export function remedyList(remedies, verb, apply) {
    return h("ul", { class: "remedy-list" }, ...remedies.map(({ option, meaning, after }) => h("li", {},
        h("button", { type: "button", "aria-label": `${verb}: ${option}`, onclick: () => apply(option) }, verb),
        h("code", {}, option), h("span", { class: "meaning" }, meaning), after && h("span", { class: "after" }, after))));
}
