// @ts-check
/** The second step of the teach page: runs of the learner. */

import { GENERAL } from "../common/shipped-models.js";
import { LensError } from "../lib/errors.js";
import { checkTraining } from "./checks.js";
import { addStep, addValidation, noLosses } from "./losses.js";

/** @import { Keeper } from "./keeper.js" */
/** @import { PageState } from "./page-state.js" */
/** @import { LearnOptions, Learned, LearnerClass, LiveRun, OpenedLearner, RunOptions, SavedRun } from "./types.js" */

/** Seconds between two savings of a run, and between two readings of the watched images. */
const SAVE_EVERY = 8;
const WATCH_EVERY = 3;
/** How many images are watched. */
const WATCHED = 3;
/** Limits of the learning time, in minutes. */
export const MINUTES = { least: 1, most: 120 };

/** The names under which values are kept. */
export const KEPT_RUN = "run";
export const KEPT_RESULT = "learned";

/** @typedef {(id: string) => Promise<Uint8Array>} LoadWeights the weights with this id; those of the page for an empty one */

export class LearnController {
  #page;
  #keeper;
  #Learner;
  #weights;
  #onEnd;
  /** @type {OpenedLearner | undefined} */
  #learner;
  /** Whether the user has stopped the run before it was open. */
  #stopped = false;
  /** The last state of a run that can go on. @type {SavedRun | null} */
  #saved = null;

  /**
   * @param {PageState} page
   * @param {Keeper} keeper
   * @param {LearnerClass} Learner
   * @param {LoadWeights} weights
   * @param {() => void} onEnd called after each run
   */
  constructor(page, keeper, Learner, weights, onEnd) {
    this.#page = page;
    this.#keeper = keeper;
    this.#Learner = Learner;
    this.#weights = weights;
    this.#onEnd = onEnd;
  }

  /** @param {SavedRun | null} saved a run of an earlier visit */
  restore(saved) {
    this.#saved = saved;
    this.#showUnfinished();
  }

  /** Starts a run with the images and settings of the page. */
  async start() {
    if (this.#page.busy) return;
    this.#page.clearError("learn");
    try {
      const options = runOptions(this.#page.current, this.#page.current.settings.minutes);
      await this.#run(options, null);
    } catch (error) {
      this.#page.fail("learn", error);
    }
  }

  /** Goes on with the run that was interrupted. */
  async goOn() {
    const saved = this.#saved;
    if (!saved || this.#page.busy) return;
    this.#page.clearError("learn");
    try {
      await this.#run(saved.options, saved);
    } catch (error) {
      this.#page.fail("learn", error);
    }
  }

  togglePause() {
    const { run } = this.#page.current;
    if (!this.#learner || !run) return;
    if (run.phase === "learning") {
      this.#learner.pause();
      this.#update({ phase: "paused" });
    } else if (run.phase === "paused") {
      this.#learner.resume();
      this.#update({ phase: "learning" });
    }
  }

  /** Ends the run. What it has learned so far is its result. */
  stop() {
    if (!this.#page.current.run) return;
    this.#stopped = true;
    this.#update({ phase: "stopping", words: "Stopping" });
    this.#learner?.stop();
  }

  /** Forgets the run that can go on. */
  forget() {
    this.#saved = null;
    void this.#keeper.setValue(KEPT_RUN, null);
    this.#showUnfinished();
  }

  /**
   * @param {RunOptions} options
   * @param {SavedRun | null} saved
   */
  async #run(options, saved) {
    const page = this.#page;
    const images = labelledImages(page.current, options);
    this.#stopped = false;
    page.set({ run: opening(options, saved), unfinished: null });
    page.say("learn", "");
    try {
      const weights = await this.#weights(options.start);
      const { minutes, ignoreCase, seed } = options;
      /** @type {LearnOptions} */
      const given = { weights, images, ignoreCase, minutes, seed };
      if (saved) given.saved = saved.saved.slice();
      this.#learner = await this.#Learner.open(given, ({ stage, fraction }) =>
        this.#update({ words: `${stage} (${Math.round(100 * fraction)}%)` }),
      );
      if (!this.#stopped) await this.#learn(this.#learner, options);
    } finally {
      this.#learner?.dispose();
      this.#learner = undefined;
      page.set({ run: null });
      this.#showUnfinished();
      this.#onEnd();
    }
  }

  /**
   * @param {OpenedLearner} learner
   * @param {RunOptions} options
   */
  async #learn(learner, options) {
    const { plan } = learner;
    const watch = [...plan.validation, ...plan.training].slice(0, WATCHED);
    const watched = watch.map((i) => ({ id: options.images[i].id, recognition: null }));
    this.#update({ phase: "learning", words: "", plan, watched });
    const result = await learner.learn({
      watch,
      watchEvery: WATCH_EVERY,
      saveEvery: SAVE_EVERY,
      onStep: (step) => this.#update((run) => ({ step, losses: addStep(run.losses, step) })),
      onValidation: (validation) =>
        this.#update((run) => ({ losses: addValidation(run.losses, validation) })),
      onReadings: (recognitions) =>
        this.#update((run) => ({
          watched: run.watched.map(({ id }, i) => ({ id, recognition: recognitions[i] ?? null })),
        })),
      onSave: (bytes) => this.#save(bytes),
    });
    // A run that the user has stopped can go on.
    if (result.end !== "interrupted") this.forget();
    const losses = this.#page.current.run?.losses ?? noLosses();
    /** @type {Learned} */
    const learned = { options, plan, result, losses, created: Date.now() };
    this.#page.set({ learned });
    this.#page.say("learn", describeEnd(result.end));
    void this.#keeper.setValue(KEPT_RESULT, learned);
  }

  /** @param {Uint8Array} saved */
  #save(saved) {
    const { run } = this.#page.current;
    if (!run) return;
    const { options, losses, step } = run;
    this.#saved = { options, saved, losses, done: step?.done ?? 0 };
    void this.#keeper.setValue(KEPT_RUN, this.#saved);
  }

  #showUnfinished() {
    const saved = this.#saved;
    const unfinished = saved && { done: saved.done, minutes: saved.options.minutes };
    this.#page.set({ unfinished });
  }

  /** @param {Partial<LiveRun> | ((run: LiveRun) => Partial<LiveRun>)} change */
  #update(change) {
    const { run } = this.#page.current;
    if (!run) return;
    this.#page.set({ run: { ...run, ...(typeof change === "function" ? change(run) : change) } });
  }
}

/**
 * Why no run can start with the images and settings of the page; empty where one can.
 *
 * @param {PageState["current"]} state
 */
export function learnProblem(state) {
  return problemOf(() => runOptions(state, state.settings.minutes));
}

/**
 * The message of the error that `check` throws; empty where it throws none.
 *
 * @param {() => unknown} check
 */
export function problemOf(check) {
  try {
    check();
    return "";
  } catch (error) {
    if (error instanceof LensError) return error.message;
    throw error;
  }
}

/**
 * The options of a run with the images and settings of the page.
 *
 * @param {PageState["current"]} state
 * @param {number} minutes
 * @returns {RunOptions}
 * @throws {LensError} where nothing can be learned from the images
 */
export function runOptions({ images, settings, models }, minutes) {
  const { ignoreCase, start } = settings;
  const { usable, blocker } = checkTraining(images, ignoreCase);
  if (blocker) throw new LensError("bad-images", blocker);
  if (!(minutes >= MINUTES.least && minutes <= MINUTES.most)) {
    const message = `Enter a time from ${MINUTES.least} to ${MINUTES.most} minutes.`;
    throw new LensError("bad-argument", message);
  }
  const model = models.find(({ id }) => id === start);
  if (start && !model) {
    const message = "The chosen weights are not in this browser any more. Choose others.";
    throw new LensError("bad-argument", message);
  }
  return {
    images: usable.map(({ id, label }) => ({ id, label })),
    minutes,
    ignoreCase,
    seed: Math.floor(Math.random() * 2 ** 32),
    start,
    startName: model?.name ?? GENERAL.name,
  };
}

/**
 * Copies of the images of a run, which the learner may give to its worker, with their labels.
 *
 * @param {Pick<PageState["current"], "images">} state
 * @param {RunOptions} options
 * @returns {LearnOptions["images"]}
 * @throws {LensError} where some of them were removed
 */
export function labelledImages({ images }, options) {
  const byId = new Map(images.map((image) => [image.id, image]));
  return options.images.map(({ id, label }) => {
    const image = byId.get(id);
    if (image) return { name: image.path, bytes: image.bytes.slice(), label };
    const message = "Some images of this run were removed, so it cannot go on. Start a new run.";
    throw new LensError("bad-images", message);
  });
}

/**
 * @param {RunOptions} options
 * @param {SavedRun | null} saved
 * @returns {LiveRun}
 */
function opening(options, saved) {
  return {
    phase: "opening",
    words: "Loading the code",
    options,
    plan: null,
    step: null,
    losses: saved?.losses ?? noLosses(),
    watched: [],
  };
}

/** @param {Learned["result"]["end"]} end */
function describeEnd(end) {
  switch (end) {
    case "interrupted":
      return "Stopped. The best model so far is kept.";
    case "no-improvement":
      return "Ended early: more learning did not improve the model.";
    default:
      return "Done.";
  }
}
