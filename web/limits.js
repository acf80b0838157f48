// The inverse questions: how far this deployment goes, each answered by `fit` with its proof.
import { card, h } from "./dom.js";
import { grouped, tokens } from "./format.js";
import { readReply } from "./plan.js";
import { joinGpu, splitGpu, toRequest } from "./state.js";
import { t, tOr } from "./text.js";

/**
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {import("./client.js").Reply} Reply
 * @typedef {{value: number | null, limited_by: string | null, gpus: number, gpu: string | null, tp: number, pp: number,
 *     context: number, concurrency: number}} Point
 * @typedef {{answer: Point | null, proof: {first_failing: {binding: string, message: string} | null},
 *     alternatives: {option: string, meaning: string, value: number | null}[]}} Fit
 */

/** The questions, and which option the answer is. */
const QUESTIONS = /** @type {const} */ ([
    { name: "context", ask: { max: "context" } },
    { name: "concurrency", ask: { max: "concurrency" } },
    { name: "gpus", ask: { min: "gpus" } },
]);

/**
 * The requests for all questions.
 * @param {Deployment} deployment
 */
export function limitRequests(deployment) {
    return QUESTIONS.map(({ name, ask }) => {
        const request = toRequest("fit", deployment, ask);
        if (name === "gpus") {
            const { gpu, tp, pp, ...rest } = /** @type {Record<string, unknown>} */ (request);
            return { ...rest, gpus: [splitGpu(String(gpu ?? "")).name] };
        }
        delete request[name];
        return request;
    });
}

/** @param {Deployment} deployment */
export function hasLimits({ options }) {
    return "gpu" in options && !("gpu-memory" in options);
}

/**
 * @param {Reply[]} replies
 * @param {(option: string) => void} apply
 */
export function limitsView(replies, apply) {
    const rows = QUESTIONS.map(({ name }, k) => row(name, readReply(replies[k]), apply));
    return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {},
        ...["question", "answer", "limit"].map((key) =>
            h("th", { scope: "col", class: key === "limit" ? "why" : null },
                t(/** @type {import("./text.js").Key} */ (`limits.${key}`)))),
        h("td", {}))), h("tbody", {}, ...rows)));
}

/**
 * @param {"context" | "concurrency" | "gpus"} name
 * @param {ReturnType<typeof readReply<Fit>>} reply
 * @param {(option: string) => void} apply
 */
function row(name, { value: fit, error }, apply) {
    const cells = error ? [h("td", { colspan: 3, class: "help" }, error.message)] : answerCells(name, fit, apply);
    return h("tr", { "data-limit": name }, h("th", { scope: "row" }, t(`limits.${name}`)), ...cells);
}

/**
 * @param {"context" | "concurrency" | "gpus"} name
 * @param {Fit} fit
 * @param {(option: string) => void} apply
 */
function answerCells(name, { answer, proof }, apply) {
    const why = answer?.limited_by ?? proof.first_failing?.binding ?? null;
    const reason = h("td", { class: "why", title: proof.first_failing?.message ?? "" },
        why === null ? t("limits.nothing_prevents") : tOr(`category.${why}`, tOr(`limits.binding.${why}`, why)));
    if (!answer || answer.value === 0) {
        return [h("td", {}, t("limits.nothing")), reason, h("td", {})];
    }
    if (name !== "gpus" && (answer.value === null || answer.value === undefined)) {
        return [h("td", {}, t("limits.any")), reason, h("td", {})];
    }
    const [text, option] = answerText(name, answer);
    return [h("td", { class: "strong" }, text), reason, h("td", {}, h("button", {
        type: "button", "aria-label": `${t("remedies.apply")}: ${option}`, onclick: () => apply(option),
    }, t("remedies.apply")))];
}

/**
 * The answer as people read it, and as an option.
 * @param {"context" | "concurrency" | "gpus"} name
 * @param {Point} answer
 * @returns {[string, string]}
 */
function answerText(name, answer) {
    if (name === "gpus") {
        const gpu = answer.gpu ?? "";
        return [t("limits.gpu_count", { count: answer.gpus, gpu }),
            `--gpu ${joinGpu(gpu, answer.gpus)} --tp ${answer.tp} --pp ${answer.pp}`];
    }
    const value = Number(answer.value);
    return [name === "context" ? tokens(value) : grouped(value), `--${name} ${value}`];
}

/** @param {HTMLElement} body */
export function limitsCard(body) {
    return card("limits", t("limits.title"), body);
}
