// The verdict in one sentence, the figures beside it, and the same said to screen readers.
import { h } from "./dom.js";
import { bytes, grouped, parameters, tokens } from "./format.js";
import { categoryBytes, fullest } from "./plan.js";
import { t } from "./text.js";

/**
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./format.js").Units} Units
 * @typedef {"fits" | "partly" | "unsure" | "no" | "open" | "error"} Outcome
 */

/** @param {Plan} plan @returns {Outcome} */
export function outcome({ verdict }) {
    if (verdict.fits === null) {
        return "open";
    }
    if (verdict.fits) {
        return verdict.start === "partly" ? "partly" : "fits";
    }
    return verdict.start === "unsure" ? "unsure" : "no";
}

const SIGNS = { fits: "✓", partly: "◐", unsure: "?", no: "✗", open: "○", error: "!" };

/**
 * One figure with its name, and what it is in small.
 * @param {string} name
 * @param {string} value
 * @param {string} [small]
 */
function figure(name, value, small = "") {
    return h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, value, small && h("small", {}, small)));
}

/**
 * @param {Plan} plan
 * @param {Units} units
 */
function figures({ model, devices, kv, settings, verdict, total }, units) {
    const context = Number(settings.context?.value);
    const count = (/** @type {number | null} */ value) => (value === null ? t("figure.unlimited") : grouped(value));
    const isActive = model.parameters_active < model.parameters;
    return h("dl", { class: "figures" },
        figure(t("figure.weights"), bytes(categoryBytes(devices, "weights"), units),
            isActive ? t("figure.active", { count: parameters(model.parameters_active) }) : ""),
        figure(t("figure.kv_token"), bytes(kv.bytes_per_token, units)),
        figure(t("figure.kv_request"), bytes(kv.bytes_per_request, units),
            t("figure.at_length", { count: tokens(context) })),
        kv.pool_tokens === null ? figure(t("figure.total"), bytes(total.mid, units))
            : figure(t("figure.pool"), bytes((kv.pool_bytes ?? 0), units),
                t("figure.pool.tokens", { count: grouped(kv.pool_tokens) })),
        verdict.fits === null ? null : figure(t("figure.concurrency"), count(verdict.max_concurrency)),
        verdict.gpus_needed === null ? null : figure(t("figure.gpus"), grouped(verdict.gpus_needed)));
}

/**
 * The verdict of a plan.
 * @param {Plan} plan
 * @param {string} message the core's sentence
 * @param {Units} units
 */
export function verdictView(plan, message, units) {
    const kind = outcome(plan);
    const worst = fullest(plan);
    return h("div", { class: `verdict ${kind}`, "data-fits": String(plan.verdict.fits) },
        h("p", { class: "headline", tabindex: "-1" },
            h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[kind]), h("strong", {}, t(`verdict.${kind}`)),
            h("span", { class: "subject" }, subject(plan))),
        h("p", { class: "message" }, message, worst.gpu === null ? h("span", {}, ` ${bytes(worst.high, units)}`) : null),
        figures(plan, units));
}

/** What the verdict is about: model, engine. @param {Plan} plan */
function subject({ model, engine }) {
    const name = engine.name === "generic" ? "" : ` · ${engine.name} ${engine.version ?? ""}`;
    return `${model.id}${name}`;
}

/**
 * What stands in place of a verdict where there is no plan.
 * @param {string} message
 * @param {string | null} hint
 */
export function errorView(message, hint) {
    return h("div", { class: "verdict broken" },
        h("p", { class: "headline", tabindex: "-1" }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS.error),
            h("strong", {}, t("verdict.error"))),
        h("p", { class: "message" }, message), hint && h("p", { class: "hint" }, hint));
}

/**
 * The sentence for the live region.
 * @param {Plan} plan
 * @param {string} message
 */
export function spoken(plan, message) {
    return `${t(`verdict.${outcome(plan)}`)}: ${message}`;
}
