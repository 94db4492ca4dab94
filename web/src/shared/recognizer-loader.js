// @ts-check
/** The page's reader: loaded when it is first needed, again after a failure, anew when told to. */

import { Recognizer } from "../lib/client.js";
import { LensError } from "../lib/errors.js";

/** @import { BackendWish, LoadOptions } from "../lib/types.js" */

export class Loader {
  /** @type {Promise<Recognizer> | undefined} */
  #loading;
  #abort = new AbortController();
  #options;

  /** @param {() => LoadOptions} options what to load, asked for each time */
  constructor(options) {
    this.#options = options;
  }

  /**
   * The reader, as soon as it is there. What fails is tried again at the next call.
   *
   * @returns {Promise<Recognizer>}
   */
  load() {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load() {
    const { signal } = this.#abort;
    try {
      return await Recognizer.load({ ...this.#options(), signal });
    } catch (error) {
      if (!signal.aborted) this.#loading = undefined;
      throw error;
    }
  }

  /** Lets go of the reader, or of loading it; the next call loads another. */
  async drop() {
    const before = this.#loading;
    this.#loading = undefined;
    this.#abort.abort();
    this.#abort = new AbortController();
    (await before?.catch(() => undefined))?.close();
  }
}

/**
 * What an address asks for.
 *
 * @param {string | null} name
 * @returns {BackendWish}
 */
export function wishFrom(name) {
  const lower = name?.toLowerCase();
  return lower === "webgpu" || lower === "cpu" ? lower : "auto";
}

/**
 * Weights of the user's choosing, from this site only.
 *
 * @param {string | null} path
 */
export function weightsFrom(path) {
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
