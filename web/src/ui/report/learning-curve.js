// @ts-check
/** How many labelled images an attacker needs, in the report. */

import { wilsonInterval } from "../../audit/intervals.js";
import { number, percent } from "../../common/format.js";
import { make, section, tableOf } from "./elements.js";

/** @import { AuditReport, LearningCurve } from "../../audit/types.js" */

/**
 * The learning curve of the audit, and that of the audit that it is compared with.
 *
 * @param {AuditReport} report
 * @returns {(Node | string)[]}
 */
export function learningCurves({ learningCurve, compared }) {
  return [
    ...(learningCurve ? [curveSection("Labelled images needed", learningCurve)] : []),
    ...(compared?.learningCurve
      ? [curveSection(`Labelled images needed: ${compared.name}`, compared.learningCurve)]
      : []),
  ];
}

/**
 * @param {string} title
 * @param {LearningCurve} curve
 */
function curveSection(title, { name, weights, points, sentences, svg }) {
  const training = [name && `images of ${name}`, weights && `from the weights ${weights}`]
    .filter(Boolean)
    .join(", ");
  return section(title, [
    ...sentences.map((sentence) => make("p", {}, [sentence])),
    // As an image, the drawing cannot run scripts or load anything.
    make("img", {
      className: "report-learning-curve",
      alt: "Held-out images solved, by number of labelled images",
      src: `data:image/svg+xml,${encodeURIComponent(svg)}`,
    }),
    ...(training ? [make("p", { className: "hint" }, [`Trained on ${training}.`])] : []),
    tableOf(
      "report-learning",
      title,
      ["Labelled images", "Solved", "95% interval"],
      points.map(({ labels, heldOut, exactMatches }) => {
        const [low, high] = wilsonInterval(exactMatches, heldOut);
        return [
          number(labels),
          `${percent(exactMatches / heldOut)} (${exactMatches} of ${heldOut})`,
          `${percent(low)} to ${percent(high)}`,
        ];
      }),
    ),
  ]);
}
