// @ts-check
/**
 * The thread that owns the wasm instance. It loads once, then does one request after the other:
 * they wait in line here, and one that is given up before its turn is not done at all.
 */

import { refusal } from "./adapter.js";
import { download, interrupted } from "./download.js";
import { CRASHED, LensError, noWebGpu, toPlain } from "./errors.js";

/** @import { Subject } from "./download.js" */
/** @import { Engine, EngineModule, LoadRequest, StageProgress, RecognizeRequest, Request, Response } from "./types.js" */

/** The module's JavaScript and the address of its WebAssembly. @type {{ module: EngineModule, wasm: URL }} */
let code;
/** @type {Engine | undefined} */
let engine;
/** Settles when everything asked for so far is done. @type {Promise<void>} */
let line = Promise.resolve();
/** Requests that wait for their turn and are not given up. @type {Set<number>} */
const waiting = new Set();

/**
 * @param {Response} response
 * @param {Transferable[]} [transfer]
 */
const say = (response, transfer = []) => self.postMessage(response, { transfer });

/**
 * Starts a worker: from here on it listens.
 *
 * @param {EngineModule} module
 * @param {URL} wasm
 */
export function start(module, wasm) {
  code = { module, wasm };
  self.addEventListener("message", (/** @type {MessageEvent<Request>} */ { data: request }) => {
    if (request.type === "abort") {
      waiting.delete(request.id);
      return;
    }
    waiting.add(request.id);
    line = line.then(async () => {
      if (!waiting.delete(request.id)) return;
      say({ type: "started", id: request.id });
      try {
        await (request.type === "load" ? load(request) : recognize(request));
      } catch (thrown) {
        say({ type: "failed", id: request.id, error: toPlain(thrown) });
      }
    });
  });
  self.addEventListener("messageerror", () => {
    say({ type: "crashed", error: toPlain("a request could not be read") });
  });

  // A panic inside an async export traps outside of any promise, so the request never settles.
  self.addEventListener("error", (event) => {
    event.preventDefault();
    say({ type: "crashed", error: toPlain(event.error ?? event.message) });
  });
  self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say({ type: "crashed", error: toPlain(event.reason) });
  });
}

/** @param {LoadRequest} request */
async function load({ id, weights, backend }) {
  /** @param {StageProgress} progress */
  const onProgress = (progress) => say({ type: "progress", id, progress });
  // The page may have an adapter where a worker has none. Whether one of software is wanted is for
  // the page to say.
  const reason = backend === "cpu" ? null : await refusal({ software: true });
  if (reason) throw noWebGpu(reason);
  const [module, bytes] = await Promise.all([
    loadCode(onProgress),
    typeof weights === "string" ? loadWeights(weights, onProgress) : weights,
  ]);
  engine = await module.Recognizer.load({ weights: bytes, backend, onProgress });
  say({ type: "loaded", id, loaded: { backend: engine.backend, config: engine.config } });
}

/**
 * @param {(progress: StageProgress) => void} onProgress
 * @returns {Promise<EngineModule>}
 */
async function loadCode(onProgress) {
  /** @type {Subject} */
  const what = { name: "The recognizer", missing: "missing-code", stage: "code" };
  const { module, wasm } = code;
  try {
    const { response, counted } = await download(wasm, what, "application/wasm", onProgress);
    await Promise.all([module.default({ module_or_path: response }), counted]);
    return module;
  } catch (thrown) {
    throw interrupted(thrown, what);
  }
}

/**
 * @param {string} address
 * @param {(progress: StageProgress) => void} onProgress
 */
async function loadWeights(address, onProgress) {
  /** @type {Subject} */
  const what = { name: "The weights", missing: "missing-weights", stage: "weights" };
  try {
    const type = "application/octet-stream";
    const { response, counted } = await download(address, what, type, onProgress);
    const [bytes] = await Promise.all([response.arrayBuffer(), counted]);
    return new Uint8Array(bytes);
  } catch (thrown) {
    throw interrupted(thrown, what);
  }
}

/** @param {RecognizeRequest} request */
async function recognize({ id, images, alternatives }) {
  if (!engine) throw new LensError(CRASHED, "The recognizer is not loaded yet. Load it first.");
  /** @type {ArrayBufferLike[]} */
  const buffers = [];
  const answers = await engine.recognizeAll(images, { alternatives });
  const outcomes = answers.map((answer) => {
    if (answer instanceof Error) return { error: toPlain(answer) };
    buffers.push(...answer.characters.map(({ attention }) => attention.buffer));
    return { recognition: answer };
  });
  say({ type: "recognized", id, outcomes }, /** @type {ArrayBuffer[]} */ (buffers));
}
