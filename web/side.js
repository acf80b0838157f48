// The answer to one deployment: verdict, bars, the two charts.
import { Chart } from "./charts.js";
import { card, h } from "./dom.js";
import { readReply } from "./plan.js";
import { toRequest } from "./state.js";
import { language, t } from "./text.js";
import { errorView, verdictView } from "./verdict.js";

/**
 * @typedef {import("./client.js").Client} Client
 * @typedef {import("./client.js").Reply} Reply
 * @typedef {import("./format.js").Units} Units
 * @typedef {import("./plan.js").CoreError} CoreError
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./state.js").Deployment} Deployment
 */

export class Side {
    /** The last plan. @type {Plan | null} */
    plan = null;
    /** Why there is none for what is asked now. @type {CoreError | null} */
    error = null;

    /**
     * @param {string} name "a" or "b"
     * @param {(context: string, concurrency: string) => void} choose a cell of the grid
     */
    constructor(name, choose) {
        this.verdict = h("div", { class: "verdict-host" });
        this.bars = new Chart({ name: "bars" });
        this.context = new Chart({ name: "context" });
        this.grid = new Chart({ name: "grid", choose });
        this.element = h("div", { class: "side", "data-side": name },
            h("span", { class: "side-name" }, t(name === "b" ? "answer.b" : "answer.a")), this.verdict,
            card("bars", t("bars.title"), this.bars.element));
        this.charts = h("div", { class: "side pair", "data-side-charts": name },
            card("context", t("context.title"), this.context.element),
            card("grid", t("grid.title"), this.grid.element, h("p", { class: "help" }, t("grid.help"))));
    }

    /**
     * The plan and the bars, in one go.
     * @param {Client} client
     * @param {Deployment} deployment
     * @param {Units} units
     * @param {string | null} files
     */
    ask(client, deployment, units, files) {
        return client.ask([
            toRequest("plan", deployment, { explain: true, units, lang: language() }),
            picture(deployment, units, this.bars, "bars"),
        ], files);
    }

    /**
     * @param {Reply[]} replies to ask()
     * @param {Units} units
     */
    show([planned, drawn], units) {
        const { value, error } = readReply(planned);
        this.error = error;
        for (const part of [this.element, this.charts]) {
            part.classList.toggle("stale", error !== null && this.plan !== null);
            part.classList.toggle("planless", error !== null && this.plan === null);
        }
        if (error) {
            this.verdict.replaceChildren(errorView(error.message, error.hint));
            return;
        }
        this.plan = /** @type {Plan} */ (value);
        this.verdict.replaceChildren(verdictView(this.plan, this.plan.verdict.message, units));
        this.#draw(this.bars, drawn, units);
    }

    /**
     * The two charts that take many plans.
     * @param {Client} client
     * @param {Deployment} deployment
     * @param {Units} units
     * @param {string | null} files
     */
    askCharts(client, deployment, units, files) {
        return client.ask([
            picture(deployment, units, this.context, "context"), picture(deployment, units, this.grid, "grid"),
        ], files);
    }

    /**
     * @param {Reply[]} replies to askCharts()
     * @param {Units} units
     */
    showCharts([context, grid], units) {
        this.#draw(this.context, context, units);
        this.#draw(this.grid, grid, units);
    }

    /**
     * @param {Chart} chart
     * @param {Reply} reply
     * @param {Units} units
     */
    #draw(chart, { text }, units) {
        if (text.startsWith("<")) {
            chart.show(text, units);
        } else {
            chart.say(t("chart.failed", { message: readReply({ text, exit: 0 }).error?.message ?? "" }));
        }
    }
}

/**
 * @param {Deployment} deployment
 * @param {Units} units
 * @param {Chart} place
 * @param {"bars" | "context" | "grid"} chart
 */
function picture(deployment, units, { width }, chart) {
    return toRequest("plan", deployment, { format: "svg", chart, units, width, lang: language() });
}
