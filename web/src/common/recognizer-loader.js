// @ts-check
/** The page's recognizer, and the options that the page's URL has for it. */

import { Recognizer } from "../lib/client.js";
import { LensError } from "../lib/errors.js";
import { Lazy } from "../lib/lazy.js";

/** @import { BackendPreference, LoadOptions } from "../lib/types.js" */
/** @import { ModelChoice } from "./model-choice.js" */

/** @typedef {Pick<ModelChoice, "id" | "nameOf" | "weights" | "reject">} Models */

/** Loads the recognizer when it is first needed, and again after a failure or `dispose`. */
export class RecognizerLoader {
  #recognizer;
  #options;
  #models;
  /** The name of the model that was loaded last. */
  modelName = "";

  /**
   * @param {() => LoadOptions} options called at each load
   * @param {Models} [models] the user's own models, which replace the weights of the options
   */
  constructor(options, models) {
    this.#options = options;
    this.#models = models;
    this.#recognizer = new Lazy((signal) => this.#load(signal));
  }

  /** @returns {Promise<Recognizer>} */
  load() {
    return this.#recognizer.get();
  }

  /**
   * Loads the chosen model, or the built-in one if the chosen one cannot be used.
   *
   * @param {AbortSignal} signal
   */
  async #load(signal) {
    const models = this.#models;
    if (models?.id) {
      try {
        const weights = await models.weights();
        signal.throwIfAborted();
        const recognizer = await Recognizer.load({ ...this.#options(), weights, signal });
        this.modelName = models.nameOf(models.id);
        return recognizer;
      } catch (error) {
        if (signal.aborted || !models.reject(error)) throw error;
      }
    }
    const recognizer = await Recognizer.load({ ...this.#options(), signal });
    this.modelName = models?.nameOf("") ?? "";
    return recognizer;
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

/**
 * The file name of weights in the page's URL.
 *
 * @param {string | null} path
 */
export function nameOfWeights(path) {
  return path ? path.replace(/^.*\//, "") : undefined;
}
