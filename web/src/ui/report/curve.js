// @ts-check
/**
 * Answered and correct images by minimum confidence: the result of an attacker who skips uncertain
 * images.
 */

import { percent } from "../../common/format.js";
import { draw, make, section, tableOf } from "./elements.js";

/** @import { Threshold } from "../../audit/types.js" */

/** Size of the drawing, and position of the plot in it. */
const SIZE = { width: 380, height: 250 };
const PLOT = { left: 48, top: 10, width: 314, height: 186 };
/** Thresholds in the table, in percent. */
const TABLED = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99];
/** Tick marks of the axes. */
const MARKS = [0, 0.25, 0.5, 0.75, 1];
/** Threshold of the sentence above the curve, in percent. */
const TOLD = 90;

/** Counts the curves of the document, for unique ids. */
let curves = 0;

/**
 * @param {Threshold[]} thresholds
 * @returns {(Node | string)[]}
 */
export function confidenceCurve(thresholds) {
  if (thresholds.length === 0) return [];
  const all = thresholds[0].answered;
  return [
    section("Accuracy by minimum confidence", [
      make("p", {}, [
        `The curves show the result when images below a minimum confidence are skipped: how many images are answered, and how many of these answers are correct. ${describeThreshold(thresholds[TOLD], all)}`,
      ]),
      make("div", { className: "report-curve" }, [plot(thresholds, all), legend()]),
      make("details", { className: "report-more" }, [
        make("summary", {}, ["Show the values as a table"]),
        tableOf(
          "report-thresholds",
          "Accuracy by minimum confidence",
          ["Minimum confidence", "Answered", "Correct"],
          TABLED.map((hundredths) => {
            const { answered, correct } = thresholds[hundredths];
            return [
              `${hundredths}%`,
              `${percent(answered / all)} (${answered} of ${all})`,
              answered === 0
                ? "none answered"
                : `${percent(correct / answered)} (${correct} of ${answered})`,
            ];
          }),
        ),
      ]),
    ]),
  ];
}

/**
 * @param {Threshold} threshold
 * @param {number} all images with a result
 */
function describeThreshold({ threshold, answered, correct }, all) {
  const sure = `with a confidence of ${Math.round(100 * threshold)}% or more`;
  if (answered === 0) return `No image was read ${sure}.`;
  const result =
    answered === 1 ? (correct ? "it is correct" : "it is wrong") : `${correct} of them correct`;
  const verb = answered === 1 ? "was" : "were";
  return `${answered} of ${all} images ${verb} read ${sure}, ${result}.`;
}

/**
 * @param {Threshold[]} thresholds
 * @param {number} all
 */
function plot(thresholds, all) {
  const x = (/** @type {number} */ share) => round(PLOT.left + share * PLOT.width);
  const y = (/** @type {number} */ share) => round(PLOT.top + (1 - share) * PLOT.height);
  const line = (/** @type {[number, number][]} */ points) =>
    points.map(([across, up], i) => `${i === 0 ? "M" : "L"}${x(across)} ${y(up)}`).join("");
  const answered = line(thresholds.map((one) => [one.threshold, one.answered / all]));
  const correct = line(
    thresholds
      .filter((one) => one.answered > 0)
      .map((one) => [one.threshold, one.correct / one.answered]),
  );
  const grid = MARKS.flatMap((mark) => [
    draw("path", { class: "curve-grid", d: `M${x(0)} ${y(mark)}H${x(1)}` }),
    draw("text", { class: "curve-text", x: x(0) - 8, y: y(mark) + 4, "text-anchor": "end" }, [
      `${100 * mark}%`,
    ]),
    draw("text", { class: "curve-text", x: x(mark), y: y(0) + 18, "text-anchor": "middle" }, [
      `${100 * mark}%`,
    ]),
  ]);
  const id = `curve-${++curves}`;
  const told = TABLED.filter((hundredths) => hundredths % 30 === 0)
    .map((hundredths) => describeThreshold(thresholds[hundredths], all))
    .join(" ");
  return draw(
    "svg",
    {
      class: "curve",
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-about`,
    },
    [
      draw("title", { id: `${id}-title` }, ["Images answered and correct, by minimum confidence"]),
      draw("desc", { id: `${id}-about` }, [told]),
      ...grid,
      draw(
        "text",
        { class: "curve-text", x: x(0.5), y: SIZE.height - 10, "text-anchor": "middle" },
        ["Minimum confidence"],
      ),
      draw("path", { class: "curve-answered", d: answered }),
      draw("path", { class: "curve-correct", d: correct }),
    ],
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
    entry("curve-answered", "Answered, in % of all images compared"),
    entry("curve-correct", "Correct, in % of the images answered"),
  ]);
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}
