// @ts-check
/**
 * How many labelled images a share of solved images takes, and the sentences about it. Pure.
 * `crates/evaluation/src/learning_curve` has the same in Rust (`labels_needed.rs`, `text.rs`).
 */

import { wilsonInterval } from "../audit/intervals.js";

/** @import { CurvePoint } from "../audit/types.js" */

/**
 * A number of labelled images, as far as the measurement tells it: the smallest measured number is
 * enough (`atMost`), it is interpolated between two of them (`about`), or the largest is not enough.
 *
 * @typedef {{ kind: "atMost" | "about" | "moreThan", labels: number }} LabelCount
 */

/**
 * The labelled images after which one try in `oneIn` is solved: by the measured shares, and by the
 * upper and the lower ends of their 95% intervals.
 *
 * @typedef {object} LabelsNeeded
 * @property {number} oneIn
 * @property {LabelCount} labels
 * @property {[LabelCount, LabelCount]} interval
 */

/** The tries that sentences tell, and their words. */
const TOLD = /** @type {const} */ ([
  [2, "one try in two"],
  [10, "one in ten"],
  [100, "one in a hundred"],
]);

/**
 * @param {readonly CurvePoint[]} points
 * @returns {CurvePoint[]} by ascending number of labelled images
 */
export function sortedPoints(points) {
  return [...points].sort((a, b) => a.labels - b.labels);
}

/**
 * The labelled images after which one try in `oneIn` is solved; `null` without points. It is the
 * first number at which the share is reached; between two measured numbers `n`, the share is taken as
 * linear in `log(1 + n)`.
 *
 * @param {readonly CurvePoint[]} points
 * @param {number} oneIn
 * @returns {LabelsNeeded | null}
 */
export function labelsNeeded(points, oneIn) {
  if (points.length === 0) return null;
  const sorted = sortedPoints(points);
  const share = 1 / Math.max(oneIn, 1);
  const interval = (/** @type {CurvePoint} */ { exactMatches, heldOut }) =>
    wilsonInterval(exactMatches, heldOut);
  const reached = (/** @type {(point: CurvePoint) => number} */ of) =>
    firstReached(sorted, share, of);
  return {
    oneIn,
    labels: reached(({ exactMatches, heldOut }) => exactMatches / heldOut),
    interval: [reached((point) => interval(point)[1]), reached((point) => interval(point)[0])],
  };
}

/**
 * @param {CurvePoint[]} points
 * @param {number} share
 * @param {(point: CurvePoint) => number} of
 * @returns {LabelCount}
 */
function firstReached(points, share, of) {
  if (of(points[0]) >= share) return { kind: "atMost", labels: points[0].labels };
  const next = points.findIndex((point, i) => i > 0 && of(point) >= share);
  if (next < 0) return { kind: "moreThan", labels: points[points.length - 1].labels };
  const [before, after] = [points[next - 1], points[next]];
  const part = (share - of(before)) / (of(after) - of(before));
  const [low, high] = [before, after].map(({ labels }) => Math.log1p(labels));
  const labels = Math.round(Math.expm1(low + part * (high - low)));
  // Rounding errors must not leave the measured numbers.
  const least = before.labels + 1;
  return {
    kind: "about",
    labels: Math.min(Math.max(labels, least), Math.max(after.labels, least)),
  };
}

/**
 * The labels needed to solve one try in two, one in ten and one in a hundred.
 *
 * @param {readonly CurvePoint[]} points
 * @returns {LabelsNeeded[]}
 */
export function toldLabels(points) {
  return TOLD.flatMap(([oneIn]) => labelsNeeded(points, oneIn) ?? []);
}

/**
 * How many labelled images an attacker needs to pass one try in two, one in ten and one in a hundred,
 * and what these numbers do not say. Empty without points.
 *
 * @param {readonly CurvePoint[]} points
 * @param {boolean} ignoreCase whether capital and small letters counted as the same
 * @returns {string[]}
 */
export function curveSentences(points, ignoreCase) {
  if (points.length === 0) return [];
  // Shares with the same answer are told together.
  /** @type {Map<string, string[]>} */
  const answers = new Map();
  for (const [i, needed] of toldLabels(points).entries()) {
    const words = answerOf(needed);
    answers.set(words, [...(answers.get(words) ?? []), TOLD[i][1]]);
  }
  const sentences = [...answers].map(([answer, tries]) => {
    const words = listed(tries);
    return `To pass ${words.includes("try") ? words : words.replace("one in", "one try in")}, ${answer}.`;
  });
  if (ignoreCase) sentences.push("Capital and small letters counted as the same.");
  sentences.push(
    "These are estimates for this network and this training, interpolated between the measured numbers. Another model, or other labelled images, may need fewer or more. The intervals cover only the chance in the choice of the held-out images.",
  );
  return sentences;
}

/**
 * "a, b or c"
 *
 * @param {string[]} words
 */
function listed(words) {
  const first = words.slice(0, -1);
  const last = words[words.length - 1];
  return first.length > 0 ? `${first.join(", ")} or ${last}` : last;
}

/**
 * The end of a sentence that begins with the tries.
 *
 * @param {LabelsNeeded} needed
 */
function answerOf({ labels: { kind, labels }, interval: [from, to] }) {
  const isOne = from.kind === to.kind && from.labels === to.labels;
  const interval = isOne ? "" : ` (95% interval: ${short(from)} to ${short(to)})`;
  const images = labels === 1 ? "image" : "images";
  switch (kind) {
    case "atMost":
      return `an attacker needs ${labels} labelled ${images} or fewer${interval}; ${labels} is the smallest number measured`;
    case "about":
      return `an attacker needs about ${labels} labelled ${images}${interval}`;
    case "moreThan":
      return `${labels} labelled ${images} ${labels === 1 ? "was" : "were"} not enough${interval}; more than ${labels} were not measured`;
  }
}

/** @param {LabelCount} count */
function short({ kind, labels }) {
  if (kind === "atMost") return `${labels} or fewer`;
  return kind === "about" ? String(labels) : `more than ${labels}`;
}
