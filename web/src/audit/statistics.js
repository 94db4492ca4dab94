// @ts-check
/**
 * What the readings of an audit come to. Pure, and free of imports: `captcha-lens audit` puts this
 * file into its reports as it is.
 */

/** @import { AuditItem, AuditSummary, Tally } from "../types.js" */

/** The normal distribution's 97.5 % quantile, for intervals of 95 %. */
const Z = 1.96;
/** Shares from which images are read mostly, and below which seldom: what the advice goes by. */
const MOSTLY = 0.5;
const SELDOM = 0.05;
/** What the network can write: the letters it was trained on, as many as it was trained to. */
const WRITABLE = /^[a-z]{1,5}$/;

/**
 * Whether an image's text is the label; `null` where there is no label, or no text.
 *
 * @param {AuditItem} item
 * @returns {boolean | null}
 */
export function isRight({ label, text }) {
  return (label ?? null) === null || text === undefined ? null : text === label;
}

/**
 * @param {AuditItem[]} items
 * @returns {AuditSummary}
 */
export function summarize(items) {
  const read = items.filter(({ text }) => text !== undefined);
  const judged = read.filter((item) => isRight(item) !== null);
  const exact = judged.filter((item) => isRight(item)).length;
  /** @type {Map<number, Tally>} */
  const byLength = new Map();
  /** @type {Map<string, { label: string, text: string, count: number }>} */
  const confusions = new Map();
  let letters = 0;
  let lettersRight = 0;
  for (const item of judged) {
    const [label, text] = [[...(item.label ?? "")], [...(item.text ?? "")]];
    const tally = byLength.get(label.length) ?? { images: 0, exact: 0 };
    tally.images++;
    if (isRight(item)) tally.exact++;
    byLength.set(label.length, tally);
    letters += label.length;
    for (const [letter, read] of align(label, text)) {
      if (letter === read) {
        lettersRight++;
        continue;
      }
      const pair = `${letter} ${read}`;
      const known = confusions.get(pair) ?? { label: letter, text: read, count: 0 };
      confusions.set(pair, { ...known, count: known.count + 1 });
    }
  }
  return {
    images: items.length,
    read: read.length,
    failed: items.filter(({ error }) => error !== undefined).length,
    labelled: judged.length,
    unwritable: judged.filter(({ label }) => !WRITABLE.test(label ?? "")).length,
    exact,
    rate: share(exact, judged.length),
    interval: interval(exact, judged.length),
    letterRate: share(lettersRight, letters),
    confidence: share(
      read.reduce((sum, { confidence }) => sum + (confidence ?? 0), 0),
      read.length,
    ),
    byLength: [...byLength]
      .map(([length, tally]) => ({ length, ...tally }))
      .sort((a, b) => a.length - b.length),
    confusions: [...confusions.values()].sort((a, b) => b.count - a.count),
  };
}

/**
 * Which letter of a label was read as which, by the fewest edits (Levenshtein 1966): so a letter
 * left out does not make all that follow it wrong.
 *
 * @param {string[]} label
 * @param {string[]} text
 * @returns {[letter: string, read: string][]} `""` where a letter was left out, or one was added
 */
export function align(label, text) {
  // edits[i][j]: the fewest from label's first i letters to text's first j.
  const edits = Array.from({ length: label.length + 1 }, (_, i) =>
    Array.from({ length: text.length + 1 }, (__, j) => (i === 0 ? j : i)),
  );
  const replaced = (/** @type {number} */ i, /** @type {number} */ j) =>
    edits[i - 1][j - 1] + Number(label[i - 1] !== text[j - 1]);
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
 * Where the share on all such images lies, with a certainty of 95 % (Wilson 1927).
 *
 * @param {number} part
 * @param {number} whole
 * @returns {[low: number, high: number]}
 */
export function interval(part, whole) {
  if (whole === 0) return [0, 1];
  const p = part / whole;
  const scale = 1 + (Z * Z) / whole;
  const centre = (p + (Z * Z) / (2 * whole)) / scale;
  const reach = (Z * Math.sqrt((p * (1 - p)) / whole + (Z * Z) / (4 * whole * whole))) / scale;
  return [Math.max(centre - reach, 0), Math.min(centre + reach, 1)];
}

/**
 * The items to look at first: the surest and the least sure, of the right, the wrong and those of
 * which nobody knows.
 *
 * @param {AuditItem[]} items
 * @param {number} most of each kind
 */
export function tellingCases(items, most) {
  const sorted = items
    .filter(({ text }) => text !== undefined)
    .sort((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0));
  const of = (/** @type {boolean | null} */ right) =>
    sorted.filter((item) => isRight(item) === right);
  const [right, wrong, unknown] = [of(true), of(false), of(null)];
  return [
    { title: "Wrong, surest first", items: wrong.slice(0, most) },
    { title: "Right, and surest", items: right.slice(0, most) },
    { title: "Right, and least sure", items: right.slice(-most).reverse() },
    { title: "Surest", items: unknown.slice(0, most) },
    { title: "Least sure", items: unknown.slice(-most).reverse() },
  ].filter(({ items: some }) => some.length > 0);
}

/**
 * What the figures mean for a site, in sentences.
 *
 * @param {AuditSummary} summary
 * @returns {string[]}
 */
export function verdict(summary) {
  const { labelled, unwritable, exact, rate, read, confidence } = summary;
  const [low, high] = summary.interval;
  const bound =
    exact === labelled
      ? "That is a network trained on one look, not on yours: whoever wants in can train one on your very style."
      : "More can be read than this, in fewer tries: whoever wants in can train a network on your very style.";
  const rare = "Few are read as they stand. Keep a limit on tries, so that few stay few.";
  const few = "So few images do not tell more: give a hundred or more, and keep a limit on tries.";
  if (read === 0) return ["No image could be read, so there is nothing to say."];
  if (labelled === 0) {
    return [
      `Without labels nobody can say how many readings are right; by its own confidence the network expects ${percent(confidence)}.`,
      "Give labels in file names (label.png, label_2.png) or in a labels.csv to know.",
    ];
  }
  const beyond =
    unwritable > 0
      ? [
          `${unwritable} of the labels cannot be read by this network, which writes one to five letters from a to z; one trained on them can.`,
        ]
      : [];
  if (exact === 0) {
    return [
      `None of ${labelled} was read whole; at most ${percent(high)} of such images would be, so a bot needs ${tries(1 / high)} or more on average.`,
      ...beyond,
      high < SELDOM ? rare : few,
      bound,
    ];
  }
  const often = `A bot that reads like this gets through in ${tries(1 / rate)} on average (95\u202f% interval: ${number(1 / high)} to ${number(1 / low)}).`;
  const unsure = (low < MOSTLY && high >= MOSTLY) || (low < SELDOM && high >= SELDOM);
  const advice =
    rate >= MOSTLY
      ? "These images keep nobody out. Harder pictures would cost people more than bots; rather limit tries for each account and address, and look at what is sent, not at who can read."
      : rate >= SELDOM
        ? "These images slow a bot down, no more. A limit on tries for each account and address turns these odds into a wait; pictures alone do not."
        : rare;
  return [often, ...beyond, ...(unsure ? [few] : []), advice, bound];
}

/** @param {number} count */
function tries(count) {
  return count < 1.05 ? "hardly more than one try" : `${number(count)} tries`;
}

/** @param {number} value */
function number(value) {
  return value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

/**
 * A share in percent, never rounded to a certainty it is not.
 *
 * @param {number} value 0 to 1
 */
export function percent(value) {
  if (value < 1 && value > 0.9995) return ">99.9\u202f%";
  if (value > 0 && value < 0.0005) return "<0.1\u202f%";
  return `${(100 * value).toFixed(1)}\u202f%`;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole === 0 ? 0 : part / whole;
}
