// @ts-check
/** The styles that stand for a random look, which the generator's list of looks does not have. */

/** A look that is easy to read. */
export const RANDOM_LOOK = "random";
const HARD_RANDOM_LOOK = "random-hard";

/** @param {string} style */
export function isRandomLook(style) {
  return style === RANDOM_LOOK || style === HARD_RANDOM_LOOK;
}

/** Options of a menu of looks. */
export function randomLookOptions() {
  return [new Option("random look", RANDOM_LOOK), new Option("hard random look", HARD_RANDOM_LOOK)];
}
