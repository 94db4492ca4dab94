// @ts-check
/**
 * The geometry of cropping. Pure. Positions are fractions of the rotated picture, so they are valid at
 * any size.
 */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box from 0 to 1 */

/**
 * A part of a picture. The picture is rotated first, then cropped.
 *
 * @typedef {object} Part
 * @property {Box} box
 * @property {number} turns quarter turns, clockwise: 0 to 3
 * @property {number} angle additional degrees, clockwise
 */

/** @typedef {{ width: number, height: number }} Size */

/**
 * What is moved: the whole box, or the edges that the letters name (n, e, s, w).
 *
 * @typedef {"move" | "n" | "e" | "s" | "w" | "ne" | "se" | "sw" | "nw"} Handle
 */

/** The minimum width and height of a box: a fraction of the picture, or pixels if that is smaller. */
const [MIN_FRACTION, MIN_PIXELS] = [0.04, 16];

/** @type {Readonly<Box>} */
export const WHOLE = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });

/** Whether the part is the whole picture, not rotated. @param {Part} part */
export function isWhole({ box, turns, angle }) {
  return turns === 0 && angle === 0 && box.width > 0.995 && box.height > 0.995;
}

/**
 * The minimum size of a box, as fractions of the picture.
 *
 * @param {Size} size of the picture
 * @returns {Size}
 */
export function minBoxSize({ width, height }) {
  return {
    width: Math.min(MIN_PIXELS / width, MIN_FRACTION),
    height: Math.min(MIN_PIXELS / height, MIN_FRACTION),
  };
}

/**
 * The box after an edge, a corner or all of it was moved. It stays inside the picture and not too small.
 *
 * @param {Box} box
 * @param {Handle} handle
 * @param {number} dx
 * @param {number} dy
 * @param {Size} least the minimum size of the box
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
 * The same part after the picture was rotated by a quarter turn.
 *
 * @param {Part} part
 * @param {1 | -1} by clockwise, or counter-clockwise
 * @returns {Part}
 */
export function rotate({ box: { x, y, width, height }, turns, angle }, by) {
  const box =
    by === 1
      ? { x: 1 - y - height, y: x, width: height, height: width }
      : { x: y, y: 1 - x - width, width: height, height: width };
  return { box, turns: (turns + by + 4) % 4, angle };
}

/**
 * The size of a picture after quarter turns.
 *
 * @param {Size} size
 * @param {number} turns
 * @returns {Size}
 */
export function rotatedSize({ width, height }, turns) {
  return turns % 2 === 0 ? { width, height } : { width: height, height: width };
}

/**
 * The size in whole pixels, scaled down so that no side is longer than `limit`.
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
