// The breakdown of one GPU: every term of the ledger; its formula, and what was put into it, on click.
import { card, h, newId } from "./dom.js";
import { bytes, grouped, share } from "./format.js";
import { fullest } from "./plan.js";
import { t, tOr } from "./text.js";

/**
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Device} Device
 * @typedef {import("./plan.js").LedgerEntry} LedgerEntry
 * @typedef {import("./format.js").Units} Units
 * @typedef {Pick<Device, "low" | "mid" | "high" | "entries"> & {memory_bytes?: number | null}} Holder
 * @typedef {{from: number, to: number, device: Holder}} Group from and to are ranks; HOST stands for the host
 */

/** In place of a rank. */
const HOST = -1;

/** Categories that have a colour of their own in the charts; the others are overhead. */
const SHADES = { weights: "weights", cache: "kv", state: "state" };

/** @param {string} category */
export function shade(category) {
    return SHADES[/** @type {keyof typeof SHADES} */ (category)] ?? "overhead";
}

/**
 * Neighbouring ranks that hold the same, as one; then the host, where the engine says what it keeps there.
 * @param {Plan} plan
 * @returns {Group[]}
 */
function groups({ devices, host }) {
    /** @type {Group[]} */
    const result = [];
    let last = "";
    for (const device of devices) {
        const key = JSON.stringify([device.gpu, device.entries]);
        const group = result.at(-1);
        if (group && key === last) {
            group.to = device.rank;
        } else {
            result.push({ from: device.rank, to: device.rank, device });
        }
        last = key;
    }
    if (host?.entries.length) {
        result.push({ from: HOST, to: HOST, device: host });
    }
    return result;
}

/** @param {Group} group */
function groupName({ from, to }) {
    return from === HOST ? t("breakdown.host") : from === to ? t("breakdown.gpus", { from }) : t("breakdown.gpu_range", { from, to });
}

export class Breakdown {
    /** Terms whose formula is open, by category and label. @type {Set<string>} */
    #open = new Set();
    /** @type {number | null} */
    #rank = null;
    /** @type {Plan | null} */
    #plan = null;
    /** @type {Units} */
    #units = "iec";

    constructor() {
        this.picker = h("select", {
            "aria-label": t("breakdown.gpu"),
            onchange: () => {
                this.#rank = Number(this.picker.value);
                this.#draw();
            },
        });
        this.body = h("div", { class: "scroll" });
        this.element = card("breakdown", t("breakdown.title"), h("p", { class: "help" }, t("breakdown.help")),
            this.picker, this.body);
    }

    /**
     * @param {Plan} plan
     * @param {Units} units
     */
    show(plan, units) {
        this.#plan = plan;
        this.#units = units;
        this.#draw();
    }

    #draw() {
        const plan = this.#plan;
        if (!plan) {
            return;
        }
        const all = groups(plan);
        const worst = fullest(plan).rank;
        const group = all.find(({ from, to }) => this.#rank !== null && from <= this.#rank && this.#rank <= to)
            ?? all.find(({ from, to }) => from <= worst && worst <= to) ?? all[0];
        this.picker.hidden = all.length < 2;
        this.picker.replaceChildren(...all.map((other) =>
            h("option", { value: other.from, selected: other === group }, groupName(other))));
        const focused = document.activeElement;
        const key = focused instanceof HTMLElement && this.body.contains(focused) ? focused.dataset.key : undefined;
        const rows = group.device.entries.flatMap((entry) => this.#rows(entry, group.device.mid));
        this.body.replaceChildren(h("table", {},
            h("caption", { class: "unseen" }, `${t("breakdown.title")}, ${groupName(group)}`),
            h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("breakdown.term")),
                h("th", { scope: "col", class: "number" }, groupName(group)),
                h("th", { scope: "col", class: "number" }, `${t("breakdown.share")} %`),
                h("th", { scope: "col", class: "number range" }, t("breakdown.range")),
                h("th", { scope: "col", class: "why" }, t("breakdown.basis")))),
            h("tbody", {}, ...rows), this.#foot(group.device)));
        const again = [...this.body.querySelectorAll("button")].find((term) => key !== undefined && term.dataset.key === key);
        again?.focus();
    }

    /** @param {Holder} device */
    #foot(device) {
        const units = this.#units;
        const rest = device.memory_bytes ? t("breakdown.of", { memory: bytes(device.memory_bytes, units) }) : "";
        return h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("breakdown.total")),
            h("td", { class: "number" }, bytes(device.mid, units)), h("td", {}),
            h("td", { class: "number range" }, range(device, units)), h("td", { class: "why" }, rest)));
    }

    /**
     * @param {LedgerEntry} entry
     * @param {number} whole
     */
    #rows(entry, whole) {
        const key = `${entry.category}/${entry.label}`;
        const id = newId("term");
        const isOpen = this.#open.has(key);
        const detail = h("tr", { id, class: "detail", hidden: !isOpen }, isOpen ? this.#detail(entry) : null);
        const button = h("button", {
            type: "button", class: "term", "data-key": key, "aria-expanded": String(isOpen), "aria-controls": id,
            onclick: () => {
                const open = detail.hidden;
                this.#open[open ? "add" : "delete"](key);
                detail.hidden = !open;
                detail.replaceChildren(...(open ? [this.#detail(entry)] : []));
                button.setAttribute("aria-expanded", String(open));
            },
        }, h("span", { class: `chip ${shade(entry.category)}` }), entry.label,
        h("span", { class: "category" }, tOr(`category.${entry.category}`, entry.category)));
        return [h("tr", {}, h("th", { scope: "row" }, button),
            h("td", { class: "number", title: t("breakdown.exact_bytes", { count: grouped(entry.mid) }) },
                bytes(entry.mid, this.#units)),
            h("td", { class: "number" }, share(entry.mid, whole)),
            h("td", { class: "number range" }, range(entry, this.#units)),
            h("td", { class: "why", title: tOr(`basis.${entry.basis}.help`, "") },
                h("span", { class: `basis ${entry.basis}` }, tOr(`basis.${entry.basis}`, entry.basis)))), detail];
    }

    /** @param {LedgerEntry} entry */
    #detail(entry) {
        const values = this.#values(entry.formula);
        return h("td", { colspan: 5 },
            h("p", { class: "formula" }, h("code", {}, entry.formula)),
            values.length > 0 && h("dl", { class: "values" }, ...values.flatMap(([name, value]) =>
                [h("dt", {}, name), h("dd", {}, value)])),
            h("p", { class: "help" }, t("breakdown.exact_bytes", { count: grouped(entry.mid) }), " · ",
                tOr(`basis.${entry.basis}.help`, entry.basis)));
    }

    /**
     * The names in a formula that the plan has values of.
     * @param {string} formula
     * @returns {[string, string][]}
     */
    #values(formula) {
        const plan = this.#plan;
        const names = new Set(formula.match(/[A-Za-z_]\w*/g) ?? []);
        /** @type {[string, string][]} */
        const values = [];
        for (const name of plan ? names : []) {
            const value = plan?.settings[name]?.value ?? plan?.symbols?.find((symbol) => symbol.name === name)?.value;
            if (value !== undefined && value !== null && name.includes("_")) {
                values.push([name, typeof value === "number" ? grouped(value) : String(value)]);
            }
        }
        return values;
    }
}

/**
 * From low to high, where they differ.
 * @param {{low: number, high: number}} entry
 * @param {Units} units
 */
function range({ low, high }, units) {
    return low === high ? "" : `${bytes(low, units)} – ${bytes(high, units)}`;
}
