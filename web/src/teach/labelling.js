// @ts-check
/** The order in which images are shown for typing their labels. Pure. */

/** @import { TeachImage, TeachState } from "./types.js" */

/** @typedef {TeachState["labelling"]} Labelling */

/** @type {Labelling} */
export const NOT_STARTED = Object.freeze({ visited: [], at: 0 });

/**
 * The images in the order of labelling: those that were shown, then those without a label, the least
 * certain guess first, then the others. Images that cannot be read are left out.
 *
 * @param {readonly TeachImage[]} images
 * @param {Labelling} labelling
 * @returns {TeachImage[]}
 */
export function orderOf(images, { visited }) {
  const good = images.filter(({ error }) => error === null);
  const byId = new Map(good.map((image) => [image.id, image]));
  const shown = new Set(visited);
  const rest = good.filter(({ id }) => !shown.has(id));
  const rank = (/** @type {TeachImage} */ { label, guess }) =>
    label !== null ? 3 : (guess?.confidence ?? 2);
  rest.sort((a, b) => rank(a) - rank(b));
  return [...visited.flatMap((id) => byId.get(id) ?? []), ...rest];
}

/**
 * The image that is shown, and its place.
 *
 * @param {readonly TeachImage[]} images
 * @param {Labelling} labelling
 * @returns {{ image: TeachImage | null, place: number, count: number }} `place` counts from 1
 */
export function currentOf(images, labelling) {
  const order = orderOf(images, labelling);
  const at = Math.min(labelling.at, order.length - 1);
  return { image: order[at] ?? null, place: at + 1, count: order.length };
}

/**
 * Goes forward (1) or back (-1). The images on the way keep their places.
 *
 * @param {readonly TeachImage[]} images
 * @param {Labelling} labelling
 * @param {1 | -1} by
 * @returns {Labelling}
 */
export function move(images, labelling, by) {
  const order = orderOf(images, labelling);
  const last = Math.max(order.length - 1, 0);
  const at = Math.min(Math.max(Math.min(labelling.at, last) + by, 0), last);
  return settle(order, labelling, at);
}

/**
 * Keeps the place of the image that is shown, so that a new guess does not replace it.
 *
 * @param {readonly TeachImage[]} images
 * @param {Labelling} labelling
 * @returns {Labelling}
 */
export function hold(images, labelling) {
  const order = orderOf(images, labelling);
  return settle(order, labelling, Math.max(Math.min(labelling.at, order.length - 1), 0));
}

/**
 * Shows an image next to the current one.
 *
 * @param {readonly TeachImage[]} images
 * @param {Labelling} labelling
 * @param {string} id
 * @returns {Labelling}
 */
export function jumpTo(images, labelling, id) {
  const { visited, at } = hold(images, labelling);
  const place = visited.indexOf(id);
  if (place >= 0) return { visited, at: place };
  const next = [...visited.slice(0, at + 1), id, ...visited.slice(at + 1)];
  return { visited: next, at: Math.min(at + 1, next.length - 1) };
}

/**
 * @param {TeachImage[]} order
 * @param {Labelling} labelling
 * @param {number} at
 * @returns {Labelling}
 */
function settle(order, { visited }, at) {
  const shown = Math.max(at + 1, visited.length);
  return { visited: order.slice(0, shown).map(({ id }) => id), at };
}
