// @ts-check
/** The connection to one worker with an engine. */

import { CRASHED, LensError, crashed } from "./errors.js";
import { RpcClient } from "./rpc.js";
import { startWorker } from "./worker.js";

/** @import { EngineMethods } from "./types.js" */

/** @extends {RpcClient<EngineMethods>} */
export class Connection extends RpcClient {
  /**
   * @param {"cpu" | "webgpu"} module
   * @param {object} [options]
   * @param {string} [options.assets] address of the package's folder, where it is not the default
   * @param {() => void} [options.onEnd] called once, when the worker has ended
   * @throws {LensError} `missing-code` where the browser does not let the worker start
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
  if (event === "messageerror") return crashed("an answer could not be read");
  if (message) return crashed(message);
  return new LensError("missing-code", "The script of the recognizer could not be loaded.");
}
