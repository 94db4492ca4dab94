// @ts-check
/** Workers that compute parts of a run's steps. */

import { LensError } from "../lib/errors.js";
import { RpcClient } from "../lib/rpc.js";

/** @import { PartResult, PartTask } from "../../pkg/captcha_learning_wasm.js" */
/** @typedef {typeof import("./replica-worker.js").TASKS} Tasks */

/** The workers of a run. One that fails is left out from then on. */
export class Replicas {
  /** @type {RpcClient<Tasks>[]} */
  #workers = [];

  /** How many there are. */
  get count() {
    return this.#workers.length;
  }

  /**
   * Starts workers. Each helps as soon as it is ready; one that the browser refuses never does.
   *
   * @param {number} count
   * @param {WebAssembly.Module} code
   * @param {string} setup `Finetuning.replicaSetup`
   * @returns {Promise<void>} settles when all have started or failed
   */
  async open(count, code, setup) {
    const opened = Array.from({ length: count }, async () => {
      const worker = start();
      try {
        await worker.request("open", { code, setup });
        this.#workers.push(worker);
      } catch (error) {
        worker.end(error);
      }
    });
    await Promise.allSettled(opened);
  }

  /**
   * Starts to compute the tasks, one for each worker.
   *
   * @param {PartTask[]} tasks are moved to the workers
   * @returns {Promise<(PartResult | null)[]>} `null` for one that failed
   */
  async compute(tasks) {
    return Promise.all(tasks.map((task, i) => this.#compute(this.#workers[i], task)));
  }

  /** Ends the workers. */
  end() {
    for (const worker of this.#workers) worker.end(closed());
    this.#workers = [];
  }

  /**
   * @param {RpcClient<Tasks> | undefined} worker
   * @param {PartTask} task
   */
  async #compute(worker, task) {
    if (!worker) return null;
    try {
      const arrays = [task.weights, task.images, task.inputs, task.targets];
      const transfer = arrays.map(({ buffer }) => buffer);
      return await worker.request("compute", { task }, { transfer });
    } catch (error) {
      worker.end(error);
      this.#workers = this.#workers.filter((other) => other !== worker);
      return null;
    }
  }
}

const closed = () => new LensError("closed", "The run has ended.");

/** @returns {RpcClient<Tasks>} */
function start() {
  const worker = new Worker(new URL("./replica-worker.js", import.meta.url), { type: "module" });
  return new RpcClient(worker, {
    toCrash: (_, message) => new LensError("engine-crashed", `A replica stopped (${message}).`),
  });
}
