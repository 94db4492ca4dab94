// @ts-check
/** Runs image tasks in a worker, so that they do not block the page. The first task starts it. */

import { LensError } from "../lib/errors.js";
import { RpcClient } from "../lib/rpc.js";

/** @typedef {typeof import("./image-worker.js").TASKS} Tasks */

/** @type {{ client?: RpcClient<Tasks> }} */
const running = {};

/**
 * Runs a task in the worker.
 *
 * @template {keyof Tasks & string} Task
 * @param {Task} task
 * @param {Parameters<Tasks[Task]>[0]} params
 * @returns {Promise<Awaited<ReturnType<Tasks[Task]>>>}
 * @throws {LensError} what the task throws; `missing-code`
 */
export function runImageTask(task, params) {
  if (!running.client || running.client.ended) running.client = start();
  return running.client.request(task, params);
}

/** @returns {RpcClient<Tasks>} */
function start() {
  const worker = new Worker(new URL("./image-worker.js", import.meta.url), { type: "module" });
  return new RpcClient(worker, {
    // A browser may remember that a module could not be loaded, as long as the worker lives.
    fatalCodes: ["missing-code"],
    toCrash(_, message) {
      const detail = message ? ` (${message})` : "";
      return new LensError("missing-code", `The image tools could not be loaded${detail}.`);
    },
  });
}
