// @ts-check
/** The teach page's store, in memory. */

/** @import { TeachImage } from "../../../web/src/teach/types.js" */

export function memoryStore() {
  /** @type {Map<string, TeachImage>} */
  const images = new Map();
  /** @type {Map<string, unknown>} */
  const values = new Map();
  const store = {
    values,
    /** How many times something was written. */
    writes: 0,
    /** What each write throws. @type {Error | DOMException | null} */
    failure: null,
    images: async () =>
      [...images.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map((image) => clone(image)),
    putImages: (/** @type {TeachImage[]} */ all) =>
      write(() => all.forEach((image) => images.set(image.id, clone(image)))),
    removeImages: (/** @type {string[]} */ ids) =>
      write(() => ids.forEach((id) => images.delete(id))),
    value: async (/** @type {string} */ name) => clone(values.get(name)),
    setValue: (/** @type {string} */ name, /** @type {unknown} */ value) =>
      write(() => values.set(name, clone(value))),
    removeValue: (/** @type {string} */ name) => write(() => values.delete(name)),
    clear: () =>
      write(() => {
        images.clear();
        values.clear();
      }),
  };

  /** @param {() => unknown} action */
  async function write(action) {
    if (store.failure) throw store.failure;
    store.writes++;
    action();
  }
  return store;
}

/**
 * A copy, as the browser's database makes one.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
function clone(value) {
  return structuredClone(value);
}
