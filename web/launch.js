// The command that runs the plan, for each target that the core writes, to be copied.
import { card, h } from "./dom.js";
import { OPTIONS, modelName } from "./state.js";
import { t } from "./text.js";
import { commandLine } from "./words.js";

/**
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {{text: string, isError: boolean}} Written
 */

/** What each engine's plans are written for, the first by default. @type {Record<string, string[]>} */
const TARGETS = {
    vllm: ["vllm", "compose", "kubernetes"],
    sglang: ["sglang", "compose", "kubernetes"],
    trtllm: ["trtllm", "compose", "kubernetes"],
    llamacpp: ["llamacpp", "compose", "kubernetes"],
    ollama: ["ollama", "compose", "kubernetes"],
};

/** `tonnage plan` itself. */
const OWN = "tonnage";

export class Launch {
    #targets = [OWN];
    #target = OWN;
    #own = "";

    /** @param {(target: string | null) => void} ask for the text of a target of the core */
    constructor(ask) {
        this.ask = ask;
        this.tabs = h("div", { role: "tablist", "aria-label": t("launch.target"), class: "tabs" });
        this.text = h("pre", { tabindex: "0", role: "tabpanel", id: "launch-text" });
        this.copied = h("span", { class: "help", role: "status" });
        this.element = card("launch", t("launch.title"), h("div", { class: "row" }, this.tabs, this.copied,
            h("button", { type: "button", name: "copy", onclick: () => this.#copy() }, t("launch.copy"))), this.text);
        this.tabs.addEventListener("keydown", (event) => this.#key(event));
    }

    /** What is to be asked of the core; null where the text needs none. */
    get wanted() {
        return this.#target === OWN ? null : this.#target;
    }

    /**
     * @param {Deployment} deployment
     * @param {string} engine
     */
    show(deployment, engine) {
        const targets = [...(TARGETS[engine] ?? []), OWN];
        const options = { ...deployment.options };
        if (options.model) {
            options.model = modelName(options.model);
        }
        this.#own = commandLine("plan", { options, set: deployment.set }, OPTIONS);
        if (targets.join() !== this.#targets.join() || !this.tabs.children.length) {
            this.#targets = targets;
            this.#target = targets.includes(this.#target) && this.#target !== OWN ? this.#target : targets[0];
            this.#draw();
        }
        if (this.#target === OWN) {
            this.text.textContent = this.#own;
        }
    }

    /**
     * The text of the target that was wanted.
     * @param {Written} written
     */
    write({ text, isError }) {
        this.text.textContent = text;
        this.text.classList.toggle("error", isError);
    }

    #draw() {
        this.tabs.replaceChildren(...this.#targets.map((target) => h("button", {
            type: "button", role: "tab", "aria-selected": String(target === this.#target), "aria-controls": "launch-text",
            tabindex: target === this.#target ? "0" : "-1", onclick: () => this.#choose(target),
        }, target)));
    }

    /** @param {string} target */
    #choose(target) {
        this.#target = target;
        this.copied.textContent = "";
        this.#draw();
        if (target === OWN) {
            this.write({ text: this.#own, isError: false });
        } else {
            this.ask(target);
        }
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step) {
            const count = this.#targets.length;
            this.#choose(this.#targets[(this.#targets.indexOf(this.#target) + step + count) % count]);
            this.tabs.querySelector('[aria-selected="true"]') instanceof HTMLElement
                && /** @type {HTMLElement} */ (this.tabs.querySelector('[aria-selected="true"]')).focus();
        }
    }

    async #copy() {
        await copyText(this.text.textContent ?? "");
        this.copied.textContent = t("launch.copied");
    }
}

/**
 * To the clipboard; by the old way where the page is no secure context, as on a plain http address of a team.
 * @param {string} text
 */
export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        const area = h("textarea", { class: "unseen" });
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
    }
}
