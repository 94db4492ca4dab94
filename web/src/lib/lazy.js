// @ts-check
/** A value that is loaded when it is first needed, and waits for other things. */

/** The longest wait for idle time, in milliseconds. */
const IDLE_TIMEOUT = 3000;

/**
 * Loads a value at the first call of `get`, and again after a failure or a `drop`.
 *
 * @template T
 */
export class Lazy {
  #load;
  /** @type {{ promise: Promise<T>, abort: AbortController } | undefined} */
  #current;

  /** @param {(signal: AbortSignal) => Promise<T>} load the signal aborts when the value is dropped */
  constructor(load) {
    this.#load = load;
  }

  /** @returns {Promise<T>} the same promise until it fails or is dropped */
  get() {
    if (!this.#current) {
      const abort = new AbortController();
      const current = { promise: this.#load(abort.signal), abort };
      this.#current = current;
      current.promise.catch(() => {
        if (this.#current === current) this.#current = undefined;
      });
    }
    return this.#current.promise;
  }

  /**
   * Replaces the value by one that is loaded already.
   *
   * @param {T} value
   */
  set(value) {
    this.#current?.abort.abort();
    this.#current = { promise: Promise.resolve(value), abort: new AbortController() };
  }

  /**
   * Forgets the value, and aborts loading it. The next `get` loads another one.
   *
   * @returns {Promise<T> | undefined} the forgotten value
   */
  drop() {
    const dropped = this.#current;
    this.#current = undefined;
    dropped?.abort.abort();
    return dropped?.promise;
  }
}

/**
 * Settles as the promise does, or rejects when the signal aborts first.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 * @throws the signal's reason
 */
export function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal?.reason);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => signal?.removeEventListener("abort", giveUp));
  });
}

/** Resolves when the page has nothing to do, or after a time limit. */
export function idle() {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") {
      requestIdleCallback(() => resolve(undefined), { timeout: IDLE_TIMEOUT });
    } else {
      setTimeout(resolve, 0);
    }
  });
}
