// @ts-check
/** The state of the teach page, which its controllers change and its view shows. */

import { toPageError } from "../common/page-error.js";
import { NOT_STARTED } from "./labelling.js";

/** @import { Settings, Step, TeachState } from "./types.js" */

/** @type {Settings} */
const SETTINGS = { minutes: 5, ignoreCase: false, start: "", curveMinutes: 2 };

export class PageState {
  /** @type {TeachState} */
  #current = {
    images: [],
    work: null,
    note: "",
    labelling: NOT_STARTED,
    labelProblem: "",
    settings: SETTINGS,
    models: [],
    run: null,
    unfinished: null,
    learned: null,
    curve: null,
    curveRun: null,
    keeping: "",
    error: null,
    said: {},
  };
  #onChange;

  /** @param {(state: TeachState) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get current() {
    return this.#current;
  }

  /** Whether the page learns, for itself or for a learning curve. */
  get busy() {
    return this.#current.run !== null || this.#current.curveRun !== null;
  }

  /** @param {Partial<TeachState>} change */
  set(change) {
    // Other images or labels may have corrected what was wrong with them.
    const isAnswered = change.images && this.#current.error?.error.code === "bad-images";
    const error = isAnswered ? null : this.#current.error;
    this.#current = { ...this.#current, error, ...change };
    this.#onChange(this.#current);
  }

  /**
   * @param {Step} step
   * @param {string} words
   */
  say(step, words) {
    this.set({ said: { ...this.#current.said, [step]: words } });
  }

  /**
   * Shows an error in a step.
   *
   * @param {Step} step
   * @param {unknown} thrown
   */
  fail(step, thrown) {
    this.set({ error: { step, error: toPageError(thrown) } });
  }

  /** Removes the error of a step, before something new is tried there. @param {Step} step */
  clearError(step) {
    if (this.#current.error?.step === step) this.set({ error: null });
  }
}
