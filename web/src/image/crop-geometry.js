// @ts-check
/**
 * The geometry of a part of a picture. Pure. Places are shares of the picture as it is turned, so
 * that they hold at any size.
 */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box from 0 to 1 */

/**
 * A part to cut out: the picture is turned first.
 *
 * @typedef {object} Part
 * @property {Box} box
 * @property {number} turns quarters, clockwise: 0 to 3
 * @property {number} angle degrees, clockwise, on top of that
 */

/** @typedef {{ width: number, height: number }} Size */

/**
 * What of a box is moved: all of it, or the edges that the characters name (n, e, s, w).
 *
 * @typedef {"move" | "n" | "e" | "s" | "w" | "ne" | "se" | "sw" | "nw"} Handle
 */

/** The least width and height of a box: a share of the picture, or pixels where these are less. */
const [LEAST, LEAST_PIXELS] = [0.04, 16];

/** @type {Readonly<Box>} */
export const WHOLE = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });

/** Whether nothing is cut off and nothing turned. @param {Part} part */
export function isWhole({ box, turns, angle }) {
  return turns === 0 && angle === 0 && box.width > 0.995 && box.height > 0.995;
}

/**
 * The least size of a box on a picture, as shares of it.
 *
 * @param {Size} size of the picture
 * @returns {Size}
 */
export function leastOn({ width, height }) {
  return {
    width: Math.min(LEAST_PIXELS / width, LEAST),
    height: Math.min(LEAST_PIXELS / height, LEAST),
  };
}

/**
 * A box with an edge, a corner or all of it moved; never out of the picture, never too small.
 *
 * @param {Box} box
 * @param {Handle} handle
 * @param {number} dx
 * @param {number} dy
 * @param {Size} least
 * @returns {Box}
 */
export function drag(box, handle, dx, dy, least) {
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  if (handle === "move") {
    return {
      ...box,
      x: clamp(box.x + dx, 0, 1 - box.width),
      y: clamp(box.y + dy, 0, 1 - box.height),
    };
  }
  const x = handle.includes("w") ? clamp(box.x + dx, 0, right - least.width) : box.x;
  const y = handle.includes("n") ? clamp(box.y + dy, 0, bottom - least.height) : box.y;
  const newRight = handle.includes("e") ? clamp(right + dx, box.x + least.width, 1) : right;
  const newBottom = handle.includes("s") ? clamp(bottom + dy, box.y + least.height, 1) : bottom;
  return { x, y, width: newRight - x, height: newBottom - y };
}

/**
 * The part that shows the same when the picture is turned by a quarter.
 *
 * @param {Part} part
 * @param {1 | -1} by clockwise, or counter-clockwise
 * @returns {Part}
 */
export function turn({ box: { x, y, width, height }, turns, angle }, by) {
  const box =
    by === 1
      ? { x: 1 - y - height, y: x, width: height, height: width }
      : { x: y, y: 1 - x - width, width: height, height: width };
  return { box, turns: (turns + by + 4) % 4, angle };
}

/**
 * The size of a picture that is turned by quarters.
 *
 * @param {Size} size
 * @param {number} turns
 * @returns {Size}
 */
export function turnedSize({ width, height }, turns) {
  return turns % 2 === 0 ? { width, height } : { width: height, height: width };
}

/**
 * A size of the same shape with no side longer than `limit`, in whole pixels.
 *
 * @param {Size} size
 * @param {number} limit
 * @returns {Size}
 */
export function fit({ width, height }, limit) {
  const scale = Math.min(1, limit / Math.max(width, height));
  const scaled = (/** @type {number} */ side) => Math.max(1, Math.round(side * scale));
  return { width: scaled(width), height: scaled(height) };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
