// Which field an error of the core is about: `where` names an option, a key, a setting of the engine, or the engine.

/**
 * @typedef {{name: string, option: string | null}} NamedSetting
 * @typedef {import("./plan.js").CoreError} CoreError
 */

/** What errors are about that name no option: those of files are about the model. @type {Record<string, string>} */
const PLACE_OF_CODE = {
    unknown_model: "model", unknown_gpu: "gpu", unknown_architecture: "model", not_a_model: "model", json: "model",
    config: "model", truncated: "model", header: "model", version: "model", unreadable: "model",
    file_changed: "model",
};

/**
 * The option, or "set.NAME" for a setting that is none of our options; null where nothing on the page is to blame.
 * @param {CoreError} error
 * @param {string[]} options that have a field
 * @param {NamedSetting[]} settings of the engine
 * @returns {string | null}
 */
export function blamed(error, options, settings) {
    const where = (error.where ?? "").replace(/^--/, "").replaceAll("_", "-");
    const byWhere = settings.find((setting) => setting.name === error.where);
    const byMessage = settings.filter((setting) => new RegExp(`\\b${setting.name}\\b`).test(error.message))
        .sort((a, b) => b.name.length - a.name.length)[0];
    if (options.includes(where) && where !== "engine") {
        return where;
    }
    for (const setting of [byWhere, byMessage]) {
        if (setting) {
            return setting.option !== null && options.includes(setting.option) ? setting.option : `set.${setting.name}`;
        }
    }
    return where === "engine" || where === "set" ? where : PLACE_OF_CODE[error.code] ?? null;
}
