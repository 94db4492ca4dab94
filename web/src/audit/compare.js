// @ts-check
/** Compares two audits: of two sets of images, or of one set with two settings. Pure. */

import { imageCount } from "../common/format.js";
import { commonFolder } from "./paths.js";
import { foldCase } from "./alphabet.js";
import { differenceInterval, wilsonInterval, pairedDifferenceInterval } from "./intervals.js";
import { evaluateItems } from "./statistics.js";

/** @import { AuditComparison, AuditData, EvaluatedItem } from "./types.js" */

/** Audits are paired if they share at least this fraction of the images of the smaller one. */
const MIN_SHARED = 0.5;

/**
 * Compares the solved shares of two audits. If they share enough images, by path and label, these
 * are compared in pairs.
 *
 * @param {AuditData} first
 * @param {AuditData} second
 * @returns {AuditComparison | null} `null` if one of them has no result
 */
export function compareAudits(first, second) {
  // Both count in the way of the first.
  const [a, b] = [first, second].map((audit) => comparableItems(audit, first.ignoreCase));
  if (a.size === 0 || b.size === 0) return null;
  const both = [...a.keys()].filter((key) => b.has(key));
  if (both.length < MIN_SHARED * Math.min(a.size, b.size)) {
    const [mine, theirs] = [countCorrect([...a.values()]), countCorrect([...b.values()])];
    return comparisonOf(mine, theirs, false, differenceInterval(mine, theirs));
  }
  const counts = { both: 0, first: 0, second: 0, neither: 0 };
  for (const key of both) {
    const [mine, theirs] = [a.get(key)?.correct, b.get(key)?.correct];
    if (mine) counts[theirs ? "both" : "first"]++;
    else counts[theirs ? "second" : "neither"]++;
  }
  const whole = both.length;
  return comparisonOf(
    { part: counts.both + counts.first, whole },
    { part: counts.both + counts.second, whole },
    true,
    pairedDifferenceInterval(counts),
  );
}

/**
 * Describes a comparison in sentences.
 *
 * @param {AuditComparison | null} comparison
 * @returns {string[]}
 */
export function describeComparison(comparison) {
  if (!comparison) {
    return [
      "The audits cannot be compared: one of them has no image with a label that its model can write.",
    ];
  }
  const {
    paired,
    first,
    difference,
    interval: [low, high],
  } = comparison;
  const points = (/** @type {number} */ value) =>
    `${value > 0 ? "+" : value < 0 ? "\u2212" : ""}${(100 * Math.abs(value)).toFixed(1)}`;
  const images = imageCount(first.whole);
  return [
    `Difference: ${points(difference)} percentage points (95% interval ${points(low)} to ${points(high)}).`,
    low > 0 || high < 0
      ? "The interval does not contain 0, so chance alone does not explain the difference."
      : "The interval contains 0, so the difference may be chance. Use more images for a clear result.",
    paired
      ? `The comparison covers the ${images} with the same name and label in both audits, image by image (Newcombe 1998, paired proportions, method 10).`
      : "The images are different, so the two shares are compared as independent samples (Newcombe 1998, independent proportions, method 10).",
  ];
}

/**
 * @param {{ part: number, whole: number }} first
 * @param {{ part: number, whole: number }} second
 * @param {boolean} paired
 * @param {[number, number]} between
 * @returns {AuditComparison}
 */
function comparisonOf(first, second, paired, between) {
  const shares = [first, second].map(({ part, whole }) => part / whole);
  return {
    paired,
    first: { ...first, interval: wilsonInterval(first.part, first.whole) },
    second: { ...second, interval: wilsonInterval(second.part, second.whole) },
    difference: shares[0] - shares[1],
    interval: between,
  };
}

/** @param {EvaluatedItem[]} judged */
function countCorrect(judged) {
  return { part: judged.filter(({ correct }) => correct).length, whole: judged.length };
}

/**
 * The images with a result, by label and by path without the common folder: the page knows the name
 * of the folder or archive, and the command line leaves it out.
 *
 * @param {AuditData} audit
 * @param {boolean} [ignoreCase]
 * @returns {Map<string, EvaluatedItem>}
 */
function comparableItems({ items, network }, ignoreCase) {
  const folder = commonFolder(items.map(({ path }) => path));
  return new Map(
    evaluateItems(items, network, ignoreCase)
      .filter(({ correct }) => correct !== null)
      .map((one) => [`${one.item.path.slice(folder.length)}\n${foldCase(one.label ?? "")}`, one]),
  );
}
