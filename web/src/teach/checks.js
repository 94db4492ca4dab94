// @ts-check
/** Which images can be learned from, and what to do about the others. Pure. */

import { listNames } from "../audit/files.js";
import { imageCount, isolated, number } from "../common/format.js";
import { MAX_IMAGES, MAX_LABEL, groupBy } from "./images.js";

/** @import { TeachImage } from "./types.js" */

/** The fewest labelled images of a run. */
export const MIN_LABELLED = 20;
/** The most different characters of all labels. */
const MAX_CHARACTERS = 512;

/** An image with a label. @typedef {TeachImage & { label: string }} Labelled */

/**
 * @typedef {object} Check
 * @property {Labelled[]} usable the images to learn from
 * @property {string} blocker why nothing can be learned yet, and what to do; empty if it can
 * @property {string[]} notes which images are not used, and what to do
 */

/**
 * @param {readonly TeachImage[]} images
 * @param {boolean} ignoreCase
 * @returns {Check}
 */
export function checkTraining(images, ignoreCase) {
  const good = images.filter(({ error }) => error === null);
  const labelled = /** @type {Labelled[]} */ (good.filter(({ label }) => label !== null));
  const { contradicting, copies } = findCopies(labelled, ignoreCase);
  const isLong = (/** @type {Labelled} */ { label }) => [...label].length > MAX_LABEL;
  const long = labelled.filter(isLong);
  const usable = labelled.filter(
    (image) => !isLong(image) && !contradicting.has(image) && !copies.has(image),
  );
  const notes = [
    describeContradictions([...contradicting]),
    describeLong(long),
    describeUnlabelled(good.length - labelled.length, labelled.length),
    describeBroken(images.length - good.length),
  ].filter(Boolean);
  return { usable, blocker: blockerOf(good, usable, ignoreCase), notes };
}

/**
 * The images with the same content as another one: with another label, or with the same.
 *
 * @param {Labelled[]} labelled
 * @param {boolean} ignoreCase
 */
function findCopies(labelled, ignoreCase) {
  /** @type {Set<Labelled>} */
  const contradicting = new Set();
  /** @type {Set<Labelled>} */
  const copies = new Set();
  for (const group of groupBy(labelled, ({ id, twin }) => twin ?? id).values()) {
    const labels = group.map(({ label }) => (ignoreCase ? label.toLowerCase() : label));
    if (new Set(labels).size > 1) for (const image of group) contradicting.add(image);
    else for (const image of group.slice(1)) copies.add(image);
  }
  return { contradicting, copies };
}

/** @param {Labelled[]} images */
function describeContradictions(images) {
  if (images.length === 0) return "";
  const some = images.map(({ path, label }) => `${path} “${isolated(label)}”`);
  return `The same image has different labels: ${listNames(some)}. These images are not used: correct or remove them.`;
}

/** @param {Labelled[]} images */
function describeLong(images) {
  if (images.length === 0) return "";
  const [verb, are, them] =
    images.length === 1 ? ["has a label", "is", "it"] : ["have labels", "are", "them"];
  const names = listNames(images.map(({ path }) => path));
  return `${names} ${verb} longer than ${MAX_LABEL} characters and ${are} not used: correct or remove ${them}.`;
}

/**
 * @param {number} count
 * @param {number} labelled
 */
function describeUnlabelled(count, labelled) {
  if (count === 0 || labelled === 0) return "";
  const have = count === 1 ? "has no label and is" : "have no label and are";
  return `${imageCount(count)} ${have} not used: type the labels above, or add a labels.csv.`;
}

/** @param {number} count */
function describeBroken(count) {
  if (count === 0) return "";
  const are = count === 1 ? "is left out; it is" : "are left out; they are";
  return `${imageCount(count)} cannot be read and ${are} listed above under “Left out”.`;
}

/**
 * @param {TeachImage[]} good images that can be read
 * @param {Labelled[]} usable
 * @param {boolean} ignoreCase
 */
function blockerOf(good, usable, ignoreCase) {
  if (good.length === 0) {
    return "There are no images yet. Choose images of your CAPTCHA above, or draw some.";
  }
  if (good.every(({ label }) => label === null)) {
    const have = good.length === 1 ? "The image has no label" : "The images have no labels";
    return `${have} yet. Type the labels above, or add a labels.csv with rows of file,label.`;
  }
  if (usable.length < MIN_LABELLED) {
    const are = usable.length === 1 ? "is 1 image" : `are ${usable.length} images`;
    return `There ${are} with a label that can be used. Learning takes ${MIN_LABELLED} or more: add or label ${MIN_LABELLED - usable.length} more.`;
  }
  const labels = usable.map(({ label }) => (ignoreCase ? label.toLowerCase() : label));
  const [first] = labels;
  if (labels.every((label) => label === first)) {
    return `All images have the label “${isolated(first)}”, so there is nothing to tell apart. Correct the labels, or add images with other texts.`;
  }
  const characters = new Set(labels.flatMap((label) => [...label])).size;
  if (characters > MAX_CHARACTERS) {
    return `The labels have ${number(characters)} different characters; a model has at most ${MAX_CHARACTERS}. Check the labels, or remove images with rare characters.`;
  }
  return "";
}

/**
 * What happened to images that were given.
 *
 * @typedef {object} Given
 * @property {Pick<TeachImage, "id" | "path" | "label" | "error">[]} images those that were new
 * @property {boolean} named whether the labels come from the file names
 * @property {number} known images that were there already
 * @property {number} tooMany images above the limit, which are not added
 */

/** @param {Given} given */
export function describeGiven({ images, named, known, tooMany }) {
  const good = images.filter(({ error }) => error === null);
  const broken = images.filter(({ error }) => error !== null).map(({ path }) => path);
  const added = good.length;
  const labelled = good.filter(({ label }) => label !== null).length;
  const from = named && labelled > 0 ? ", from the file names" : "";
  const with_ =
    labelled === added && added > 0
      ? `all with a label${from}`
      : labelled === 0
        ? "none with a label"
        : `${number(labelled)} with a label${from}`;
  const have = known === 1 ? "was" : "were";
  return [
    `${imageCount(added)} added${added > 0 ? `, ${with_}` : ""}.`,
    known > 0 && `${imageCount(known)} ${have} there already.`,
    broken.length > 0 && `${imageCount(broken.length)} cannot be read: ${listNames(broken)}.`,
    tooMany > 0 &&
      `${imageCount(tooMany)} not added: the page takes ${number(MAX_IMAGES)} images. Remove some to add others.`,
  ]
    .filter(Boolean)
    .join(" ");
}
