// @ts-check
/**
 * The worker that owns one instance of the wasm module. It loads the engine once, then answers one
 * request after the other.
 */

import { adapterProblem } from "./adapter.js";
import { download, toDownloadError } from "./download.js";
import { CRASHED, LensError, noWebGpuError, toPlain } from "./errors.js";
import { serveRpc } from "./rpc.js";

/** @import { Subject } from "./download.js" */
/** @import { Engine, EngineMethods, EngineModule, StageProgress } from "./types.js" */

/**
 * Starts the worker.
 *
 * @param {EngineModule} module the module's JavaScript
 * @param {URL} wasm address of its WebAssembly
 */
export function start(module, wasm) {
  /** @type {Engine | undefined} */
  let engine;
  /** @type {WebAssembly.Memory | undefined} */
  let memory;
  /** @type {EngineMethods} */
  const methods = {
    async load({ weights, backend, code }, { onProgress, transfer }) {
      // The page may have an adapter where a worker has none. The page has decided whether a software
      // adapter is good enough.
      const reason = backend === "cpu" ? null : await adapterProblem({ allowSoftware: true });
      if (reason) throw noWebGpuError(reason);
      const [{ compiled, instance }, downloaded] = await Promise.all([
        loadCode(module, code ?? wasm, onProgress),
        typeof weights === "string" ? loadWeights(weights, onProgress) : undefined,
      ]);
      memory = instance.memory;
      const bytes = downloaded ?? /** @type {Uint8Array | ArrayBuffer} */ (weights);
      engine = await module.Recognizer.load({ weights: bytes, backend, onProgress });
      if (downloaded) transfer.push(downloaded.buffer); // the engine has copied them
      return {
        backend: engine.backend,
        config: engine.config,
        code: code ? undefined : compiled,
        weights: downloaded,
      };
    },
    async recognize({ images, alternatives }, { transfer }) {
      if (!engine) throw new LensError(CRASHED, "The recognizer is not loaded yet. Load it first.");
      const answers = await engine.recognizeAll(images, { alternatives });
      const outcomes = answers.map((answer) => {
        if (answer instanceof Error) return { error: toPlain(answer) };
        const buffers = answer.characters.map(({ attention }) => attention.buffer);
        transfer.push(.../** @type {ArrayBuffer[]} */ (buffers));
        return { recognition: answer };
      });
      return { outcomes, memory: memory?.buffer.byteLength ?? 0 };
    },
  };
  serveRpc(methods, { queued: true });
}

/**
 * @param {EngineModule} module
 * @param {WebAssembly.Module | URL} code compiled, or its address
 * @param {(progress: StageProgress) => void} onProgress
 */
export async function loadCode(module, code, onProgress) {
  /** @type {Subject} */
  const what = { name: "The recognizer", missing: "missing-code", stage: "code" };
  try {
    const compiled = code instanceof URL ? await compile(code, what, onProgress) : code;
    const instance = await module.default({ module_or_path: compiled });
    return { compiled, instance };
  } catch (thrown) {
    throw toDownloadError(thrown, what);
  }
}

/**
 * @param {URL} wasm
 * @param {Subject} what
 * @param {(progress: StageProgress) => void} onProgress
 */
async function compile(wasm, what, onProgress) {
  const { response, counted } = await download(wasm, what, "application/wasm", onProgress);
  const [compiled] = await Promise.all([WebAssembly.compileStreaming(response), counted]);
  return compiled;
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
    throw toDownloadError(thrown, what);
  }
}
