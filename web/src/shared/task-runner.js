// @ts-check
/** Runs one asynchronous task at a time: a new task aborts the one before. */

export class TaskRunner {
  #abort = new AbortController();

  /**
   * Aborts the current task and runs another one.
   *
   * @param {(signal: AbortSignal) => Promise<void>} task calls `signal.throwIfAborted()` after it has
   *   waited
   * @param {(error: unknown) => void} onError called where the task fails, unless it was aborted
   */
  async run(task, onError) {
    this.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      await task(signal);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
  }

  /** Aborts the current task. */
  abort() {
    this.#abort.abort();
  }
}
