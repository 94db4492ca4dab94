// @ts-check
/** One worker and the conversation with it: requests out, answers in, each by its number. */

import { CRASHED, LensError, crashed, fromPlain } from "./errors.js";
import { startWorker } from "./worker.js";

/** @import { StageProgress, Response } from "./types.js" */

/** Errors after which a worker cannot be used any more. */
const FATAL = new Set([CRASHED, "device-lost"]);

/**
 * @typedef {object} Asked a request that waits for its answer
 * @property {(value: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {((progress: StageProgress) => void) | undefined} onProgress
 * @property {boolean} begun whether the engine is at it
 */

/** A breakdown, told to a reading that had not begun: another engine can do it. */
export class NotBegun extends LensError {
  /**
   * @param {LensError} error
   * @param {boolean} blamed whether the engine broke down on another request
   */
  constructor(error, blamed) {
    super(error.code, error.message, { cause: error.cause });
    this.blamed = blamed;
  }
}

export class Connection {
  #worker;
  #revoke;
  /** @type {Map<number, Asked>} */
  #open = new Map();
  #lastId = 0;
  /** @type {{ reason: unknown } | undefined} */
  #end;

  /**
   * @param {"cpu" | "webgpu"} module
   * @param {string} [assets] address of the package's folder, where it is not found by itself
   * @throws {LensError} `missing-code` where the browser does not let the worker start
   */
  constructor(module, assets) {
    const { worker, revoke } = startWorker(module, assets);
    this.#worker = worker;
    this.#revoke = revoke;
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    worker.addEventListener("messageerror", () =>
      this.#breakDown(crashed("an answer could not be read")),
    );
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#breakDown(
        event.message
          ? crashed(event.message)
          : new LensError("missing-code", "The script of the recognizer could not be loaded."),
      );
    });
  }

  /** Whether the worker is gone; then every request fails. */
  get ended() {
    return this.#end !== undefined;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param {Record<string, unknown> & { type: string }} request without its number
   * @param {{ signal?: AbortSignal, onProgress?: (progress: StageProgress) => void }} [options]
   * @returns {Promise<any>}
   */
  async ask(request, { signal, onProgress } = {}) {
    signal?.throwIfAborted();
    if (this.#end) throw this.#end.reason;
    const id = ++this.#lastId;
    const giveUp = () => {
      this.#worker.postMessage({ type: "abort", id });
      this.#open.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", giveUp);
    try {
      return await new Promise((resolve, reject) => {
        // Only readings can be done by another engine.
        const begun = request.type !== "recognize";
        this.#open.set(id, { resolve, reject, onProgress, begun });
        this.#send({ ...request, id });
      });
    } finally {
      this.#open.delete(id);
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /**
   * Ends the worker and frees what it holds.
   *
   * @param {unknown} reason what the open requests fail with
   */
  end(reason) {
    if (this.#end) return;
    this.#end = { reason };
    this.#worker.terminate();
    this.#revoke();
    for (const { reject } of this.#open.values()) reject(reason);
  }

  /**
   * Ends the worker after a failure of its own.
   *
   * @param {LensError} error
   */
  #breakDown(error) {
    const asked = [...this.#open.values()];
    const blamed = asked.some(({ begun }) => begun);
    for (const { reject } of asked.filter(({ begun }) => !begun)) {
      reject(new NotBegun(error, blamed));
    }
    this.end(error);
  }

  /** @param {Record<string, unknown>} message */
  #send(message) {
    try {
      this.#worker.postMessage(message);
    } catch (cause) {
      const what = "This image cannot be sent to the recognizer. Pass bytes, a file or pixels.";
      throw new LensError("bad-argument", what, { cause });
    }
  }

  /** @param {Response} response */
  #hear(response) {
    if (response.type === "crashed") return this.#breakDown(fromPlain(response.error));
    const asked = this.#open.get(response.id);
    if (!asked) return; // given up meanwhile: the answer is stale
    switch (response.type) {
      case "started":
        asked.begun = true;
        return;
      case "progress":
        return asked.onProgress?.(response.progress);
      case "loaded":
        return asked.resolve(response.loaded);
      case "recognized":
        return asked.resolve(response.outcomes);
      case "failed": {
        const error = fromPlain(response.error);
        asked.reject(error);
        if (FATAL.has(error.code)) this.#breakDown(error);
      }
    }
  }
}
