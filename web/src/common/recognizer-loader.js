// @ts-check
/** The page's recognizer, and the options that the page's URL has for it. */

import { Recognizer } from "../lib/client.js";
import { LensError } from "../lib/errors.js";
import { Lazy } from "../lib/lazy.js";

/** @import { BackendPreference, LoadOptions } from "../lib/types.js" */

/** Loads the recognizer when it is first needed, and again after a failure or `dispose`. */
export class RecognizerLoader {
  #recognizer;

  /** @param {() => LoadOptions} options called at each load */
  constructor(options) {
    this.#recognizer = new Lazy((signal) => Recognizer.load({ ...options(), signal }));
  }

  /** @returns {Promise<Recognizer>} */
  load() {
    return this.#recognizer.get();
  }

  /** Closes the recognizer, or aborts loading it. The next `load` loads another one. */
  async dispose() {
    const recognizer = await this.#recognizer.drop()?.catch(() => undefined);
    recognizer?.close();
  }
}

/**
 * The backend preference in the page's URL.
 *
 * @param {string | null} name
 * @returns {BackendPreference}
 */
export function parseBackend(name) {
  const lower = name?.toLowerCase();
  return lower === "webgpu" || lower === "cpu" ? lower : "auto";
}

/**
 * The weights in the page's URL. Only weights of this site are allowed.
 *
 * @param {string | null} path
 */
export function parseWeights(path) {
  if (!path) return undefined;
  /** @type {URL} */
  let address;
  try {
    address = new URL(path, location.href);
  } catch (cause) {
    const message =
      "The address of the weights is not valid. Correct “weights” in the URL of this page.";
    throw new LensError("missing-weights", message, { cause });
  }
  if (address.origin !== location.origin) {
    throw new LensError("missing-weights", "Weights are loaded from this site only.");
  }
  return address;
}
