// @ts-check
/** Replaces the workers of the browser in tests without one. */

/** @import { ImageSource, RpcResponse } from "../../../web/src/lib/types.js" */

/**
 * @typedef {{ type: "load", id: number, weights: unknown, backend: string, code?: WebAssembly.Module }
 *   | { type: "recognize", id: number, images: ImageSource[], alternatives: number }
 *   | { type: "abort", id: number }} Request
 */

export const CONFIG = { alphabet: "abcxyz", maxLength: 7, grid: { rows: 6, cols: 24 } };

/** The smallest WebAssembly module. */
export const EMPTY_WASM = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** What a worker compiles and downloads. */
export const SHARED = {
  code: new WebAssembly.Module(EMPTY_WASM),
  weights: new Uint8Array([1, 2, 3]),
};

/**
 * What a worker returns for others.
 *
 * @param {{ weights: unknown, code?: WebAssembly.Module }} request
 */
const sharedFor = ({ weights, code }) => ({
  code: code ? undefined : SHARED.code,
  weights: typeof weights === "string" ? SHARED.weights : undefined,
});

/** Records requests and answers as the test specifies. */
export class FakeWorker extends EventTarget {
  /** All workers since the last `install`. @type {FakeWorker[]} */
  static all = [];
  /** How long each backend takes for an image, in milliseconds. */
  static milliseconds = { cpu: 20, webgpu: 5 };
  /** What a worker does with a request. @type {(worker: FakeWorker, request: Request) => void} */
  static behave = answer;

  /**
   * Replaces `Worker` and forgets earlier workers.
   *
   * @param {Record<string, unknown>} [navigator] what the browser offers
   */
  static install(navigator = {}) {
    FakeWorker.all = [];
    FakeWorker.behave = answer;
    FakeWorker.milliseconds = { cpu: 20, webgpu: 5 };
    const replace = { configurable: true, writable: true };
    Object.defineProperty(globalThis, "Worker", { value: FakeWorker, ...replace });
    Object.defineProperty(globalThis, "navigator", { value: navigator, ...replace });
  }

  alive = true;
  /** Resolves when the requests so far are done. @type {Promise<unknown>} */
  line = Promise.resolve();
  /** @type {Request[]} */
  requests = [];

  /** @param {URL | string} url */
  constructor(url) {
    super();
    this.url = String(url);
    FakeWorker.all.push(this);
  }

  /** @returns {"cpu" | "webgpu"} */
  get kind() {
    return this.url.includes("cpu") ? "cpu" : "webgpu";
  }

  /** The recognize requests so far. */
  get images() {
    return this.requests.flatMap((request) => (request.type === "recognize" ? request.images : []));
  }

  /** @param {Request} request */
  postMessage(request) {
    this.requests.push(request);
    FakeWorker.behave(this, request);
  }

  /** @param {RpcResponse} data */
  say(data) {
    if (this.alive) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  terminate() {
    this.alive = false;
  }
}

/** An adapter that WebGPU can use. */
export const ADAPTER = { features: new Set(["timestamp-query"]), info: {} };

/**
 * A `navigator` with this `requestAdapter`.
 *
 * @param {() => unknown} requestAdapter
 */
export const withGpu = (requestAdapter = async () => ADAPTER) => ({ gpu: { requestAdapter } });

/** The first byte of an image with the size of a photo. */
export const PHOTO = 23;

/**
 * @param {FakeWorker} worker
 * @param {number} first the answer, the first byte of an image
 */
function reading({ kind }, first) {
  const milliseconds = { total: FakeWorker.milliseconds[kind] };
  const [width, height] = first === PHOTO ? [6000, 4000] : [200, 60];
  const text = String(first);
  return { recognition: { first, text, confidence: 0.9, kind, milliseconds, width, height } };
}

/** @param {ImageSource} image */
const firstByte = (image) => /** @type {Uint8Array} */ (image)[0];

/**
 * Answers a request to read.
 *
 * @param {FakeWorker} worker
 * @param {Extract<Request, { type: "recognize" }>} request
 * @param {(first: number) => number} read the answer for an image with this first byte
 */
export function answerReadings(worker, { id, images }, read) {
  const outcomes = images.map((image) => reading(worker, read(firstByte(image))));
  worker.say({ type: "done", id, value: { outcomes, memory: 0 } });
}

/**
 * Loads, and reads the first byte of each image. Crashes on an image that begins with 13, and loses
 * the device on one that begins with 17.
 *
 * @param {FakeWorker} worker
 * @param {Request} request
 */
export function answer(worker, request) {
  const { id } = request;
  if (request.type === "load") {
    const backend = { kind: worker.kind, adapter: "fake", reason: null };
    worker.say({ type: "done", id, value: { backend, config: CONFIG, ...sharedFor(request) } });
  } else if (request.type === "recognize") {
    // As the engine does: one at a time, each in its own task.
    worker.line = worker.line.then(() => {
      worker.say({ type: "started", id });
      const firsts = request.images.map(firstByte);
      if (firsts.includes(13)) {
        const error = { code: /** @type {const} */ ("engine-crashed"), message: "It broke down." };
        worker.say({ type: "crashed", error });
        return new Promise(() => {}); // a panic never settles
      }
      if (firsts.includes(17)) {
        const error = { code: /** @type {const} */ ("device-lost"), message: "It is lost." };
        return worker.say({ type: "failed", id, error });
      }
      answerReadings(worker, request, (first) => first);
    });
  }
}
