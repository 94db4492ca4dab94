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
 * The network runs in workers, so that it does not block the page. With `backend: "auto"`, the CPU
 * reads first, with a small module. WebGPU is loaded and checked in the background and takes over
 * after it has passed the check. A crash in a worker (a panic, a lost GPU) fails at most one reading.
 */

import { REASONS, adapterProblem, missingApi } from "./adapter.js";
import { CRASHED, LensError, plainReason } from "./errors.js";
import { NotStarted } from "./rpc.js";
import { Session } from "./session.js";
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
/** Errors after which WebGPU is not used again, and the reasons to show. */
const GPU_FAILURES = /** @type {Record<string, string>} */ ({
  "device-lost": REASONS.deviceLost,
  [CRASHED]: REASONS.crashed,
});

/**
 * A recognizer with loaded weights. It reads one image after the other, in the order of the calls. An
 * image that must be opened first, such as a URL, may be read later.
 */
export class Recognizer {
  #weights;
  #assets;
  #preference;
  #onBackend;
  /** The engine that is loaded first: the CPU's, unless `backend` is "webgpu". */
  #first;
  /** The WebGPU engine, after it has taken over. @type {Session | undefined} */
  #gpu;
  /** @type {BackendStatus} */
  #backend = { kind: "cpu", adapter: "", reason: null, loadingWebGpu: false };
  /** The backend of the first engine. @type {Backend} */
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
      throw badArgument(
        `\`backend\` must be "auto", "webgpu" or "cpu", not ${JSON.stringify(backend)}.`,
      );
    }
    for (const [name, listener] of Object.entries({ onProgress, onBackend })) {
      if (listener !== undefined && typeof listener !== "function") {
        throw badArgument(`\`${name}\` must be a function.`);
      }
    }
    if (assetsUrl !== undefined) {
      // The slash at the end of the folder is optional.
      this.#assets = toUrl(assetsUrl, "assetsUrl").replace(/\/?$/, "/");
    }
    this.#weights = toWeights(weights, this.#assets);
    this.#preference = /** @type {BackendPreference} */ (backend);
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
   * Reads several images as one batch. On a GPU, this takes little longer than one image. For an
   * image that cannot be read, or that crashes the engine, the array has the error.
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
    const outcomes = good.length > 0 ? await this.#read(good, alternatives, signal) : [];
    const next = outcomes.values();
    return sources.map((source) =>
      source instanceof LensError ? source : /** @type {Recognition} */ (next.next().value),
    );
  }

  /** Ends the workers. Open readings fail with the code `closed`. */
  close() {
    this.#end.abort(closedError());
    this.#first.end(closedError());
    this.#gpu?.end(closedError());
  }

  // For `using`. In a browser without these symbols, the two methods are harmless.
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
    const reason =
      this.#preference === "auto" ? (savesData() ? REASONS.saveData : missingApi()) : null;
    const loadingWebGpu = this.#preference === "auto" && reason === null;
    this.#setBackend({ ...backend, reason, loadingWebGpu });
    if (loadingWebGpu) void this.#loadWebGpu();
  }

  /** Loads WebGPU in the background. It takes over, or the backend tells the reason why not. */
  async #loadWebGpu() {
    const { signal } = this.#end;
    const reason = await adapterProblem({ allowSoftware: false });
    if (signal.aborted) return;
    if (reason) return this.#setBackend({ ...this.#firstBackend, reason, loadingWebGpu: false });
    // `auto`: if the check fails, the engine runs on the CPU and gives the reason.
    const gpu = new Session("auto", this.#weights, this.#assets);
    let backend = this.#firstBackend;
    try {
      ({ backend } = await gpu.load(signal));
      backend = { ...backend, reason: plainReason(backend.reason) };
    } catch (error) {
      backend = { ...backend, reason: reasonOf(error) };
    }
    if (signal.aborted) return gpu.end(closedError()); // nobody is told after `close`
    if (backend.kind === "webgpu") this.#gpu = gpu;
    else gpu.end(closedError());
    this.#setBackend({ ...backend, loadingWebGpu: false });
  }

  /**
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<(Recognition | LensError)[]>}
   */
  async #read(images, alternatives, signal) {
    for (let retries = 1; ;) {
      if (this.#end.signal.aborted) throw closedError();
      const session = this.#gpu ?? this.#first;
      try {
        return await session.read(images, alternatives, signal);
      } catch (error) {
        if (!(error instanceof LensError)) throw error;
        const crashed = error.code === CRASHED && !(error instanceof NotStarted);
        const why = session !== this.#first && GPU_FAILURES[error.code];
        if (why) {
          this.#dropGpu(session, why);
          // An image that crashed one engine is not given to the other.
          if (crashed && images.length === 1) throw error;
        } else if (error instanceof NotStarted) {
          // Another image crashed the engine. If there was none, one more engine is started.
          if (!error.blamed && retries-- === 0) throw error;
        } else if (crashed && images.length > 1) {
          return this.#readOneByOne(images, alternatives, signal);
        } else {
          throw error;
        }
      }
    }
  }

  /**
   * Reads the images of a batch that crashed the engine one by one, so that only one of them fails.
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
    this.#setBackend({ ...this.#firstBackend, reason, loadingWebGpu: false });
  }

  /** @param {BackendStatus} backend */
  #setBackend(backend) {
    this.#backend = backend;
    try {
      this.#onBackend?.(backend);
    } catch (error) {
      reportError(error); // an error of the listener does not end loading
    }
  }
}

function savesData() {
  const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator);
  return connection?.saveData === true;
}

/**
 * The reason why WebGPU could not be loaded.
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

function closedError() {
  return new LensError("closed", "This recognizer was closed.");
}
