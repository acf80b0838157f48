// A text field with a list of suggestions, as the ARIA practices want a combobox: the focus stays in the field, the
// arrow keys move through the list, Enter takes, Escape closes.
import { h, newId } from "./dom.js";
import { t } from "./text.js";

/** @typedef {{value: string, label: string, detail: string}} Suggestion */

export class Combobox {
    /** @type {Suggestion[]} */
    #shown = [];
    #active = -1;
    #committed = "";

    /**
     * @param {{label: string, hint: string, find: (query: string) => Suggestion[], take: (value: string) => void}} how
     *   find: suggestions for what is typed; take: is told what was chosen, or typed and left
     */
    constructor({ label, hint, find, take }) {
        this.find = find;
        this.take = take;
        const listId = newId("list");
        this.list = h("ul", { id: listId, role: "listbox", "aria-label": label, hidden: true });
        this.input = h("input", {
            id: newId("combobox"), type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": listId,
            "aria-autocomplete": "list", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
            placeholder: hint,
        });
        this.count = h("span", { class: "unseen", role: "status" });
        this.element = h("div", { class: "combobox" }, this.input, this.list, this.count);
        this.input.addEventListener("input", () => this.#open());
        this.input.addEventListener("keydown", (event) => this.#key(event));
        this.input.addEventListener("click", () => this.input.select());
        this.input.addEventListener("blur", () => this.#leave());
        this.list.addEventListener("pointerdown", (event) => this.#press(event));
    }

    /** What is shown while nobody types. @param {string} text */
    set value(text) {
        this.#committed = text;
        if (document.activeElement !== this.input || this.list.hidden) {
            this.input.value = text;
        }
    }

    /** There is more to find now. */
    renew() {
        if (!this.list.hidden) {
            this.#open();
        }
    }

    #open() {
        this.#shown = this.find(this.input.value);
        this.#active = -1;
        this.list.replaceChildren(...this.#shown.map((suggestion, k) => this.#option(suggestion, k)));
        if (!this.#shown.length) {
            this.list.append(h("li", { class: "none", role: "presentation" }, t("search.none")));
        }
        this.count.textContent = t("search.count", { count: this.#shown.length });
        this.#expand(true);
    }

    /**
     * @param {Suggestion} suggestion
     * @param {number} k
     */
    #option({ label, detail }, k) {
        return h("li", { role: "option", id: `${this.list.id}-${k}`, "aria-selected": "false", "data-k": k },
            h("span", { class: "name" }, label), h("span", { class: "detail" }, detail));
    }

    /** @param {boolean} open */
    #expand(open) {
        this.list.hidden = !open;
        this.input.setAttribute("aria-expanded", String(open));
        if (!open) {
            this.#activate(-1);
            this.count.textContent = "";
        }
    }

    /** @param {number} k */
    #activate(k) {
        this.list.children[this.#active]?.setAttribute("aria-selected", "false");
        this.#active = k;
        const option = this.list.children[k];
        option?.setAttribute("aria-selected", "true");
        option?.scrollIntoView({ block: "nearest" });
        if (option) {
            this.input.setAttribute("aria-activedescendant", option.id);
        } else {
            this.input.removeAttribute("aria-activedescendant");
        }
    }

    /** @param {string} value */
    #choose(value) {
        this.#expand(false);
        this.#committed = value;
        this.input.value = value;
        this.take(value);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const { key } = event;
        if (event.isComposing) {
            return;
        }
        if (key === "ArrowDown" || key === "ArrowUp") {
            event.preventDefault();
            if (this.list.hidden) {
                this.#open();
            }
            const count = this.#shown.length;
            const step = key === "ArrowDown" ? 1 : -1;
            this.#activate(count ? (Math.max(this.#active, step > 0 ? -1 : 0) + step + count) % count : -1);
        } else if (key === "Enter") {
            event.preventDefault();
            this.#choose(this.#active >= 0 ? this.#shown[this.#active].value : this.input.value.trim());
        } else if (key === "Escape" && !this.list.hidden) {
            event.preventDefault();
            this.input.value = this.#committed;
            this.#expand(false);
        }
    }

    #leave() {
        const text = this.input.value.trim();
        if (text !== this.#committed) {
            this.#choose(text);
        } else {
            this.#expand(false);
        }
    }

    /** @param {PointerEvent} event */
    #press(event) {
        event.preventDefault(); // the focus stays in the field
        const option = event.target instanceof Element ? event.target.closest("[data-k]") : null;
        if (option instanceof HTMLElement) {
            this.#choose(this.#shown[Number(option.dataset.k)].value);
        }
    }
}
