// The fields of the question: each shows some options of a deployment, says when they change, and has its own error.
import { h, markInvalid, newId } from "./dom.js";
import { grouped, readCount, tokens } from "./format.js";
import { nearest, stops } from "./scale.js";
import { t } from "./text.js";

/**
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {(options: Record<string, string>, isFinal: boolean) => void} Change
 *   isFinal: false while a slider is still being moved
 * @typedef {object} Field
 * @property {string[]} options what the field is about; an error that names one of them stands beside it
 * @property {HTMLElement} element
 * @property {(deployment: Deployment, plan: import("./plan.js").Plan | null) => void} show
 * @property {(message: string | null) => void} fail
 */

/**
 * A label above a control, with room for an error below it.
 * @param {string} label
 * @param {HTMLElement} control what the label is of
 * @param {HTMLElement} [body] what is shown, where that is more than the control
 * @param {string} [name] for CSS
 */
export function labelled(label, control, body = control, name = "") {
    control.id ||= newId("field");
    const error = h("p", { class: "error", id: newId("error"), hidden: true });
    const element = h("div", { class: `field ${name}` }, h("label", { for: control.id }, label), body, error);
    /** @param {string | null} message */
    const fail = (message) => {
        error.hidden = message === null;
        error.textContent = message ?? "";
        markInvalid(control, message !== null);
        if (message === null) {
            control.removeAttribute("aria-describedby");
        } else {
            control.setAttribute("aria-describedby", error.id);
        }
    };
    return { element, fail };
}

/**
 * An option as text, with suggestions if there are any.
 * @param {string} option
 * @param {{label: string, long?: string, hint?: string, suggestions?: string[], numeric?: boolean, change: Change}} how
 *   long: what a short label stands for
 * @returns {Field}
 */
export function textField(option, { label, long = "", hint = "", suggestions = [], numeric = false, change }) {
    const list = suggestions.length
        ? h("datalist", { id: newId("suggestions") }, ...suggestions.map((value) => h("option", { value }))) : null;
    const input = h("input", {
        type: "text", name: option, placeholder: hint, autocomplete: "off", spellcheck: "false", autocapitalize: "off",
        inputmode: numeric ? "numeric" : null, list: list?.id, title: long || null,
        "aria-label": long ? `${label}: ${long}` : null,
        onchange: () => change({ [option]: input.value.trim() }, true),
    });
    const { element, fail } = labelled(label, input, h("div", {}, input, list));
    return { options: [option], element, fail, show: ({ options }) => showText(input, options[option]) };
}

/** What was typed and not yet taken: an answer that arrives meanwhile must not write over it. @type {WeakSet<EventTarget>} */
const typed = new WeakSet();
addEventListener("input", ({ target }) => target && typed.add(target), true);
addEventListener("change", ({ target }) => target && typed.delete(target), true);

/**
 * Writes into an input, unless somebody is typing there.
 * @param {HTMLInputElement} input
 * @param {string | undefined} text
 */
export function showText(input, text) {
    if (!typed.has(input)) {
        input.value = text ?? "";
    }
}

/**
 * A number of tokens or requests: a slider on a logarithmic scale, and the exact value beside it.
 * @param {string} option
 * @param {{label: string, help: string, first: number, last: (plan: import("./plan.js").Plan | null) => number,
 *     usual?: number, empty: string, change: Change}} how
 *   usual: the value where the option is not given, 0: the last; empty: what the field shows then
 * @returns {Field}
 */
export function sliderField(option, { label, help, first, last, usual = 0, empty, change }) {
    let values = stops(first, last(null));
    const slider = h("input", {
        type: "range", min: 0, max: values.length - 1, step: 1, name: `${option}-slider`,
        oninput: () => move(false), onchange: () => move(true),
    });
    const exact = h("input", {
        type: "text", name: option, class: "exact", placeholder: empty, autocomplete: "off", spellcheck: "false",
        "aria-label": t("field.exact", { name: label }),
        onchange: () => change({ [option]: exact.value.trim() }, true),
    });
    const { element, fail } = labelled(label, slider,
        h("div", { class: "slider" }, slider, exact), "wide");
    element.querySelector("label")?.append(h("span", { class: "help" }, help));

    /** @param {boolean} isFinal */
    function move(isFinal) {
        const value = values[Number(slider.value)];
        exact.value = tokens(value);
        slider.setAttribute("aria-valuetext", grouped(value));
        change({ [option]: exact.value.replaceAll(",", "") }, isFinal);
    }

    return {
        options: [option],
        element,
        fail(message) {
            fail(message);
            markInvalid(exact, message !== null);
        },
        show({ options }, plan) {
            const given = readCount(options[option] ?? "");
            const value = given || Number(plan?.settings[option]?.value) || usual || last(plan);
            const wanted = stops(first, Math.max(last(plan), value));
            if (wanted.length !== values.length || wanted.at(-1) !== values.at(-1)) {
                values = wanted;
                slider.max = String(values.length - 1);
            }
            if (!typed.has(slider)) {
                slider.value = String(nearest(values, value));
                slider.setAttribute("aria-valuetext", grouped(value));
                showText(exact, options[option]);
            }
        },
    };
}
