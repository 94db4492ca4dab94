// @ts-check
/**
 * Chooses between the CPU and WebGPU by their measured times. A GPU that is fast with batches can be
 * slow with one image, above all with alternatives, which take a read-back for each character.
 */

/** @import { ImageSource, Recognition } from "./types.js" */

/** @typedef {{ images: ImageSource[], alternatives: number }} Call */
/** @typedef {"cpu" | "webgpu"} EngineKind */

/** Kinds of calls, which are measured separately. @typedef {typeof KINDS[number]} Kind */
const KINDS = /** @type {const} */ ([
  "one",
  "batch",
  "one with alternatives",
  "batch with alternatives",
]);
/** Times that are kept for each engine and kind; their median counts. */
const KEPT = 5;
/** The other engine is chosen when it takes at most this share of the time. */
const MAX_RATIO = 0.85;
/** Images after which both engines are compared again. */
const IMAGES_BETWEEN = 300;
/** A pause after which both engines are compared again, in milliseconds: drivers may have changed. */
const PAUSE = 5 * 60_000;
/** Comparisons of a kind that may fail before no more are tried to learn its times. */
const TRIES = 8;
/** Most images of a call that the other engine reads, too. */
const COMPARED_IMAGES = 16;
/** Largest difference of a confidence between engines that compute the same. */
const TOLERANCE = 0.05;
/** Below this confidence, rounding may decide between two texts. */
const UNSURE = 0.5;

/**
 * @param {number} images
 * @param {number} alternatives
 * @returns {Kind}
 */
export function kindOf(images, alternatives) {
  const size = images > 1 ? "batch" : "one";
  return alternatives > 0 ? `${size} with alternatives` : size;
}

export class Choice {
  #now;
  /** Milliseconds per image, newest last, by kind and engine. @type {Map<string, number[]>} */
  #times = new Map();
  /** The kinds and engines that have read once, which takes longer. @type {Set<string>} */
  #warm = new Set();
  /** @type {Map<Kind, EngineKind>} */
  #chosen = new Map();
  /** Images since the last comparison, and when the last one was read. */
  #since;
  /** Comparisons so far. @type {Map<Kind, number>} */
  #compared = new Map();

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#since = new Map(KINDS.map((kind) => [kind, { images: 0, lastRead: now() }]));
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
   * Counts a call, and tells whether it should go to both engines: if one of them was not measured
   * yet, after some hundred images, and after a pause.
   *
   * @param {Kind} kind
   * @param {number} images of the call
   */
  due(kind, images) {
    const since = this.#of(kind);
    const paused = this.#now() - since.lastRead > PAUSE;
    since.images += images;
    since.lastRead = this.#now();
    return paused || since.images > IMAGES_BETWEEN || this.#isUnknown(kind);
  }

  /**
   * Both engines have been compared, or could not be.
   *
   * @param {Kind} kind
   */
  compared(kind) {
    this.#of(kind).images = 0;
    this.#compared.set(kind, (this.#compared.get(kind) ?? 0) + 1);
  }

  /** @param {Kind} kind */
  #isUnknown(kind) {
    const known = (/** @type {EngineKind} */ engine) => this.milliseconds(kind, engine) !== null;
    return !(known("cpu") && known("webgpu")) && (this.#compared.get(kind) ?? 0) < TRIES;
  }

  /** @param {Kind} kind */
  #of(kind) {
    return /** @type {{ images: number, lastRead: number }} */ (this.#since.get(kind));
  }

  /** @param {Kind} kind */
  #choose(kind) {
    const [cpu, webgpu] = [this.milliseconds(kind, "cpu"), this.milliseconds(kind, "webgpu")];
    if (cpu === null || webgpu === null) return;
    const chosen = this.engine(kind);
    const ratio = chosen === "cpu" ? webgpu / cpu : cpu / webgpu;
    if (ratio <= MAX_RATIO) this.#chosen.set(kind, chosen === "cpu" ? "webgpu" : "cpu");
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
    for (const kind of KINDS) {
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
 * A call to compare engines with. The caller may change bytes and pixels later, but not files.
 *
 * @param {Call} call
 * @returns {Call | undefined} `undefined` if an image cannot be copied
 */
export function copyOf({ images, alternatives }) {
  try {
    const few = images.slice(0, COMPARED_IMAGES);
    const copies = few.map((image) => (image instanceof Blob ? image : structuredClone(image)));
    return { images: copies, alternatives };
  } catch {
    return undefined; // detached; reading it tells the caller
  }
}

/**
 * Whether two engines read an image alike.
 *
 * @param {Recognition} a
 * @param {Recognition} b
 */
export function agree(a, b) {
  if (!Number.isFinite(a.confidence) || !Number.isFinite(b.confidence)) return false;
  if (a.text !== b.text) return a.confidence < UNSURE && b.confidence < UNSURE;
  return Math.abs(a.confidence - b.confidence) <= TOLERANCE;
}

const STORED = "captcha-lens speed";
/** Subjects whose times are kept. */
const SUBJECTS = 4;

/**
 * Times of an earlier visit.
 *
 * @param {string} subject what they depend on, such as the adapter
 * @returns {unknown} `undefined` if there are none, or the browser keeps nothing
 */
export function rememberedTimes(subject) {
  return stored().find(([name]) => name === subject)?.[1];
}

/**
 * Keeps the times for the next visit, if the browser allows it.
 *
 * @param {string} subject
 * @param {Choice} times
 */
export function rememberTimes(subject, times) {
  const others = stored().filter(([name]) => name !== subject);
  const kept = [[subject, times], ...others].slice(0, SUBJECTS);
  try {
    localStorage.setItem(STORED, JSON.stringify(kept));
  } catch {
    // Storage is blocked or full: the next visit measures again.
  }
}

/** @returns {[string, unknown][]} subjects and their times, newest first */
function stored() {
  try {
    const entries = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    if (!Array.isArray(entries)) return [];
    return /** @type {[string, unknown][]} */ (entries.filter(Array.isArray));
  } catch {
    return [];
  }
}
