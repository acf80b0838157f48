// Two deployments side by side, with the difference of every figure.
import { card, h } from "./dom.js";
import { bytes, grouped, parameters, signedBytes, tokens } from "./format.js";
import { categoryBytes, fullest, gpuText } from "./plan.js";
import { shade } from "./breakdown.js";
import { t, tOr } from "./text.js";
import { outcome } from "./verdict.js";

/**
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./format.js").Units} Units
 * @typedef {(plan: Plan) => number | null} Measure
 */

/** In the order of the breakdown. */
const CATEGORIES = ["weights", "cache", "state", "activation", "workspace", "communication", "runtime", "graphs",
    "fragmentation", "reserve"];

/** @param {Plan} plan */
function verdictText(plan) {
    const kind = outcome(plan);
    return kind === "fits" || kind === "partly" ? t("compare.fits") : kind === "no" ? t("compare.no")
        : kind === "unsure" ? t("compare.unsure") : t("compare.open");
}

/** @param {Plan} plan */
function loadText({ settings }) {
    return `${grouped(Number(settings.concurrency?.value))} × ${tokens(Number(settings.context?.value))}`;
}

/** @type {[import("./text.js").Key, (plan: Plan) => string][]} */
const WORDS = [
    ["compare.verdict", verdictText],
    ["compare.model", ({ model }) => `${model.id} · ${parameters(model.parameters)}`],
    ["compare.gpus", (plan) => gpuText(plan) ?? "–"],
    ["compare.engine", ({ engine }) => [engine.name, engine.version].filter(Boolean).join(" ")],
    ["compare.load", loadText],
];

/** @type {[import("./text.js").Key, Measure][]} */
const COUNTS = [
    ["figure.concurrency", ({ verdict }) => verdict.max_concurrency],
    ["figure.context", ({ verdict }) => verdict.max_context],
    ["figure.gpus", ({ verdict }) => verdict.gpus_needed],
];

/** @type {[import("./text.js").Key, Measure][]} */
const SIZES = [
    ["compare.fullest", (plan) => fullest(plan).high],
    ["compare.free", (plan) => fullest(plan).free_bytes],
    ["compare.all", ({ total }) => total.mid],
    ["figure.kv_token", ({ kv }) => kv.bytes_per_token],
    ["figure.pool", ({ kv }) => kv.pool_bytes],
];

/**
 * @param {Node | string} name
 * @param {(Plan | null)[]} plans
 * @param {Measure} measure
 * @param {(value: number) => string} text
 * @param {(value: number) => string} signed
 */
function row(name, plans, measure, text, signed) {
    const values = plans.map((plan) => plan && measure(plan));
    const [a, b] = values;
    const difference = a === null || b === null ? null : b - a;
    return h("tr", {}, h("th", { scope: "row" }, name),
        ...values.map((value) => h("td", { class: "number" }, value === null ? "–" : text(value))),
        h("td", { class: "number difference" }, difference === null ? "" : difference ? signed(difference) : "="));
}

/** @param {number} count */
function signedCount(count) {
    return count > 0 ? `+${grouped(count)}` : `−${grouped(-count)}`;
}

/**
 * @param {[Plan | null, Plan | null]} plans null: no plan
 * @param {Units} units
 * @param {() => void} swap
 */
export function compareView(plans, units, swap) {
    const size = (/** @type {number} */ value) => bytes(value, units);
    const signedSize = (/** @type {number} */ value) => signedBytes(value, units);
    const words = WORDS.map(([key, text]) => {
        const [a, b] = plans.map((plan) => (plan ? text(plan) : t("compare.error")));
        return h("tr", {}, h("th", { scope: "row" }, t(key)), h("td", { class: "number" }, a),
            h("td", { class: "number" }, b), h("td", { class: "number difference" }, a === b ? "=" : ""));
    });
    const used = CATEGORIES.filter((category) => plans.some((plan) => plan && categoryBytes(plan.devices, category)));
    return card("compare", t("compare.title"), h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col", class: "number" }, t("answer.a")),
            h("th", { scope: "col", class: "number" }, t("answer.b")),
            h("th", { scope: "col", class: "number" }, t("compare.difference")))),
        h("tbody", {}, ...words,
            ...COUNTS.map(([key, measure]) => row(t(key), plans, measure, grouped, signedCount)),
            ...SIZES.map(([key, measure]) => row(t(key), plans, measure, size, signedSize)),
            ...used.map((category) => row(h("span", {}, h("span", { class: `chip ${shade(category)}` }),
                tOr(`category.${category}`, category)), plans,
            (plan) => categoryBytes(plan.devices, category), size, signedSize))))),
    h("p", { class: "row" }, h("button", { type: "button", onclick: swap }, t("compare.swap"))));
}
