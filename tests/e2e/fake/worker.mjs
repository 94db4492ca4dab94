// @ts-check
/** Stands in for the browser's workers, in tests without a browser. */

/** @import { Request, Response } from "../../../web/src/types.js" */

export const CONFIG = { alphabet: "abcxyz", maxLetters: 7, grid: { rows: 6, cols: 24 } };

/** Remembers what it is asked, and answers as the test says. */
export class FakeWorker extends EventTarget {
  /** Every worker since the last `install`. @type {FakeWorker[]} */
  static all = [];
  /** What a worker does with a request. @type {(worker: FakeWorker, request: Request) => void} */
  static behave = answer;

  /** Makes this the workers of the test, none of them started yet. */
  static install() {
    FakeWorker.all = [];
    FakeWorker.behave = answer;
    Object.assign(globalThis, { Worker: FakeWorker });
  }

  alive = true;
  /** @type {Request[]} */
  asked = [];

  /** @param {URL} url */
  constructor(url) {
    super();
    this.url = String(url);
    FakeWorker.all.push(this);
  }

  get kind() {
    return this.url.includes("cpu") ? "cpu" : "webgpu";
  }

  /** @param {Request} request */
  postMessage(request) {
    this.asked.push(request);
    FakeWorker.behave(this, request);
  }

  /** @param {Response} data */
  say(data) {
    if (this.alive) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  terminate() {
    this.alive = false;
  }
}

/**
 * Loads, and reads nothing from as many images as there are.
 *
 * @param {FakeWorker} worker
 * @param {Request} request
 */
export function answer(worker, request) {
  if (request.type === "load") {
    const backend = { kind: worker.kind, adapter: "fake", reason: null };
    const loaded = /** @type {any} */ ({ backend, config: CONFIG });
    worker.say({ type: "loaded", id: request.id, loaded });
  } else if (request.type === "recognize") {
    const outcomes = request.images.map((image) => ({ recognition: { text: `read ${image}` } }));
    worker.say({ type: "recognized", id: request.id, outcomes: /** @type {any} */ (outcomes) });
  }
}
