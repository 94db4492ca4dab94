// @ts-check
/**
 * Keeps the work of the teach page. Where the browser cannot keep it, the page goes on without, and
 * says so.
 */

/** @import { TeachImage } from "./types.js" */
/** @import { TeachStore } from "./store.js" */

/** The part of the store that is used, for tests. @typedef {Pick<TeachStore, "images" | "putImages" | "removeImages" | "value" | "setValue" | "removeValue" | "clear">} Store */

const FORBIDDEN =
  "This browser keeps nothing for this page, for example in private browsing. Images, labels and the model are lost when the page is closed: save the labels and the weights as files.";
const FULL =
  "The browser's storage is full, so the latest changes are not kept. Remove images here or data of other sites, or save the labels and the weights as files before you close the page.";
const FAILED =
  "The browser could not keep the latest changes. Save the labels and the weights as files before you close the page.";

export class Keeper {
  #store;
  #onProblem;
  #problem = "";
  /** The last write. @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** The latest values that wait to be written, by name. @type {Map<string, unknown>} */
  #waiting = new Map();

  /**
   * @param {Promise<Store>} opening
   * @param {(sentence: string) => void} onProblem called when nothing can be kept; empty when it can
   *   be again
   */
  constructor(opening, onProblem) {
    this.#onProblem = onProblem;
    this.#store = opening.catch(() => {
      this.#setProblem(FORBIDDEN);
      return null;
    });
  }

  /**
   * What was kept.
   *
   * @param {string[]} names of the values
   * @returns {Promise<{ images: TeachImage[], values: Record<string, any> }>} empty where nothing was
   */
  async load(names) {
    try {
      const store = await this.#store;
      if (!store) return { images: [], values: {} };
      const images = await store.images();
      const values = await Promise.all(names.map((name) => store.value(name)));
      return { images, values: Object.fromEntries(names.map((name, i) => [name, values[i]])) };
    } catch {
      this.#setProblem(FORBIDDEN);
      return { images: [], values: {} };
    }
  }

  /** @param {TeachImage[]} images new or changed */
  putImages(images) {
    return images.length === 0 ? this.#last : this.#write((store) => store.putImages(images));
  }

  /** @param {string[]} ids */
  removeImages(ids) {
    return this.#write((store) => store.removeImages(ids));
  }

  /**
   * Keeps a value. Of several values that wait for the disk, only the latest is written.
   *
   * @param {string} name
   * @param {unknown} value `null` removes it
   */
  setValue(name, value) {
    const isWaiting = this.#waiting.has(name);
    this.#waiting.set(name, value);
    if (isWaiting) return this.#last;
    return this.#write((store) => {
      const latest = this.#waiting.get(name);
      this.#waiting.delete(name);
      return latest === null ? store.removeValue(name) : store.setValue(name, latest);
    });
  }

  /** Removes everything that was kept. */
  clear() {
    return this.#write((store) => store.clear());
  }

  /**
   * Runs one write after the other. A failure is a sentence on the page, never an error.
   *
   * @param {(store: Store) => Promise<unknown>} action
   */
  #write(action) {
    this.#last = this.#last.then(async () => {
      const store = await this.#store;
      if (!store) return;
      try {
        await action(store);
        this.#setProblem("");
      } catch (error) {
        this.#setProblem(nameOf(error) === "QuotaExceededError" ? FULL : FAILED);
      }
    });
    return this.#last;
  }

  /** @param {string} sentence */
  #setProblem(sentence) {
    if (sentence === this.#problem) return;
    this.#problem = sentence;
    this.#onProblem(sentence);
  }
}

/** @param {unknown} error */
function nameOf(error) {
  return error instanceof Error || error instanceof DOMException ? error.name : "";
}
