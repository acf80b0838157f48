// The core's own SVG on the page: in a shadow root, so that its styles stay its own, and without any inline style, as
// the content security policy wants it. Marks with data- attributes get a tooltip; cells of the grid can be chosen.
import { h } from "./dom.js";
import { bytes, grouped } from "./format.js";
import { t, tOr } from "./text.js";

/** @typedef {import("./format.js").Units} Units */

/** Style sheets by their text: all charts of a kind have the same. @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();

/** @param {string} css */
function sheetOf(css) {
    let sheet = sheets.get(css);
    if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        sheets.set(css, sheet);
    }
    return sheet;
}

const OWN = new CSSStyleSheet();
OWN.replaceSync(`
:host{display:block}
svg{display:block;width:100%;height:auto;overflow:visible}
.paper{display:none}
[data-concurrency][data-fits]{cursor:pointer}
[tabindex]:focus{outline:none}
[tabindex]:focus-visible{outline:2px solid #fff;outline-offset:-1px;stroke:#0b62c4;stroke-width:3}
`);

const parser = new DOMParser();

/** Taken out before the picture is parsed: the policy counts a style element even there. */
const STYLE = /<style>([^<]*)<\/style>/g;

/** The narrowest drawing of the core, in pixels. */
const NARROWEST = 320;
const WIDTH_STEP = 40;

export class Chart {
    #shown = "";
    /** The width of the host: asking for it each time would lay out the page each time. */
    #room = 0;

    /**
     * @param {object} how
     * @param {string} how.name for CSS and tests
     * @param {(context: string, concurrency: string) => void} [how.choose] a cell of the grid was chosen
     */
    constructor({ name, choose }) {
        this.choose = choose;
        this.host = h("div", { class: "host", "data-chart": name });
        this.tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
        this.element = h("div", { class: "chart" }, this.host, this.tip);
        this.root = this.host.attachShadow({ mode: "open" });
        new ResizeObserver(([{ contentRect }]) => { this.#room = contentRect.width; }).observe(this.host);
        /** @type {Units} */
        this.units = "iec";
        this.root.addEventListener("pointermove", (event) => this.#point(/** @type {PointerEvent} */ (event)));
        this.host.addEventListener("pointerleave", () => this.#hide());
        if (choose) {
            this.root.addEventListener("click", (event) => this.#take(event.target));
            this.root.addEventListener("keydown", (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
            this.root.addEventListener("focusin", (event) => this.#focus(event.target));
        }
    }

    /**
     * @param {string} svg as the core writes it
     * @param {Units} units
     */
    show(svg, units) {
        this.units = units;
        if (svg === this.#shown) {
            return;
        }
        this.#shown = svg;
        this.#hide();
        /** @type {CSSStyleSheet[]} */
        const styles = [];
        const bare = svg.replace(STYLE, (_, css) => {
            styles.push(sheetOf(css));
            return "";
        });
        const picture = parser.parseFromString(bare, "image/svg+xml").documentElement;
        const focused = this.#cellKey(this.root.activeElement);
        crop(picture);
        this.root.adoptedStyleSheets = [...styles, OWN];
        this.root.replaceChildren(picture);
        if (this.choose) {
            this.#offer(focused);
        }
    }

    /** The width to draw in, in steps, so that a window that is resized does not ask for every pixel. */
    get width() {
        return Math.max(NARROWEST, Math.floor((this.#room || this.host.clientWidth) / WIDTH_STEP) * WIDTH_STEP);
    }

    /** A sentence in place of the picture. @param {string} message */
    say(message) {
        this.#shown = "";
        this.#hide();
        this.root.replaceChildren(h("p", {}, message));
    }

    /** @returns {SVGElement[]} */
    get cells() {
        return [...this.root.querySelectorAll("[data-concurrency][data-context][data-fits]")]
            .filter((cell) => cell instanceof SVGElement);
    }

    /** @param {Element | null} cell */
    #cellKey(cell) {
        return cell instanceof SVGElement ? `${cell.dataset.context}x${cell.dataset.concurrency}` : "";
    }

    /**
     * Makes the cells reachable: one by Tab, the others by the arrow keys from there.
     * @param {string} focused the cell that had the focus in the picture before
     */
    #offer(focused) {
        const { cells } = this;
        const before = cells.find((cell) => this.#cellKey(cell) === focused);
        for (const cell of cells) {
            cell.setAttribute("role", "button");
            cell.setAttribute("tabindex", "-1");
            cell.setAttribute("aria-label", this.#describe(cell).join(", "));
        }
        (before ?? cells[0])?.setAttribute("tabindex", "0");
        before?.focus();
    }

    /** @param {EventTarget | null} target */
    #take(target) {
        const cell = target instanceof SVGElement ? target.closest("[data-concurrency][data-context][data-fits]") : null;
        if (cell instanceof SVGElement) {
            this.choose?.(cell.dataset.context ?? "", cell.dataset.concurrency ?? "");
        }
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const cell = this.root.activeElement;
        if (!(cell instanceof SVGElement)) {
            return;
        }
        if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            this.#take(cell);
            return;
        }
        const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
        if (dx || dy) {
            event.preventDefault();
            this.#move(cell, dx, dy);
        }
    }

    /**
     * Moves the focus to the neighbour in a direction.
     * @param {SVGElement} cell
     * @param {number} dx
     * @param {number} dy
     */
    #move(cell, dx, dy) {
        const here = cell.getBoundingClientRect();
        const next = this.cells.map((other) => ({ other, box: other.getBoundingClientRect() }))
            .filter(({ box }) => (dx ? Math.abs(box.top - here.top) < 1 && (box.left - here.left) * dx > 1
                : Math.abs(box.left - here.left) < 1 && (box.top - here.top) * dy > 1))
            .sort((a, b) => distance(a.box, here) - distance(b.box, here))[0];
        if (next) {
            cell.setAttribute("tabindex", "-1");
            next.other.setAttribute("tabindex", "0");
            next.other.focus();
        }
    }

    /** @param {EventTarget | null} target */
    #focus(target) {
        if (target instanceof SVGElement) {
            const box = target.getBoundingClientRect();
            this.#tell(target, box.left + box.width / 2, box.top);
        }
    }

    /** @param {PointerEvent} event */
    #point(event) {
        const mark = event.target instanceof Element
            ? event.target.closest("[data-bytes],[data-fits],[data-category]") : null;
        if (mark instanceof SVGElement) {
            this.#tell(mark, event.clientX, event.clientY);
        } else {
            this.#hide();
        }
    }

    /**
     * What a mark stands for, line by line.
     * @param {SVGElement} mark
     */
    #describe({ dataset }) {
        const { category, context, concurrency, bytes: size, fits } = dataset;
        return [
            category && tOr(`category.${category}`, category),
            context && t("chart.tokens", { count: grouped(Number(context)) }),
            concurrency && (concurrency === "1" ? t("chart.request") : t("chart.requests", { count: grouped(Number(concurrency)) })),
            size && bytes(Number(size), this.units),
            fits && tOr(`chart.${fits}`, fits),
        ].filter((line) => typeof line === "string" && line !== "");
    }

    /**
     * @param {SVGElement} mark
     * @param {number} x in the window
     * @param {number} y
     */
    #tell(mark, x, y) {
        const lines = this.#describe(mark);
        if (!lines.length) {
            return;
        }
        this.tip.replaceChildren(...lines.map((line) => h("div", {}, /** @type {string} */ (line))));
        this.tip.hidden = false;
        const frame = this.element.getBoundingClientRect();
        const half = this.tip.offsetWidth / 2;
        const left = Math.min(Math.max(x - frame.left, half), frame.width - half);
        this.tip.style.left = `${left}px`;
        this.tip.style.top = `${y - frame.top}px`;
    }

    #hide() {
        this.tip.hidden = true;
    }
}

/**
 * The heading says what the verdict above says, too: the picture begins below it.
 * @param {Element} picture
 */
function crop(picture) {
    const heading = picture.querySelector("text.heading");
    const [left, top, width, height] = (picture.getAttribute("viewBox") ?? "").split(" ").map(Number);
    const cut = Number(heading?.getAttribute("y") ?? 0);
    heading?.remove();
    picture.setAttribute("viewBox", `${left} ${top + cut} ${width} ${height - cut}`);
    picture.removeAttribute("width");
    picture.removeAttribute("height");
}

/**
 * @param {DOMRect} a
 * @param {DOMRect} b
 */
function distance(a, b) {
    return Math.hypot(a.left - b.left, a.top - b.top);
}
