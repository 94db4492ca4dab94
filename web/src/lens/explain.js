// @ts-check
/** What explains a reading: cells of the grid, their weights, a step. Pure: values in, words out. */

import { percent } from "../shared/format.js";

/** @import { Grid, Character, Recognition } from "../lib/types.js" */

/**
 * A cell's place in the grid.
 *
 * @param {number} cell counted row by row
 * @param {Grid} grid
 */
export function describePlace(cell, { cols }) {
  return `column ${(cell % cols) + 1}, row ${Math.floor(cell / cols) + 1}`;
}

/**
 * A cell, and the weight that each character gave it.
 *
 * @param {number} cell
 * @param {Recognition} recognition
 */
export function describeCell(cell, { characters, grid }) {
  const shares = characters.map(
    ({ character, attention }) => `${character} ${percent(attention[cell])}`,
  );
  return `${capital(describePlace(cell, grid))}: ${shares.join(", ")}`;
}

/**
 * What became of a picture.
 *
 * @param {Recognition} recognition
 */
export function describeGrid({ width, height, grid: { rows, cols } }) {
  const size = `${Math.round(width / cols)} × ${Math.round(height / rows)}`;
  return `This image has ${width} × ${height} pixels. The grid has ${cols} columns and ${rows} rows: ${rows * cols} cells of about ${size} pixels each.`;
}

/**
 * The cells with the greatest weights, the greatest first.
 *
 * @param {ArrayLike<number>} attention
 * @param {number} count
 * @returns {number[]}
 */
export function topCells(attention, count) {
  const cells = Array.from(attention, (_, cell) => cell);
  return cells.sort((a, b) => attention[b] - attention[a]).slice(0, count);
}

/**
 * A weight as a number of percent, with the digits that matter; a dot for next to nothing.
 *
 * @param {number} weight 0 to 1
 */
export function weightNumber(weight) {
  const value = weight * 100;
  if (value < 0.05) return "·";
  if (value >= 99.5 && weight < 1) return ">99";
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

/**
 * What the decoder starts a step from, and the state that it ends with.
 *
 * @param {Character[]} characters
 * @param {number} index of the character that the step writes
 * @returns {{ state: string, before: string, next: string }}
 */
export function describeStep(characters, index) {
  const after = (/** @type {number} */ count) =>
    `after ${characters
      .slice(0, count)
      .map(({ character }) => character)
      .join("")}`;
  return {
    state: index > 0 ? after(index) : "zeros",
    before: index > 0 ? characters[index - 1].character : "start",
    next: after(index + 1),
  };
}

/**
 * The cell that a key leads to; the same one at the grid's edge, `undefined` for other keys.
 *
 * @param {number} cell
 * @param {string} key as `KeyboardEvent.key` names it
 * @param {Grid} grid
 */
export function cellAt(cell, key, { rows, cols }) {
  const [col, row] = [cell % cols, Math.floor(cell / cols)];
  const places = /** @type {Record<string, [number, number] | undefined>} */ ({
    ArrowLeft: [Math.max(col - 1, 0), row],
    ArrowRight: [Math.min(col + 1, cols - 1), row],
    ArrowUp: [col, Math.max(row - 1, 0)],
    ArrowDown: [col, Math.min(row + 1, rows - 1)],
    Home: [0, row],
    End: [cols - 1, row],
  });
  const place = places[key];
  return place && place[1] * cols + place[0];
}

/** @param {string} words */
export function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
