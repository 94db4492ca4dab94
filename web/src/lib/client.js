// @ts-check
/**
 * Recognizes text CAPTCHAs in a web page:
 *
 * ```js
 * import { Recognizer } from "./src/lib/client.js";
 *
 * const lens = await Recognizer.load({ onProgress: (p) => console.log(p.stage, p.fraction) });
 * const { text, confidence, characters } = await lens.recognize(file, { alternatives: 3 });
 * lens.close();
 * ```
 *
 * The network runs in workers, so that it does not block the page (`engines.js`). A crash in a worker
 * (a panic, a lost GPU) fails at most one reading.
 */

import { Engines } from "./engines.js";
import { LensError, closedError } from "./errors.js";
import { defaultConcurrency } from "./pool.js";
import { toSource, withOwnBuffer } from "./source.js";

/** @typedef {import("./types.js").Alternative} Alternative */
/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").BackendPreference} BackendPreference */
/** @typedef {import("./types.js").ErrorCode} ErrorCode */
/** @typedef {import("./types.js").Grid} Grid */
/** @typedef {import("./types.js").ImageInput} ImageInput */
/** @typedef {import("./types.js").ImageSource} ImageSource */
/** @typedef {import("./types.js").Character} Character */
/** @typedef {import("./types.js").LoadOptions} LoadOptions */
/** @typedef {import("./types.js").Milliseconds} Milliseconds */
/** @typedef {import("./types.js").NetworkConfig} NetworkConfig */
/** @typedef {import("./types.js").Progress} Progress */
/** @typedef {import("./types.js").Recognition} Recognition */
/** @typedef {import("./types.js").RecognizeOptions} RecognizeOptions */
/** @typedef {import("./types.js").BackendStatus} BackendStatus */

export { LensError };

const WEIGHTS = new URL("../../models/compact.safetensors", import.meta.url);

const BACKENDS = ["auto", "webgpu", "cpu"];
const MAX_CONCURRENCY = 64;

/**
 * A recognizer with loaded weights. Each call returns its own answers; where several workers or
 * backends read, a later call can end before an earlier one.
 */
export class Recognizer {
  #engines;
  #onBackend;
  /** @type {NetworkConfig} */
  #config = { alphabet: "", maxLength: 0, grid: { rows: 0, cols: 0 } };

  /**
   * Starts a worker and loads code and weights into it.
   *
   * @param {LoadOptions} [options]
   * @returns {Promise<Recognizer>}
   * @throws {LensError} `bad-argument`, `no-browser`, `missing-code`, `missing-weights`,
   *   `bad-weights`, `no-webgpu` (only if `backend` is "webgpu"), `engine-crashed`; or the signal's
   *   reason
   */
  static async load({ signal, ...options } = {}) {
    if (typeof Worker === "undefined") {
      throw new LensError(
        "no-browser",
        "captcha-lens reads in a browser only: call Recognizer.load() in a page, not in Node.js or while a server renders one.",
      );
    }
    const recognizer = new Recognizer(options);
    try {
      recognizer.#config = await recognizer.#engines.load(signal);
    } catch (error) {
      recognizer.close();
      throw error;
    }
    return recognizer;
  }

  /**
   * Use {@link Recognizer.load}.
   *
   * @private
   * @param {LoadOptions} options
   */
  constructor({ weights, backend = "auto", concurrency, assetsUrl, onProgress, onBackend }) {
    if (!BACKENDS.includes(backend)) {
      throw badArgument(
        `\`backend\` must be "auto", "webgpu" or "cpu", not ${JSON.stringify(backend)}.`,
      );
    }
    const workers = concurrency ?? defaultConcurrency(navigator);
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_CONCURRENCY) {
      throw badArgument(
        `\`concurrency\` must be a whole number from 1 to ${MAX_CONCURRENCY}, not ${concurrency}.`,
      );
    }
    for (const [name, listener] of Object.entries({ onProgress, onBackend })) {
      if (listener !== undefined && typeof listener !== "function") {
        throw badArgument(`\`${name}\` must be a function.`);
      }
    }
    // The slash at the end of the folder is optional.
    const assets =
      assetsUrl === undefined ? undefined : toUrl(assetsUrl, "assetsUrl").replace(/\/?$/, "/");
    this.#onBackend = onBackend;
    this.#engines = new Engines({
      preference: /** @type {BackendPreference} */ (backend),
      weights: toWeights(weights, assets),
      concurrency: workers,
      assets,
      onProgress,
      onStatus: (status) => this.#report(status),
    });
  }

  /** Where calls of the last kind are read now, and the time per image on CPU and WebGPU. */
  get backend() {
    return this.#engines.status;
  }

  /** The alphabet, the maximum length of a text and the attention grid of the network. */
  get config() {
    return this.#config;
  }

  /**
   * Reads one image.
   *
   * @param {ImageInput} image
   * @param {RecognizeOptions} [options]
   * @returns {Promise<Recognition>}
   * @throws {LensError} `bad-argument`, `unreadable-image`, `image-too-large`, `device-lost`,
   *   `engine-crashed`, `closed`; or the signal's reason
   */
  async recognize(image, options) {
    const [outcome] = await this.recognizeAll([image], options);
    if (outcome instanceof LensError) throw outcome;
    return outcome;
  }

  /**
   * Reads several images as one batch. On a GPU, this takes little longer than one image; on the CPU,
   * several workers divide it. For an image that cannot be read, or that crashes the engine, the array
   * has the error.
   *
   * @param {ImageInput[]} images a few dozen at most, because all of them are in memory
   * @param {RecognizeOptions} [options]
   * @returns {Promise<(Recognition | LensError)[]>}
   * @throws {LensError} `bad-argument`, `device-lost`, `closed`; or the signal's reason
   */
  async recognizeAll(images, { alternatives = 0, signal } = {}) {
    if (!Array.isArray(images)) throw badArgument("`images` must be an array.");
    const sources = await Promise.all(
      images.map((image) => toSource(image).catch((/** @type {LensError} */ error) => error)),
    );
    const good = sources.flatMap((source) => (source instanceof LensError ? [] : [source]));
    const outcomes = good.length > 0 ? await this.#engines.read(good, alternatives, signal) : [];
    const next = outcomes.values();
    return sources.map((source) =>
      source instanceof LensError ? source : /** @type {Recognition} */ (next.next().value),
    );
  }

  /** Ends the workers. Open readings fail with the code `closed`. */
  close() {
    this.#engines.close(closedError());
  }

  // For `using`. In a browser without these symbols, the two methods are harmless.
  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  /** @param {BackendStatus} backend */
  #report(backend) {
    try {
      this.#onBackend?.(backend);
    } catch (error) {
      reportError(error); // an error of the listener does not end loading
    }
  }
}

/**
 * @param {LoadOptions["weights"]} weights
 * @param {string} [assets]
 */
function toWeights(weights, assets) {
  if (weights === undefined) {
    return (assets === undefined ? WEIGHTS : new URL("models/compact.safetensors", assets)).href;
  }
  if (typeof weights === "string" || weights instanceof URL) return toUrl(weights, "weights");
  if (weights instanceof Uint8Array) return withOwnBuffer(weights);
  if (weights instanceof ArrayBuffer) return weights;
  throw badArgument("`weights` must be a URL, a Uint8Array or an ArrayBuffer.");
}

/**
 * @param {string | URL} given
 * @param {string} name of the option
 */
function toUrl(given, name) {
  try {
    return new URL(given, globalThis.location?.href).href;
  } catch (cause) {
    throw badArgument(`\`${name}\` is not a valid URL: ${given}.`, { cause });
  }
}

/**
 * @param {string} message
 * @param {ErrorOptions} [options]
 */
function badArgument(message, options) {
  return new LensError("bad-argument", message, options);
}
