// @ts-check
/** The worker behind `learner.js`: owns one run of fine-tuning. */

import * as module from "../../pkg/captcha_learning_wasm.js";
import { LensError } from "../lib/errors.js";
import { loadCode } from "../lib/engine.js";
import { serveRpc } from "../lib/rpc.js";
import { Replicas } from "./replicas.js";

/** @import { FinetuningEnd, FinetuningOptions, FinetuningStep } from "../../pkg/captcha_learning_wasm.js" */
/** @import { LearningCurve } from "../audit/types.js" */
/** @import { MeasuredCurve } from "./types.js" */
/** @import { EngineModule, Recognition, RpcContext } from "../lib/types.js" */

/** The same classes for reading. Only TypeScript distinguishes them. */
const reading = /** @type {EngineModule} */ (/** @type {unknown} */ (module));

/** Workers beside this one: the recipe divides a step into two parts. */
const MOST_REPLICAS = 1;

/** @type {module.Finetuning | undefined} */
let finetuning;
/** @type {WebAssembly.Module} */
let code;
const replicas = new Replicas();

/** The tasks, by name. */
export const TASKS = {
  /**
   * Loads the module, and decodes and divides the images.
   *
   * @param {FinetuningOptions} options
   * @param {RpcContext} context
   */
  async open(options, { onProgress }) {
    const wasm = new URL("../../pkg/captcha_learning_wasm_bg.wasm", import.meta.url);
    ({ compiled: code } = await loadCode(reading, wasm, onProgress));
    onProgress({ stage: "images", fraction: 0 });
    finetuning = module.Finetuning.open(options);
    return finetuning.plan;
  },

  /** @param {{ saved?: Uint8Array }} params */
  async start({ saved }) {
    const others = Math.min(MOST_REPLICAS, (navigator.hardwareConcurrency ?? 1) - 1);
    void replicas.open(others, code, run().replicaSetup);
    return run().start(saved);
  },

  advance: /** @type {(params: object) => Promise<FinetuningStep & { workers: number }>} */ (
    async () => {
      const computing = replicas.compute(run().share(replicas.count));
      run().compute();
      const results = await computing;
      const workers = 1 + results.filter((result) => result !== null).length;
      return { ...run().advance(results), workers };
    }
  ),
  pause: /** @type {(params: object) => void} */ (() => run().pause()),
  resume: /** @type {(params: object) => void} */ (() => run().resume()),

  /** @param {{ end: FinetuningEnd }} params */
  finish({ end }) {
    replicas.end();
    return run().finish(end);
  },

  /** @param {object} _ @param {RpcContext} context */
  save(_, { transfer }) {
    const saved = run().save();
    transfer.push(saved.buffer);
    return saved;
  },

  /** @param {{ curve: MeasuredCurve }} params @returns {LearningCurve} */
  learningCurve: ({ curve }) => JSON.parse(module.learningCurve(JSON.stringify(curve))),

  /**
   * Reads images with the weights so far, or with others.
   *
   * @param {{ images: Uint8Array[], weights?: Uint8Array }} params
   * @returns {Promise<(Recognition | null)[]>} `null` for an image that cannot be read
   */
  async read({ images, weights }) {
    const recognizer = await reading.Recognizer.load({
      weights: weights ?? run().weights(),
      backend: "cpu",
    });
    try {
      const answers = await recognizer.recognizeAll(images, { alternatives: 0 });
      return answers.map((answer) => (answer instanceof Error ? null : answer));
    } finally {
      recognizer.free();
    }
  },
};

/** @throws {LensError} `engine-crashed` */
function run() {
  if (!finetuning) throw new LensError("engine-crashed", "The learner is not loaded yet.");
  return finetuning;
}

serveRpc(TASKS, { queued: true });
