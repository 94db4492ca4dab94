// @ts-check
/** Formats numbers. Pure. `captcha-lens audit` embeds this file in its reports. */

/** Keeps a number and its unit on one line. */
const SPACE = "\u202f";

/**
 * A share in percent. It is never rounded to exactly 0% or 100%.
 *
 * @param {number} share 0 to 1
 */
export function percent(share) {
  if (share < 1 && share > 0.9995) return ">99.9%";
  if (share > 0 && share < 0.0005) return "<0.1%";
  return `${(share * 100).toFixed(1)}%`;
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString("en");
}

/** @param {number} count */
export function imageCount(count) {
  return count === 1 ? "1 image" : `${number(count)} images`;
}

/** @param {number} value in milliseconds */
export function milliseconds(value) {
  if (value >= 1000) return `${(value / 1000).toFixed(2)}${SPACE}s`;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)}${SPACE}ms`;
}

/** @param {number} value in bytes */
export function megabytes(value) {
  return `${(value / 1e6).toFixed(1)}${SPACE}MB`;
}
