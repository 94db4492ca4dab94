// @ts-check
/**
 * The geometry of attention over an image. Pure. Positions are in percent of the image, so they are
 * valid at any size.
 */

/** @import { Grid } from "./types.js" */

/** Values of a smooth field along each side of a grid cell. */
export const SMOOTHNESS = 6;

/**
 * A field of values from 0 to 1, row by row.
 *
 * @typedef {{ width: number, height: number, values: Float32Array }} Field
 */

/**
 * The attention as one value for each grid cell, scaled so that `peak` becomes 1.
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
 * As {@link rawField}, with monotone cubic interpolation between the centers of the cells: smooth,
 * equal to each weight at the center of its cell, and never outside the range of its neighbours.
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
 * Interpolates a line of values, which are at the centers of their cells, at `length` points. Plain
 * loops, because this code runs for the first reading before the browser has optimized it.
 *
 * @param {Float32Array} line
 * @param {number} length
 */
function interpolate(line, length) {
  const last = line.length - 1;
  // Zero at a maximum, a minimum and the ends, else the harmonic mean of the slopes on both sides.
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
 * Linear interpolation between two attentions.
 *
 * @param {ArrayLike<number>} from
 * @param {ArrayLike<number>} to
 * @param {number} share 0 gives `from`, 1 gives `to`
 */
export function lerp(from, to, share) {
  return Float32Array.from(to, (weight, i) => from[i] + (weight - from[i]) * share);
}

/**
 * The largest weight of all characters. As one scale for a text, it makes its characters comparable.
 *
 * @param {{ attention: ArrayLike<number> }[]} characters
 */
export function maxWeight(characters) {
  return characters.reduce((peak, { attention }) => Math.max(peak, ...Array.from(attention)), 0);
}

/**
 * The perplexity of attention (the exponential of its entropy): over how many cells it is spread, from
 * 1 if one cell has all of it to the number of cells if it is uniform.
 *
 * @param {ArrayLike<number>} attention
 */
export function perplexity(attention) {
  const entropy = Array.from(attention).reduce(
    (sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum),
    0,
  );
  return Math.exp(entropy);
}

/**
 * The horizontal center of attention, in percent of the width of the image. It is the center of mass
 * of the columns around the one with the largest weight, so that a distant small weight does not
 * count: about half a character to each side, and at most a twelfth of the width.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {number} [count] number of characters of the text
 */
export function centerOf(attention, grid, count = 1) {
  const columns = sumsOf(attention, grid, "cols");
  const peak = columns.indexOf(Math.max(...columns));
  const reach = Math.max(Math.round(grid.cols / Math.max(12, 2 * count)), 1);
  const last = Math.min(peak + reach, grid.cols - 1);
  let [weights, moments] = [0, 0];
  for (let column = Math.max(peak - reach, 0); column <= last; column++) {
    weights += columns[column];
    moments += columns[column] * (column + 0.5);
  }
  return weights > 0 ? (moments / weights / grid.cols) * 100 : 50;
}

/**
 * The sum of the weights of each column or row.
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
 * Moves labels apart that are closer than `gap`, as little as possible. Their order stays, and they
 * stay between `gap / 2` and `100 - gap / 2`.
 *
 * @param {number[]} places centers of the labels, in percent
 * @param {number} gap in percent
 * @returns {number[]}
 */
export function separateLabels(places, gap) {
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
 * The shortest interval of columns (or rows) with at least `share` of the attention. Counted from 0;
 * both ends are included.
 *
 * @param {ArrayLike<number>} attention
 * @param {Grid} grid
 * @param {"cols" | "rows"} axis
 * @param {number} [share]
 * @returns {{ first: number, last: number }}
 */
export function shortestInterval(attention, grid, axis, share = 0.5) {
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
