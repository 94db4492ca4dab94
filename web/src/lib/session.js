// @ts-check
/**
 * One engine in its own worker. It is loaded when it is first needed, and again after a crash. A
 * crash fails only the readings that the worker has started.
 */

import { REASONS } from "./adapter.js";
import { Connection } from "./connection.js";
import { LensError, fromPlain, noWebGpuError } from "./errors.js";
import { Lazy, untilAborted } from "./lazy.js";
import { LoadingProgress } from "./progress.js";

/** @import { NotStarted } from "./rpc.js" */
/** @import { BackendPreference, ImageSource, Loaded, Progress, Recognition, StageProgress } from "./types.js" */

/**
 * An engine could not be loaded for a reading, at first or again after a crash.
 *
 * @extends {LensError<string>}
 */
export class NotLoaded extends LensError {
  /** @param {LensError<string>} error */
  constructor(error) {
    super(error.code, error.message, { cause: error.cause });
  }
}

/** Time limits of the stages of loading WebGPU, in milliseconds. */
const LIMITS = /** @type {Record<string, number | undefined>} */ ({
  device: 60_000,
  check: 180_000,
});

export class Session {
  #backend;
  #weights;
  #assets;
  #code;
  #onProgress;
  /** The worker that is loading or loaded. @type {Connection | undefined} */
  #connection;
  #engine = new Lazy(() => this.#start());
  /** The error of all calls after `end`. @type {{ reason: unknown } | undefined} */
  #closed;

  /**
   * @param {BackendPreference} backend
   * @param {string | Uint8Array | ArrayBuffer} weights URL or content
   * @param {string} [assets] URL of the package's folder, if it is not the default
   * @param {(progress: Progress) => void} [onProgress]
   * @param {WebAssembly.Module} [code] that another session has compiled, instead of a download
   */
  constructor(backend, weights, assets, onProgress, code) {
    this.#backend = backend;
    this.#weights = weights;
    this.#assets = assets;
    this.#onProgress = onProgress;
    this.#code = code;
  }

  /** The weights: their content, once they are downloaded. */
  get weights() {
    return this.#weights;
  }

  /** The compiled code, once the engine was loaded. */
  get code() {
    return this.#code;
  }

  /**
   * Loads code and weights, unless they are loaded.
   *
   * @param {AbortSignal} [signal] ends this wait; others may still wait, so loading goes on
   * @returns {Promise<Loaded>}
   */
  async load(signal) {
    return (await this.#ready(signal)).loaded;
  }

  /**
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<(Recognition | LensError)[]>}
   * @throws {NotLoaded} where the engine cannot be loaded
   * @throws {NotStarted} where the engine crashes before it starts this reading
   */
  async read(images, alternatives, signal) {
    const { connection } = await this.#ready(signal).catch((error) => {
      const ended = error === this.#closed?.reason || error === signal?.reason;
      throw error instanceof LensError && !ended ? new NotLoaded(error) : error;
    });
    const params = { images, alternatives };
    const outcomes = await connection.request("recognize", params, { signal, restartable: true });
    return outcomes.map(({ recognition, error }) => (error ? fromPlain(error) : recognition));
  }

  /**
   * Ends the worker for good.
   *
   * @param {unknown} reason the error of all open and later calls
   */
  end(reason) {
    this.#closed ??= { reason };
    this.#connection?.end(reason);
  }

  /** @param {AbortSignal} [signal] */
  async #ready(signal) {
    if (this.#closed) throw this.#closed.reason;
    signal?.throwIfAborted();
    return untilAborted(this.#engine.get(), signal);
  }

  async #start() {
    const connection = new Connection(this.#backend === "cpu" ? "cpu" : "webgpu", {
      assets: this.#assets,
      onEnd: () => void this.#engine.drop(),
    });
    this.#connection = connection;
    const params = { weights: this.#weights, backend: this.#backend, code: this.#code };
    const progress = new LoadingProgress(this.#backend);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @param {StageProgress} report */
    const onProgress = (report) => {
      clearTimeout(timer);
      const limit = report.fraction === 1 ? undefined : LIMITS[report.stage];
      if (limit)
        timer = setTimeout(() => connection.end(noWebGpuError(REASONS.deviceSilent)), limit);
      this.#onProgress?.(progress.update(report));
    };
    try {
      const loaded = await connection.request("load", params, { onProgress });
      // Another start, and other sessions, download nothing.
      this.#code ??= loaded.code;
      this.#weights = loaded.weights ?? this.#weights;
      return { connection, loaded };
    } catch (error) {
      connection.end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
