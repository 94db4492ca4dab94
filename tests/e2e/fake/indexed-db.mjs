// @ts-check
/**
 * A small `indexedDB` in memory for unit tests: what `model-store.js` uses, with requests that end later
 * and transactions that change nothing if they are aborted. `fail` makes it fail.
 */

/** @typedef {"open" | "put"} Step */

export class FakeIndexedDb {
  /** Whether `open` throws, as where storage is forbidden. */
  isForbidden = false;
  /** The errors of steps. @type {Partial<Record<Step, Error>>} */
  fail = {};
  /** @type {Map<string, Map<string, unknown>>} */
  stores = new Map();
  /** Open connections. */
  connections = 0;
  #isNew = true;

  /** Replaces the global one. */
  static install() {
    const made = new FakeIndexedDb();
    Object.assign(globalThis, { indexedDB: made });
    return made;
  }

  open() {
    if (this.isForbidden) throw new DOMException("The operation is insecure.", "SecurityError");
    /** @type {any} */
    const request = {};
    setTimeout(() => {
      if (this.fail.open) {
        request.error = this.fail.open;
        return request.onerror();
      }
      this.connections++;
      request.result = {
        createObjectStore: (/** @type {string} */ name) => this.stores.set(name, new Map()),
        transaction: (/** @type {string[]} */ _, /** @type {string} */ mode) =>
          this.#transaction(mode),
        close: () => this.connections--,
      };
      if (this.#isNew) request.onupgradeneeded();
      this.#isNew = false;
      request.onsuccess();
    });
    return request;
  }

  /** @param {string} mode */
  #transaction(mode) {
    const changed = new Map([...this.stores].map(([name, content]) => [name, new Map(content)]));
    /** @type {any} */
    const transaction = { error: null };
    const write = (/** @type {() => void} */ change) => {
      if (mode !== "readwrite") throw new DOMException("Read only.", "ReadOnlyError");
      change();
      if (this.fail.put) transaction.error = this.fail.put;
      return { result: undefined, error: null };
    };
    transaction.objectStore = (/** @type {string} */ name) => {
      const content = /** @type {Map<string, unknown>} */ (changed.get(name));
      return {
        getAll: () => ({ result: structuredClone([...content.values()]) }),
        get: (/** @type {string} */ key) => ({ result: structuredClone(content.get(key)) }),
        put: (/** @type {unknown} */ value, /** @type {string} */ key) =>
          write(() => content.set(key, structuredClone(value))),
        delete: (/** @type {string} */ key) => write(() => content.delete(key)),
      };
    };
    setTimeout(() => {
      if (transaction.error) return transaction.onabort();
      this.stores = changed;
      transaction.oncomplete();
    });
    return transaction;
  }
}
