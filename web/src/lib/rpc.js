// @ts-check
/**
 * Remote calls to a worker. A request is a message `{ type, id, ...params }`. The worker answers it
 * with messages of the same id: `started`, `progress`, and in the end `done` or `failed`. A message
 * `abort` cancels a request; a message `crashed` ends the worker.
 */

import { LensError, fromPlain, toPlain } from "./errors.js";

/** @import { PlainError, RpcContext, RpcMethods, RpcResponse } from "./types.js" */

/**
 * A request that waits for its answer.
 *
 * @typedef {object} Pending
 * @property {(value: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {((progress: any) => void) | undefined} onProgress
 * @property {boolean} started also where the request is not restartable
 */

/**
 * The worker failed before it started this request. Another worker can do the request.
 *
 * @extends {LensError<string>}
 */
export class NotStarted extends LensError {
  /**
   * @param {LensError<string>} error the worker's failure
   * @param {boolean} blamed whether the worker failed on another request
   */
  constructor(error, blamed) {
    super(error.code, error.message, { cause: error.cause });
    this.blamed = blamed;
  }
}

/**
 * The page's side of one worker.
 *
 * @template {RpcMethods} Methods
 */
export class RpcClient {
  #worker;
  #toCrash;
  #fatalCodes;
  #onEnd;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  /** @type {{ reason: unknown } | undefined} */
  #end;

  /**
   * @param {Worker} worker
   * @param {object} options
   * @param {(event: "error" | "messageerror", message: string) => LensError<string>} options.toCrash the
   *   error for an event of the worker; `message` is empty where its script is missing
   * @param {string[]} [options.fatalCodes] error codes after which the worker is useless
   * @param {() => void} [options.onEnd] called once, when the worker has ended
   */
  constructor(worker, { toCrash, fatalCodes = [], onEnd = () => {} }) {
    this.#worker = worker;
    this.#toCrash = toCrash;
    this.#fatalCodes = new Set(fatalCodes);
    this.#onEnd = onEnd;
    worker.addEventListener("message", ({ data }) => this.#onMessage(data));
    for (const type of /** @type {const} */ (["error", "messageerror"])) {
      worker.addEventListener(type, (event) => {
        event.preventDefault();
        const message = "message" in event ? String(event.message) : "";
        this.#crash(this.#toCrash(type, message));
      });
    }
  }

  /** Whether the worker has ended. Then every request fails. */
  get ended() {
    return this.#end !== undefined;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @template {keyof Methods & string} Type
   * @param {Type} type
   * @param {Parameters<Methods[Type]>[0]} params
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {(progress: any) => void} [options.onProgress]
   * @param {boolean} [options.restartable] whether another worker may do the request
   * @param {Transferable[]} [options.transfer] buffers that move to the worker
   * @returns {Promise<Awaited<ReturnType<Methods[Type]>>>}
   * @throws {LensError} what the worker throws; `bad-argument` where the request cannot be sent;
   *   `NotStarted` where the worker fails before it starts a restartable request
   */
  async request(type, params, options = {}) {
    const { signal, onProgress, restartable = false, transfer = [] } = options;
    signal?.throwIfAborted();
    if (this.#end) throw this.#end.reason;
    const id = ++this.#lastId;
    const abort = () => {
      this.#worker.postMessage({ type: "abort", id });
      this.#pending.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress, started: !restartable });
        this.#post({ ...params, type, id }, transfer);
      });
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Ends the worker.
   *
   * @param {unknown} reason the error of all pending and later requests
   */
  end(reason) {
    if (this.#end) return;
    this.#end = { reason };
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#onEnd();
  }

  /** @param {LensError<string>} error */
  #crash(error) {
    const pending = [...this.#pending.values()];
    const blamed = pending.some(({ started }) => started);
    for (const { started, reject } of pending) {
      if (!started) reject(new NotStarted(error, blamed));
    }
    this.end(error);
  }

  /**
   * @param {Record<string, unknown>} message
   * @param {Transferable[]} transfer
   */
  #post(message, transfer) {
    try {
      this.#worker.postMessage(message, transfer);
    } catch (cause) {
      const what = "This image cannot be sent to the recognizer. Pass bytes, a file or pixels.";
      throw new LensError("bad-argument", what, { cause });
    }
  }

  /** @param {RpcResponse} response */
  #onMessage(response) {
    if (response.type === "crashed") return this.#crash(fromPlain(response.error));
    const pending = this.#pending.get(response.id);
    if (!pending) return; // aborted
    switch (response.type) {
      case "started":
        pending.started = true;
        return;
      case "progress":
        return pending.onProgress?.(response.progress);
      case "done":
        return pending.resolve(response.value);
      case "failed": {
        const error = fromPlain(response.error);
        pending.reject(error);
        if (this.#fatalCodes.has(error.code)) this.#crash(error);
      }
    }
  }
}

/**
 * The worker's side: starts to answer requests by calling `methods`.
 *
 * @param {RpcMethods} methods by request type
 * @param {object} [options]
 * @param {boolean} [options.queued] one request at a time, in the order of arrival; a request that is
 *   aborted in the queue is not started
 * @param {(thrown: unknown) => PlainError<string>} [options.toError] describes what a method throws
 */
export function serveRpc(methods, { queued = false, toError = toPlain } = {}) {
  /** Requests that have not started and are not aborted. @type {Set<number>} */
  const waiting = new Set();
  /** Settles when the last queued request is done. */
  let queue = Promise.resolve();
  const post = (/** @type {RpcResponse} */ response, /** @type {Transferable[]} */ transfer = []) =>
    self.postMessage(response, { transfer });

  const answer = async (/** @type {{ type: string, id: number }} */ { type, id, ...params }) => {
    if (!waiting.delete(id)) return;
    post({ type: "started", id });
    /** @type {RpcContext} */
    const context = {
      transfer: [],
      onProgress: (progress) => post({ type: "progress", id, progress }),
    };
    try {
      const value = await methods[type](params, context);
      post({ type: "done", id, value }, context.transfer);
    } catch (thrown) {
      post({ type: "failed", id, error: toError(thrown) });
    }
  };
  self.addEventListener("message", ({ data: request }) => {
    if (request.type === "abort") {
      waiting.delete(request.id);
      return;
    }
    waiting.add(request.id);
    if (queued) queue = queue.then(() => answer(request));
    else void answer(request);
  });

  const crash = (/** @type {unknown} */ thrown) =>
    post({ type: "crashed", error: toError(thrown) });
  self.addEventListener("messageerror", () => crash("a request could not be read"));
  // A Rust panic inside an async function leaves its promise pending: only these events report it.
  self.addEventListener("error", (event) => {
    event.preventDefault();
    crash(event.error ?? event.message);
  });
  self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    crash(event.reason);
  });
}
