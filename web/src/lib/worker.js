// @ts-check
/** Starts the engine's workers: from the page's own site, or from another such as a CDN's. */

import { LensError } from "./errors.js";

/** The address of this module. */
const HERE = import.meta.url;

/** One worker for each module, written out, since bundlers find workers by this very wording. */
const WORKERS = {
  cpu: () => new Worker(new URL("./worker-cpu.js", import.meta.url), { type: "module" }),
  webgpu: () => new Worker(new URL("./worker-webgpu.js", import.meta.url), { type: "module" }),
};

/** @typedef {{ worker: Worker, revoke: () => void }} Started `revoke` frees what starting took */

/**
 * @param {"cpu" | "webgpu"} module
 * @param {string} [assets] address of the package's folder, where it is not found by itself
 * @returns {Started}
 * @throws {LensError} `missing-code`
 */
export function startWorker(module, assets) {
  try {
    if (assets !== undefined) return startAt(new URL(`src/lib/worker-${module}.js`, assets));
    try {
      return { worker: WORKERS[module](), revoke: () => {} };
    } catch {
      // Browsers refuse workers of another origin.
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
 * Starts a worker of another origin through a script of the page's own.
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
