// @ts-check
/** A worker that computes a part of each step of the run in `learner-worker.js`. */

import * as module from "../../pkg/captcha_learning_wasm.js";
import { LensError } from "../lib/errors.js";
import { serveRpc } from "../lib/rpc.js";

/** @import { PartTask } from "../../pkg/captcha_learning_wasm.js" */
/** @import { RpcContext } from "../lib/types.js" */

/** @type {module.Replica | undefined} */
let replica;

/** The tasks, by name. */
export const TASKS = {
  /** @param {{ code: WebAssembly.Module, setup: string }} params */
  async open({ code, setup }) {
    await module.default({ module_or_path: code });
    replica = module.Replica.open(setup);
  },

  /** @param {{ task: PartTask }} params @param {RpcContext} context */
  compute({ task }, { transfer }) {
    if (!replica) throw new LensError("engine-crashed", "The replica is not loaded yet.");
    const result = replica.compute(task);
    transfer.push(...[result.gradients, result.statistics, result.losses].map((a) => a.buffer));
    return result;
  },
};

serveRpc(TASKS, { queued: true });
