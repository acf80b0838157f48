// The page: one state, one question, one answer. Input changes the state; the newest state is asked; answers are shown.
import { blamed } from "./blame.js";
import { Breakdown } from "./breakdown.js";
import { Catalog } from "./catalog.js";
import { Client } from "./client.js";
import { compareView } from "./compare.js";
import { diagnosisView, spokenDiagnosis } from "./diagnosis.js";
import { h } from "./dom.js";
import { classify, filesText, takeDrops } from "./drop.js";
import { OpenedFiles } from "./files.js";
import { headerView } from "./header.js";
import { Latest } from "./latest.js";
import { Launch, copyText } from "./launch.js";
import { hasLimits, limitRequests, limitsCard, limitsView } from "./limits.js";
import { notesView } from "./notes.js";
import { readReply } from "./plan.js";
import { Question } from "./question.js";
import { remediesView } from "./remedies.js";
import { Side } from "./side.js";
import { OPTIONS, changed, copy, firstState, toRequest, withOptions } from "./state.js";
import { preferredLanguage, setLanguage, t } from "./text.js";
import { restoreTheme } from "./theme.js";
import { pictured, timed } from "./timing.js";
import { readUrl, writeUrl } from "./url.js";
import { spoken } from "./verdict.js";
import { parseWords } from "./words.js";

/**
 * @typedef {import("./state.js").Deployment} Deployment
 * @typedef {import("./state.js").PageState} PageState
 * @typedef {import("./diagnosis.js").Diagnosis} Diagnosis
 * @typedef {"a" | "b"} SideName
 */

/** The inverse questions wait so long for another input. */
const PAUSE_MS = 250;
/** A screen reader hears a verdict that has stood so long. */
const SPEAK_MS = 600;

class Page {
    client = new Client();
    catalog = new Catalog();
    files = new OpenedFiles(this.client);
    latest = new Latest();
    /** @type {PageState} */
    state = firstState();
    /** @type {SideName} */
    editing = "a";
    /** The log that is diagnosed instead. @type {{name: string, key: string, gpu: string, result: Diagnosis | null} | null} */
    log = null;
    /** @type {string[]} */
    notices = [];
    /** When the last input came; 0: the page was opened. */
    inputAt = 0;
    /** What was asked last is about another model than before. */
    isNewModel = false;
    /** The next verdict takes the focus. */
    wantsFocus = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    speech;

    constructor() {
        this.host = /** @type {HTMLElement} */ (document.getElementById("page"));
        this.cover = h("div", { class: "cover", hidden: true }, h("p", {}, t("drop.here")));
        this.spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
        document.body.append(this.cover, this.spoken);
        takeDrops(this.cover, (files) => this.open(files));
        addEventListener("popstate", () => this.arrive());
        this.watchWidth();
    }

    async start() {
        this.read();
        this.host.replaceChildren(h("p", { class: "loading" }, t("page.loading")));
        await this.catalog.loadEngines(this.client);
        this.build();
        await this.refresh();
    }

    /** @returns {Deployment} the one that the fields describe */
    get deployment() {
        return this.editing === "b" && this.state.b ? this.state.b : this.state.a;
    }

    // ---- the state ----

    /** The state from the address, with what is to be said about it. */
    read() {
        const { state, version, unknown } = readUrl(location.hash);
        this.state = state;
        this.editing = this.state.b ? this.editing : "a";
        setLanguage(state.lang === "en" || state.lang === "zh" ? state.lang : preferredLanguage());
        const missing = [state.a, state.b].map((side) => side && this.files.missing(side)).find(Boolean);
        this.notices = [
            version !== null ? t("url.version", { v: version }) : "",
            unknown.length ? t("url.unknown", { keys: unknown.join(", ") }) : "",
            missing ? t("drop.again", { name: missing }) : "",
        ].filter(Boolean);
    }

    /** Back, forward, or another address typed. */
    arrive() {
        this.inputAt = performance.now();
        this.log = null;
        this.read();
        this.build();
        this.refresh();
    }

    /**
     * @param {Deployment} deployment
     * @param {boolean} [isFinal] false while a slider moves: it is no step back to
     */
    set(deployment, isFinal = true) {
        this.inputAt = performance.now();
        this.isNewModel = deployment.options.model !== this.deployment.options.model;
        this.put(deployment);
        if (this.log) {
            this.log = null;
            this.place();
        }
        if (isFinal) {
            this.remember();
        }
        this.refresh();
    }

    /** @param {Deployment} deployment */
    put(deployment) {
        if (this.editing === "b" && this.state.b) {
            this.state.b = deployment;
        } else {
            this.state.a = deployment;
        }
    }

    /** Puts the state into the address, as a step to go back from. */
    remember() {
        const url = writeUrl(this.state);
        if (url !== location.hash) {
            history.pushState(null, "", url);
        }
    }

    /**
     * Another model may be too short for the length that the last one was asked about: then its own longest is asked.
     * @returns {boolean} whether it was so
     */
    shorten() {
        const error = this.sides?.[this.editing]?.error;
        const isTooLong = this.isNewModel && error && "context" in this.deployment.options
            && blamed(error, OPTIONS, this.catalog.settings(this.deployment.options.engine)) === "context";
        this.isNewModel = false;
        if (isTooLong) {
            this.put(changed(this.deployment, { context: "" }));
            history.replaceState(null, "", writeUrl(this.state));
        }
        return Boolean(isTooLong);
    }

    /** @param {string} option a change as the core offers it */
    apply(option) {
        this.wantsFocus = true; // what was clicked goes with the answer that it was in
        this.set(this.with(this.deployment, option));
    }

    /**
     * A deployment with a change of the core. A setting that is one of our options takes its place.
     * @param {Deployment} deployment
     * @param {string} option
     */
    with(deployment, option) {
        const { set } = parseWords(option);
        const settings = this.catalog.settings(deployment.options.engine);
        const replaced = settings.filter(({ name, option: ours }) => name in set && ours !== null).map(({ option: ours }) => [ours, ""]);
        return withOptions(changed(deployment, Object.fromEntries(replaced)), option);
    }

    // ---- what is on the page ----

    /** Builds everything anew: at the start, in another language, with a second deployment or without. */
    build() {
        document.title = `tonnage: ${t("page.tagline")}`;
        /** @type {Partial<Record<SideName, Side>>} */
        this.sides = {};
        this.cover.replaceChildren(h("p", {}, t("drop.here")));
        this.question = new Question({
            catalog: this.catalog,
            change: (options, set, isFinal) => timed(() => this.set(changed(this.deployment, options, set), isFinal)),
            open: (files) => this.open(files),
        });
        for (const name of /** @type {SideName[]} */ (this.state.b ? ["a", "b"] : ["a"])) {
            this.sides[name] = new Side(name, (context, concurrency) => {
                this.edit(name);
                this.set(changed(this.deployment, { context, concurrency }));
            });
        }
        this.breakdown = new Breakdown();
        this.launch = new Launch(() => this.refresh());
        this.comparison = h("div", {});
        this.remedies = h("div", {});
        this.limits = limitsCard(h("div", { class: "help" }, t("limits.working")));
        this.notes = h("div", {});
        this.noticeHost = h("div", { class: "notices", role: "alert" });
        this.answer = h("section", { id: "answer", "aria-label": t("answer.title"), tabindex: "-1" });
        this.host.replaceChildren(
            h("button", { class: "skip", type: "button", onclick: () => this.answer?.focus() }, t("page.skip")),
            headerView({
                isComparing: this.state.b !== null,
                units: this.state.units,
                compare: () => this.compare(),
                share: () => this.share(),
                reset: () => this.reset(),
                speak: (wanted) => this.speak(wanted),
                measure: (units) => this.restate(() => { this.state.units = units; }, "units"),
            }),
            h("main", {}, h("div", { class: "asking" }, this.sidePicker(), this.question.element), this.answer),
            h("footer", {}, h("p", {}, t("page.private"))));
        this.showNotices();
        this.place();
    }

    /** Puts either the answer or the diagnosis onto the page. */
    place() {
        if (!this.answer) {
            return;
        }
        if (this.log) {
            this.answer.replaceChildren(...this.diagnosisParts(this.log));
            return;
        }
        const sides = Object.values(this.sides ?? {});
        const kind = `sides ${sides.length > 1 ? "two" : ""}`;
        this.answer.replaceChildren(...[
            this.noticeHost, h("div", { class: kind }, ...sides.map((side) => side.element)), this.comparison,
            this.remedies, h("div", { class: kind }, ...sides.map((side) => side.charts)), this.breakdown?.element, this.launch?.element, this.limits, this.notes,
        ].filter((part) => part instanceof HTMLElement));
    }

    sidePicker() {
        if (!this.state.b) {
            return null;
        }
        return h("div", { class: "side-picker", role: "group", "aria-label": t("question.side") },
            ...(/** @type {SideName[]} */ (["a", "b"])).map((name) => h("button", {
                type: "button", "data-edit": name, "aria-pressed": String(this.editing === name),
                onclick: () => this.edit(name),
            }, t(`answer.${name}`))));
    }

    showNotices() {
        this.noticeHost?.replaceChildren(...this.notices.map((notice, k) => h("p", { class: "notice" }, notice,
            h("button", {
                type: "button", class: "quiet", "aria-label": t("tools.close"),
                onclick: () => {
                    this.notices.splice(k, 1);
                    this.showNotices();
                },
            }, "×"))));
    }

    /** @param {string} notice */
    notify(notice) {
        this.notices = [notice];
        this.showNotices();
        if (this.log) {
            this.log = null;
            this.place();
        }
        this.noticeHost?.scrollIntoView({ block: "nearest" });
    }

    /** Says a sentence to screen readers. @param {string} sentence */
    say(sentence) {
        clearTimeout(this.speech);
        this.speech = setTimeout(() => { this.spoken.textContent = sentence; }, SPEAK_MS);
    }

    /** Another width, other pictures. */
    watchWidth() {
        let width = this.width;
        addEventListener("resize", () => {
            if (width !== this.width) {
                width = this.width;
                this.refresh();
            }
        });
    }

    get width() {
        return this.sides?.a?.bars.width ?? 0;
    }

    // ---- asking and showing ----

    refresh() {
        return this.latest.run((isCurrent) => this.job(isCurrent).catch((fault) => broken(fault)));
    }

    /**
     * @param {() => boolean} isCurrent
     * @returns {Promise<void>}
     */
    async job(isCurrent) {
        if (this.log) {
            return this.diagnose(this.log);
        }
        const { units } = this.state;
        const start = this.inputAt;
        const asked = this.askable();
        const settings = this.catalog.loadSettings(this.client, this.deployment.options.engine);
        const replies = await Promise.all(asked.map(({ side, deployment }) =>
            side.ask(this.client, deployment, units, this.filesOf(deployment))));
        await settings;
        timed(() => {
            asked.forEach(({ side }, k) => side.show(replies[k], units));
        });
        if (this.shorten()) {
            return this.job(isCurrent);
        }
        timed(() => {
            this.showPlans();
            this.focusVerdict();
        });
        pictured(start);
        await this.more(asked, isCurrent);
    }

    /** The deployments that can be asked about: not those of files that are not here. */
    askable() {
        return (/** @type {SideName[]} */ (["a", "b"])).flatMap((name) => {
            const side = this.sides?.[name];
            const deployment = this.state[name];
            return side && deployment && this.files.missing(deployment) === null ? [{ name, side, deployment }] : [];
        });
    }

    /** @param {Deployment} deployment */
    filesOf({ options: { model } }) {
        return this.files.get(model) && model !== undefined ? model : null;
    }

    /**
     * All that takes more than one plan; each step only while nothing newer was asked.
     * @param {ReturnType<Page["askable"]>} asked
     * @param {() => boolean} isCurrent
     */
    async more(asked, isCurrent) {
        const { units } = this.state;
        for (const { side, deployment } of asked.filter(({ side: { error } }) => !error)) {
            if (!isCurrent()) {
                return;
            }
            const replies = await side.askCharts(this.client, deployment, units, this.filesOf(deployment));
            timed(() => side.showCharts(replies, units));
        }
        const side = this.sides?.[this.editing];
        if (!this.catalog.models.length) {
            await this.catalog.loadNames(this.client);
            this.question?.renew();
            this.question?.show(this.deployment, side?.error ? null : side?.plan ?? null);
        }
        if (!isCurrent() || !side?.plan || side.error) {
            return;
        }
        await this.write();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        if (isCurrent()) {
            await this.search(isCurrent);
        }
    }

    /** Everything that shows the plan of the deployment which is edited. */
    showPlans() {
        const side = this.sides?.[this.editing];
        const plan = side?.plan ?? null;
        const { units } = this.state;
        this.question?.show(this.deployment, side?.error ? null : plan);
        this.question?.fail(side?.error ?? null);
        if (this.state.b) {
            const plans = (/** @type {SideName[]} */ (["a", "b"])).map((name) => {
                const other = this.sides?.[name];
                return other?.error ? null : other?.plan ?? null;
            });
            this.comparison?.replaceChildren(compareView([plans[0], plans[1]], units, () => this.swap()));
        }
        this.answer?.classList.toggle("planless", plan === null);
        if (!side || !plan || side.error) {
            this.say(side?.error?.message ?? "");
            this.remedies?.replaceChildren();
            return;
        }
        this.say(spoken(plan, plan.verdict.message));
        const remedies = remediesView(plan.verdict.remedies, (option) => this.apply(option));
        this.remedies?.replaceChildren(...(remedies ? [remedies] : []));
        this.breakdown?.show(plan, units);
        this.launch?.show(this.deployment, plan.engine.name);
        this.notes?.replaceChildren(notesView(plan));
    }

    focusVerdict() {
        const headline = this.sides?.[this.editing]?.verdict.querySelector(".headline");
        if (this.wantsFocus && headline instanceof HTMLElement) {
            headline.focus();
        }
        this.wantsFocus = false;
    }

    /** The command for the target that is chosen. */
    async write() {
        const target = this.launch?.wanted;
        if (!target) {
            return;
        }
        const request = toRequest("plan", this.deployment, { emit: target, units: this.state.units });
        const [reply] = await this.client.ask([request], this.filesOf(this.deployment));
        const { value, error } = readReply(reply);
        const text = error ? [error.message, error.hint].filter(Boolean).join("\n") : /** @type {any} */ (value).commands[target];
        if (this.launch?.wanted === target) {
            this.launch.write({ text, isError: error !== null });
        }
    }

    /**
     * The inverse questions, one after the other.
     * @param {() => boolean} isCurrent
     */
    async search(isCurrent) {
        const { deployment } = this;
        if (!this.limits || !hasLimits(deployment)) {
            this.limits?.toggleAttribute("hidden", true);
            return;
        }
        this.limits.hidden = false;
        const replies = [];
        for (const request of limitRequests(deployment)) {
            replies.push(...await this.client.ask([request], this.filesOf(deployment)));
            if (!isCurrent()) {
                return;
            }
        }
        this.limits.lastElementChild?.replaceWith(limitsView(replies, (option) => this.apply(option)));
    }

    // ---- files ----

    /** @param {File[]} files */
    async open(files) {
        if (!files.length) {
            return;
        }
        this.inputAt = performance.now();
        const dropped = await classify(files);
        if (dropped.kind === "nothing") {
            this.notify(dropped.message);
            return;
        }
        const key = this.files.add(dropped.main, dropped.files);
        if (dropped.kind === "log") {
            this.log = { name: dropped.main, key, gpu: "", result: null };
            this.place();
            await this.refresh();
            return;
        }
        this.log = null;
        this.notices = [];
        this.showNotices();
        this.place();
        this.set(changed(this.deployment, { model: key }));
        this.say(filesText(dropped.files, dropped.main));
    }

    /** @param {NonNullable<Page["log"]>} log */
    async diagnose(log) {
        const request = { operation: "diagnose", log: log.name, ...(log.gpu ? { gpu: log.gpu } : {}) };
        const [reply] = await this.client.ask([request], log.key);
        const { value, error } = readReply(reply);
        if (this.log !== log) {
            return;
        }
        if (error) {
            this.log = null;
            this.place();
            this.notify([error.message, error.hint].filter(Boolean).join(" — "));
            await this.refresh();
            return;
        }
        log.result = /** @type {Diagnosis} */ (value);
        this.place();
        this.say(spokenDiagnosis(log.result));
        pictured(this.inputAt);
    }

    /** @param {NonNullable<Page["log"]>} log */
    diagnosisParts(log) {
        const gpu = h("input", {
            type: "text", value: log.gpu, name: "log-gpu", placeholder: t("field.gpu.hint"), autocomplete: "off",
            onchange: () => {
                log.gpu = gpu.value.trim();
                this.refresh();
            },
        });
        const close = h("button", { type: "button", name: "close-log", onclick: () => this.closeLog() }, t("tools.close"));
        const head = h("div", { class: "log-head" }, h("h2", {}, t("diagnose.title", { name: log.name })),
            h("label", { class: "inline" }, t("diagnose.gpu"), gpu), close);
        if (!log.result) {
            return [head, h("p", { class: "help" }, t("drop.reading", { name: log.name }))];
        }
        return [head, ...diagnosisView(log.result, { units: this.state.units, apply: (option) => this.planOfLog(log, option) })];
    }

    closeLog() {
        this.log = null;
        this.place();
        this.refresh();
    }

    /**
     * Plans what a log says, with a change.
     * @param {NonNullable<Page["log"]>} log
     * @param {string} option
     */
    async planOfLog(log, option) {
        const planned = withOptions({ options: {}, set: {} }, log.result?.plan ?? "");
        await this.catalog.loadSettings(this.client, planned.options.engine);
        this.log = null;
        this.place();
        this.set(this.with(planned, option));
        this.answer?.focus();
    }

    // ---- switches of the page ----

    /** @param {SideName} name */
    edit(name) {
        this.inputAt = performance.now();
        this.editing = name;
        for (const button of this.host.querySelectorAll("[data-edit]")) {
            button.setAttribute("aria-pressed", String(button instanceof HTMLElement && button.dataset.edit === name));
        }
        this.refresh();
    }

    compare() {
        this.editing = this.state.b ? "a" : "b";
        this.restate(() => { this.state.b = this.state.b ? null : copy(this.state.a); }, "compare");
    }

    swap() {
        this.restate(() => {
            const { a, b } = this.state;
            [this.state.a, this.state.b] = [b ?? a, b ? a : null];
        }, "compare");
    }

    async share() {
        this.remember();
        await copyText(location.href);
    }

    reset() {
        this.editing = "a";
        this.log = null;
        this.notices = [];
        this.restate(() => {
            const { lang, units } = this.state;
            this.state = { ...firstState(), lang, units };
        }, "reset");
    }

    /** @param {import("./text.js").Language} wanted */
    speak(wanted) {
        this.restate(() => {
            this.state.lang = wanted === preferredLanguage() ? null : wanted;
            setLanguage(wanted);
        }, "lang");
    }

    /**
     * Changes the state as a whole, builds the page anew, and leaves the focus where it was.
     * @param {() => void} change
     * @param {string} name of the control that did it
     */
    restate(change, name) {
        this.inputAt = performance.now();
        change();
        this.remember();
        this.build();
        const control = this.host.querySelector(`header [name="${name}"]`);
        if (control instanceof HTMLElement) {
            control.focus();
        }
        this.refresh();
    }
}

/**
 * Where even the core does not run, the page says so.
 * @param {unknown} fault
 */
function broken(fault) {
    const message = fault instanceof Error ? fault.message : String(fault);
    const host = /** @type {HTMLElement} */ (document.getElementById("page"));
    host.replaceChildren(h("div", { class: "verdict broken", role: "alert" }, h("p", {}, t("page.broken", { message })),
        h("p", {}, t("page.broken.hint"))));
}

restoreTheme();
setLanguage(preferredLanguage());
new Page().start().catch(broken);
