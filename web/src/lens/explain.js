// @ts-check
/** Texts and numbers that explain a reading. Pure. */

import { characterName, isolated, percent, visibleCharacter } from "../common/format.js";

/** @import { Grid, Character, Recognition } from "../lib/types.js" */

/**
 * The position of a cell in the grid.
 *
 * @param {number} cell index, row by row
 * @param {Grid} grid
 */
export function describePlace(cell, { cols }) {
  return `column ${(cell % cols) + 1}, row ${Math.floor(cell / cols) + 1}`;
}

/**
 * A cell and its weight for each character.
 *
 * @param {number} cell
 * @param {Recognition} recognition
 */
export function describeCell(cell, { characters, grid }) {
  const shares = characters.map(
    ({ character, attention }) => `${characterName(character)} ${percent(attention[cell])}`,
  );
  return `${capital(describePlace(cell, grid))}: ${shares.join(", ")}`;
}

/**
 * The size of the image and of its grid.
 *
 * @param {Recognition} recognition
 */
export function describeGrid({ width, height, grid: { rows, cols } }) {
  const size = `${Math.round(width / cols)} × ${Math.round(height / rows)}`;
  return `This image has ${width} × ${height} pixels. The grid has ${cols} columns and ${rows} rows: ${rows * cols} cells of about ${size} pixels each.`;
}

/**
 * The cells with the largest weights, in descending order.
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
 * A weight in percent without a unit, with two significant digits; a dot if it is nearly 0.
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
 * The inputs of a step of the decoder, and its next state.
 *
 * @param {Character[]} characters
 * @param {number} index of the character of this step
 * @returns {{ state: string, before: string, next: string }}
 */
export function describeStep(characters, index) {
  const after = (/** @type {number} */ count) =>
    `after ${isolated(
      characters
        .slice(0, count)
        .map(({ character }) => (character === " " ? visibleCharacter(character) : character))
        .join(""),
    )}`;
  return {
    state: index > 0 ? after(index) : "zeros",
    before: index > 0 ? visibleCharacter(characters[index - 1].character) : "start",
    next: after(index + 1),
  };
}

/**
 * The next cell after a key press; the same cell at the edge of the grid, `undefined` for other
 * keys.
 *
 * @param {number} cell
 * @param {string} key value of `KeyboardEvent.key`
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
