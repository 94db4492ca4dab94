// @ts-check
/** Runs the teach page: connects its state, its controllers and what the browser keeps. */

import { LensError } from "../lib/errors.js";
import { CurveController, KEPT_CURVE } from "./curve-run.js";
import { GiveController } from "./give.js";
import { Guesser } from "./guesser.js";
import { Keeper } from "./keeper.js";
import { NOT_STARTED } from "./labelling.js";
import { KEPT_RESULT, KEPT_RUN, LearnController } from "./learn.js";
import { PageState } from "./page-state.js";

/** @import { LoadOptions, BackendPreference } from "../lib/types.js" */
/** @import { Tools } from "./give.js" */
/** @import { Store } from "./keeper.js" */
/** @import { LearnerClass, ModelStore, Settings, Step, TeachState } from "./types.js" */

const KEPT_SETTINGS = "settings";

/**
 * @typedef {object} Parts what the page is made of; tests replace them
 * @property {(state: TeachState) => void} show
 * @property {LearnerClass} Learner
 * @property {ModelStore} models
 * @property {Promise<Store>} store
 * @property {Tools} tools
 * @property {() => Promise<Uint8Array>} shippedWeights
 * @property {() => URL | undefined} weightsUrl of the page's weights, where they are not the default
 * @property {BackendPreference} backend of the recognizer that guesses
 * @property {Guesser} [guesser]
 */

export class TeachController {
  #page;
  #keeper;
  #parts;
  /** The weights of the model that guesses. @type {LoadOptions["weights"]} */
  #guessing;
  give;
  learn;
  curve;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const page = new PageState(parts.show);
    this.#page = page;
    this.#keeper = new Keeper(parts.store, (keeping) => page.set({ keeping }));
    const guesser =
      parts.guesser ??
      new Guesser(() => ({
        weights: this.#guessing ?? parts.weightsUrl(),
        backend: parts.backend,
      }));
    this.give = new GiveController(page, this.#keeper, guesser, parts.tools);
    const weights = (/** @type {string} */ id) =>
      id ? parts.models.loadModel(id) : parts.shippedWeights();
    const { Learner } = parts;
    this.learn = new LearnController(
      page,
      this.#keeper,
      Learner,
      weights,
      () => void this.#guess(true),
    );
    this.curve = new CurveController(
      page,
      this.#keeper,
      Learner,
      weights,
      () => void this.#guess(),
    );
  }

  get state() {
    return this.#page.current;
  }

  /** Shows what was kept, and the user's models. */
  async open() {
    const names = [KEPT_SETTINGS, KEPT_RUN, KEPT_RESULT, KEPT_CURVE];
    const { images, values } = await this.#keeper.load(names);
    const page = this.#page;
    const { settings, run = null, learned = null, curve = null } = values;
    // Images that were given while the others were loaded stay.
    page.set({
      images: [...images, ...page.current.images],
      settings: { ...page.current.settings, ...settings },
      learned,
      curve,
    });
    this.learn.restore(run);
    await this.#listModels();
    await this.#guess();
  }

  /**
   * Shows an error that has happened elsewhere.
   *
   * @param {Step} step
   * @param {unknown} error
   */
  reject(step, error) {
    this.#page.fail(step, error);
  }

  /** @param {Partial<Settings>} change */
  changeSettings(change) {
    const settings = { ...this.#page.current.settings, ...change };
    this.#page.set({ settings });
    this.#page.clearError("learn");
    void this.#keeper.setValue(KEPT_SETTINGS, settings);
    if (change.start !== undefined && !this.#page.current.learned) void this.#guess(true);
  }

  /** Removes the images and everything that was learned, also from the browser. */
  async removeAll() {
    if (this.#page.busy) return;
    this.give.cancel();
    this.learn.restore(null);
    this.#page.set({
      images: [],
      labelling: NOT_STARTED,
      note: "",
      learned: null,
      curve: null,
      error: null,
      said: {},
    });
    await this.#keeper.clear();
    await this.#guess(true);
  }

  /**
   * Adds the learned model to those of the browser.
   *
   * @param {string} name
   */
  async keepModel(name) {
    const { learned } = this.#page.current;
    if (!learned) return;
    this.#page.clearError("take");
    try {
      if (name.trim() === "") {
        throw new LensError("bad-argument", "Enter a name for the model first.");
      }
      const { weights, exactMatches, validationImages } = learned.result;
      const { alphabet, maxLength } = learned.plan;
      const model = { weights, alphabet, maxLength, exactMatches, validationImages };
      await this.#parts.models.addModel({ name: name.trim(), ...model });
      await this.#listModels();
      this.#page.say("take", `Kept as “${name.trim()}”. Lens and Audit list it as a model.`);
    } catch (error) {
      this.#page.fail("take", error);
    }
  }

  async #listModels() {
    try {
      const models = await this.#parts.models.listModels();
      const { settings } = this.#page.current;
      const isKnown = models.some(({ id }) => id === settings.start);
      this.#page.set({ models, settings: isKnown ? settings : { ...settings, start: "" } });
    } catch {
      // Without storage there are no models of the user.
    }
  }

  /**
   * Reads images with the current model: the learned one, or else the one to start from.
   *
   * @param {boolean} [anew] whether that is another model than before
   */
  async #guess(anew = false) {
    const { learned, settings } = this.#page.current;
    const { models } = this.#parts;
    this.#guessing = learned
      ? learned.result.weights.slice()
      : settings.start
        ? await models.loadModel(settings.start).catch(() => undefined)
        : undefined;
    await this.give.guess({ anew });
  }
}
