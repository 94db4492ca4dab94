// @ts-check
/** Starts the engine's workers, from the page's own site or from another one, such as a CDN. */

import { LensError } from "./errors.js";

/** The address of this module. */
const HERE = import.meta.url;

/** One worker for each module. Bundlers find workers only if these expressions are written out. */
const WORKERS = {
  cpu: () => new Worker(new URL("./worker-cpu.js", import.meta.url), { type: "module" }),
  webgpu: () => new Worker(new URL("./worker-webgpu.js", import.meta.url), { type: "module" }),
};

/** @typedef {{ worker: Worker, revoke: () => void }} Started `revoke` frees the worker's script URL */

/**
 * @param {"cpu" | "webgpu"} module
 * @param {string} [assets] URL of the package's folder, if it is not the default
 * @returns {Started}
 * @throws {LensError} `missing-code`
 */
export function startWorker(module, assets) {
  try {
    if (assets !== undefined) return startAt(new URL(`src/lib/worker-${module}.js`, assets));
    try {
      return { worker: WORKERS[module](), revoke: () => {} };
    } catch {
      // Browsers do not start a worker from another origin.
      return startThrough(new URL(`worker-${module}.js`, HERE));
    }
  } catch (cause) {
    const message =
      "The browser blocked the worker of the recognizer. Check the Content-Security-Policy of the page, or host the files on the same site as the page.";
    throw new LensError("missing-code", message, { cause });
  }
}

/** @param {URL} address */
function startAt(address) {
  const own = address.origin === globalThis.location.origin;
  if (!own) return startThrough(address);
  return { worker: new Worker(address, { type: "module" }), revoke: () => {} };
}

/**
 * Starts a worker from another origin, with a script of the page's own origin that imports it.
 *
 * @param {URL} address
 * @returns {Started}
 */
function startThrough(address) {
  const script = `import ${JSON.stringify(address.href)};`;
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const revoke = () => URL.revokeObjectURL(url);
  try {
    return { worker: new Worker(url, { type: "module" }), revoke };
  } catch (error) {
    revoke();
    throw error;
  }
}
