// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  NOT_STARTED,
  currentOf,
  hold,
  jumpTo,
  move,
  orderOf,
} from "../../../web/src/teach/labelling.js";

/** @import { TeachImage } from "../../../web/src/teach/types.js" */

/**
 * @param {string} id
 * @param {number | null} confidence of the guess
 * @param {string | null} [label]
 * @returns {TeachImage}
 */
function image(id, confidence, label = null) {
  const guess = confidence === null ? null : { text: id, confidence };
  const common = { source: null, error: null, twin: null, bytes: new Uint8Array() };
  return { id, path: id, label, guess, ...common };
}

const images = [
  image("sure", 0.9),
  image("labelled", 0.1, "thus"),
  image("unsure", 0.2),
  image("unread", null),
  { ...image("broken", 0), error: "no image" },
];
const ids = (/** @type {TeachImage[]} */ all) => all.map(({ id }) => id);

describe("the order of labelling", () => {
  test("has the least certain guess first, labelled images last, and no broken ones", () => {
    assert.deepEqual(ids(orderOf(images, NOT_STARTED)), ["unsure", "sure", "unread", "labelled"]);
  });

  test("keeps the image that is shown when new guesses arrive", () => {
    const held = hold(images, NOT_STARTED);
    const later = images.map((one) => (one.id === "unread" ? image("unread", 0.01) : one));
    assert.equal(currentOf(later, held).image?.id, "unsure");
    assert.deepEqual(ids(orderOf(later, held)), ["unsure", "unread", "sure", "labelled"]);
    assert.equal(currentOf(later, NOT_STARTED).image?.id, "unread");
  });

  test("goes forward and back over the same images, also after a label changed", () => {
    let labelling = move(images, hold(images, NOT_STARTED), 1);
    assert.equal(currentOf(images, labelling).image?.id, "sure");
    const labelled = images.map((one) => (one.id === "sure" ? image("sure", 0.9, "sure") : one));
    labelling = move(labelled, labelling, 1);
    assert.equal(currentOf(labelled, labelling).image?.id, "unread");
    labelling = move(labelled, labelling, -1);
    assert.equal(currentOf(labelled, labelling).image?.id, "sure");
    assert.equal(currentOf(labelled, move(labelled, labelling, -1)).image?.id, "unsure");
  });

  test("ends at the first and the last image", () => {
    assert.deepEqual(currentOf(images, move(images, NOT_STARTED, -1)).place, 1);
    let labelling = NOT_STARTED;
    for (let i = 0; i < 9; i++) labelling = move(images, labelling, 1);
    const { place, count } = currentOf(images, labelling);
    assert.deepEqual([place, count], [4, 4]);
    // Fewer images than before: the last one is shown.
    assert.equal(currentOf(images.slice(0, 1), labelling).image?.id, "sure");
    assert.equal(currentOf([], labelling).image, null);
  });

  test("shows a chosen image next, and goes back to the one before", () => {
    const labelling = jumpTo(images, NOT_STARTED, "labelled");
    assert.equal(currentOf(images, labelling).image?.id, "labelled");
    assert.equal(currentOf(images, move(images, labelling, -1)).image?.id, "unsure");
    assert.equal(currentOf(images, jumpTo(images, labelling, "unsure")).place, 1);
  });
});
