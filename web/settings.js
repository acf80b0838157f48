// The engine's own settings, from its table in the core: the advanced part of the question.
import { h, markInvalid, newId } from "./dom.js";
import { showText } from "./fields.js";
import { t } from "./text.js";

/**
 * @typedef {import("./catalog.js").EngineSetting} EngineSetting
 * @typedef {import("./plan.js").Plan} Plan
 */

export class SettingsPart {
    #engine = "";
    /** @type {EngineSetting[]} */
    #settings = [];
    /** @type {Map<string, {row: HTMLElement, input: HTMLInputElement | HTMLSelectElement}>} */
    #rows = new Map();

    /** @param {(set: Record<string, string>) => void} change */
    constructor(change) {
        this.change = change;
        this.title = h("span", {});
        this.count = h("span", { class: "badge", hidden: true });
        this.filter = h("input", {
            type: "search", placeholder: t("question.settings.filter"), "aria-label": t("question.settings.filter"),
            oninput: () => this.#sift(),
        });
        this.none = h("p", { class: "help", hidden: true }, t("question.settings.none"));
        this.error = h("p", { class: "error", id: newId("error"), role: "alert", hidden: true });
        this.body = h("div", { class: "settings-rows" });
        this.element = h("details", { class: "settings", hidden: true },
            h("summary", {}, this.title, this.count), this.filter, this.error, this.body, this.none);
    }

    /**
     * @param {string} engine
     * @param {EngineSetting[]} settings
     * @param {Record<string, string>} given
     * @param {Plan | null} plan its values are what the others are
     */
    show(engine, settings, given, plan) {
        if (settings !== this.#settings || engine !== this.#engine) {
            this.#settings = settings;
            this.#engine = engine;
            this.#build();
        }
        for (const name of Object.keys(given).filter((key) => !this.#rows.has(key))) {
            const known = settings.find((setting) => setting.name === name);
            this.body.prepend(this.#row(known ?? { name, type: "word", option: null, default: "", help: "" }));
        }
        const count = Object.keys(given).length;
        this.count.hidden = !count;
        this.count.textContent = t("question.settings.given", { count });
        this.element.hidden = !settings.length && !count;
        for (const [name, { row, input }] of this.#rows) {
            row.classList.toggle("given", name in given);
            if (input instanceof HTMLSelectElement) {
                input.value = given[name] ?? "";
                input.options[0].text = defaultText(plan, name) || t("question.settings.default");
            } else {
                showText(input, given[name]);
                input.placeholder = defaultText(plan, name);
            }
        }
    }

    #build() {
        this.title.textContent = t("question.settings", { engine: this.#engine });
        this.#rows.clear();
        const own = this.#settings.filter((setting) => setting.option === null);
        this.body.replaceChildren(...own.map((setting) => this.#row(setting)));
        this.filter.value = "";
        this.none.hidden = true;
    }

    /** @param {EngineSetting} setting */
    #row({ name, type, help, default: formula }) {
        const id = newId("setting");
        const about = newId("about");
        const change = () => this.change({ [name]: input.value.trim() });
        const input = type === "flag"
            ? h("select", { id, "aria-describedby": about, onchange: change },
                ...["", "true", "false"].map((value) => h("option", { value }, value || t("question.settings.default"))))
            : h("input", { id, type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": about,
                onchange: change });
        const row = h("div", { class: "setting", "data-name": name },
            h("label", { for: id }, name), input,
            h("p", { class: "help", id: about, title: formula }, help));
        this.#rows.set(name, { row, input });
        return row;
    }

    #sift() {
        const words = this.filter.value.toLowerCase().split(/[\s_-]+/).filter(Boolean);
        let shown = 0;
        for (const [name, { row }] of this.#rows) {
            const text = `${name} ${row.textContent}`.toLowerCase();
            row.hidden = !words.every((word) => text.includes(word));
            shown += row.hidden ? 0 : 1;
        }
        this.none.hidden = shown > 0;
    }

    /**
     * @param {string | null} message
     * @param {string | null} place "set.NAME", or "set" where no setting is named
     */
    fail(message, place) {
        this.error.hidden = message === null;
        this.error.textContent = message ?? "";
        for (const [name, { row, input }] of this.#rows) {
            const isIt = message !== null && place === `set.${name}`;
            markInvalid(input, isIt);
            if (isIt) {
                row.append(this.error);
            }
        }
        if (message !== null) {
            this.element.hidden = false;
            this.element.open = true;
        }
        if (message === null || place === "set") {
            this.filter.after(this.error);
        }
    }
}

/**
 * What a setting is where it is not given.
 * @param {Plan | null} plan
 * @param {string} name
 */
function defaultText(plan, name) {
    const setting = plan?.settings[name];
    return setting && setting.origin !== "given" && setting.value !== null ? String(setting.value) : "";
}
