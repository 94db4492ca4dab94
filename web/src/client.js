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
 * The network runs in workers, so that the page stays free. Left the choice, the CPU reads first,
 * from a small module; WebGPU is loaded and checked behind it and takes over when it has proved
 * itself. What breaks down in a worker (a panic, a lost GPU) costs one reading at most.
 */

import { CRASHED, LensError } from "./errors.js";
import { Session } from "./session.js";

/** @typedef {import("./types.js").Alternative} Alternative */
/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").BackendWish} BackendWish */
/** @typedef {import("./types.js").Grid} Grid */
/** @typedef {import("./types.js").ImageSource} ImageSource */
/** @typedef {import("./types.js").Letter} Letter */
/** @typedef {import("./types.js").LoadOptions} LoadOptions */
/** @typedef {import("./types.js").Milliseconds} Milliseconds */
/** @typedef {import("./types.js").NetworkConfig} NetworkConfig */
/** @typedef {import("./types.js").Progress} Progress */
/** @typedef {import("./types.js").Recognition} Recognition */
/** @typedef {import("./types.js").RecognizeOptions} RecognizeOptions */
/** @typedef {import("./types.js").RunsOn} RunsOn */

export { LensError };

const WEIGHTS = new URL("../models/compact.safetensors", import.meta.url);

/** @type {string | null} */
const NO_ADAPTER = "the browser offers no graphics adapter";
/** Errors after which WebGPU is not tried again, with the words for it. */
const GPU_FAILURES = /** @type {Record<string, string>} */ ({
  "device-lost": "the graphics device stopped answering",
  [CRASHED]: "the reader broke down on it",
});

/**
 * A reader, loaded with its weights. Readings asked for at the same time are done one by one, in
 * the order of asking.
 */
export class Recognizer {
  #weights;
  #wish;
  #onBackend;
  /** The engine that was loaded first: the CPU's, unless WebGPU alone was asked for. */
  #first;
  /** WebGPU, once it is there to take over. @type {Session | undefined} */
  #gpu;
  /** @type {RunsOn} */
  #backend = { kind: "cpu", adapter: "", reason: null, warming: false };
  /** What the first engine runs on. @type {Backend} */
  #firstBackend = this.#backend;
  /** @type {NetworkConfig} */
  #config = { alphabet: "", maxLetters: 0, grid: { rows: 0, cols: 0 } };
  #end = new AbortController();

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
    await recognizer.#load(signal);
    return recognizer;
  }

  /**
   * Use {@link Recognizer.load}.
   *
   * @private
   * @param {LoadOptions} options
   */
  constructor({ weights = WEIGHTS, backend = "auto", onProgress, onBackend }) {
    const isAddress = typeof weights === "string" || weights instanceof URL;
    this.#weights = isAddress ? new URL(weights, globalThis.location.href).href : weights;
    this.#wish = /** @type {BackendWish} */ (backend);
    this.#first = new Session(backend === "webgpu" ? "webgpu" : "cpu", this.#weights, onProgress);
    this.#onBackend = onBackend;
  }

  /** Where the network runs now. */
  get backend() {
    return this.#backend;
  }

  /** What the loaded network reads: its alphabet, the longest text and the grid of attention. */
  get config() {
    return this.#config;
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
  async recognize(image, options) {
    const [outcome] = await this.recognizeAll([image], options);
    if (outcome instanceof LensError) throw outcome;
    return outcome;
  }

  /**
   * Reads many images at once, which takes a GPU little longer than one. An image that cannot be
   * read gives its error in its place.
   *
   * @param {ImageSource[]} images a few dozen at most: all are in memory at a time
   * @param {RecognizeOptions} [options]
   * @returns {Promise<(Recognition | LensError)[]>}
   * @throws {LensError} `device-lost`, `engine-crashed`, `closed`; or the signal's reason
   */
  async recognizeAll(images, { alternatives = 0, signal } = {}) {
    if (this.#end.signal.aborted) throw closed();
    const gpu = this.#gpu;
    if (!gpu) return this.#first.read(images, alternatives, signal);
    try {
      return await gpu.read(images, alternatives, signal);
    } catch (error) {
      const why = error instanceof LensError && GPU_FAILURES[error.code];
      if (!why) throw error;
      this.#dropGpu(gpu, why);
      // An image on which the engine broke down is not tried again.
      if (error.code === CRASHED) throw error;
      if (this.#end.signal.aborted) throw closed();
      return this.#first.read(images, alternatives, signal);
    }
  }

  /** Ends the workers and frees what they hold. Open readings fail with the code `closed`. */
  close() {
    this.#end.abort(closed());
    this.#first.end(closed());
    this.#gpu?.end(closed());
  }

  /** @param {AbortSignal} [signal] */
  async #load(signal) {
    const { backend, config } = await this.#first.load(signal);
    this.#firstBackend = backend;
    this.#config = config;
    const warming = this.#wish === "auto";
    this.#setBackend({ ...this.#firstBackend, warming });
    if (warming) void this.#warmUp();
  }

  /** Loads WebGPU behind the CPU, and lets it take over or says why it does not. */
  async #warmUp() {
    const { signal } = this.#end;
    // `auto`: the engine itself falls back where the check fails, and says why.
    const gpu = new Session("auto", this.#weights);
    let backend = { ...this.#firstBackend, reason: NO_ADAPTER };
    try {
      if (await hasAdapter()) ({ backend } = await gpu.load(signal));
    } catch (error) {
      if (signal.aborted) return;
      backend.reason = error instanceof Error ? error.message : String(error);
    }
    if (signal.aborted) return gpu.end(closed()); // told nobody any more
    if (backend.kind === "webgpu") this.#gpu = gpu;
    else gpu.end(closed());
    this.#setBackend({ ...backend, warming: false });
  }

  /**
   * @param {Session} gpu
   * @param {string} reason
   */
  #dropGpu(gpu, reason) {
    if (this.#gpu !== gpu) return;
    this.#gpu = undefined;
    gpu.end(new LensError("device-lost", `WebGPU is not used any more: ${reason}.`));
    this.#setBackend({ ...this.#firstBackend, reason, warming: false });
  }

  /** @param {RunsOn} backend */
  #setBackend(backend) {
    this.#backend = backend;
    this.#onBackend?.(backend);
  }
}

/** Whether WebGPU is worth loading. */
async function hasAdapter() {
  const { gpu } = /** @type {{ gpu?: { requestAdapter(): Promise<unknown> } }} */ (navigator);
  return Boolean(await gpu?.requestAdapter().catch(() => null));
}

function closed() {
  return new LensError("closed", "This reader was closed.");
}
