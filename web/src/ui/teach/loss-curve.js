// @ts-check
/** The training and validation loss of a run over time. */

import { niceCeiling } from "../../teach/losses.js";
import { draw, make } from "../report/elements.js";

/** @import { Losses } from "../../teach/types.js" */

/** Size of the drawing, and position of the plot in it. */
const SIZE = { width: 380, height: 230 };
const PLOT = { left: 48, top: 10, width: 318, height: 170 };
/** Counts the curves of the document, for unique ids. */
let curves = 0;

/** Parts of an axis with a number. */
const PARTS = [0, 0.25, 0.5, 0.75, 1];

/**
 * @param {Losses} losses
 * @param {number} minutes of the whole run
 * @returns {(Node | string)[]}
 */
export function lossCurve(losses, minutes) {
  return [plot(losses, minutes), legend()];
}

/**
 * @param {Losses} losses
 * @param {number} minutes
 */
function plot({ training, validations }, minutes) {
  const checked = validations.map(({ seconds, validationLoss }) => ({
    seconds,
    loss: validationLoss,
  }));
  const all = [...training, ...checked].filter(({ loss }) => Number.isFinite(loss));
  const longest = 60 * minutes;
  // The first steps may be far above all others.
  const highest = niceCeiling(percentile(all.map(({ loss }) => loss)));
  const x = (/** @type {number} */ part) => round(PLOT.left + Math.min(part, 1) * PLOT.width);
  const y = (/** @type {number} */ part) => round(PLOT.top + (1 - Math.min(part, 1)) * PLOT.height);
  const line = (/** @type {{ seconds: number, loss: number }[]} */ points) =>
    points
      .filter(({ loss }) => Number.isFinite(loss))
      .map(({ seconds, loss }, i) => {
        return `${i === 0 ? "M" : "L"}${x(seconds / longest)} ${y(loss / highest)}`;
      })
      .join("");
  const grid = PARTS.flatMap((part) => [
    draw("path", { class: "curve-grid", d: `M${x(0)} ${y(part)}H${x(1)}` }),
    text(x(0) - 8, y(part) + 4, "end", axisNumber(part * highest)),
    text(x(part), y(0) + 18, "middle", axisNumber(part * minutes)),
  ]);
  const id = `loss-${++curves}`;
  return draw(
    "svg",
    {
      class: "curve",
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-about`,
    },
    [
      draw("title", { id: `${id}-title` }, ["Training and validation loss over time"]),
      draw("desc", { id: `${id}-about` }, [describe(training, checked)]),
      ...grid,
      text(x(0.5), SIZE.height - 6, "middle", "Minutes of learning"),
      draw("path", { class: "curve-answered", d: line(training) }),
      draw("path", { class: "curve-correct", d: line(checked) }),
      ...dots(checked, x, y, longest, highest),
    ],
  );
}

/**
 * The latest losses in words.
 *
 * @param {{ loss: number }[]} training
 * @param {{ loss: number }[]} checked
 */
function describe(training, checked) {
  const latest = (/** @type {{ loss: number }[]} */ points) => points.at(-1)?.loss.toFixed(2);
  const [learned, kept] = [latest(training), latest(checked)];
  if (learned === undefined) return "Nothing measured yet.";
  const validation = kept === undefined ? "" : ` The latest validation loss is ${kept}.`;
  return `The latest training loss is ${learned} nats per text.${validation}`;
}

/**
 * The points of a line that is too short to see.
 *
 * @param {{ seconds: number, loss: number }[]} points
 * @param {(part: number) => number} x
 * @param {(part: number) => number} y
 * @param {number} longest
 * @param {number} highest
 */
function dots(points, x, y, longest, highest) {
  if (points.length > 2) return [];
  return points.map(({ seconds, loss }) =>
    draw("circle", {
      class: "curve-dot",
      cx: x(seconds / longest),
      cy: y(loss / highest),
      r: 3,
    }),
  );
}

function legend() {
  const entry = (/** @type {string} */ kind, /** @type {string} */ words) =>
    make("li", {}, [
      draw("svg", { class: "curve-key", viewBox: "0 0 28 8", "aria-hidden": "true" }, [
        draw("path", { class: kind, d: "M1 4H27" }),
      ]),
      words,
    ]);
  return make("ul", { className: "report-legend", role: "list" }, [
    entry("curve-answered", "Training loss, in nats per text"),
    entry("curve-correct", "Validation loss, of the images kept back"),
  ]);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {"end" | "middle"} anchor
 * @param {string} words
 */
function text(x, y, anchor, words) {
  return draw("text", { class: "curve-text", x, y, "text-anchor": anchor }, [words]);
}

/**
 * A value that nearly all others are below.
 *
 * @param {number[]} values
 */
function percentile(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(0.98 * (sorted.length - 1))] ?? 1;
}

/** @param {number} value */
function axisNumber(value) {
  return String(Number(value.toFixed(2)));
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}
