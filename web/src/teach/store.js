// @ts-check
/** What the browser keeps of the teach page, in IndexedDB. */

/** @import { TeachImage } from "./types.js" */

const NAME = "captcha-lens teach";
const VERSION = 1;
/** Images by their ids, and single values by their names. */
const [IMAGES, VALUES] = ["images", "values"];
/** Images that are read at a time. */
const PART = 50;

/** The database, as the page uses it. */
export class TeachStore {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    // Another tab may delete the database, or open a later version.
    database.onversionchange = () => database.close();
  }

  /**
   * @param {IDBFactory} factory
   * @returns {Promise<TeachStore>}
   */
  static async open(factory) {
    const request = factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(IMAGES, { keyPath: "id" });
      request.result.createObjectStore(VALUES);
    };
    return new TeachStore(await resultOf(request));
  }

  /**
   * Reads the images in parts, so that the page stays responsive.
   *
   * @returns {Promise<TeachImage[]>} in the order in which they were given
   */
  async images() {
    /** @type {TeachImage[]} */
    const images = [];
    for (;;) {
      const store = this.#database.transaction(IMAGES).objectStore(IMAGES);
      const last = images.at(-1);
      const after = last && IDBKeyRange.lowerBound(last.id, true);
      /** @type {TeachImage[]} */
      const part = await resultOf(store.getAll(after, PART));
      images.push(...part);
      if (part.length < PART) return images;
    }
  }

  /**
   * Adds images, or replaces those with the same ids.
   *
   * @param {TeachImage[]} images
   */
  putImages(images) {
    return this.#write(IMAGES, (store) => images.forEach((image) => store.put(image)));
  }

  /** @param {string[]} ids */
  removeImages(ids) {
    return this.#write(IMAGES, (store) => ids.forEach((id) => store.delete(id)));
  }

  /**
   * @param {string} name
   * @returns {Promise<any>} `undefined` if there is none
   */
  value(name) {
    return resultOf(this.#database.transaction(VALUES).objectStore(VALUES).get(name));
  }

  /**
   * @param {string} name
   * @param {unknown} value
   */
  setValue(name, value) {
    return this.#write(VALUES, (store) => store.put(value, name));
  }

  /** @param {string} name */
  removeValue(name) {
    return this.#write(VALUES, (store) => store.delete(name));
  }

  /** Removes everything. */
  async clear() {
    await this.#write(IMAGES, (store) => store.clear());
    await this.#write(VALUES, (store) => store.clear());
  }

  /**
   * @param {string} name
   * @param {(store: IDBObjectStore) => unknown} action
   * @returns {Promise<void>} settles when the change is on disk, or has failed
   */
  #write(name, action) {
    const transaction = this.#database.transaction(name, "readwrite");
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      try {
        action(transaction.objectStore(name));
      } catch (error) {
        reject(error);
      }
    });
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
