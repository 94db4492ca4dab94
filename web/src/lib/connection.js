// @ts-check
/** The connection to one worker with an engine. */

import { CRASHED, LensError, crashError } from "./errors.js";
import { RpcClient } from "./rpc.js";
import { startWorker } from "./worker.js";

/** @import { EngineMethods } from "./types.js" */

/** @extends {RpcClient<EngineMethods>} */
export class Connection extends RpcClient {
  /**
   * @param {"cpu" | "webgpu"} module
   * @param {object} [options]
   * @param {string} [options.assets] URL of the package's folder, if it is not the default
   * @param {() => void} [options.onEnd] called once, when the worker has ended
   * @throws {LensError} `missing-code` if the browser does not start the worker
   */
  constructor(module, { assets, onEnd = () => {} } = {}) {
    const { worker, revoke } = startWorker(module, assets);
    super(worker, {
      toCrash,
      fatalCodes: [CRASHED, "device-lost"],
      onEnd: () => {
        revoke();
        onEnd();
      },
    });
  }
}

/**
 * @param {"error" | "messageerror"} event
 * @param {string} message
 */
function toCrash(event, message) {
  if (event === "messageerror") return crashError("an answer could not be read");
  if (message) return crashError(message);
  return new LensError("missing-code", "The script of the recognizer could not be loaded.");
}
