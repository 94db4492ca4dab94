// @ts-check
/** The images of the teach page and their labels. Pure. */

import { areLikelyLabels, labelsFromNames } from "../audit/labels.js";

/** @import { TeachImage } from "./types.js" */

/** The most images that are kept. */
export const MAX_IMAGES = 1000;
/** The most characters of a label. */
export const MAX_LABEL = 16;
/** File names can be labels of any characters. */
const ANY_NETWORK = { alphabet: "", maxLength: MAX_LABEL };

/** An image that is added. @typedef {Pick<TeachImage, "id" | "path" | "bytes" | "label" | "source" | "error">} GivenImage */

/**
 * Adds images. An image that is there already is not added again: its label is taken over if the one
 * there has none. With another label, both stay, so that the user can correct one of them.
 *
 * @param {readonly TeachImage[]} images
 * @param {readonly GivenImage[]} given
 * @returns {{ images: TeachImage[], added: TeachImage[], known: number, tooMany: number }} `known`:
 *   images that were there already; `tooMany`: those above the limit, which are not added
 */
export function addImages(images, given) {
  const all = [...images];
  const paths = new Set(all.map(({ path }) => path));
  const bySize = groupBy([...all.keys()], (i) => all[i].bytes.length);
  /** @type {Set<string>} */
  const added = new Set();
  let [known, tooMany] = [0, 0];
  for (const one of given) {
    const sameSize = bySize.get(one.bytes.length) ?? [];
    const same = sameSize.filter((i) => areEqual(all[i].bytes, one.bytes));
    // Images that cannot be opened have no content.
    const twins = one.error === null ? same : same.filter((i) => all[i].path === one.path);
    const matching = twins.find(
      (i) => one.label === null || all[i].label === null || all[i].label === one.label,
    );
    if (matching !== undefined) {
      known++;
      const { label, source } = one;
      if (all[matching].label === null) all[matching] = { ...all[matching], label, source };
    } else if (all.length >= MAX_IMAGES) tooMany++;
    else {
      const twin = twins.length > 0 ? (all[twins[0]].twin ?? all[twins[0]].id) : null;
      bySize.set(one.bytes.length, [...sameSize, all.length]);
      const path = freePath(one.path, paths);
      paths.add(path);
      all.push({ ...one, path, guess: null, twin });
      added.add(one.id);
    }
  }
  return { images: all, added: all.filter(({ id }) => added.has(id)), known, tooMany };
}

/**
 * @param {readonly TeachImage[]} images
 * @param {ReadonlyMap<string, Partial<TeachImage>>} changes by image
 * @returns {TeachImage[]}
 */
export function changeImages(images, changes) {
  return images.map((image) => {
    const change = changes.get(image.id);
    return change ? { ...image, ...change } : image;
  });
}

/**
 * The images without some of them. A copy of a removed image then stands for it.
 *
 * @param {readonly TeachImage[]} images
 * @param {ReadonlySet<string>} removed
 * @returns {TeachImage[]}
 */
export function removeImages(images, removed) {
  /** The image that now stands for a removed one. @type {Map<string, string>} */
  const first = new Map();
  return images
    .filter(({ id }) => !removed.has(id))
    .map((image) => {
      const { id, twin } = image;
      if (twin === null || !removed.has(twin)) return image;
      const stands = first.get(twin);
      if (stands === undefined) first.set(twin, id);
      return { ...image, twin: stands ?? null };
    });
}

/**
 * A label as it is kept: composed characters, without spaces around it.
 *
 * @param {string} text
 */
export function normalizeLabel(text) {
  return text.normalize("NFC").trim();
}

/**
 * What is wrong with a typed label; empty if nothing is.
 *
 * @param {string} label normalized
 */
export function labelProblem(label) {
  if (label === "") return "Type the text of this image, or go on to the next image.";
  const length = [...label].length;
  return length > MAX_LABEL
    ? `This label has ${length} characters. A label has at most ${MAX_LABEL}: shorten it.`
    : "";
}

/**
 * The labels in the file names, or `null` where the names do not look like labels. One name alone says
 * too little.
 *
 * @param {string[]} paths
 * @returns {string[] | null}
 */
export function likelyNames(paths) {
  if (paths.length < 2) return null;
  const names = labelsFromNames(paths);
  return areLikelyLabels(names, ANY_NETWORK) ? names : null;
}

/**
 * The changes that take labels from the file names, or remove these labels again. Labels from other
 * sources stay.
 *
 * @param {readonly TeachImage[]} images
 * @param {boolean} named
 * @returns {Map<string, Partial<TeachImage>>}
 */
export function changesForNames(images, named) {
  const names = labelsFromNames(images.map(({ path }) => path));
  /** @type {Map<string, Partial<TeachImage>>} */
  const changes = new Map();
  for (const [i, { id, label, source }] of images.entries()) {
    if (!named && source === "name") changes.set(id, { label: null, source: null });
    else if (named && label === null && names[i]) {
      changes.set(id, { label: names[i], source: "name" });
    }
  }
  return changes;
}

/**
 * The labels as `labels.csv`, which both pages and the command line read.
 *
 * @param {readonly TeachImage[]} images
 */
export function toLabelsCsv(images) {
  const cell = (/** @type {string} */ text) =>
    /[",;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const rows = images.flatMap(({ path, label }) =>
    label === null ? [] : [`${cell(path)},${cell(label)}`],
  );
  return ["file,label", ...rows, ""].join("\r\n");
}

/**
 * @template T, K
 * @param {readonly T[]} items
 * @param {(item: T) => K} keyOf
 * @returns {Map<K, T[]>}
 */
export function groupBy(items, keyOf) {
  /** @type {Map<K, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/**
 * A path that no other image has, because a labels.csv names images by their paths.
 *
 * @param {string} path
 * @param {ReadonlySet<string>} taken
 */
function freePath(path, taken) {
  const [, name, extension] = /^(.*?)(\.[^./]*)?$/.exec(path) ?? [path, path, ""];
  let free = path;
  for (let i = 2; taken.has(free); i++) free = `${name} (${i})${extension ?? ""}`;
  return free;
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function areEqual(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
