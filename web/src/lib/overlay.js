// @ts-check
/**
 * The geometry of attention over an image. Pure: weights in, numbers out; places are in percent
 * of the image, so that they hold at any size.
 */

/** @import { Grid } from "./types.js" */

/** Heat values along each side of a grid cell, where the field is smooth. */
export const SMOOTHNESS = 6;

/**
 * A field of values from 0 to 1, row by row.
 *
 * @typedef {{ width: number, height: number, values: Float32Array }} Field
 */

/**
 * Scales attention so that `peak` becomes 1, one value for each grid position.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {number} peak
 * @returns {Field}
 */
export function rawField(attention, { rows, cols }, peak) {
  const scale = peak > 0 ? 1 / peak : 0;
  const values = Float32Array.from(attention, (weight) => Math.min(weight * scale, 1));
  return { width: cols, height: rows, values };
}

/**
 * As {@link rawField}, with values between the cells' centres interpolated by monotone cubics:
 * smooth, through every weight, and never beyond the weights on either side.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {number} peak
 * @returns {Field}
 */
export function smoothField(attention, grid, peak) {
  const raw = rawField(attention, grid, peak);
  const [width, height] = [raw.width * SMOOTHNESS, raw.height * SMOOTHNESS];
  const wide = new Float32Array(width * raw.height);
  for (let row = 0; row < raw.height; row++) {
    const line = raw.values.subarray(row * raw.width, (row + 1) * raw.width);
    wide.set(interpolate(line, width), row * width);
  }
  const values = new Float32Array(width * height);
  const line = new Float32Array(raw.height);
  for (let x = 0; x < width; x++) {
    for (let row = 0; row < raw.height; row++) line[row] = wide[row * width + x];
    const tall = interpolate(line, height);
    for (let y = 0; y < height; y++) values[y * width + x] = tall[y];
  }
  return { width, height, values };
}

/**
 * Samples a line of values, each at the middle of its cell, at `length` points. Plain loops: this
 * runs for every character of a first reading, before the browser has compiled it.
 *
 * @param {Float32Array} line
 * @param {number} length
 */
function interpolate(line, length) {
  const last = line.length - 1;
  // Flat at a peak, a dip and the ends, else the harmonic mean of both sides' slopes.
  const slopes = new Float32Array(line.length);
  for (let i = 1; i < last; i++) {
    const before = line[i] - line[i - 1];
    const after = line[i + 1] - line[i];
    if (before * after > 0) slopes[i] = (2 * before * after) / (before + after);
  }
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const position = ((i + 0.5) / length) * line.length - 0.5;
    const floor = Math.floor(position);
    const t = position - floor;
    const left = Math.max(floor, 0);
    const right = Math.min(floor + 1, last);
    values[i] =
      line[left] * (1 + 2 * t) * (1 - t) ** 2 +
      line[right] * t * t * (3 - 2 * t) +
      slopes[left] * t * (1 - t) ** 2 -
      slopes[right] * t * t * (1 - t);
  }
  return values;
}

/**
 * The way from one attention to another: 0 gives `from`, 1 gives `to`.
 *
 * @param {ArrayLike<number>} from
 * @param {ArrayLike<number>} to
 * @param {number} share
 */
export function mix(from, to, share) {
  return Float32Array.from(to, (weight, i) => from[i] + (weight - from[i]) * share);
}

/**
 * The greatest weight of all characters: one scale for a whole word, so that its characters compare.
 *
 * @param {{ attention: ArrayLike<number> }[]} characters
 */
export function peakOf(characters) {
  return characters.reduce((peak, { attention }) => Math.max(peak, ...Array.from(attention)), 0);
}

/**
 * Over how many positions attention is spread: 1 if it rests on one, all of them if it is even
 * (the exponential of its entropy).
 *
 * @param {ArrayLike<number>} attention
 */
export function spreadOf(attention) {
  const entropy = Array.from(attention).reduce(
    (sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum),
    0,
  );
  return Math.exp(entropy);
}

/**
 * Where attention rests across the image, in percent of its width: the middle of what falls on the
 * column that holds most of it and a twelfth of the width to either side, about a character, so that a
 * stray weight far off does not count.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 */
export function centerOf(attention, grid) {
  const columns = sumsOf(attention, grid, "cols");
  const peak = columns.indexOf(Math.max(...columns));
  const reach = Math.max(Math.round(grid.cols / 12), 1);
  const last = Math.min(peak + reach, grid.cols - 1);
  let [weights, moments] = [0, 0];
  for (let column = Math.max(peak - reach, 0); column <= last; column++) {
    weights += columns[column];
    moments += columns[column] * (column + 0.5);
  }
  return weights > 0 ? (moments / weights / grid.cols) * 100 : 50;
}

/**
 * What falls on each column or row.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {"cols" | "rows"} axis
 * @returns {number[]}
 */
function sumsOf(attention, grid, axis) {
  const sums = new Array(grid[axis]).fill(0);
  Array.from(attention).forEach((weight, i) => {
    sums[axis === "cols" ? i % grid.cols : Math.floor(i / grid.cols)] += weight;
  });
  return sums;
}

/**
 * Moves places apart that are closer than `gap`, as little as may be, in their order, within
 * `gap / 2` and `100 - gap / 2`.
 *
 * @param {number[]} places in percent
 * @param {number} gap in percent
 * @returns {number[]}
 */
export function spread(places, gap) {
  const room = Math.min(gap, 100 / Math.max(places.length, 1));
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const moved = [...places];
  let least = room / 2;
  for (const i of order) {
    moved[i] = Math.max(moved[i], least);
    least = moved[i] + room;
  }
  let most = 100 - room / 2;
  for (const i of order.reverse()) {
    moved[i] = Math.min(moved[i], most);
    most = moved[i] - room;
  }
  return moved;
}

/**
 * The fewest neighbouring columns (or rows) that hold at least `share` of the attention; counted
 * from 0, both ends included.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {"cols" | "rows"} axis
 * @param {number} [share]
 * @returns {{ first: number, last: number }}
 */
export function extentOf(attention, grid, axis, share = 0.5) {
  const sums = sumsOf(attention, grid, axis);
  const wanted = share * sums.reduce((a, b) => a + b, 0);
  for (let length = 1; length < sums.length; length++) {
    let best = { first: 0, last: 0, weight: -1 };
    for (let first = 0; first + length <= sums.length; first++) {
      const weight = sums.slice(first, first + length).reduce((a, b) => a + b, 0);
      if (weight > best.weight) best = { first, last: first + length - 1, weight };
    }
    if (best.weight >= wanted) return { first: best.first, last: best.last };
  }
  return { first: 0, last: sums.length - 1 };
}
