// @ts-check
/** Reads the images of an audit in batches, with pause and cancel. */

import { messageOf } from "../common/page-error.js";
import { LensError } from "../lib/errors.js";

/** @import { AuditImage, AuditItem } from "./types.js" */
/** @import { RecognizeOptions } from "../lib/types.js" */

/** Errors that affect every image. */
const FATAL = new Set(["missing-code", "missing-weights", "bad-weights", "no-webgpu", "closed"]);

/**
 * The part of the recognizer that a run uses.
 *
 * @typedef {object} BatchRecognizer
 * @property {(images: Blob[], options: RecognizeOptions) => Promise<(AuditReading | LensError)[]>}
 *   recognizeAll
 */

/** @typedef {{ text: string, confidence: number }} AuditReading */

/** Images in a batch after the first ones. With two of the smallest, a device starts more workers. */
const [MIN_BATCH, MAX_BATCH] = [2, 32];
/**
 * Batches grow while they take less time, waiting for the one before included, so that a GPU is busy
 * and a pause takes effect soon.
 */
const BATCH_MILLISECONDS = 400;
/** Batches that are read at a time: while one ends, the engines already have the next one. */
const OPEN_BATCHES = 2;
/**
 * The speed is measured over this many milliseconds, because the backend may change during a run.
 */
const SPEED_WINDOW = 10_000;

/**
 * The progress of a run.
 *
 * @typedef {object} RunProgress
 * @property {number} done
 * @property {number} total
 * @property {number} perSecond recent speed in images per second, without pauses
 * @property {number | null} secondsLeft `null` until the speed is known
 */

export class AuditRun {
  /** The results so far, by image index. @type {(AuditItem | undefined)[]} */
  items;
  #images;
  #recognizer;
  #onProgress;
  #done = 0;
  /** Index of the next image to read. */
  #next = 0;
  #batch = 1;
  /** Whether a batch failed, which ends the run. */
  #failed = false;
  #cancel = new AbortController();
  #now;
  /**
   * The recent batches, newest last; `milliseconds` is the time since the batch before.
   *
   * @type {{ images: number, milliseconds: number }[]}
   */
  #recent = [];
  /** When the last batch ended, or the run started or was resumed. */
  #lastEnd = 0;
  /** The current pause. @type {{ over: Promise<void>, end: () => void } | undefined} */
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
   * Reads all remaining images. An unreadable image is recorded and does not stop the run.
   *
   * @returns {Promise<boolean>} `false` if the run was cancelled
   * @throws {LensError} if no image can be read
   */
  async finish() {
    this.#notify();
    this.#lastEnd = this.#now();
    const readers = Array.from({ length: OPEN_BATCHES }, () => this.#readBatches());
    for (const result of await Promise.allSettled(readers)) {
      if (result.status === "rejected") throw result.reason;
    }
    return !this.#cancel.signal.aborted;
  }

  get paused() {
    return this.#pause !== undefined;
  }

  /** Pauses after the batches that are being read. */
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
    this.#lastEnd = this.#now();
  }

  /** Ends the run. The results so far stay. */
  cancel() {
    this.#cancel.abort();
    this.resume();
  }

  /** Reads one batch after the other, until no image is left. */
  async #readBatches() {
    for (;;) {
      while (this.#pause) await this.#pause.over;
      if (this.#ended || this.#next >= this.#images.length) return;
      const from = this.#next;
      this.#next = Math.min(from + this.#batch, this.#images.length);
      try {
        await this.#readRange(from, this.#next);
      } catch (error) {
        this.#failed = true;
        this.resume();
        throw error;
      }
    }
  }

  get #ended() {
    return this.#failed || this.#cancel.signal.aborted;
  }

  /**
   * @param {number} from index of the first image
   * @param {number} to index after the last image
   */
  async #readRange(from, to) {
    const started = this.#now();
    /** @type {AuditItem[]} */
    let items;
    try {
      items = await this.#readBatch(this.#images.slice(from, to));
    } catch (error) {
      if (to - from <= 1) throw error;
      // One by one, so that the images before the failing one are read.
      for (let at = from; at < to && !this.#ended; at++) await this.#readRange(at, at + 1);
      return;
    }
    if (!this.#cancel.signal.aborted) this.#record(from, items, started);
  }

  /**
   * @param {number} from index of the first image
   * @param {AuditItem[]} items
   * @param {number} started when the batch started
   */
  #record(from, items, started) {
    for (const [i, item] of items.entries()) this.items[from + i] = item;
    this.#done += items.length;
    const now = this.#now();
    this.#recordSpeed({ images: items.length, milliseconds: now - this.#lastEnd });
    this.#lastEnd = now;
    const fast = now - started < BATCH_MILLISECONDS;
    const next = fast ? 2 * items.length : Math.ceil(items.length / 2);
    this.#batch = Math.max(MIN_BATCH, Math.min(next, MAX_BATCH));
    this.#notify();
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
      const answer = error ?? /** @type {AuditReading | Error} */ (answers.next().value);
      if (answer instanceof Error) return { path, error: messageOf(answer) };
      const { text, confidence } = answer;
      return { path, text, confidence };
    });
  }

  /**
   * @param {Blob[]} blobs
   * @returns {Promise<(AuditReading | Error)[]>}
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
