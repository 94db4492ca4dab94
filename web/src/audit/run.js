// @ts-check
/**
 * Reads the images of an audit until it is paused, cancelled or done: one after the other, so that
 * an image on which the engine breaks down takes no other with it.
 */

import { LensError } from "../errors.js";

/** @import { AuditImage, AuditItem, RecognizeOptions } from "../types.js" */

/** Errors that no other image would be spared. */
const HOPELESS = new Set(["missing-code", "missing-weights", "bad-weights", "no-webgpu", "closed"]);

/**
 * What reads: the part of the engine's client that is used.
 *
 * @typedef {object} Reader
 * @property {(image: Blob, options: RecognizeOptions) => Promise<{ text: string, confidence: number }>} recognize
 */

/**
 * How far a run is.
 *
 * @typedef {object} RunProgress
 * @property {number} done
 * @property {number} total
 * @property {number} perSecond images, pauses not counted
 * @property {number | null} secondsLeft `null` until there is something to tell it by
 */

export class AuditRun {
  /** What has been read so far, by the image's index; empty where nothing has. @type {(AuditItem | undefined)[]} */
  items;
  #images;
  #reader;
  #onProgress;
  #done = 0;
  #cancel = new AbortController();
  #now;
  /** Milliseconds spent reading before the last start. */
  #spent = 0;
  /** @type {number | undefined} */
  #startedAt;
  /** What reading waits for. @type {{ over: Promise<void>, end: () => void } | undefined} */
  #pause;

  /**
   * @param {AuditImage[]} images
   * @param {Reader} reader
   * @param {(progress: RunProgress) => void} onProgress
   * @param {() => number} [now] milliseconds
   */
  constructor(images, reader, onProgress, now = () => performance.now()) {
    this.items = images.map(() => undefined);
    this.#images = images;
    this.#reader = reader;
    this.#onProgress = onProgress;
    this.#now = now;
  }

  /**
   * Reads all images that are left. An image that cannot be read is noted and does not keep the
   * rest from being read.
   *
   * @returns {Promise<boolean>} whether all were read, or noted, before a cancel
   * @throws {LensError} where nothing can be read at all
   */
  async finish() {
    this.#startedAt = this.#now();
    this.#report();
    const { signal } = this.#cancel;
    for (const [index, image] of this.#images.entries()) {
      await this.#pause?.over;
      if (signal.aborted) break;
      const item = await this.#read(image);
      if (signal.aborted) break;
      this.items[index] = item;
      this.#done++;
      this.#report();
    }
    return !signal.aborted;
  }

  get paused() {
    return this.#pause !== undefined;
  }

  /** Lets the reading that is under way end, and starts no more. */
  pause() {
    if (this.paused) return;
    let end = () => {};
    const over = new Promise((resolve) => (end = () => resolve(undefined)));
    this.#pause = { over, end };
    this.#spent += this.#now() - (this.#startedAt ?? this.#now());
    this.#startedAt = undefined;
  }

  resume() {
    if (!this.#pause) return;
    this.#startedAt = this.#now();
    this.#pause.end();
    this.#pause = undefined;
  }

  /** Ends the run; what has been read stays. */
  cancel() {
    this.#cancel.abort();
    this.resume();
  }

  /**
   * @param {AuditImage} image
   * @returns {Promise<AuditItem>}
   */
  async #read({ path, open }) {
    try {
      const { signal } = this.#cancel;
      const { text, confidence } = await this.#reader.recognize(await open(), { signal });
      return { path, text, confidence };
    } catch (thrown) {
      if (thrown instanceof LensError && HOPELESS.has(thrown.code)) throw thrown;
      return { path, error: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }

  #report() {
    const running = this.#startedAt === undefined ? 0 : this.#now() - this.#startedAt;
    const seconds = (this.#spent + running) / 1000;
    const total = this.#images.length;
    const perSecond = seconds > 0 ? this.#done / seconds : 0;
    const secondsLeft = perSecond > 0 ? (total - this.#done) / perSecond : null;
    this.#onProgress({ done: this.#done, total, perSecond, secondsLeft });
  }
}
