// @ts-check
/** The worker behind `learner.js`: owns one run of fine-tuning. */

import * as module from "../../pkg/captcha_learning_wasm.js";
import { LensError } from "../lib/errors.js";
import { loadCode } from "../lib/engine.js";
import { serveRpc } from "../lib/rpc.js";

/** @import { FinetuningEnd, FinetuningOptions, FinetuningStep } from "../../pkg/captcha_learning_wasm.js" */
/** @import { LearningCurve } from "../audit/types.js" */
/** @import { MeasuredCurve } from "./types.js" */
/** @import { EngineModule, Recognition, RpcContext } from "../lib/types.js" */

/** The same classes for reading. Only TypeScript distinguishes them. */
const reading = /** @type {EngineModule} */ (/** @type {unknown} */ (module));

/** @type {module.Finetuning | undefined} */
let finetuning;

/** The tasks, by name. */
export const TASKS = {
  /**
   * Loads the module, and decodes and divides the images.
   *
   * @param {FinetuningOptions} options
   * @param {RpcContext} context
   */
  async open(options, { onProgress }) {
    await loadCode(
      reading,
      new URL("../../pkg/captcha_learning_wasm_bg.wasm", import.meta.url),
      onProgress,
    );
    onProgress({ stage: "images", fraction: 0 });
    finetuning = module.Finetuning.open(options);
    return finetuning.plan;
  },

  start: (/** @type {{ saved?: Uint8Array }} */ { saved }) => run().start(saved),
  advance: /** @type {(params: object) => FinetuningStep} */ (() => run().advance()),
  pause: /** @type {(params: object) => void} */ (() => run().pause()),
  resume: /** @type {(params: object) => void} */ (() => run().resume()),
  finish: (/** @type {{ end: FinetuningEnd }} */ { end }) => run().finish(end),

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
