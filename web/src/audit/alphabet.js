// @ts-check
/**
 * Which labels a network can write, and what it reads in words. Pure. `captcha-lens audit` puts
 * this file into its reports; `crates/trainer/src/audit` says the same in Rust.
 */

/** @import { AuditNetwork } from "../types.js" */

/** Kinds of characters, as a report names them. */
const KINDS = /** @type {const} */ ([
  { name: "small letters", of: /\p{Ll}/u, letters: true },
  { name: "capital letters", of: /\p{Lu}/u, letters: true },
  { name: "digits", of: /\p{Nd}/u, letters: false },
  { name: "spaces", of: /\s/u, letters: false },
  { name: "characters", of: /[^]/u, letters: false },
]);
/** Parts of an alphabet that are listed; of more, only the number is given. */
const LISTED = 16;

/**
 * How a network's labels are compared.
 *
 * @typedef {object} LabelRules
 * @property {(label: string) => string} fold the label in the network's characters
 * @property {(folded: string) => string[]} problems why the network cannot write a folded label:
 *   each ends a sentence that begins with "labels"; empty where it can
 */

/**
 * @param {AuditNetwork} network
 * @returns {LabelRules}
 */
export function labelRules({ alphabet, maxLetters }) {
  const known = new Set(alphabet);
  // A network that tells one letter's two cases apart is asked for both.
  const tellsCase = [...known].some((letter) => known.has(otherCase(letter)));
  const has = (/** @type {RegExp} */ kind) => [...known].some((letter) => kind.test(letter));
  const kinds = KINDS.map(({ name, of, letters }) => {
    const caseless = letters && !tellsCase;
    const some = name === "characters" || has(caseless ? /\p{L}/u : of);
    return { of, words: `contain ${some ? "other " : ""}${caseless ? "letters" : name}` };
  });
  return {
    fold(label) {
      const letters = [...label];
      if (tellsCase) return letters.join("");
      return letters
        .map((letter) =>
          !known.has(letter) && known.has(otherCase(letter)) ? otherCase(letter) : letter,
        )
        .join("");
    },
    problems(folded) {
      const letters = [...folded];
      const words = letters
        .filter((letter) => !known.has(letter))
        .map((letter) => kinds.find(({ of }) => of.test(letter))?.words ?? "");
      if (letters.length > maxLetters) words.push(`are longer than ${characters(maxLetters)}`);
      return [...new Set(words)];
    },
  };
}

/**
 * What a network reads: "a to z, 1 to 5 characters".
 *
 * @param {AuditNetwork} network
 */
export function describeNetwork({ alphabet, maxLetters }) {
  const sorted = KINDS.flatMap(({ of }, kind) =>
    [...new Set(alphabet)]
      .filter((letter) => of.test(letter))
      .filter((letter) => KINDS.findIndex((other) => other.of.test(letter)) === kind)
      .sort((a, b) => code(a) - code(b)),
  );
  /** @type {string[][]} */
  const runs = [];
  for (const letter of sorted) {
    const run = runs[runs.length - 1];
    if (run && code(letter) === code(run[run.length - 1]) + 1) run.push(letter);
    else runs.push([letter]);
  }
  const parts = runs.flatMap((run) =>
    run.length > 2 ? [`${run[0]} to ${run[run.length - 1]}`] : run.map(shown),
  );
  const some =
    parts.length > LISTED ? [`${sorted.length.toLocaleString("en")} different characters`] : parts;
  const lengths = maxLetters === 1 ? "1 character" : `1 to ${characters(maxLetters)}`;
  return `${some.join(", ")}, ${lengths}`;
}

/**
 * The same letter in the other case; itself where there is none.
 *
 * @param {string} letter
 */
function otherCase(letter) {
  const [lower, upper] = [letter.toLowerCase(), letter.toUpperCase()];
  const other = letter === lower ? upper : lower;
  return [...other].length === 1 && other !== letter ? other : "";
}

/** @param {number} count */
function characters(count) {
  return count === 1 ? "1 character" : `${count} characters`;
}

/** @param {string} letter */
function shown(letter) {
  return letter === " " ? "the space" : letter;
}

/** @param {string} letter */
function code(letter) {
  return letter.codePointAt(0) ?? 0;
}
