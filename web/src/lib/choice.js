// @ts-check
/**
 * Chooses between the CPU and WebGPU by their measured times. A GPU that is fast with batches can be
 * slow with one image, above all with alternatives, for which it is asked once per character.
 */

/** @import { Recognition } from "./types.js" */

/** What an engine is measured with: one image, one image with alternatives, several images. */
/** @typedef {"one" | "alternatives" | "batch"} Kind */
/** @typedef {"cpu" | "webgpu"} EngineKind */

/** Times that are kept for each engine and kind; their median counts. */
const KEPT = 5;
/** The other engine is chosen when it takes at most this share of the time. */
const WORTHWHILE = 0.85;
/** Images after which both engines are compared again. */
const IMAGES_BETWEEN = 300;
/** A pause after which both engines are compared again, in milliseconds: drivers may have changed. */
const PAUSE = 5 * 60_000;
/** Largest difference of a confidence between engines that compute the same. */
const TOLERANCE = 0.05;

/**
 * @param {number} images
 * @param {number} alternatives
 * @returns {Kind}
 */
export function kindOf(images, alternatives) {
  if (images > 1) return "batch";
  return alternatives > 0 ? "alternatives" : "one";
}

export class Choice {
  #now;
  /** Milliseconds per image, newest last, by kind and engine. @type {Map<string, number[]>} */
  #times = new Map();
  /** The engines that have read once, which takes longer. @type {Set<string>} */
  #warm = new Set();
  /** @type {Map<Kind, EngineKind>} */
  #chosen = new Map();
  /** Images since the last comparison. @type {Map<Kind, number>} */
  #images = new Map();
  #lastRead;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#lastRead = now();
  }

  /**
   * Records a reading. The first one of a kind does not count: it compiles code or shaders.
   *
   * @param {Kind} kind
   * @param {EngineKind} engine
   * @param {number} milliseconds per image
   */
  add(kind, engine, milliseconds) {
    const key = `${kind} ${engine}`;
    if (!this.#warm.has(key)) {
      this.#warm.add(key);
      return;
    }
    const times = this.#times.get(key) ?? [];
    this.#times.set(key, [...times, milliseconds].slice(-KEPT));
    this.#choose(kind);
  }

  /**
   * Median milliseconds per image; `null` if it is not known.
   *
   * @param {Kind} kind
   * @param {EngineKind} engine
   */
  milliseconds(kind, engine) {
    const times = (this.#times.get(`${kind} ${engine}`) ?? []).toSorted((a, b) => a - b);
    return times.length > 0 ? times[times.length >> 1] : null;
  }

  /**
   * The engine for the next call: the CPU, until WebGPU was measured to be faster.
   *
   * @param {Kind} kind
   */
  engine(kind) {
    return this.#chosen.get(kind) ?? "cpu";
  }

  /**
   * Whether the next call should go to both engines: if one of them was not measured yet, after some
   * hundred images, and after a pause.
   *
   * @param {Kind} kind
   * @param {number} images of the call
   */
  due(kind, images) {
    const unknown =
      this.milliseconds(kind, "cpu") === null || this.milliseconds(kind, "webgpu") === null;
    const count = (this.#images.get(kind) ?? 0) + images;
    const now = this.#now();
    const paused = now - this.#lastRead > PAUSE;
    this.#lastRead = now;
    const due = unknown || paused || count > IMAGES_BETWEEN;
    this.#images.set(kind, due ? 0 : count);
    return due;
  }

  /** @param {Kind} kind */
  #choose(kind) {
    const [cpu, webgpu] = [this.milliseconds(kind, "cpu"), this.milliseconds(kind, "webgpu")];
    if (cpu === null || webgpu === null) return;
    const chosen = this.engine(kind);
    const ratio = chosen === "cpu" ? webgpu / cpu : cpu / webgpu;
    if (ratio <= WORTHWHILE) this.#chosen.set(kind, chosen === "cpu" ? "webgpu" : "cpu");
  }

  /** The times, for {@link Choice.restore}. */
  toJSON() {
    return Object.fromEntries(this.#times);
  }

  /**
   * Adds the times of an earlier visit.
   *
   * @param {unknown} times the result of `toJSON`; anything else is ignored
   */
  restore(times) {
    if (typeof times !== "object" || times === null) return;
    for (const kind of /** @type {const} */ (["one", "alternatives", "batch"])) {
      for (const engine of /** @type {const} */ (["cpu", "webgpu"])) {
        const key = `${kind} ${engine}`;
        const old = /** @type {Record<string, unknown>} */ (times)[key];
        if (!Array.isArray(old) || !old.every((time) => Number.isFinite(time) && time > 0))
          continue;
        this.#times.set(key, [...old, ...(this.#times.get(key) ?? [])].slice(-KEPT));
      }
      this.#choose(kind);
    }
  }
}

/**
 * Whether two engines read an image alike. Where the network is unsure, rounding may decide between
 * two texts.
 *
 * @param {Recognition} a
 * @param {Recognition} b
 */
export function agree(a, b) {
  if (Math.abs(a.confidence - b.confidence) > TOLERANCE) return false;
  return a.text === b.text || a.confidence < 0.5;
}

const STORED = "captcha-lens speed";

/**
 * Times of an earlier visit with the same adapter and weights.
 *
 * @param {string} subject adapter and weights
 * @returns {unknown} `undefined` if there are none, or the browser keeps nothing
 */
export function rememberedTimes(subject) {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "null");
    return stored?.subject === subject ? stored.times : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the times for the next visit, if the browser allows it.
 *
 * @param {string} subject adapter and weights
 * @param {Choice} times
 */
export function rememberTimes(subject, times) {
  try {
    localStorage.setItem(STORED, JSON.stringify({ subject, times }));
  } catch {
    // Storage is blocked or full: the next visit measures again.
  }
}
