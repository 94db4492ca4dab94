// @ts-check
/**
 * What the readings of an audit come to. Pure, and free of imports: `captcha-lens audit` puts this
 * file into its reports as it is.
 */

/** @import { AuditItem, AuditSummary, Tally } from "../types.js" */

/** The normal distribution's 97.5 % quantile, for intervals of 95 %. */
const Z = 1.96;

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
    lettersRight += label.filter((letter, i) => letter === text[i]).length;
    // In a text of another length the letters stand at other places: no telling which was which.
    if (label.length !== text.length) continue;
    label.forEach((letter, i) => {
      if (letter === text[i]) return;
      const pair = `${letter}${text[i]}`;
      const known = confusions.get(pair) ?? { label: letter, text: text[i], count: 0 };
      confusions.set(pair, { ...known, count: known.count + 1 });
    });
  }
  return {
    images: items.length,
    read: read.length,
    failed: items.filter(({ error }) => error !== undefined).length,
    labelled: judged.length,
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
export function verdict({ labelled, exact, rate, interval: [low, high], read, confidence }) {
  const bound =
    "More can be read than this, in fewer tries: whoever wants in can train a network on your very style.";
  const rare = "Few are read as they stand. Keep a limit on tries, so that few stay few.";
  if (read === 0) return ["No image could be read, so there is nothing to say."];
  if (labelled === 0) {
    return [
      `Without labels nobody can say how many readings are right; by its own confidence the network expects ${percent(confidence)}.`,
      "Give labels in file names (label.png, label_2.png) or in a labels.csv to know.",
    ];
  }
  if (exact === 0) {
    return [
      `None of ${labelled} was read whole; at most ${percent(high)} of such images would be, so a bot needs ${tries(1 / high)} or more on average.`,
      rare,
      bound,
    ];
  }
  const often = `A bot that reads like this gets through in ${tries(1 / rate)} on average (95 % interval: ${number(1 / high)} to ${number(1 / low)}).`;
  const advice =
    rate >= 0.5
      ? "These images keep nobody out. Harder pictures would cost people more than bots; rather limit tries for each account and address, and look at what is sent, not at who can read."
      : rate >= 0.05
        ? "These images slow a bot down, no more. A limit on tries for each account and address turns these odds into a wait; pictures alone do not."
        : rare;
  return [often, advice, bound];
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
