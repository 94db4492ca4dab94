// @ts-check
/** Learns from labelled images in a worker, as `captcha-lens finetune` does. */

import { LensError } from "../lib/errors.js";
import { RpcClient } from "../lib/rpc.js";

/** @import { FinetuningEnd } from "../../pkg/captcha_learning_wasm.js" */
/** @import { Recognition } from "../lib/types.js" */
/** @import { LearnEvents, LearnOptions, LearnResult, MeasuredCurve, Plan, Validation } from "./types.js" */

/** @typedef {typeof import("./learner-worker.js").TASKS} Tasks */

/** Seconds between two readings of the watched images, and between two saves. */
const WATCH_EVERY = 3;
const SAVE_EVERY = 8;
/** Images in a request to read. */
const READ_BATCH = 16;

/** A network that learns from labelled images. */
export class Learner {
  #rpc;
  #images;
  #saved;
  #held;
  /** @type {Plan} */
  plan;
  /** Settles when a pause ends; `undefined` outside of pauses. @type {Promise<void> | undefined} */
  #pause;
  /** Ends the pause. */
  #endPause = () => {};
  #stopped = false;

  /**
   * Starts the worker, and decodes and divides the images.
   *
   * @param {LearnOptions} options
   * @param {(progress: { stage: string, fraction: number }) => void} [onProgress]
   * @returns {Promise<Learner>}
   * @throws {LensError} `missing-code`, `bad-argument`, `bad-weights`, `bad-images`
   */
  static async open({ saved, ...options }, onProgress) {
    const worker = new Worker(new URL("./learner-worker.js", import.meta.url), { type: "module" });
    /** @type {RpcClient<Tasks>} */
    const rpc = new RpcClient(worker, {
      toCrash: (_, message) => crashed(message),
      fatalCodes: ["missing-code"],
    });
    try {
      const plan = await rpc.request("open", options, { onProgress });
      return new Learner(rpc, options, plan, saved);
    } catch (error) {
      rpc.end(error);
      throw error;
    }
  }

  /**
   * @param {RpcClient<Tasks>} rpc
   * @param {LearnOptions} options
   * @param {Awaited<ReturnType<Tasks["open"]>>} plan
   * @param {Uint8Array} [saved]
   */
  constructor(rpc, { images, labels }, { validationLabels, ...plan }, saved) {
    this.#rpc = rpc;
    this.#images = images.map(({ bytes }) => bytes);
    this.#saved = saved;
    // A run of a learning curve is judged by images that did not choose its network.
    this.#held = labels === undefined ? undefined : validationLabels;
    this.plan = plan;
  }

  /**
   * Learns until the end, or until `stop()`.
   *
   * @param {LearnEvents} [events]
   * @returns {Promise<LearnResult>}
   * @throws {LensError} `bad-images`, `engine-crashed`
   */
  async learn(events = {}) {
    const rpc = this.#rpc;
    const first = await rpc.request("start", { saved: this.#saved });
    let told = first.length;
    // The validations of a saved run were told before.
    for (const validation of this.#saved ? [] : first) events.onValidation?.(validation);
    const onValidation = (/** @type {Validation} */ validation) => {
      told++;
      events.onValidation?.(validation);
    };
    const end = await this.#steps({ ...events, onValidation });
    const result = await rpc.request("finish", { end });
    // A run ends with a validation of its last steps.
    for (const validation of result.history.slice(told)) events.onValidation?.(validation);
    const { validation } = this.plan;
    const recognitions = await this.#read(validation, result.weights);
    const readings = recognitions.map((recognition, i) => ({
      index: validation[i],
      text: recognition?.text ?? "",
      confidence: recognition?.confidence ?? 0,
    }));
    if (!this.#held) return { ...result, readings };
    const labels = this.#held;
    const solved = readings.filter(({ text }, i) => text === labels[i]);
    return {
      ...result,
      readings,
      exactMatches: solved.length,
      validationImages: labels.length,
    };
  }

  /**
   * A learning curve with what follows from its points.
   *
   * @param {MeasuredCurve} curve with at least one point
   */
  learningCurve(curve) {
    return this.#rpc.request("learningCurve", { curve });
  }

  pause() {
    this.#pause ??= new Promise((resolve) => (this.#endPause = resolve));
  }

  resume() {
    this.#endPause();
    this.#pause = undefined;
  }

  /** `learn` then resolves with the best network so far. */
  stop() {
    this.#stopped = true;
    this.resume();
  }

  /** Ends the worker at once. */
  dispose() {
    this.#rpc.end(new LensError("closed", "This learner was closed."));
  }

  /**
   * @param {LearnEvents} events
   * @returns {Promise<FinetuningEnd>}
   */
  async #steps(events) {
    const rpc = this.#rpc;
    const { watch = [], watchEvery = WATCH_EVERY, saveEvery = SAVE_EVERY } = events;
    const isWatchTime = timer(watchEvery);
    const isSaveTime = timer(saveEvery);
    /** Learning time and images at the start of this session. @type {{ seconds: number, images: number } | undefined} */
    let start;
    for (;;) {
      if (this.#pause) {
        await rpc.request("pause", {});
        if (events.onSave) events.onSave(await rpc.request("save", {}));
        await this.#pause;
        await rpc.request("resume", {});
      }
      if (this.#stopped) return "interrupted";
      const { validation, end, loss, ...step } = await rpc.request("advance", {});
      start ??= { seconds: step.seconds, images: step.images };
      const time = step.seconds - start.seconds;
      const imagesPerSecond = time > 0 ? (step.images - start.images) / time : 0;
      const latest = loss ?? validation?.trainingLoss;
      if (latest !== null && latest !== undefined) {
        events.onStep?.({ ...step, loss: latest, imagesPerSecond });
      }
      if (validation) events.onValidation?.(validation);
      if (end) return end;
      if (watch.length > 0 && isWatchTime()) {
        const read = await this.#read(watch);
        events.onReadings?.(read.filter((one) => one !== null));
      }
      if (events.onSave && isSaveTime()) events.onSave(await rpc.request("save", {}));
    }
  }

  /**
   * @param {number[]} indices of images
   * @param {Uint8Array} [weights] those so far by default
   */
  async #read(indices, weights) {
    /** @type {(Recognition | null)[]} */
    const read = [];
    for (let i = 0; i < indices.length; i += READ_BATCH) {
      const images = indices.slice(i, i + READ_BATCH).map((index) => this.#images[index]);
      read.push(...(await this.#rpc.request("read", { images, weights })));
    }
    return read;
  }
}

/**
 * @param {number} seconds
 * @returns {() => boolean} whether so much time has passed since it last said so, or since now
 */
function timer(seconds) {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < 1000 * seconds) return false;
    last = now;
    return true;
  };
}

/** @param {string} message empty where the worker's script is missing */
function crashed(message) {
  if (!message) {
    return new LensError("missing-code", "The learner could not be loaded. Check the connection.");
  }
  const advice = "Close other pages if memory is short, and go on where it stopped.";
  return new LensError("engine-crashed", `The learner stopped (${message}). ${advice}`);
}
