// @ts-check
/**
 * The thread that owns the wasm instance. It loads once, then does one request after the other:
 * they wait in line here, and one that is given up before its turn is not done at all.
 */

import { download, interrupted } from "./download.js";
import { LensError, toPlain } from "./errors.js";

/** @import { Engine, EngineModule, LoadRequest, StageProgress, RecognizeRequest, Request, Response } from "./types.js" */

/** The module's JavaScript and the address of its WebAssembly. @type {{ module: EngineModule, wasm: URL }} */
let code;
/** @type {Engine | undefined} */
let engine;
/** Settles when everything asked for so far is done. @type {Promise<void>} */
let line = Promise.resolve();
/** Requests given up before their turn. @type {Set<number>} */
const givenUp = new Set();

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
      givenUp.add(request.id);
      return;
    }
    line = line.then(async () => {
      if (givenUp.delete(request.id)) return;
      try {
        await (request.type === "load" ? load(request) : recognize(request));
      } catch (thrown) {
        say({ type: "failed", id: request.id, error: toPlain(thrown) });
      }
      givenUp.delete(request.id);
    });
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
  const what = { name: "The reader", missing: "missing-code", stage: "code" };
  const { module, wasm } = code;
  try {
    const response = await download(wasm, what, "application/wasm", onProgress);
    await module.default({ module_or_path: response });
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
  const what = { name: "The weights", missing: "missing-weights", stage: "weights" };
  try {
    const response = await download(address, what, "application/octet-stream", onProgress);
    return new Uint8Array(await response.arrayBuffer());
  } catch (thrown) {
    throw interrupted(thrown, what);
  }
}

/** @param {RecognizeRequest} request */
async function recognize({ id, images, alternatives }) {
  if (!engine) throw new LensError("not-loaded", "The reader is not loaded yet.");
  /** @type {ArrayBufferLike[]} */
  const buffers = [];
  const answers = await engine.recognizeAll(images, { alternatives });
  const outcomes = answers.map((answer) => {
    if (answer instanceof Error) return { error: toPlain(answer) };
    buffers.push(...answer.letters.map(({ attention }) => attention.buffer));
    return { recognition: answer };
  });
  say({ type: "recognized", id, outcomes }, /** @type {ArrayBuffer[]} */ (buffers));
}
