// @ts-check
/**
 * Which labels a model can write, and a description of what it reads. Pure. `captcha-lens audit`
 * embeds this file in its reports; `crates/evaluation/src/audit` has the same rules in Rust.
 */

import { characterName } from "../common/format.js";

/** @import { AuditNetwork } from "./types.js" */

/**
 * Kinds of characters with their names in a report, by the properties that Rust's functions on
 * characters have.
 */
const KINDS = /** @type {const} */ ([
  { name: "small letters", of: /\p{Lowercase}/u, letters: true },
  { name: "capital letters", of: /\p{Uppercase}/u, letters: true },
  { name: "letters", of: /\p{Alphabetic}/u, letters: true },
  { name: "digits", of: /\p{N}/u, letters: false },
  { name: "spaces", of: /\p{White_Space}/u, letters: false },
  { name: "characters", of: /[^]/u, letters: false },
]);
/** Maximum number of listed parts of an alphabet. A larger alphabet is described by its size. */
const MAX_LISTED = 16;

/**
 * A text without its case, for comparisons: full Unicode case folding, as `fold_case` in
 * `crates/model/src/vocabulary.rs`, where more is said about it.
 *
 * @param {string} text
 */
export function foldCase(text) {
  return [...text]
    .map((character) => {
      if (character === "ı") return character;
      const capitals = [...character.toLowerCase()].map((small) => small.toUpperCase()).join("");
      return [...capitals].map((capital) => capital.toLowerCase()).join("");
    })
    .join("");
}

/**
 * How labels are compared for a model.
 *
 * @typedef {object} LabelRules
 * @property {(label: string) => string} fold changes the case of a label to that of the model, if
 *   the model has one case only or case is ignored
 * @property {(folded: string) => string[]} problems reasons why the model cannot write a folded
 *   label. Each completes a sentence that starts with "labels". Empty if it can
 * @property {(text: string, folded: string) => boolean} equal whether a text counts as the label
 */

/**
 * @param {AuditNetwork} network
 * @param {boolean} [ignoreCase] whether case is ignored, even if the model has both cases
 * @returns {LabelRules}
 */
export function labelRules({ alphabet, maxLength }, ignoreCase = false) {
  const known = new Set(alphabet);
  const byFold = new Map([...known].reverse().map((character) => [foldCase(character), character]));
  // A model with both cases of at least one character is case-sensitive.
  const hasCase = !ignoreCase && [...known].some((character) => known.has(swapCase(character)));
  const has = (/** @type {RegExp} */ kind) => [...known].some((character) => kind.test(character));
  const kinds = KINDS.map(({ name, of, letters }) => {
    const caseless = letters && !hasCase;
    const some = name === "characters" || has(caseless ? /\p{Alphabetic}/u : of);
    return { of, words: `contain ${some ? "other " : ""}${caseless ? "letters" : name}` };
  });
  const inKnownCase = (/** @type {string} */ character) => {
    if (known.has(character)) return character;
    const other = swapCase(character);
    return known.has(other) ? other : (byFold.get(foldCase(character)) ?? character);
  };
  return {
    fold: (label) => (hasCase ? label : [...label].map(inKnownCase).join("")),
    problems(folded) {
      const characters = [...folded];
      const words = characters
        .filter((character) => !known.has(character))
        .map((character) => kinds.find(({ of }) => of.test(character))?.words ?? "");
      if (characters.length > maxLength) words.push(`are longer than ${characterCount(maxLength)}`);
      return [...new Set(words)];
    },
    equal: (text, folded) => text === folded || (ignoreCase && foldCase(text) === foldCase(folded)),
  };
}

/**
 * Describes what a model reads: "a to z, 1 to 5 characters".
 *
 * @param {AuditNetwork} network
 */
export function describeNetwork({ alphabet, maxLength }) {
  const sorted = [...new Set(alphabet)].sort(
    (a, b) => kindOf(a) - kindOf(b) || codePoint(a) - codePoint(b),
  );
  /** @type {string[][]} */
  const runs = [];
  for (const character of sorted) {
    const run = runs[runs.length - 1];
    const last = run?.[run.length - 1] ?? "";
    if (codePoint(character) === codePoint(last) + 1 && kindOf(character) === kindOf(last)) {
      run.push(character);
    } else runs.push([character]);
  }
  const parts = runs.flatMap((run) =>
    run.length > 2 ? [`${listed(run[0])} to ${listed(run[run.length - 1])}`] : run.map(listed),
  );
  const some =
    parts.length > MAX_LISTED
      ? [`${sorted.length.toLocaleString("en")} different characters`]
      : parts;
  const lengths = maxLength === 1 ? "1 character" : `1 to ${characterCount(maxLength)}`;
  return `${some.join(", ")}, ${lengths}`;
}

/**
 * The same character in the other case; empty if there is none.
 *
 * @param {string} character
 */
function swapCase(character) {
  const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
  const other = character === lower ? upper : lower;
  return [...other].length === 1 && other !== character ? other : "";
}

/** @param {number} count */
function characterCount(count) {
  return count === 1 ? "1 character" : `${count} characters`;
}

/** @param {string} character */
function kindOf(character) {
  return KINDS.findIndex(({ of }) => of.test(character));
}

/** @param {string} character */
function listed(character) {
  return character === " " ? "the space" : characterName(character);
}

/** @param {string} character */
function codePoint(character) {
  return character.codePointAt(0) ?? 0;
}
