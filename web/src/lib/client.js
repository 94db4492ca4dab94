// @ts-check
/**
 * Reads text CAPTCHAs, from any page:
 *
 * ```js
 * import { Recognizer } from "./src/lib/client.js";
 *
 * const lens = await Recognizer.load({ onProgress: (p) => console.log(p.stage, p.fraction) });
 * const { text, confidence, characters } = await lens.recognize(file, { alternatives: 3 });
 * lens.close();
 * ```
 *
 * The network runs in workers, so that the page stays free. Left the choice, the CPU reads first,
 * from a small module; WebGPU is loaded and checked behind it and takes over when it has proved
 * itself. What breaks down in a worker (a panic, a lost GPU) costs one reading at most.
 */

import { REASONS, obstacle, refusal } from "./adapter.js";
import { CRASHED, LensError, plainReason } from "./errors.js";
import { NotStarted } from "./rpc.js";
import { Session } from "./session.js";
import { own, toSource } from "./source.js";

/** @typedef {import("./types.js").Alternative} Alternative */
/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").BackendWish} BackendWish */
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
/** @typedef {import("./types.js").RunsOn} RunsOn */

export { LensError };

const WEIGHTS = new URL("../../models/compact.safetensors", import.meta.url);

const BACKENDS = ["auto", "webgpu", "cpu"];
/** Errors after which WebGPU is not tried again, with the words for it. */
const GPU_FAILURES = /** @type {Record<string, string>} */ ({
  "device-lost": REASONS.deviceLost,
  [CRASHED]: REASONS.crashed,
});

/**
 * A reader, loaded with its weights. Readings asked for at the same time are done one by one, in
 * the order of asking; an image that has to be opened first, as an address has, may come later.
 */
export class Recognizer {
  #weights;
  #assets;
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
  #config = { alphabet: "", maxLength: 0, grid: { rows: 0, cols: 0 } };
  #end = new AbortController();

  /**
   * Starts a worker and loads code and weights into it.
   *
   * @param {LoadOptions} [options]
   * @returns {Promise<Recognizer>}
   * @throws {LensError} `bad-argument`, `no-browser`, `missing-code`, `missing-weights`,
   *   `bad-weights`, `no-webgpu` (where WebGPU alone was asked for), `engine-crashed`; or the
   *   signal's reason
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
      await recognizer.#load(signal);
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
  constructor({ weights, backend = "auto", assetsUrl, onProgress, onBackend }) {
    if (!BACKENDS.includes(backend)) {
      throw bad(`\`backend\` must be "auto", "webgpu" or "cpu", not ${JSON.stringify(backend)}.`);
    }
    for (const [name, listener] of Object.entries({ onProgress, onBackend })) {
      if (listener !== undefined && typeof listener !== "function") {
        throw bad(`\`${name}\` must be a function.`);
      }
    }
    if (assetsUrl !== undefined) {
      // A folder, with a slash at its end or without.
      this.#assets = addressOf(assetsUrl, "assetsUrl").replace(/\/?$/, "/");
    }
    this.#weights = weightsOf(weights, this.#assets);
    this.#wish = /** @type {BackendWish} */ (backend);
    this.#first = new Session(
      backend === "webgpu" ? "webgpu" : "cpu",
      this.#weights,
      this.#assets,
      onProgress,
    );
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
   * Reads many images at once, which takes a GPU little longer than one. An image that cannot be
   * read gives its error in its place, also one on which the engine breaks down.
   *
   * @param {ImageInput[]} images a few dozen at most: all are in memory at a time
   * @param {RecognizeOptions} [options]
   * @returns {Promise<(Recognition | LensError)[]>}
   * @throws {LensError} `bad-argument`, `device-lost`, `closed`; or the signal's reason
   */
  async recognizeAll(images, { alternatives = 0, signal } = {}) {
    if (!Array.isArray(images)) throw bad("`images` must be an array.");
    const sources = await Promise.all(
      images.map((image) => toSource(image).catch((/** @type {LensError} */ error) => error)),
    );
    const good = sources.flatMap((source) => (source instanceof LensError ? [] : [source]));
    const outcomes = good.length > 0 ? await this.#read(good, alternatives, signal) : [];
    const next = outcomes.values();
    return sources.map((source) =>
      source instanceof LensError ? source : /** @type {Recognition} */ (next.next().value),
    );
  }

  /** Ends the workers and frees what they hold. Open readings fail with the code `closed`. */
  close() {
    this.#end.abort(closed());
    this.#first.end(closed());
    this.#gpu?.end(closed());
  }

  // For `using`; where a browser has no such symbols, these names do no harm.
  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  /** @param {AbortSignal} [signal] */
  async #load(signal) {
    const { backend, config } = await this.#first.load(signal);
    this.#firstBackend = backend;
    this.#config = config;
    const reason = this.#wish === "auto" ? (savesData() ? REASONS.saveData : obstacle()) : null;
    const warming = this.#wish === "auto" && reason === null;
    this.#setBackend({ ...backend, reason, warming });
    if (warming) void this.#warmUp();
  }

  /** Loads WebGPU behind the CPU, and lets it take over or says why it does not. */
  async #warmUp() {
    const { signal } = this.#end;
    const reason = await refusal({ software: false });
    if (signal.aborted) return;
    if (reason) return this.#setBackend({ ...this.#firstBackend, reason, warming: false });
    // `auto`: the engine itself falls back where the check fails, and says why.
    const gpu = new Session("auto", this.#weights, this.#assets);
    let backend = this.#firstBackend;
    try {
      ({ backend } = await gpu.load(signal));
      backend = { ...backend, reason: plainReason(backend.reason) };
    } catch (error) {
      backend = { ...backend, reason: reasonOf(error) };
    }
    if (signal.aborted) return gpu.end(closed()); // told nobody any more
    if (backend.kind === "webgpu") this.#gpu = gpu;
    else gpu.end(closed());
    this.#setBackend({ ...backend, warming: false });
  }

  /**
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<(Recognition | LensError)[]>}
   */
  async #read(images, alternatives, signal) {
    for (let spare = 1; ;) {
      if (this.#end.signal.aborted) throw closed();
      const session = this.#gpu ?? this.#first;
      try {
        return await session.read(images, alternatives, signal);
      } catch (error) {
        if (!(error instanceof LensError)) throw error;
        const broke = error.code === CRASHED && !(error instanceof NotStarted);
        const why = session !== this.#first && GPU_FAILURES[error.code];
        if (why) {
          this.#dropGpu(session, why);
          // An image on which the engine broke down is not tried again.
          if (broke && images.length === 1) throw error;
        } else if (error instanceof NotStarted) {
          // Another image is to blame; where none is, one more engine may do it.
          if (!error.blamed && spare-- === 0) throw error;
        } else if (broke && images.length > 1) {
          return this.#readOneByOne(images, alternatives, signal);
        } else {
          throw error;
        }
      }
    }
  }

  /**
   * Reads images one of which the engine broke down on: alone, it takes no other with it.
   *
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   */
  async #readOneByOne(images, alternatives, signal) {
    const outcomes = [];
    for (const image of images) {
      try {
        outcomes.push(...(await this.#read([image], alternatives, signal)));
      } catch (error) {
        if (!(error instanceof LensError) || error.code !== CRASHED) throw error;
        outcomes.push(error);
      }
    }
    return outcomes;
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
    try {
      this.#onBackend?.(backend);
    } catch (error) {
      reportError(error); // a listener's fault does not end loading
    }
  }
}

function savesData() {
  const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator);
  return connection?.saveData === true;
}

/**
 * Why WebGPU could not be loaded.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  if (!(error instanceof LensError)) return plainReason(String(error));
  if (error.code === "no-webgpu" && typeof error.cause === "string") return error.cause;
  return GPU_FAILURES[error.code] ?? error.message;
}

/**
 * @param {LoadOptions["weights"]} weights
 * @param {string} [assets]
 */
function weightsOf(weights, assets) {
  if (weights === undefined) {
    return (assets === undefined ? WEIGHTS : new URL("models/compact.safetensors", assets)).href;
  }
  if (typeof weights === "string" || weights instanceof URL) return addressOf(weights, "weights");
  if (weights instanceof Uint8Array) return own(weights);
  if (weights instanceof ArrayBuffer) return weights;
  throw bad("`weights` must be an address, a Uint8Array or an ArrayBuffer.");
}

/**
 * @param {string | URL} given
 * @param {string} name of the option
 */
function addressOf(given, name) {
  try {
    return new URL(given, globalThis.location?.href).href;
  } catch (cause) {
    throw bad(`\`${name}\` is not a valid address: ${given}.`, { cause });
  }
}

/**
 * @param {string} message
 * @param {ErrorOptions} [options]
 */
function bad(message, options) {
  return new LensError("bad-argument", message, options);
}

function closed() {
  return new LensError("closed", "This recognizer was closed.");
}
