// @ts-check
/** Reads the images of an audit in batches, until it is paused, cancelled or done. */

import { LensError } from "../lib/errors.js";

/** @import { AuditImage, AuditItem } from "./types.js" */
/** @import { RecognizeOptions } from "../lib/types.js" */

/** Errors that no other image would be spared. */
const FATAL = new Set(["missing-code", "missing-weights", "bad-weights", "no-webgpu", "closed"]);

/**
 * What reads: the part of the engine's client that is used.
 *
 * @typedef {object} BatchRecognizer
 * @property {(images: Blob[], options: RecognizeOptions) => Promise<(Reading | LensError)[]>} recognizeAll
 */

/** @typedef {{ text: string, confidence: number }} Reading */

/** Most images read at once. */
const MAX_BATCH = 32;
/** Batches grow while they take less, so that a GPU is kept busy and a pause never waits long. */
const BATCH_MILLISECONDS = 200;
/** The speed is that of the last so many milliseconds: another device may take over on the way. */
const SPEED_WINDOW = 10_000;

/**
 * How far a run is.
 *
 * @typedef {object} RunProgress
 * @property {number} done
 * @property {number} total
 * @property {number} perSecond images of late, pauses not counted
 * @property {number | null} secondsLeft `null` until there is something to tell it by
 */

export class AuditRun {
  /** What has been read so far, by the image's index; empty where nothing has. @type {(AuditItem | undefined)[]} */
  items;
  #images;
  #recognizer;
  #onProgress;
  #done = 0;
  #batch = 1;
  #cancel = new AbortController();
  #now;
  /** The last batches, newest last. @type {{ images: number, milliseconds: number }[]} */
  #recent = [];
  /** What reading waits for. @type {{ over: Promise<void>, end: () => void } | undefined} */
  #pause;

  /**
   * @param {AuditImage[]} images
   * @param {BatchRecognizer} recognizer
   * @param {(progress: RunProgress) => void} onProgress
   * @param {() => number} [now] milliseconds
   */
  constructor(images, recognizer, onProgress, now = () => performance.now()) {
    this.items = images.map(() => undefined);
    this.#images = images;
    this.#recognizer = recognizer;
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
    this.#notify();
    const { signal } = this.#cancel;
    while (this.#done < this.#images.length) {
      await this.#pause?.over;
      if (signal.aborted) break;
      const started = this.#now();
      const images = this.#images.slice(this.#done, this.#done + this.#batch);
      const items = await this.#readBatch(images).catch((error) => {
        if (images.length <= 1) throw error;
        return []; // one by one, so that what comes before the one that fails is read
      });
      if (signal.aborted) break;
      if (items.length === 0) {
        this.#batch = 1;
        continue;
      }
      for (const item of items) this.items[this.#done++] = item;
      const milliseconds = this.#now() - started;
      this.#recordSpeed({ images: items.length, milliseconds });
      const fast = milliseconds < BATCH_MILLISECONDS;
      this.#batch = fast ? Math.min(2 * this.#batch, MAX_BATCH) : Math.ceil(this.#batch / 2);
      this.#notify();
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
  }

  resume() {
    if (!this.#pause) return;
    this.#pause.end();
    this.#pause = undefined;
  }

  /** Ends the run; what has been read stays. */
  cancel() {
    this.#cancel.abort();
    this.resume();
  }

  /**
   * @param {AuditImage[]} images
   * @returns {Promise<AuditItem[]>}
   */
  async #readBatch(images) {
    const opened = await Promise.all(images.map(({ open }) => open().catch(toError)));
    const blobs = opened.filter((blob) => blob instanceof Blob);
    const answers = (await this.#recognize(blobs)).values();
    return images.map(({ path }, i) => {
      const error = opened[i] instanceof Error ? opened[i] : undefined;
      const answer = error ?? /** @type {Reading | Error} */ (answers.next().value);
      if (answer instanceof Error) return { path, error: answer.message };
      const { text, confidence } = answer;
      return { path, text, confidence };
    });
  }

  /**
   * @param {Blob[]} blobs
   * @returns {Promise<(Reading | Error)[]>}
   */
  async #recognize(blobs) {
    const { signal } = this.#cancel;
    try {
      return await this.#recognizer.recognizeAll(blobs, { signal });
    } catch (thrown) {
      if (thrown instanceof LensError && FATAL.has(thrown.code)) throw thrown;
      if (blobs.length <= 1 || signal.aborted) return blobs.map(() => toError(thrown));
    }
    // One of them crashed the engine. Read one by one, the others do not fail with it.
    const answers = [];
    for (const blob of blobs) answers.push(...(await this.#recognize([blob])));
    return answers;
  }

  /** @param {{ images: number, milliseconds: number }} batch */
  #recordSpeed(batch) {
    this.#recent.push(batch);
    const spent = () => this.#recent.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    while (this.#recent.length > 1 && spent() - this.#recent[0].milliseconds >= SPEED_WINDOW) {
      this.#recent.shift();
    }
  }

  #notify() {
    const sum = { images: 0, milliseconds: 0 };
    for (const { images, milliseconds } of this.#recent) {
      sum.images += images;
      sum.milliseconds += milliseconds;
    }
    const total = this.#images.length;
    const perSecond = sum.milliseconds > 0 ? (1000 * sum.images) / sum.milliseconds : 0;
    const secondsLeft = perSecond > 0 ? (total - this.#done) / perSecond : null;
    this.#onProgress({ done: this.#done, total, perSecond, secondsLeft });
  }
}

/** @param {unknown} thrown */
function toError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
