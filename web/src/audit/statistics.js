// @ts-check
/** Statistics of an audit. Pure. `captcha-lens audit` embeds this file in its reports. */

import { foldCase, labelRules } from "./alphabet.js";
import { wilsonInterval } from "./intervals.js";

/** @import { AuditItem, AuditNetwork, AuditSummary, EvaluatedItem, Tally, Threshold } from "./types.js" */

/**
 * A wrong reading with this confidence may put its label in doubt; `HIGH_CONFIDENCE` in
 * `crates/evaluation/src/audit/entries.rs`.
 */
const HIGH_CONFIDENCE = 0.99;
/** Labels are doubted only if at least this fraction of such confident readings is correct. */
const MIN_TRUSTED_ACCURACY = 0.8;

/**
 * Compares each text with its label, if the model can write the label.
 *
 * @param {AuditItem[]} items
 * @param {AuditNetwork} network
 * @param {boolean} [ignoreCase] whether a text may differ from its label in case
 * @returns {EvaluatedItem[]}
 */
export function evaluateItems(items, network, ignoreCase = false) {
  const rules = labelRules(network, ignoreCase);
  const judged = items.map((item) => {
    const given = item.label || null;
    const label = given === null ? null : rules.fold(given);
    const problems = label === null ? [] : rules.problems(label);
    const compared = item.text !== undefined && label !== null && problems.length === 0;
    const correct = compared ? rules.equal(item.text ?? "", label) : null;
    const caseIgnored = compared && label !== given;
    return { item, label, problems, correct, caseIgnored, labelDoubtful: false };
  });
  const confident = judged.filter(
    ({ item, correct }) => correct !== null && confidenceOf(item) >= HIGH_CONFIDENCE,
  );
  if (
    confident.filter(({ correct }) => correct).length >=
    MIN_TRUSTED_ACCURACY * confident.length
  ) {
    for (const one of confident) one.labelDoubtful = !one.correct;
  }
  return judged;
}

/**
 * @param {EvaluatedItem[]} judged
 * @param {boolean} [ignoreCase] as in {@link evaluateItems}
 * @returns {AuditSummary}
 */
export function summarize(judged, ignoreCase = false) {
  const read = judged.filter(({ item }) => item.text !== undefined);
  const labelled = read.filter(({ label }) => label !== null);
  const supported = labelled.filter(({ correct }) => correct !== null);
  const exactMatches = supported.filter(({ correct }) => correct).length;
  const same = (/** @type {(text: string) => string} */ form) =>
    supported.filter(({ item, label }) => form(item.text ?? "") === form(label ?? "")).length;
  /** @type {Map<number, Tally>} */
  const byLength = new Map();
  /** @type {Map<string, { label: string, text: string, count: number }>} */
  const confusions = new Map();
  const equal = (/** @type {string} */ a, /** @type {string} */ b) =>
    a === b || (ignoreCase && foldCase(a) === foldCase(b));
  let characters = 0;
  let charactersCorrect = 0;
  for (const { item, label: folded, correct } of supported) {
    const [label, text] = [[...(folded ?? "")], [...(item.text ?? "")]];
    const tally = byLength.get(label.length) ?? { images: 0, exactMatches: 0 };
    tally.images++;
    if (correct) tally.exactMatches++;
    byLength.set(label.length, tally);
    characters += label.length;
    for (const [character, read] of align(label, text, equal)) {
      if (equal(character, read)) {
        charactersCorrect++;
        continue;
      }
      const pair = `${character} ${read}`;
      const known = confusions.get(pair) ?? { label: character, text: read, count: 0 };
      confusions.set(pair, { ...known, count: known.count + 1 });
    }
  }
  // Images that are not compared do not count for the mean confidence.
  const counted = labelled.length > 0 ? supported : read;
  return {
    images: judged.length,
    read: read.length,
    failed: judged.filter(({ item }) => item.error !== undefined).length,
    labelled: labelled.length,
    supported: supported.length,
    unsupported: labelled.length - supported.length,
    problems: countProblems(labelled),
    caseIgnored: supported.filter(({ caseIgnored }) => caseIgnored).length,
    ignoreCase,
    matchesWithCase: same((text) => text),
    matchesIgnoringCase: same(foldCase),
    exactMatches,
    exactMatchRate: ratio(exactMatches, supported.length),
    interval: supported.length > 0 ? wilsonInterval(exactMatches, supported.length) : null,
    characterAccuracy: ratio(charactersCorrect, characters),
    meanConfidence: ratio(
      counted.reduce((sum, { item }) => sum + confidenceOf(item), 0),
      counted.length,
    ),
    byLength: [...byLength]
      .map(([length, tally]) => ({ length, ...tally }))
      .sort((a, b) => a.length - b.length),
    confusions: [...confusions.values()].sort((a, b) => b.count - a.count),
    thresholds: countByThreshold(supported),
  };
}

/**
 * The result of an attacker who skips uncertain images: for each minimum confidence from 0 to 100%,
 * the number of answered images and of correct answers.
 *
 * @param {EvaluatedItem[]} supported
 * @returns {Threshold[]}
 */
function countByThreshold(supported) {
  if (supported.length === 0) return [];
  const sorted = [...supported].sort((a, b) => confidenceOf(b.item) - confidenceOf(a.item));
  let [answered, correct] = [0, 0];
  /** @type {Threshold[]} */
  const all = [];
  for (let hundredths = 100; hundredths >= 0; hundredths--) {
    while (answered < sorted.length && confidenceOf(sorted[answered].item) >= hundredths / 100) {
      correct += Number(sorted[answered++].correct);
    }
    all.push({ threshold: hundredths / 100, answered, correct });
  }
  return all.reverse();
}

/** @param {EvaluatedItem[]} labelled */
function countProblems(labelled) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { problems } of labelled) {
    for (const words of problems) counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => ({ words, count })).sort((a, b) => b.count - a.count);
}

/**
 * Aligns a label with a text by the fewest edits (Levenshtein 1966), so that a missing character
 * does not make the following ones wrong.
 *
 * @param {string[]} label
 * @param {string[]} text
 * @param {(a: string, b: string) => boolean} [equal] whether two characters are the same
 * @returns {[character: string, read: string][]} `""` for a missing or an added character
 */
export function align(label, text, equal = (a, b) => a === b) {
  // edits[i][j] is the number of edits from the first i characters of label to the first j of text.
  const edits = Array.from({ length: label.length + 1 }, (_, i) =>
    Array.from({ length: text.length + 1 }, (__, j) => (i === 0 ? j : i)),
  );
  const replaced = (/** @type {number} */ i, /** @type {number} */ j) =>
    edits[i - 1][j - 1] + Number(!equal(label[i - 1], text[j - 1]));
  for (let i = 1; i <= label.length; i++) {
    for (let j = 1; j <= text.length; j++) {
      edits[i][j] = Math.min(replaced(i, j), edits[i - 1][j] + 1, edits[i][j - 1] + 1);
    }
  }
  /** @type {[string, string][]} */
  const pairs = [];
  let [i, j] = [label.length, text.length];
  while (i > 0 || j > 0) {
    if (i > 0 && j > 0 && edits[i][j] === replaced(i, j)) pairs.push([label[--i], text[--j]]);
    else if (i > 0 && edits[i][j] === edits[i - 1][j] + 1) pairs.push([label[--i], ""]);
    else pairs.push(["", text[--j]]);
  }
  return pairs.reverse();
}

/**
 * The most interesting items, by confidence.
 *
 * @param {EvaluatedItem[]} judged
 * @param {number} most maximum number of each kind
 * @returns {{ title: string, items: EvaluatedItem[] }[]}
 */
export function notableCases(judged, most) {
  const sorted = judged
    .filter(({ item }) => item.text !== undefined)
    .sort((a, b) => confidenceOf(b.item) - confidenceOf(a.item));
  const labelDoubtful = sorted.filter((one) => one.labelDoubtful);
  const wrong = sorted.filter(({ correct, labelDoubtful }) => correct === false && !labelDoubtful);
  const correct = sorted.filter(({ correct }) => correct === true);
  const unknown = sorted.filter(({ label }) => label === null);
  const unsupported = sorted.filter(({ problems }) => problems.length > 0);
  return [
    { title: "Labels that may be wrong", items: labelDoubtful.slice(0, most) },
    { title: "Wrong, highest confidence", items: wrong.slice(0, most) },
    { title: "Correct, highest confidence", items: correct.slice(0, most) },
    { title: "Correct, lowest confidence", items: correct.slice(-most).reverse() },
    { title: "Without a label, highest confidence", items: unknown.slice(0, most) },
    { title: "Without a label, lowest confidence", items: unknown.slice(-most).reverse() },
    {
      title: "Not compared: labels that this model cannot write",
      items: unsupported.slice(0, most),
    },
  ].filter(({ items }) => items.length > 0);
}

/**
 * The confidence of a reading. A reading without text is not an answer and counts as 0.
 *
 * @param {AuditItem} item
 */
export function confidenceOf({ text, confidence }) {
  return text ? (confidence ?? 0) : 0;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function ratio(part, whole) {
  return whole === 0 ? null : part / whole;
}
