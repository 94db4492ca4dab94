// @ts-check
/** Measures a learning curve: one run after the other, with more and more labels. */

import { LensError } from "../lib/errors.js";
import { labelledImages, problemOf, runOptions } from "./learn.js";

/** @import { Keeper } from "./keeper.js" */
/** @import { LoadWeights } from "./learn.js" */
/** @import { PageState } from "./page-state.js" */
/** @import { CurveState, LearnerClass, OpenedLearner, RunOptions } from "./types.js" */

/** The first number of labels of a curve; each following one is twice as large. */
const FIRST_LABELS = 25;
/** The part of the images that is kept back. */
const KEPT_BACK = 1 / 6;

/** The name of the images in the curve's file. */
const NAME = "the teach page";

/** The name under which the curve is kept. */
export const KEPT_CURVE = "curve";

export class CurveController {
  #page;
  #keeper;
  #Learner;
  #weights;
  #onEnd;
  /** @type {OpenedLearner | undefined} */
  #learner;
  #stopped = false;
  /** Images that can be learned from, as far as known. */
  #available = Infinity;

  /**
   * @param {PageState} page
   * @param {Keeper} keeper
   * @param {LearnerClass} Learner
   * @param {LoadWeights} weights
   * @param {() => void} onEnd called after the last run
   */
  constructor(page, keeper, Learner, weights, onEnd) {
    this.#page = page;
    this.#keeper = keeper;
    this.#Learner = Learner;
    this.#weights = weights;
    this.#onEnd = onEnd;
  }

  /** Measures the points that are missing. */
  async start() {
    const page = this.#page;
    if (page.busy) return;
    page.clearError("know");
    page.say("know", "");
    this.#stopped = false;
    this.#available = Infinity;
    try {
      let curve = nextCurve(page.current);
      const numbers = missingLabels(curve);
      page.set({ curve: curve.points.length > 0 ? curve : page.current.curve });
      for (const [index, labels] of numbers.entries()) {
        // The split may leave fewer images to learn from than expected.
        if (labels > this.#available) break;
        page.set({ curveRun: { labels, done: 0, index, count: numbers.length } });
        const longer = await this.#measure(curve, labels);
        if (!longer) break;
        curve = longer;
        page.set({ curve });
        void this.#keeper.setValue(KEPT_CURVE, curve);
      }
      page.say("know", this.#stopped ? "Stopped. The points so far are kept." : "Measured.");
    } catch (error) {
      page.fail("know", error);
    } finally {
      page.set({ curveRun: null });
      this.#onEnd();
    }
  }

  /** Ends the current run. The points so far stay. */
  stop() {
    if (!this.#page.current.curveRun) return;
    this.#stopped = true;
    this.#learner?.stop();
  }

  /**
   * @param {CurveState} curve
   * @param {number} labels
   * @returns {Promise<CurveState | null>} the curve with one more point; `null` if the run was stopped
   */
  async #measure({ options, points: before }, labels) {
    const { ignoreCase, minutes, seed, startName } = options;
    const images = labelledImages(this.#page.current, options);
    const weights = await this.#weights(options.start);
    const given = { weights, images, ignoreCase, minutes, seed, labels };
    const learner = await this.#Learner.open(given);
    this.#learner = learner;
    this.#available = learner.plan.available;
    try {
      if (this.#stopped) return null;
      const { exactMatches, validationImages } = await learner.learn({
        onStep: ({ done }) => {
          const { curveRun } = this.#page.current;
          if (curveRun) this.#page.set({ curveRun: { ...curveRun, done } });
        },
      });
      if (this.#stopped || validationImages === 0) return null;
      const points = [...before, { labels, heldOut: validationImages, exactMatches }];
      const facts = { name: NAME, weights: startName, ignoreCase, seed };
      return { options, points, learningCurve: await learner.learningCurve({ ...facts, points }) };
    } finally {
      learner.dispose();
      this.#learner = undefined;
    }
  }
}

/**
 * Why no learning curve can be measured with the images and settings of the page; empty where one can.
 *
 * @param {PageState["current"]} state
 */
export function curveProblem(state) {
  return problemOf(() => missingLabels(nextCurve(state)));
}

/**
 * The curve of the images and settings of the page, with the points that are known.
 *
 * @param {PageState["current"]} state
 * @throws {LensError} where nothing can be learned from the images
 */
function nextCurve(state) {
  return continued(state.curve, runOptions(state, state.settings.curveMinutes));
}

/**
 * The curve to go on with: the measured one, where images and options are still the same.
 *
 * @param {CurveState | null} curve
 * @param {RunOptions} options
 * @returns {CurveState}
 */
function continued(curve, options) {
  const key = (/** @type {RunOptions} */ one) => JSON.stringify({ ...one, seed: 0 });
  const goesOn = curve !== null && key(curve.options) === key(options);
  return goesOn ? curve : { options, points: [], learningCurve: null };
}

/**
 * The numbers of labels of a curve: 25, 50, 100, ...
 *
 * @param {number} most the images that can be learned from
 */
export function curveLabels(most) {
  const numbers = [];
  for (let labels = FIRST_LABELS; labels <= most; labels *= 2) numbers.push(labels);
  return numbers;
}

/**
 * The numbers of labels that are not measured yet.
 *
 * @param {CurveState} curve
 * @returns {number[]}
 * @throws {LensError} where there are too few images, or nothing is missing
 */
function missingLabels({ options: { images }, points }) {
  const all = curveLabels(Math.floor(images.length * (1 - KEPT_BACK)));
  if (all.length === 0) {
    const least = Math.ceil(FIRST_LABELS / (1 - KEPT_BACK));
    const message = `A learning curve takes ${least} labelled images or more, because a sixth is kept back. Add or label ${least - images.length} more.`;
    throw new LensError("bad-images", message);
  }
  const known = new Set(points.map(({ labels }) => labels));
  const missing = all.filter((labels) => !known.has(labels));
  if (missing.length === 0) {
    const message =
      "The curve is complete for these images. Add labelled images, or change the time of each run, to measure another one.";
    throw new LensError("bad-images", message);
  }
  return missing;
}
