// @ts-check
/** What the teach page says about its state. Pure. */

import { wilsonInterval } from "../audit/intervals.js";
import { localDate } from "../audit/notes.js";
import { describeDuration } from "../common/describe.js";
import { imageCount, number, percent } from "../common/format.js";

/** @import { Character } from "../lib/types.js" */
/** @import { Learned, LiveRun, Step, TeachImage, TeachState } from "./types.js" */

/**
 * The state of each step, in a few words.
 *
 * @param {TeachState} state
 * @returns {Record<Step, string>}
 */
export function describeSteps({ images, run, unfinished, learned, curve, curveRun, models }) {
  const good = images.filter(({ error }) => error === null);
  const labelled = good.filter(({ label }) => label !== null).length;
  const give =
    images.length === 0
      ? "No images yet"
      : `${imageCount(good.length)}, ${number(labelled)} labelled`;
  const learn = run
    ? { opening: "Starting", learning: "Learning", paused: "Paused", stopping: "Stopping" }[
        run.phase
      ]
    : learned
      ? "Done"
      : unfinished
        ? "Interrupted"
        : "Not started";
  const points = curve?.points.length ?? 0;
  const solved = learned
    ? `${learned.result.exactMatches} of ${learned.result.validationImages} solved`
    : "Nothing measured yet";
  const know = curveRun
    ? `Measuring ${curveRun.index + 1} of ${curveRun.count}`
    : points > 0 && !learned
      ? `${points} ${points === 1 ? "point" : "points"} measured`
      : solved;
  const kept = models.length === 1 ? "1 model kept" : `${models.length} models kept`;
  const take = learned ? "Ready to save" : models.length > 0 ? kept : "Nothing to save yet";
  return { give, learn, know, take };
}

/**
 * The speed of a run and the time that is left.
 *
 * @param {LiveRun} run
 */
export function describeSpeed({ step, options, phase }) {
  if (!step) return "";
  const { imagesPerSecond, done, workers } = step;
  const rate = `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} images/s`;
  const speed = workers > 1 ? `${rate} on ${workers} cores` : rate;
  const left = describeDuration(Math.max(60 * options.minutes * (1 - done), 0));
  return phase === "stopping" ? speed : `${speed}, ${left} left`;
}

/**
 * The share that is solved of the part kept back, by the latest validation.
 *
 * @param {LiveRun} run
 */
export function describeSolved({ plan, losses }) {
  if (!plan) return "";
  const { training, validation } = plan;
  const split = `Learning from ${imageCount(training.length)}; ${number(validation.length)} are kept back.`;
  const latest = losses.validations.at(-1);
  if (!latest || validation.length === 0) return split;
  const { exactMatches, step } = latest;
  const [low, high] = wilsonInterval(exactMatches, validation.length);
  const when = step === 0 ? "Before learning, solved" : "Solved";
  return `${split} ${when} of these: ${percent(exactMatches / validation.length)} (${exactMatches} of ${validation.length}; 95% interval ${percent(low)} to ${percent(high)}).`;
}

/**
 * What a learning curve measures now.
 *
 * @param {NonNullable<TeachState["curveRun"]>} run
 */
export function describeCurveRun({ labels, index, count }) {
  return `Run ${index + 1} of ${count}: learning from ${labels} labelled images`;
}

/**
 * What the labeller says about an image.
 *
 * @param {TeachImage} image
 */
export function describeLabel({ label, source, guess }) {
  if (label !== null) {
    const from = {
      file: "from the label file",
      name: "from the file name",
      typed: "typed by you",
      drawn: "known from drawing",
    };
    return `Label ${source ? from[source] : "known"}.`;
  }
  if (!guess) return "No label yet.";
  if (guess.text === "") return "No label yet. The model finds no text.";
  return `No label yet. The text is the model's guess, with ${percent(guess.confidence)} confidence.`;
}

/**
 * The attention of a whole text: for each cell, the largest weight of all characters.
 *
 * @param {Pick<Character, "attention">[]} characters at least one
 */
export function combinedAttention(characters) {
  return Float32Array.from(characters[0].attention, (_, cell) =>
    Math.max(...characters.map(({ attention }) => attention[cell])),
  );
}

/**
 * A name for the learned model, such as `taught 2026-01-31`.
 *
 * @param {Learned} learned
 */
export function modelName({ created }) {
  return `taught ${localDate(new Date(created))}`;
}
