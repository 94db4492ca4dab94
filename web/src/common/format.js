// @ts-check
/** Formats numbers and single characters. Pure. `captcha-lens audit` embeds this file in its reports. */

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

/** Control and format characters that have no shape, and spaces. */
const INVISIBLE =
  /[\p{Cc}\p{White_Space}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}]/u;
/** The blocks of scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u{590}-\u{8ff}\u{fb1d}-\u{fdff}\u{fe70}-\u{fefe}\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A character of a text on its own, so that it can be seen: a combining mark on a dotted circle, the
 * code of a character without a shape.
 *
 * @param {string} character
 */
export function visibleCharacter(character) {
  if (character === " ") return "\u2423";
  if (/\p{M}/u.test(character)) return `\u25cc${character}`;
  if (!INVISIBLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * A character in a sentence, which screen readers also read.
 *
 * @param {string} character
 */
export function characterName(character) {
  return character === " " ? "space" : isolated(visibleCharacter(character));
}

/**
 * A part of a sentence that may be written from right to left. Without isolation, the sentence around
 * it could also run from right to left.
 *
 * @param {string} text
 */
export function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}
