// The question: all fields of one deployment, built from the tables of the core.
import { blamed } from "./blame.js";
import { Combobox } from "./combobox.js";
import { h } from "./dom.js";
import { labelled, showText, sliderField, textField } from "./fields.js";
import { bytes, parameters } from "./format.js";
import { search } from "./search.js";
import { SettingsPart } from "./settings.js";
import { DTYPES, KV_DTYPES, QUANTISATIONS } from "./suggestions.js";
import { NUMBERS, OPTIONS, joinGpu, modelName, splitEngine, splitGpu } from "./state.js";
import { t, tOr } from "./text.js";

/**
 * @typedef {import("./catalog.js").Catalog} Catalog
 * @typedef {import("./fields.js").Field} Field
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").CoreError} CoreError
 */

/** Where a slider ends while nothing is known of the model. */
const SOME_CONTEXT = 131072;
const MOST_REQUESTS = 1024;
const SUGGESTED = 12;

export class Question {
    /** @type {Field[]} */
    #fields = [];
    /** @type {Combobox[]} */
    #boxes = [];
    /** @type {Deployment} */
    #deployment = { options: {}, set: {} };

    /**
     * @param {object} how
     * @param {Catalog} how.catalog
     * @param {(options: Record<string, string>, set: Record<string, string>, isFinal: boolean) => void} how.change
     * @param {(files: File[]) => void} how.open files that were chosen
     */
    constructor({ catalog, change, open }) {
        this.catalog = catalog;
        /** @type {import("./fields.js").Change} */
        this.change = (options, isFinal) => change(options, {}, isFinal);
        this.open = open;
        this.settings = new SettingsPart((set) => change({}, set, true));
        this.error = h("p", { class: "error general", role: "alert", hidden: true });
        this.element = h("form", { class: "question", "aria-label": t("question.title"), onsubmit: prevent },
            this.error,
            this.#group(t("question.model"), this.#model(), this.#numbers()),
            this.#group(t("question.hardware"), this.#gpu()),
            this.#group(t("question.engine"), this.#engine()),
            this.#group(t("question.load"), this.#context(), this.#concurrency()),
            this.#group(t("question.split"), this.#precision(), this.#division()),
            this.settings.element);
    }

    /**
     * @param {string} title
     * @param {...HTMLElement} content
     */
    #group(title, ...content) {
        return h("fieldset", {}, h("legend", {}, title), ...content);
    }

    /** @param {Field} field */
    #add(field) {
        this.#fields.push(field);
        return field.element;
    }

    /**
     * @param {string} option
     * @param {Partial<Parameters<typeof textField>[1]>} [how]
     */
    #text(option, how = {}) {
        const label = t(/** @type {import("./text.js").Key} */ (`field.${option}`));
        const long = tOr(`field.${option}.long`, "");
        return this.#add(textField(option, { label, long, change: this.change, ...how }));
    }

    #model() {
        const box = new Combobox({
            label: t("field.model"),
            hint: t("field.model.hint"),
            find: (query) => search(this.catalog.models, query, SUGGESTED).map(({ entry, name }) => ({
                value: entry.id,
                label: name ? entry.labels[name] : entry.labels[1] ?? entry.id,
                detail: [parameters(entry.parameters), entry.released].filter(Boolean).join(" · "),
            })),
            take: (model) => this.change({ model, ...(model ? Object.fromEntries(NUMBERS.map((name) => [name, ""])) : {}) },
                true),
        });
        box.input.name = "model";
        this.#boxes.push(box);
        const chosen = h("input", {
            type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true",
            onchange: () => {
                this.open([...(chosen.files ?? [])]);
                chosen.value = "";
            },
        });
        const about = h("p", { class: "about" });
        const { element, fail } = labelled(t("field.model"), box.input, box.element, "wide");
        element.append(about, h("div", { class: "files" },
            h("button", { type: "button", class: "quiet", onclick: () => chosen.click() }, t("field.model.file")), chosen,
            h("span", { class: "help" }, t("field.model.drop"))));
        return this.#add({
            options: ["model"],
            element,
            fail,
            show({ options }, plan) {
                box.value = modelName(options.model ?? "");
                about.textContent = plan ? modelLine(plan) : "";
            },
        });
    }

    #numbers() {
        const fields = NUMBERS.map((option) => textField(option, {
            label: t(/** @type {import("./text.js").Key} */ (`field.${option}`)),
            hint: option === "params" ? "13B" : "",
            change: (options) => this.change({ ...options, model: "" }, true),
        }));
        const part = h("details", {}, h("summary", {}, t("field.model.numbers")),
            h("div", { class: "columns three" }, ...fields.map((field) => this.#add(field))));
        this.#fields.push({
            options: [], element: part, fail() {},
            show({ options }) {
                part.open ||= NUMBERS.some((name) => name in options);
            },
        });
        return part;
    }

    #gpu() {
        const box = new Combobox({
            label: t("field.gpu"),
            hint: t("field.gpu.hint"),
            find: (query) => search(this.catalog.gpus, query, SUGGESTED).map(({ entry }) => ({
                value: entry.id, label: entry.name, detail: bytes(entry.memory, "iec"),
            })),
            take: (name) => this.change({ gpu: joinGpu(name, Number(count.value) || 1) }, true),
        });
        box.input.name = "gpu";
        this.#boxes.push(box);
        const count = h("input", {
            type: "number", min: 1, max: 1024, step: 1, name: "count", value: 1,
            onchange: () => this.#setCount(box.input.value.trim(), Number(count.value) || 1),
        });
        const gpu = labelled(t("field.gpu"), box.input, box.element, "grow");
        const number = labelled(t("field.count"), count);
        this.#fields.push({
            options: ["gpu"],
            element: gpu.element,
            fail: gpu.fail,
            show({ options }) {
                const split = splitGpu(options.gpu);
                box.value = split.name;
                showText(count, options.gpu ? String(split.count) : options.tp ?? "1");
            },
        });
        return h("div", { class: "columns gpu" }, gpu.element, number.element,
            this.#text("gpu-memory", { hint: t("field.gpu-memory.hint") }));
    }

    /**
     * Several of a bare memory size are ranks of tensor parallelism: there is no name to count.
     * @param {string} name
     * @param {number} count
     */
    #setCount(name, count) {
        this.change(name ? { gpu: joinGpu(name, count) } : { tp: count > 1 ? String(count) : "" }, true);
    }

    #engine() {
        const { engines } = this.catalog;
        const name = h("select", {
            name: "engine", onchange: () => this.change({ engine: name.value === "generic" ? "" : name.value }, true),
        }, ...engines.map((engine) => h("option", { value: engine.name, title: engine.summary },
            engine.name === "generic" ? t("field.engine.generic") : engine.name)));
        const version = h("input", {
            type: "text", name: "version", autocomplete: "off", spellcheck: "false",
            onchange: () => this.change({ engine: [name.value, version.value.trim()].filter(Boolean).join("@") }, true),
        });
        const engine = labelled(t("field.engine"), name);
        const number = labelled(t("field.version"), version);
        this.#fields.push({
            options: ["engine"],
            element: engine.element,
            fail(message) {
                (version.value ? number : engine).fail(message);
                (version.value ? engine : number).fail(null);
            },
            show({ options }) {
                const split = splitEngine(options.engine);
                const known = engines.find((row) => row.name === split.name);
                name.value = known ? known.name : "generic";
                showText(version, split.version);
                version.disabled = !known?.newest;
                version.placeholder = known?.newest ?? "";
                version.title = known?.newest
                    ? t("field.version.hint", { oldest: known.oldest ?? "", newest: known.newest }) : "";
            },
        });
        return h("div", { class: "columns two" }, engine.element, number.element);
    }

    #context() {
        return this.#add(sliderField("context", {
            label: t("field.context"),
            help: t("field.context.help"),
            first: 256,
            last: (plan) => this.catalog.longest(plan?.model.id ?? "") || SOME_CONTEXT,
            empty: t("field.longest"),
            change: this.change,
        }));
    }

    #concurrency() {
        return this.#add(sliderField("concurrency", {
            label: t("field.concurrency"),
            help: t("field.concurrency.help"),
            first: 1,
            last: () => MOST_REQUESTS,
            usual: 1,
            empty: "1",
            change: this.change,
        }));
    }

    #precision() {
        return h("div", { class: "columns three" },
            this.#text("quant", { hint: t("field.quant.hint"), suggestions: QUANTISATIONS }),
            this.#text("dtype", { hint: t("field.quant.hint"), suggestions: DTYPES }),
            this.#text("kv-dtype", { hint: t("field.kv-dtype.hint"), suggestions: KV_DTYPES }));
    }

    #division() {
        const hint = t("field.auto");
        return h("div", { class: "columns four" },
            this.#text("tp", { hint, numeric: true }), this.#text("pp", { hint, numeric: true }),
            this.#text("ep", { hint: "1", numeric: true }), this.#text("dp", { hint: "1", numeric: true }),
            this.#overhead());
    }

    /** Of the generic engine alone, and where it was given all the same. */
    #overhead() {
        const field = textField("overhead", {
            label: t("field.overhead"), long: t("field.overhead.long"), hint: "10%", change: this.change,
        });
        return this.#add({
            ...field,
            show(deployment, plan) {
                field.element.hidden = splitEngine(deployment.options.engine).name !== "generic"
                    && !("overhead" in deployment.options);
                field.show(deployment, plan);
            },
        });
    }

    /**
     * @param {Deployment} deployment
     * @param {Plan | null} plan the last answer to it, if there is one
     */
    show(deployment, plan) {
        this.#deployment = deployment;
        for (const field of this.#fields) {
            field.show(deployment, plan);
        }
        const engine = splitEngine(deployment.options.engine).name;
        this.settings.show(engine, this.catalog.settings(deployment.options.engine), deployment.set, plan);
    }

    /** The catalog has more names than before. */
    renew() {
        this.#boxes.forEach((box) => box.renew());
    }

    /**
     * Puts the error beside the field that it is about; null takes all away.
     * @param {CoreError | null} error
     */
    fail(error) {
        const text = error && [error.message, error.hint].filter(Boolean).join(" — ");
        const settings = this.catalog.settings(this.#deployment.options.engine);
        const place = error && blamed(error, OPTIONS, settings);
        for (const field of this.#fields) {
            field.fail(place !== null && field.options.includes(place) ? text : null);
        }
        const isSetting = place === "set" || (place ?? "").startsWith("set.");
        this.settings.fail(isSetting ? text : null, place);
        const isPlaced = isSetting || this.#fields.some((field) => place !== null && field.options.includes(place));
        this.error.hidden = !text || isPlaced;
        this.error.textContent = isPlaced ? "" : text;
    }
}

/** @param {Event} event */
function prevent(event) {
    event.preventDefault();
}

/** @param {Plan} plan */
function modelLine({ model }) {
    const active = model.parameters_active < model.parameters
        ? t("figure.active", { count: parameters(model.parameters_active) }) : "";
    return [model.architecture, t("search.parameters", { count: parameters(model.parameters) }), active,
        model.source === "catalog" ? "" : model.source].filter(Boolean).join(" · ");
}
