// A log of an engine: what it measured beside the plan, what is wrong, and what helps.
import { card, h } from "./dom.js";
import { bytes, grouped } from "./format.js";
import { remedyList } from "./remedies.js";
import { t } from "./text.js";

/**
 * @typedef {import("./format.js").Units} Units
 * @typedef {{term: string, device?: string, measured: number | null, predicted: number | null, low: number | null,
 *     high: number | null, unit: string, exact: boolean, line: number | null, why?: string}} Term
 * @typedef {{option: string | null, meaning: string, after: {fits: boolean, pool_tokens: number | null}}} LogRemedy
 * @typedef {{code: string, weight: "error" | "warning" | "hint", message: string, line: number | null,
 *     remedies: LogRemedy[]}} Finding
 * @typedef {{engine: string | null, version: string | null, planned_as: string | null, model: string | null,
 *     outcome: "started" | "failed" | "failed_later" | "unknown", plan: string | null,
 *     settings: Record<string, string>, terms: Term[], findings: Finding[],
 *     log: {lines: number, known_lines: number}, notes: {code: string, message: string}[]}} Diagnosis
 */

const SIGNS = { started: "✓", failed: "✗", failed_later: "✗", unknown: "?" };
const LOOKS = { started: "fits", failed: "no", failed_later: "no", unknown: "unsure" };

/** @param {Diagnosis} diagnosis */
function headline({ outcome, model, engine, version, planned_as: planned, log }) {
    const name = [engine, version].filter(Boolean).join(" ");
    return h("div", { class: `verdict ${LOOKS[outcome]}` },
        h("p", { class: "headline", tabindex: "-1" },
            h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[outcome]),
            h("strong", {}, t(`diagnose.${outcome}`)),
            h("span", { class: "subject" }, [model, name].filter(Boolean).join(" · "))),
        h("p", { class: "message" }, [
            planned && planned !== name ? t("diagnose.planned_as", { engine: planned }) : "",
            t("diagnose.lines", { known: grouped(log.known_lines), lines: grouped(log.lines) }),
        ].filter(Boolean).join(" · ")));
}

/**
 * @param {Finding} finding
 * @param {(option: string) => void} apply
 */
function findingView({ code, weight, message, line, remedies }, apply) {
    const helps = remedies.filter((remedy) => remedy.option !== null).map(({ option, meaning, after }) => ({
        option: option ?? "",
        meaning,
        after: after?.pool_tokens ? t("diagnose.after", { tokens: grouped(after.pool_tokens) })
            : after?.fits ? t("diagnose.after.fits") : "",
    }));
    const advice = remedies.filter((remedy) => remedy.option === null).map(({ meaning }) => h("li", {}, meaning));
    return h("li", { class: `finding ${weight}`, "data-code": code },
        h("p", {}, h("span", { class: "weight" }, t(`weight.${weight}`)), " ", message, " ",
            line ? h("span", { class: "help" }, t("diagnose.line", { line })) : null),
        advice.length > 0 && h("ul", { class: "advice" }, ...advice),
        helps.length > 0 && remedyList(helps, t("diagnose.try"), apply));
}

/**
 * @param {Term} term
 * @param {Units} units
 */
function termRow({ term, device, measured, predicted, low, high, unit, why, line }, units) {
    const text = (/** @type {number | null} */ value) =>
        (value === null ? "–" : unit === "bytes" ? bytes(value, units) : grouped(value));
    const percent = measured && predicted !== null ? (100 * (predicted - measured)) / measured : null;
    const isWithin = measured !== null && low !== null && high !== null && low <= measured && measured <= high;
    return h("tr", { title: why }, h("th", { scope: "row" }, [device, term.replaceAll("_", " ")].filter(Boolean).join(" ")),
        h("td", { class: "number" }, text(measured)), h("td", { class: "number" }, text(predicted)),
        h("td", { class: "number range" }, low === high ? "" : `${text(low)} – ${text(high)}`),
        h("td", { class: `number difference ${isWithin ? "within" : ""}`, title: isWithin ? t("diagnose.within") : null },
            percent === null ? "" : percentText(percent)),
        h("td", { class: "number help" }, line === null ? "" : grouped(line)));
}

/** With a sign, where a digit is left for it. @param {number} percent */
function percentText(percent) {
    const digits = Math.abs(percent).toFixed(1);
    return `${digits === "0.0" ? "" : percent > 0 ? "+" : "−"}${digits} %`;
}

/**
 * @param {Term[]} terms
 * @param {Units} units
 */
function termsView(terms, units) {
    return card("terms", t("diagnose.terms"), h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("diagnose.term")),
            ...["measured", "predicted", "range", "difference"].map((key) => h("th", {
                scope: "col", class: `number ${key === "range" ? key : ""}`,
            }, t(/** @type {import("./text.js").Key} */ (`diagnose.${key}`)))),
            h("th", { scope: "col", class: "number" }, t("diagnose.lines.column")))),
        h("tbody", {}, ...terms.map((term) => termRow(term, units))))));
}

/**
 * @param {Diagnosis} diagnosis
 * @param {object} how
 * @param {Units} how.units
 * @param {(option: string) => void} how.apply plan what the log says, with this change
 */
export function diagnosisView(diagnosis, { units, apply }) {
    const { findings, terms, settings, notes, plan } = diagnosis;
    const set = Object.entries(settings);
    return [
        headline(diagnosis),
        plan && h("p", { class: "row" }, h("button", { type: "button", onclick: () => apply("") }, t("diagnose.open"))),
        card("findings", t("diagnose.findings"), findings.length
            ? h("ul", { class: "finding-list" }, ...findings.map((finding) => findingView(finding, apply)))
            : h("p", { class: "help" }, t("diagnose.findings.none"))),
        terms.length > 0 && termsView(terms, units),
        notes.length > 0 && card("notes", t("notes.title"), h("ul", {}, ...notes.map(({ message }) => h("li", {}, message)))),
        set.length > 0 && card("set", t("diagnose.settings"),
            h("dl", { class: "values" }, ...set.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
    ].filter((part) => part instanceof HTMLElement);
}

/**
 * What of a diagnosis stands in front of everything else, for the live region.
 * @param {Diagnosis} diagnosis
 */
export function spokenDiagnosis({ outcome, findings }) {
    return [t(`diagnose.${outcome}`), ...findings.slice(0, 1).map(({ message }) => message)].join(": ");
}

