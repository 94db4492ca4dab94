// @ts-check
/** One worker and the conversation with it: requests out, answers in, each by its number. */

import { CRASHED, LensError } from "./errors.js";

/** @import { StageProgress, Response } from "./types.js" */

/** Errors after which a worker cannot be used any more. */
const FATAL = new Set([CRASHED, "device-lost"]);

/**
 * @typedef {object} Asked a request that waits for its answer
 * @property {(value: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {((progress: StageProgress) => void) | undefined} onProgress
 */

/** One worker for each module, written out, since bundlers find workers by this very wording. */
const WORKERS = {
  cpu: () => new Worker(new URL("./worker-cpu.js", import.meta.url), { type: "module" }),
  webgpu: () => new Worker(new URL("./worker-webgpu.js", import.meta.url), { type: "module" }),
};

export class Connection {
  #worker;
  /** @type {Map<number, Asked>} */
  #open = new Map();
  #lastId = 0;
  /** @type {{ reason: unknown } | undefined} */
  #end;

  /** @param {"cpu" | "webgpu"} module */
  constructor(module) {
    this.#worker = WORKERS[module]();
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(
        event.message
          ? new LensError(CRASHED, `The reader broke down (${event.message}).`)
          : new LensError("missing-code", "The reader’s script could not be loaded."),
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
        this.#open.set(id, { resolve, reject, onProgress });
        this.#worker.postMessage({ ...request, id });
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
    for (const { reject } of this.#open.values()) reject(reason);
  }

  /** @param {Response} response */
  #hear(response) {
    if (response.type === "crashed") return this.end(errorOf(response));
    const asked = this.#open.get(response.id);
    if (!asked) return; // given up meanwhile: the answer is stale
    switch (response.type) {
      case "progress":
        return asked.onProgress?.(response.progress);
      case "loaded":
        return asked.resolve(response.loaded);
      case "recognized":
        return asked.resolve(response.outcomes);
      case "failed":
        asked.reject(errorOf(response));
        if (FATAL.has(response.error.code)) this.end(errorOf(response));
    }
  }
}

/** @param {{ error: import("./types.js").PlainError }} response */
function errorOf({ error }) {
  return new LensError(error.code, error.message);
}
