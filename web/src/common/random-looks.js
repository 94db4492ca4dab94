// @ts-check
/** The styles that stand for a random look, which the generator's list of looks does not have. */

/** A look that is easy to read. */
export const RANDOM_LOOK = "random";

/** @param {string} style */
export const isRandomLook = (style) => style.startsWith(RANDOM_LOOK);

/** Options of a menu of looks. */
export const randomLookOptions = () => [
  new Option("random look", RANDOM_LOOK),
  new Option("hard random look", "random-hard"),
];
