// @ts-check
/** Runs one asynchronous task at a time: a new task aborts the one before. */

export class TaskRunner {
  /** @type {AbortController | undefined} */
  #current;

  /** Whether a task is running. */
  get busy() {
    return this.#current !== undefined;
  }

  /**
   * Aborts the current task and runs another one.
   *
   * @param {(signal: AbortSignal) => Promise<void>} task calls `signal.throwIfAborted()` after it has
   *   waited
   * @param {(error: unknown) => void} onError called where the task fails, unless it was aborted
   */
  async run(task, onError) {
    this.abort();
    const current = new AbortController();
    this.#current = current;
    const { signal } = current;
    try {
      await task(signal);
    } catch (error) {
      if (!signal.aborted) onError(error);
    } finally {
      if (this.#current === current) this.#current = undefined;
    }
  }

  /** Aborts the current task. */
  abort() {
    this.#current?.abort();
    this.#current = undefined;
  }
}
