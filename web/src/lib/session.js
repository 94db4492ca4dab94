// @ts-check
/**
 * One engine in a worker of its own: loaded when it is first needed, and anew after a breakdown,
 * which costs the readings that were under way and no more.
 */

import { REASONS } from "./adapter.js";
import { Connection } from "./connection.js";
import { fromPlain, noWebGpu } from "./errors.js";
import { LoadingProgress } from "./progress.js";

/** @import { NotBegun } from "./connection.js" */
/** @import { LensError } from "./errors.js" */
/** @import { BackendWish, ImageSource, Loaded, Progress, Recognition, StageProgress, Outcome } from "./types.js" */

/** Longest that a stage of loading WebGPU may take, in milliseconds. */
const LIMITS = /** @type {Record<string, number | undefined>} */ ({
  device: 60_000,
  check: 180_000,
});

export class Session {
  #backend;
  #weights;
  #assets;
  #onProgress;
  /** @type {Connection | undefined} */
  #connection;
  /** @type {Promise<Loaded> | undefined} */
  #loaded;
  /** What everything fails with once the session was ended. @type {{ reason: unknown } | undefined} */
  #closed;

  /**
   * @param {BackendWish} backend
   * @param {string | Uint8Array | ArrayBuffer} weights their address, or themselves
   * @param {string} [assets] address of the package's folder, where it is not found by itself
   * @param {(progress: Progress) => void} [onProgress]
   */
  constructor(backend, weights, assets, onProgress) {
    this.#backend = backend;
    this.#weights = weights;
    this.#assets = assets;
    this.#onProgress = onProgress;
  }

  /**
   * Loads code and weights, unless they are there.
   *
   * @param {AbortSignal} [signal]
   * @returns {Promise<Loaded>}
   */
  async load(signal) {
    if (this.#closed) throw this.#closed.reason;
    signal?.throwIfAborted();
    if (!this.#loaded || this.#connection?.ended) {
      this.#connection = new Connection(this.#backend === "cpu" ? "cpu" : "webgpu", this.#assets);
      this.#loaded = this.#load(this.#connection, signal);
    }
    return this.#loaded;
  }

  /**
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<(Recognition | LensError)[]>}
   * @throws {NotBegun} where the engine broke down before this reading's turn
   */
  async read(images, alternatives, signal) {
    // Giving up this reading does not give up loading, which others may wait for.
    await untilAborted(this.load(), signal);
    const request = { type: "recognize", images, alternatives };
    /** @type {Outcome[]} */
    const outcomes = await /** @type {Connection} */ (this.#connection).ask(request, { signal });
    return outcomes.map(({ recognition, error }) => (error ? fromPlain(error) : recognition));
  }

  /**
   * Ends the worker and frees what it holds, for good.
   *
   * @param {unknown} reason what readings fail with, open ones and later ones
   */
  end(reason) {
    this.#closed ??= { reason };
    this.#connection?.end(reason);
  }

  /**
   * @param {Connection} connection
   * @param {AbortSignal} [signal]
   */
  async #load(connection, signal) {
    const request = { type: "load", weights: this.#weights, backend: this.#backend };
    const progress = new LoadingProgress(this.#backend);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @param {StageProgress} report */
    const onProgress = (report) => {
      clearTimeout(timer);
      const limit = report.fraction === 1 ? undefined : LIMITS[report.stage];
      if (limit) timer = setTimeout(() => connection.end(noWebGpu(REASONS.deviceSilent)), limit);
      this.#onProgress?.(progress.take(report));
    };
    try {
      return await connection.ask(request, { signal, onProgress });
    } catch (error) {
      connection.end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * What is promised, unless the signal comes first.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 * @throws the signal's reason
 */
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal?.reason);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => signal?.removeEventListener("abort", giveUp));
  });
}
