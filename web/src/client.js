// @ts-check
/**
 * Reads text CAPTCHAs, from any page:
 *
 * ```js
 * import { Recognizer } from "./src/client.js";
 *
 * const lens = await Recognizer.load({ onProgress: (p) => console.log(p.stage, p.fraction) });
 * const { text, confidence, letters } = await lens.recognize(file, { alternatives: 3 });
 * lens.close();
 * ```
 *
 * The network runs in a worker, so that the page stays free. Whatever breaks down there (a panic,
 * a lost GPU) costs that one reading: the worker is thrown away and the next reading starts a new
 * one.
 */

import { Connection } from "./connection.js";
import { LensError } from "./errors.js";
import { LoadingProgress } from "./progress.js";

/** @import { Backend, BackendWish, ImageSource, LoadOptions, Progress, Recognition, RecognizeOptions, StageProgress } from "./types.js" */

export { LensError };

const WEIGHTS = new URL("../models/compact.safetensors", import.meta.url);

/**
 * A reader, loaded with its weights. Readings asked for at the same time are done one by one, in
 * the order of asking.
 */
export class Recognizer {
  /** @type {Connection | undefined} */
  #connection;
  /** @type {Promise<Connection> | undefined} */
  #ready;
  /** @type {string | Uint8Array | ArrayBuffer} */
  #weights;
  /** @type {BackendWish} */
  #wish;
  /** Why the wish was changed from `auto` to `cpu`. @type {string | null} */
  #reason = null;
  /** @type {((progress: Progress) => void) | undefined} */
  #onProgress;
  /** @type {Backend} */
  #backend = { kind: "cpu", adapter: "", reason: null };
  #closed = false;

  /**
   * Starts a worker and loads code and weights into it.
   *
   * @param {LoadOptions} [options]
   * @returns {Promise<Recognizer>}
   * @throws {LensError} `missing-code`, `missing-weights`, `bad-weights`, `no-webgpu` (where
   *   WebGPU alone was asked for), `engine-crashed`; or the signal's reason
   */
  static async load({ signal, ...options } = {}) {
    const recognizer = new Recognizer(options);
    await recognizer.#connect(signal);
    return recognizer;
  }

  /**
   * Use {@link Recognizer.load}.
   *
   * @private
   * @param {LoadOptions} options
   */
  constructor({ weights = WEIGHTS, backend = "auto", onProgress }) {
    const isAddress = typeof weights === "string" || weights instanceof URL;
    this.#weights = isAddress ? new URL(weights, globalThis.location.href).href : weights;
    this.#wish = backend;
    this.#onProgress = onProgress;
  }

  /** Where the network runs. */
  get backend() {
    return this.#backend;
  }

  /**
   * Reads one image.
   *
   * @param {ImageSource} image
   * @param {RecognizeOptions} [options]
   * @returns {Promise<Recognition>}
   * @throws {LensError} `unreadable-image`, `image-too-large`, `device-lost`, `engine-crashed`,
   *   `closed`; or the signal's reason
   */
  async recognize(image, options = {}) {
    const wish = this.#wish;
    try {
      return await this.#read(image, options);
    } catch (error) {
      const lost = error instanceof LensError && error.code === "device-lost";
      if (!lost || wish !== "auto") throw error;
      this.#wish = "cpu";
      this.#reason = "the graphics device stopped answering";
      return this.#read(image, options);
    }
  }

  /** Ends the worker and frees what it holds. Open readings fail with the code `closed`. */
  close() {
    this.#closed = true;
    this.#connection?.end(closed());
  }

  /**
   * @param {ImageSource} image
   * @param {RecognizeOptions} options
   * @returns {Promise<Recognition>}
   */
  async #read(image, { alternatives = 0, signal }) {
    const connection = await this.#connect();
    const request = { type: "recognize", image, alternatives };
    const recognition = await connection.ask(request, { signal });
    return { ...recognition, backend: this.#backend };
  }

  /**
   * The worker that is loaded, or a new one.
   *
   * @param {AbortSignal} [signal]
   * @returns {Promise<Connection>}
   */
  async #connect(signal) {
    if (this.#closed) throw closed();
    if (!this.#ready || this.#connection?.ended) {
      this.#connection = new Connection();
      this.#ready = this.#load(this.#connection, signal);
    }
    return this.#ready;
  }

  /**
   * @param {Connection} connection
   * @param {AbortSignal} [signal]
   */
  async #load(connection, signal) {
    const request = { type: "load", weights: this.#weights, backend: this.#wish };
    const progress = new LoadingProgress();
    /** @param {StageProgress} report */
    const onProgress = (report) => this.#onProgress?.(progress.take(report));
    try {
      const backend = await connection.ask(request, { signal, onProgress });
      this.#backend = { ...backend, reason: this.#reason ?? backend.reason };
      return connection;
    } catch (error) {
      connection.end(error);
      throw error;
    }
  }
}

function closed() {
  return new LensError("closed", "This reader was closed.");
}
