// @ts-check
/**
 * Engines on the CPU, each in its own worker, that share one queue. Batches are divided into small
 * parts, and each engine takes the next part when it has time. The first engine reads alone until a
 * batch is worth more of them.
 */

import { untilAborted } from "./lazy.js";
import { NotLoaded } from "./session.js";

/** @import { Session } from "./session.js" */

/** Memory of an engine that reads batches, in bytes (`tests/e2e/bench.mjs` measures it). */
const ENGINE_BYTES = 64 * 2 ** 20;
/** Share of the device's memory that all engines may take. */
const MEMORY_SHARE = 1 / 8;
/** Most engines by default. */
const MOST = 8;
/** Unread images that are worth more engines. */
const MANY_IMAGES = 4;
/** Most images in a part. */
const PART = 4;
/** Parts that an engine has at a time, so that it does not wait for the page after each of them. */
const PARTS_AHEAD = 2;
/** Time after which engines without work end, in milliseconds. */
const IDLE = 30_000;

/**
 * The number of engines that suits the device: one for each core, as far as its memory allows.
 *
 * @param {{ hardwareConcurrency?: number, deviceMemory?: number }} device
 */
export function defaultConcurrency({ hardwareConcurrency = 1, deviceMemory = 8 }) {
  const byMemory = Math.floor((deviceMemory * 2 ** 30 * MEMORY_SHARE) / ENGINE_BYTES);
  return Math.max(1, Math.min(hardwareConcurrency, byMemory, MOST));
}

/**
 * @typedef {object} PooledEngine
 * @property {Session} session
 * @property {boolean} loaded
 * @property {number} open its parts
 */

/**
 * @typedef {object} Part
 * @property {number} images
 * @property {(session: Session) => Promise<void>} read passes the outcomes to the batch
 * @property {(error: unknown) => void} fail
 * @property {{ failed: boolean }} batch
 */

export class Pool {
  /** @type {PooledEngine[]} */
  #engines;
  #size;
  #start;
  /** @type {Part[]} */
  #queue = [];
  /** Images in the queue or being read. */
  #unread = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{ reason: unknown } | undefined} */
  #closed;

  /**
   * @param {Session} first an engine that reads, and is loaded again, whatever happens
   * @param {number} size the most engines, the first included
   * @param {() => Session} start makes another engine
   */
  constructor(first, size, start) {
    this.#engines = [{ session: first, loaded: true, open: 0 }];
    this.#size = size;
    this.#start = start;
  }

  /** The number of engines that read. */
  get loaded() {
    return this.#engines.filter(({ loaded }) => loaded).length;
  }

  /**
   * Reads images, divided among the engines.
   *
   * @template Image, Outcome
   * @param {Image[]} images
   * @param {(session: Session, images: Image[]) => Promise<Outcome[]>} read
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcome[]>} in the order of the images
   * @throws the first error of `read`, or the signal's reason
   */
  async read(images, read, signal) {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed.reason;
    this.#unread += images.length;
    if (this.#unread >= MANY_IMAGES) this.#grow();
    const batch = { failed: false };
    const length = this.#partLength(images.length);
    /** @type {Promise<Outcome[]>[]} */
    const parts = [];
    for (let at = 0; at < images.length; at += length) {
      const part = images.slice(at, at + length);
      parts.push(
        new Promise((resolve, reject) =>
          this.#queue.push({
            images: part.length,
            read: async (session) => resolve(await read(session, part)),
            fail: reject,
            batch,
          }),
        ),
      );
    }
    this.#assign();
    try {
      return (await untilAborted(Promise.all(parts), signal)).flat();
    } finally {
      batch.failed = true; // also after an abort: its parts are not worth reading
      this.#drop();
    }
  }

  /**
   * How many engines read a batch at the same time, if nothing else is read.
   *
   * @param {number} images
   */
  enginesFor(images) {
    return Math.min(this.loaded, Math.ceil(images / this.#partLength(images)));
  }

  /**
   * Ends all engines but the first, for good.
   *
   * @param {unknown} reason the error of all later calls
   */
  close(reason) {
    this.#closed = { reason };
    for (const { batch, fail } of this.#queue) {
      batch.failed = true;
      fail(reason);
    }
    this.#drop();
    this.#endOthers(reason);
  }

  /** @param {unknown} reason */
  #endOthers(reason) {
    clearTimeout(this.#timer);
    for (const { session } of this.#engines.splice(1)) session.end(reason);
  }

  /** @param {number} images of a batch */
  #partLength(images) {
    if (this.#size === 1) return Math.max(1, images);
    return Math.min(PART, Math.max(1, Math.ceil(images / this.#size)));
  }

  /** Removes the waiting parts of batches that have failed. */
  #drop() {
    const waiting = this.#queue.filter(({ batch }) => !batch.failed);
    const dropped = this.#queue.filter(({ batch }) => batch.failed);
    this.#unread -= dropped.reduce((sum, { images }) => sum + images, 0);
    this.#queue = waiting;
  }

  /** Loads the missing engines, without waiting for them. */
  #grow() {
    while (this.#engines.length < this.#size) {
      /** @type {PooledEngine} */
      const engine = { session: this.#start(), loaded: false, open: 0 };
      this.#engines.push(engine);
      engine.session.load().then(
        () => {
          engine.loaded = true;
          this.#assign();
        },
        () => this.#remove(engine),
      );
    }
  }

  /** Removes an engine that cannot be loaded. It is not replaced. */
  #remove(/** @type {PooledEngine} */ engine) {
    const place = this.#engines.indexOf(engine);
    if (place < 1) return;
    this.#engines.splice(place, 1);
    this.#size--;
    engine.session.end(new Error("This engine could not be loaded."));
  }

  /** Gives waiting parts to the engines with the fewest. */
  #assign() {
    clearTimeout(this.#timer);
    this.#drop();
    const loaded = this.#engines.filter((engine) => engine.loaded);
    for (;;) {
      const engine = loaded.reduce((a, b) => (b.open < a.open ? b : a));
      const part = engine.open < PARTS_AHEAD ? this.#queue.shift() : undefined;
      if (!part) break;
      void this.#give(engine, part);
    }
    const idle = this.#engines.every(({ open }) => open === 0);
    if (idle && this.#engines.length > 1) {
      const reason = new Error("This engine had no work.");
      this.#timer = setTimeout(() => this.#endOthers(reason), IDLE);
    }
  }

  /**
   * @param {PooledEngine} engine
   * @param {Part} part
   */
  async #give(engine, part) {
    engine.open++;
    try {
      await part.read(engine.session);
      this.#unread -= part.images;
    } catch (error) {
      if (engine !== this.#engines[0] && error instanceof NotLoaded && !this.#closed) {
        this.#remove(engine);
        this.#queue.unshift(part);
      } else {
        this.#unread -= part.images;
        part.batch.failed = true;
        part.fail(error);
      }
    } finally {
      engine.open--;
      if (!this.#closed) this.#assign();
    }
  }
}
