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

/**
 * Memory of a module, in bytes, above which its worker is replaced: a large photo takes this much, and
 * WebAssembly cannot give it back. Readings of CAPTCHAs stay below, also in batches
 * (`tests/e2e/bench.mjs`).
 */
const MOST_MEMORY = 96 * 2 ** 20;
/** Time without a reading after which a large worker is replaced, in milliseconds. */
const REPLACE_AFTER = 1000;

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
  /** The worker that is to replace it, while it is loading. @type {Connection | undefined} */
  #next;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #replaceTimer;
  /** Readings that have not ended. */
  #open = 0;
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
    this.#open++;
    try {
      const { connection } = await this.#ready(signal).catch((error) => {
        const ended = error === this.#closed?.reason || error === signal?.reason;
        throw error instanceof LensError && !ended ? new NotLoaded(error) : error;
      });
      const params = { images, alternatives };
      const options = { signal, restartable: true };
      const { outcomes, memory } = await connection.request("recognize", params, options);
      this.#replaceIfLarge(connection, memory);
      return outcomes.map(({ recognition, error }) => (error ? fromPlain(error) : recognition));
    } finally {
      this.#open--;
    }
  }

  /**
   * Ends the worker for good.
   *
   * @param {unknown} reason the error of all open and later calls
   */
  end(reason) {
    this.#closed ??= { reason };
    clearTimeout(this.#replaceTimer);
    this.#next?.end(reason);
    this.#connection?.end(reason);
  }

  /**
   * @param {Connection} connection
   * @param {number} memory of its module, in bytes
   */
  #replaceIfLarge(connection, memory) {
    clearTimeout(this.#replaceTimer);
    if (memory <= MOST_MEMORY || this.#backend !== "cpu" || this.#closed) return;
    this.#replaceTimer = setTimeout(() => void this.#replace(connection), REPLACE_AFTER);
  }

  /**
   * Replaces a worker, once another one is loaded, which downloads nothing. If that fails, or a reading
   * has started, the worker stays.
   *
   * @param {Connection} old
   */
  async #replace(old) {
    if (this.#next || this.#open > 0 || old.ended) return;
    this.#next = this.#connect();
    const connection = this.#next;
    try {
      const loaded = await this.#loadOn(connection, undefined);
      if (this.#open > 0 || old.ended) {
        connection.end(new Error("This worker is not needed."));
      } else {
        this.#connection = connection;
        this.#engine.set({ connection, loaded });
        old.end(new Error("This worker was replaced."));
      }
    } catch {
      // Without another one, the large one still reads.
    } finally {
      this.#next = undefined;
    }
  }

  /** @param {AbortSignal} [signal] */
  async #ready(signal) {
    if (this.#closed) throw this.#closed.reason;
    signal?.throwIfAborted();
    return untilAborted(this.#engine.get(), signal);
  }

  #connect() {
    const connection = new Connection(this.#backend === "cpu" ? "cpu" : "webgpu", {
      assets: this.#assets,
      onEnd: () => {
        if (connection === this.#connection) void this.#engine.drop();
      },
    });
    return connection;
  }

  async #start() {
    const connection = this.#connect();
    this.#connection = connection;
    return { connection, loaded: await this.#loadOn(connection, this.#onProgress) };
  }

  /**
   * @param {Connection} connection
   * @param {((progress: Progress) => void) | undefined} listener
   */
  async #loadOn(connection, listener) {
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
      listener?.(progress.update(report));
    };
    try {
      const loaded = await connection.request("load", params, { onProgress });
      // Another start, and other sessions, download nothing.
      this.#code ??= loaded.code;
      this.#weights = loaded.weights ?? this.#weights;
      return loaded;
    } catch (error) {
      connection.end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
