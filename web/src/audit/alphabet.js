// @ts-check
/**
 * Which labels a model can write, and a description of what it reads. Pure. `captcha-lens audit`
 * embeds this file in its reports; `crates/evaluation/src/audit` has the same rules in Rust.
 */

/** @import { AuditNetwork } from "./types.js" */

/** Kinds of characters with their names in a report. */
const KINDS = /** @type {const} */ ([
  { name: "small letters", of: /\p{Ll}/u, letters: true },
  { name: "capital letters", of: /\p{Lu}/u, letters: true },
  { name: "digits", of: /\p{Nd}/u, letters: false },
  { name: "spaces", of: /\s/u, letters: false },
  { name: "characters", of: /[^]/u, letters: false },
]);
/** Maximum number of listed parts of an alphabet. A larger alphabet is described by its size. */
const MAX_LISTED = 16;

/**
 * How labels are compared for a model.
 *
 * @typedef {object} LabelRules
 * @property {(label: string) => string} fold changes the case of a label to that of the model, if
 *   the model has one case only
 * @property {(folded: string) => string[]} problems reasons why the model cannot write a folded
 *   label. Each completes a sentence that starts with "labels". Empty if it can
 */

/**
 * @param {AuditNetwork} network
 * @returns {LabelRules}
 */
export function labelRules({ alphabet, maxLength }) {
  const known = new Set(alphabet);
  // A model with both cases of at least one character is case-sensitive.
  const isCaseSensitive = [...known].some((character) => known.has(swapCase(character)));
  const has = (/** @type {RegExp} */ kind) => [...known].some((character) => kind.test(character));
  const kinds = KINDS.map(({ name, of, letters }) => {
    const caseless = letters && !isCaseSensitive;
    const some = name === "characters" || has(caseless ? /\p{L}/u : of);
    return { of, words: `contain ${some ? "other " : ""}${caseless ? "letters" : name}` };
  });
  return {
    fold(label) {
      const characters = [...label];
      if (isCaseSensitive) return characters.join("");
      return characters
        .map((character) =>
          !known.has(character) && known.has(swapCase(character)) ? swapCase(character) : character,
        )
        .join("");
    },
    problems(folded) {
      const characters = [...folded];
      const words = characters
        .filter((character) => !known.has(character))
        .map((character) => kinds.find(({ of }) => of.test(character))?.words ?? "");
      if (characters.length > maxLength) words.push(`are longer than ${characterCount(maxLength)}`);
      return [...new Set(words)];
    },
  };
}

/**
 * Describes what a model reads: "a to z, 1 to 5 characters".
 *
 * @param {AuditNetwork} network
 */
export function describeNetwork({ alphabet, maxLength }) {
  const sorted = KINDS.flatMap(({ of }, kind) =>
    [...new Set(alphabet)]
      .filter((character) => of.test(character))
      .filter((character) => KINDS.findIndex((other) => other.of.test(character)) === kind)
      .sort((a, b) => codePoint(a) - codePoint(b)),
  );
  /** @type {string[][]} */
  const runs = [];
  for (const character of sorted) {
    const run = runs[runs.length - 1];
    if (run && codePoint(character) === codePoint(run[run.length - 1]) + 1) run.push(character);
    else runs.push([character]);
  }
  const parts = runs.flatMap((run) =>
    run.length > 2 ? [`${run[0]} to ${run[run.length - 1]}`] : run.map(characterName),
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
function characterName(character) {
  return character === " " ? "the space" : character;
}

/** @param {string} character */
function codePoint(character) {
  return character.codePointAt(0) ?? 0;
}
