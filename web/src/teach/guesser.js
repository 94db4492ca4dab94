// @ts-check
/** Reads images in the background: their guesses, and which of them cannot be read. */

import { AuditRun } from "../audit/run.js";
import { RecognizerLoader } from "../common/recognizer-loader.js";

/** @import { LoadOptions } from "../lib/types.js" */
/** @import { TeachImage } from "./types.js" */

/** @typedef {Map<string, Partial<TeachImage>>} Guesses changes of images, by id */

/** The part of a recognizer that is used. @typedef {import("../audit/run.js").BatchRecognizer} BatchRecognizer */

export class Guesser {
  #loader;
  /** @type {AuditRun | undefined} */
  #run;

  /**
   * @param {() => LoadOptions} options of the recognizer
   * @param {{ load(): Promise<BatchRecognizer>, dispose(): Promise<void> }} [loader]
   */
  constructor(options, loader = new RecognizerLoader(options)) {
    this.#loader = loader;
  }

  /**
   * Reads images; another call, or `cancel`, ends it.
   *
   * @param {TeachImage[]} images
   * @param {(guesses: Guesses, fraction: number) => void} onGuesses
   * @returns {Promise<void>}
   */
  async read(images, onGuesses) {
    this.cancel();
    const files = images.map(({ id, bytes }) => ({
      path: id,
      open: async () => new Blob([bytes]),
    }));
    /** @type {Set<number>} */
    const told = new Set();
    const run = new AuditRun(files, { recognizeAll: (...call) => this.#recognize(...call) }, () => {
      if (this.#run === run) onGuesses(newGuesses(run, told), told.size / images.length);
    });
    this.#run = run;
    try {
      await run.finish();
    } catch (error) {
      // A run that was cancelled may fail because its model was closed.
      if (this.#run === run) throw error;
    } finally {
      if (this.#run === run) this.#run = undefined;
    }
  }

  /** Stops reading. The guesses so far stay. */
  cancel() {
    this.#run?.cancel();
    this.#run = undefined;
  }

  /** Forgets the model: the next reading loads another one. */
  dispose() {
    this.cancel();
    return this.#loader.dispose();
  }

  /** @type {BatchRecognizer["recognizeAll"]} */
  async #recognize(files, options) {
    const recognizer = await this.#loader.load();
    return recognizer.recognizeAll(files, options);
  }
}

/**
 * @param {AuditRun} run
 * @param {Set<number>} told indices of the images that were told, which grows
 * @returns {Guesses}
 */
function newGuesses(run, told) {
  /** @type {Guesses} */
  const guesses = new Map();
  for (const [i, item] of run.items.entries()) {
    if (!item || told.has(i)) continue;
    told.add(i);
    const { path: id, text = "", confidence = 0, error } = item;
    guesses.set(id, error === undefined ? { guess: { text, confidence } } : { error });
  }
  return guesses;
}
