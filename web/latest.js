// Only the newest job: while one runs, later ones replace each other, so that nothing ever queues behind a slider.

/** @typedef {(isCurrent: () => boolean) => Promise<void>} Job */

export class Latest {
    /** @type {Job | null} */
    #next = null;
    #running = false;

    /**
     * Runs the job, now or as soon as the one that runs gives way. A job of several steps asks isCurrent() between
     * them, and leaves the rest where it says false.
     * @param {Job} job must not throw
     */
    async run(job) {
        this.#next = job;
        if (this.#running) {
            return;
        }
        this.#running = true;
        while (this.#next) {
            const current = this.#next;
            this.#next = null;
            await current(() => !this.#next);
        }
        this.#running = false;
    }
}
