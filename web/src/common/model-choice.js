// @ts-check
/** Which model reads: the built-in one, the general one, or one of the user's own. */

import { Recognizer } from "../lib/client.js";
import { LensError } from "../lib/errors.js";
import { isolated } from "./format.js";
import { addModel, listModels, loadModel, removeModel, unknownModel } from "./model-store.js";
import { toPageError } from "./page-error.js";
import { BUILT_IN_NETWORK, GENERAL } from "./shipped-models.js";

/** @import { ModelInfo } from "./model-store.js" */
/** @import { OfferedModel } from "./other-model.js" */

/** @typedef {Pick<ModelInfo, "id" | "name"> & { removable: boolean }} ListedModel */

/**
 * What a page shows of the models.
 *
 * @typedef {object} ModelView
 * @property {(choice: { models: ListedModel[], builtInName: string, chosen: string }) => void} setModels
 *   `chosen`: an id; empty for the built-in model
 * @property {(words: string) => void} setModelStatus
 * @property {(message: string) => void} setModelError empty if there is no error
 * @property {(name: string) => boolean} confirmRemoval
 */

/** The name of the model that the page comes with. */
export const BUILT_IN = "built-in";
/** Errors of a model, after which the built-in one reads. */
const MODEL_ERRORS = new Set([
  "unknown-model",
  "no-storage",
  "bad-weights",
  "invalid-config",
  "invalid-input",
]);
/** The largest file that is opened, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

export class ModelChoice {
  #view;
  #onChange;
  #builtInName;
  /** The id of the chosen model; empty for the built-in one. */
  #id;
  /** @type {ModelInfo[]} */
  #models = [];

  /**
   * @param {ModelView} view
   * @param {object} options
   * @param {string} options.id of the model in the page's URL; empty for the built-in one
   * @param {string} options.builtInName
   * @param {(id: string, by: "user" | "error") => void} options.onChange called after a change; `by` says
   *   whether the user chose, or the model of before cannot be used
   */
  constructor(view, { id, builtInName, onChange }) {
    this.#view = view;
    this.#id = id;
    this.#builtInName = builtInName;
    this.#onChange = onChange;
  }

  /** The id of the chosen model; empty for the built-in one. */
  get id() {
    return this.#id;
  }

  /**
   * The name of a model.
   *
   * @param {string} id empty for the built-in one
   */
  nameOf(id) {
    return this.#find(id)?.name ?? (id || this.#builtInName);
  }

  /**
   * The models that can be chosen, with what they can write. The built-in one is missing where the page's
   * URL has other weights.
   *
   * @returns {OfferedModel[]}
   */
  get offered() {
    const hasBuiltIn = this.#builtInName === BUILT_IN;
    const builtIn = { id: "", name: BUILT_IN, ...BUILT_IN_NETWORK };
    return [...(hasBuiltIn ? [builtIn] : []), GENERAL, ...this.#models];
  }

  /** Shows the models of this browser, and says so if the chosen one is not among them. */
  async start() {
    try {
      await this.#list();
      if (this.#id && !this.#find(this.#id)) throw unknownModel();
    } catch (error) {
      // Without a chosen model of the user, nothing is missing yet.
      if (this.#id && this.#id !== GENERAL.id) this.reject(error);
      else this.#show();
    }
  }

  /** @param {string} id empty for the built-in model */
  choose(id) {
    this.#say("");
    this.#setId(id, "user");
  }

  /**
   * The weights of the chosen model or their address; `undefined` for the built-in one.
   *
   * @throws {LensError}
   */
  async weights() {
    if (this.#id === GENERAL.id) return GENERAL.weights();
    return this.#id ? loadModel(this.#id) : undefined;
  }

  /**
   * Returns to the built-in model, if the error is one of the chosen model.
   *
   * @param {unknown} error of loading the chosen model
   * @returns {boolean} whether it is
   */
  reject(error) {
    const { code, message } = toPageError(error);
    if (!MODEL_ERRORS.has(code)) return false;
    if (!this.#id) return true; // rejected before
    const known = this.#find(this.#id);
    const subject = known ? `${isolated(known.name)}: ` : "";
    const other = this.#builtInName === BUILT_IN ? "built-in model" : this.#builtInName;
    this.#view.setModelError(`${subject}${message} Until then, the ${other} reads.`);
    this.#setId("", "error");
    return true;
  }

  /**
   * Checks a model file by loading it, keeps it and chooses it.
   *
   * @param {File} file
   */
  async add(file) {
    this.#say(`Checking ${isolated(file.name)}`);
    try {
      const weights = await contentOf(file);
      const { alphabet, maxLength } = await configOf(weights);
      const { id, name } = await addModel({ name: file.name, weights, alphabet, maxLength });
      await this.#list();
      this.#say(`${isolated(name)} is kept in this browser.`);
      this.#setId(id, "user");
    } catch (error) {
      this.#say("");
      this.#view.setModelError(`${isolated(file.name)}: ${toPageError(error).message}`);
    }
  }

  /** Removes the chosen model, if the user confirms it. */
  async remove() {
    const id = this.#id;
    const name = this.nameOf(id);
    if (!id || id === GENERAL.id || !this.#view.confirmRemoval(name)) return;
    try {
      await removeModel(id);
      await this.#list();
      this.#say(`${isolated(name)} was removed from this browser.`);
      if (this.#id === id) this.#setId("", "user");
    } catch (error) {
      this.#view.setModelError(toPageError(error).message);
    }
  }

  /** @param {string} id */
  #find(id) {
    return [GENERAL, ...this.#models].find((model) => model.id === id);
  }

  async #list() {
    this.#models = await listModels();
    this.#show();
  }

  /**
   * @param {string} id
   * @param {"user" | "error"} by
   */
  #setId(id, by) {
    if (id === this.#id) return;
    this.#id = id;
    this.#show();
    this.#onChange(id, by);
  }

  #show() {
    const builtInName = this.#builtInName === BUILT_IN ? "Built-in" : this.#builtInName;
    const own = this.#models.map(({ id, name }) => ({ id, name, removable: true }));
    const { id, name } = GENERAL;
    const models = [{ id, name, removable: false }, ...own];
    this.#view.setModels({ models, builtInName, chosen: this.#id });
  }

  /** @param {string} words also end an error */
  #say(words) {
    this.#view.setModelError("");
    this.#view.setModelStatus(words);
  }
}

/** @param {File} file */
async function contentOf(file) {
  if (file.size > MAX_BYTES) {
    throw new LensError(
      "bad-weights",
      "The file is larger than 256 MB. Choose a .safetensors file that captcha-lens has made.",
    );
  }
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new LensError(
      "unreadable-file",
      "The browser cannot read the file. Check that it still exists, then open it again.",
      { cause },
    );
  }
}

/**
 * What a model reads.
 *
 * @param {Uint8Array} weights
 * @throws {LensError} `bad-weights`
 */
async function configOf(weights) {
  const recognizer = await Recognizer.load({ weights, backend: "cpu", concurrency: 1 });
  const { config } = recognizer;
  recognizer.close();
  return config;
}
