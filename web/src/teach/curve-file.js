// @ts-check
/**
 * A learning curve as the audit page imports it: points, sentences and figure. Pure.
 * `crates/evaluation/src/learning_curve` writes the same (`saved.rs`, `svg.rs`).
 */

import { wilsonInterval } from "../audit/intervals.js";
import { curveSentences, sortedPoints, toldLabels } from "./labels-needed.js";

/** @import { CurvePoint, LearningCurve } from "../audit/types.js" */
/** @import { LabelCount } from "./labels-needed.js" */

/** Size of the figure, and the plot in it. */
const SIZE = { width: 560, height: 340 };
const PLOT = { left: 58, top: 44, width: 480, height: 236 };
/** Shares with a line and a number. */
const SHARES = [0, 0.25, 0.5, 0.75, 1];
/** Smallest distance of two numbers on the axis of labelled images. */
const MIN_DISTANCE = 34;
/** Part of the plot between its ends and the outermost points. */
const MARGIN = 0.04;

const STYLE =
  "@media (prefers-color-scheme: dark) { .ground { fill: #121b2b } .ink { fill: #e9eef7 } .mark { stroke: #263349 } .line { stroke: #fee838 } .dot { fill: #fee838 } }";

/**
 * What is known of a curve besides its points.
 *
 * @typedef {{ name: string, weights: string, ignoreCase: boolean, seed: number }} CurveFacts
 */

/**
 * @param {readonly CurvePoint[]} points
 * @param {CurveFacts} facts
 * @returns {LearningCurve & CurveFacts & { labelsNeeded: unknown[] }}
 */
export function learningCurveOf(points, facts) {
  const sentences = curveSentences(points, facts.ignoreCase);
  const count = (/** @type {LabelCount} */ { kind, labels }) => ({ [kind]: labels });
  return {
    ...facts,
    points: sortedPoints(points).map(({ labels, heldOut, exactMatches }) => ({
      labels,
      heldOut,
      exactMatches,
      exactMatchRate: exactMatches / heldOut,
      interval: wilsonInterval(exactMatches, heldOut),
    })),
    labelsNeeded: toldLabels(points).map(({ oneIn, labels, interval }) => ({
      oneIn,
      labels: count(labels),
      interval: interval.map(count),
    })),
    sentences,
    svg: curveFigure(points, sentences),
  };
}

/**
 * The share of solved images by number of labelled images on a log scale, with 95% intervals, as SVG.
 *
 * @param {readonly CurvePoint[]} points
 * @param {string[]} sentences
 */
export function curveFigure(points, sentences) {
  const sorted = sortedPoints(points);
  const x = axisOf(sorted);
  const at = sorted.map(({ labels, exactMatches, heldOut }) => ({
    across: x(labels),
    up: y(exactMatches / heldOut),
    ends: wilsonInterval(exactMatches, heldOut).map(y),
  }));
  const dots = at.map(({ across, up, ends: [low, high] }) => {
    const [left, right] = [fixed(across - 4), fixed(across + 4)];
    const interval = `M${fixed(across)} ${fixed(low)}V${fixed(high)}M${left} ${fixed(low)}H${right}M${left} ${fixed(high)}H${right}`;
    return `<path class="line" stroke="#123a78" fill="none" d="${interval}"/>
<circle class="dot" fill="#123a78" cx="${fixed(across)}" cy="${fixed(up)}" r="4"/>`;
  });
  const line = at.map(({ across, up }, i) => `${i === 0 ? "M" : "L"}${fixed(across)} ${fixed(up)}`);
  return [
    start(sentences),
    ...marks(),
    ...numbers(sorted, x),
    ...dots,
    `<path class="line" stroke="#123a78" stroke-width="2" fill="none" d="${line.join("")}"/>`,
    "</svg>\n",
  ].join("\n");
}

/**
 * The axis of labelled images.
 *
 * @param {CurvePoint[]} sorted
 * @returns {(labels: number) => number}
 */
function axisOf(sorted) {
  const scaled = (/** @type {CurvePoint | undefined} */ point) => Math.log1p(point?.labels ?? 0);
  const [low, high] = [scaled(sorted[0]), scaled(sorted[sorted.length - 1])];
  return (labels) => {
    const part = high > low ? (Math.log1p(labels) - low) / (high - low) : 0.5;
    return PLOT.left + MARGIN * PLOT.width + part * (1 - 2 * MARGIN) * PLOT.width;
  };
}

/** @param {number} share */
function y(share) {
  return PLOT.top + (1 - share) * PLOT.height;
}

/** @param {string[]} sentences */
function start(sentences) {
  const { width, height } = SIZE;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>Images solved, by number of labelled images</title>
<desc>${escape(sentences.join(" "))}</desc>
<style>${STYLE}</style>
<rect class="ground" width="${width}" height="${height}" rx="8" fill="#fff"/>
${text(PLOT.left, PLOT.top - 20, "Held-out images solved, with 95% intervals", 'font-weight="600"')}`;
}

function marks() {
  const right = PLOT.left + PLOT.width;
  return SHARES.map(
    (share) =>
      `<path class="mark" stroke="#d3dae6" d="M${PLOT.left} ${y(share)}H${right}"/>
${text(PLOT.left - 8, y(share) + 4.5, `${100 * share}%`, 'text-anchor="end"')}`,
  );
}

/**
 * The measured numbers of labelled images under the plot, the largest first where they are close.
 *
 * @param {CurvePoint[]} sorted
 * @param {(labels: number) => number} x
 */
function numbers(sorted, x) {
  const bottom = PLOT.top + PLOT.height;
  const middle = 'text-anchor="middle"';
  let last = Infinity;
  const some = [...sorted].reverse().flatMap(({ labels }) => {
    const across = x(labels);
    if (last - across < MIN_DISTANCE) return [];
    last = across;
    return [text(fixed(across), bottom + 20, String(labels), middle)];
  });
  const name = "Labelled images (logarithmic scale)";
  return [...some, text(PLOT.left + PLOT.width / 2, bottom + 44, name, middle)];
}

/**
 * @param {number | string} across
 * @param {number} down
 * @param {string} words
 * @param {string} attributes
 */
function text(across, down, words, attributes) {
  return `<text class="ink" fill="#0d1b33" x="${across}" y="${down}" ${attributes}>${words}</text>`;
}

/** @param {number} value */
function fixed(value) {
  return value.toFixed(1);
}

/** @param {string} words */
function escape(words) {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
