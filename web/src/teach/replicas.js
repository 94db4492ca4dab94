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
   * Starts workers. A browser that refuses one has fewer.
   *
   * @param {number} count
   * @param {WebAssembly.Module} code
   * @param {string} setup `Finetuning.replicaSetup`
   */
  async open(count, code, setup) {
    const opened = Array.from({ length: count }, async () => {
      const rpc = start();
      try {
        await rpc.request("open", { code, setup });
        this.#workers.push(rpc);
      } catch (error) {
        rpc.end(error);
      }
    });
    await Promise.allSettled(opened);
  }

  /**
   * Starts to compute the tasks, one for each worker.
   *
   * @param {PartTask[]} tasks
   * @returns {Promise<(PartResult | null)[]>} `null` for one that failed
   */
  async compute(tasks) {
    return Promise.all(tasks.map((task, i) => this.#compute(this.#workers[i], task)));
  }

  /**
   * @param {RpcClient<Tasks>} worker
   * @param {PartTask} task
   */
  async #compute(worker, task) {
    try {
      return await worker.request("compute", { task });
    } catch (error) {
      worker.end(error);
      this.#workers = this.#workers.filter((other) => other !== worker);
      return null;
    }
  }
}

/** @returns {RpcClient<Tasks>} */
function start() {
  const worker = new Worker(new URL("./replica-worker.js", import.meta.url), { type: "module" });
  return new RpcClient(worker, {
    toCrash: (_, message) => new LensError("engine-crashed", `A replica stopped (${message}).`),
  });
}
