// Elements in one expression, and nothing else of a framework.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with attributes and children. A function under "onclick" and the like listens; true is an attribute
 * without a value; false, null and undefined leave it out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") {
            element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, value === true ? "" : String(value));
        }
    }
    element.append(...some(children.flat()));
    return element;
}

/**
 * The children that are there.
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
export function some(children) {
    return /** @type {(Node | string)[]} */ (children.filter((child) => child || child === ""));
}

let ids = 0;

/**
 * An id that no other element has, for labels and descriptions.
 * @param {string} stem
 */
export function newId(stem) {
    return `${stem}-${++ids}`;
}

/**
 * A section of the answer with a heading.
 * @param {string} name for CSS and tests
 * @param {string} title
 * @param {...Child} children
 */
export function card(name, title, ...children) {
    const id = newId(name);
    return h("section", { class: `card ${name}`, "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/**
 * Marks a control as wrong, or takes the mark away.
 * @param {Element} control
 * @param {boolean} isWrong
 */
export function markInvalid(control, isWrong) {
    if (isWrong) {
        control.setAttribute("aria-invalid", "true");
    } else {
        control.removeAttribute("aria-invalid");
    }
}
