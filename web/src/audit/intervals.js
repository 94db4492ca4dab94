// @ts-check
/** 95% intervals of a share and of the difference of two shares. Pure. */

/** 97.5% quantile of the normal distribution. */
const Z = 1.96;

/** @typedef {[low: number, high: number]} Interval */

/**
 * The Wilson score interval of a share (Wilson 1927).
 *
 * @param {number} part
 * @param {number} whole
 * @returns {Interval}
 */
export function wilsonInterval(part, whole) {
  if (whole === 0) return [0, 1];
  const p = part / whole;
  const scale = 1 + (Z * Z) / whole;
  const centre = (p + (Z * Z) / (2 * whole)) / scale;
  const margin = (Z * Math.sqrt((p * (1 - p)) / whole + (Z * Z) / (4 * whole * whole))) / scale;
  // Exactly 0 and 1 at the ends, without rounding errors.
  return [
    part === 0 ? 0 : Math.max(centre - margin, 0),
    part === whole ? 1 : Math.min(centre + margin, 1),
  ];
}

/**
 * The interval of the difference of two shares of different images (Newcombe 1998, "Interval
 * estimation for the difference between independent proportions", method 10).
 *
 * @param {{ part: number, whole: number }} a
 * @param {{ part: number, whole: number }} b
 * @returns {Interval} of the share of `a` minus that of `b`
 */
export function differenceInterval(a, b) {
  return newcombe(a, b, 0);
}

/**
 * The interval of the difference of two shares of the same images (Newcombe 1998, "Improved
 * confidence intervals for the difference between binomial proportions based on paired data",
 * method 10).
 *
 * @param {{ both: number, first: number, second: number, neither: number }} counts number of images
 *   that both audits solved, only the first, only the second, and neither
 * @returns {Interval} of the first share minus the second
 */
export function pairedDifferenceInterval({ both, first, second, neither }) {
  const whole = both + first + second + neither;
  const product = (both + first) * (second + neither) * (both + second) * (first + neither);
  const association = both * neither - first * second;
  // Continuity correction, so that the correlation of few images is not overestimated.
  const corrected = association > 0 ? Math.max(association - whole / 2, 0) : association;
  const correlation = product === 0 ? 0 : corrected / Math.sqrt(product);
  return newcombe({ part: both + first, whole }, { part: both + second, whole }, correlation);
}

/**
 * @param {{ part: number, whole: number }} a
 * @param {{ part: number, whole: number }} b
 * @param {number} correlation
 * @returns {Interval}
 */
function newcombe(a, b, correlation) {
  const [p, q] = [a.part / a.whole, b.part / b.whole];
  const [lowA, highA] = wilsonInterval(a.part, a.whole);
  const [lowB, highB] = wilsonInterval(b.part, b.whole);
  const margin = (/** @type {number} */ x, /** @type {number} */ y) =>
    Math.sqrt(Math.max(x * x - 2 * correlation * x * y + y * y, 0));
  return [
    Math.max(p - q - margin(p - lowA, highB - q), -1),
    Math.min(p - q + margin(highA - p, q - lowB), 1),
  ];
}
