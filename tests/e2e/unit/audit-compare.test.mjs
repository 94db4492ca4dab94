// @ts-check
/** Intervals, and the comparison of two audits. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareAudits, describeComparison } from "../../../web/src/audit/compare.js";
import {
  differenceInterval,
  wilsonInterval,
  pairedDifferenceInterval,
} from "../../../web/src/audit/intervals.js";

const NETWORK = { alphabet: "abcdefghijklmnopqrstuvwxyz", maxLength: 5 };
const DIGITS = { alphabet: "0123456789", maxLength: 5 };

/** @param {number[]} found @param {number[]} expected */
const near = (found, expected, within = 5e-5) =>
  found.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]) < within, `${found} for ${expected}`),
  );

describe("intervals", () => {
  test("of one share match Wilson's values", () => {
    // The values that `captcha-lens evaluate` prints.
    near(wilsonInterval(17253, 20000), [0.8578, 0.8674], 1e-4);
    assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
    for (let images = 1; images < 300; images++) {
      assert.equal(wilsonInterval(0, images)[0], 0);
      assert.equal(wilsonInterval(images, images)[1], 1);
    }
  });

  test("of a difference match Newcombe's tables", () => {
    const of = (/** @type {number[]} */ [a, m, b, n]) =>
      differenceInterval({ part: a, whole: m }, { part: b, whole: n });
    near(of([56, 70, 48, 80]), [0.0524, 0.3339]);
    near(of([9, 10, 3, 10]), [0.1705, 0.809]);
    near(of([10, 10, 0, 20]), [0.6791, 1]);
    near(of([0, 10, 0, 20]), [-0.1611, 0.2775]);
    const paired = (/** @type {number[]} */ [both, first, second, neither]) =>
      pairedDifferenceInterval({ both, first, second, neither });
    near(paired([36, 12, 2, 0]), [0.0569, 0.3404]);
    near(paired([0, 0, 0, 10]), [-0.2775, 0.2775]);
  });

  test("of paired images are narrower when both audits solve the same images", () => {
    const counts = { both: 45, first: 10, second: 5, neither: 40 };
    const [low, high] = pairedDifferenceInterval(counts);
    const [from, to] = differenceInterval({ part: 55, whole: 100 }, { part: 50, whole: 100 });
    assert.ok(low > from && high < to);
  });
});

describe("comparison", () => {
  /**
   * @param {string} name
   * @param {number} correct
   * @param {number} wrong
   * @param {{ folder?: string, label?: string, network?: typeof NETWORK }} [options]
   */
  const audit = (
    name,
    correct,
    wrong,
    { folder = "", label = "thus", network = NETWORK } = {},
  ) => ({
    name,
    network,
    about: /** @type {[string, string][]} */ ([]),
    items: Array.from({ length: correct + wrong }, (_, i) => ({
      path: `${folder}${i}.png`,
      label,
      text: i < correct ? label : "x",
      confidence: 0.5,
    })),
  });

  test("treats two sets of images as independent", () => {
    const found = compareAudits(audit("a", 56, 14), audit("b", 48, 32, { label: "line" }));
    assert.equal(found?.paired, false);
    near(found?.interval ?? [], [0.0524, 0.3339]);
    near([found?.difference ?? 0], [0.2]);
    const [difference, chance] = describeComparison(found);
    assert.match(difference, /\+20\.0 percentage points \(95% interval \+5\.2 to \+33\.4\)/);
    assert.match(chance, /chance alone does not explain/);
  });

  test("pairs the images of one set in two audits, whatever the folder", () => {
    const found = compareAudits(audit("a", 10, 10), audit("b", 12, 8, { folder: "set.zip/set/" }));
    assert.equal(found?.paired, true);
    assert.deepEqual([found?.first.part, found?.second.part], [10, 12]);
    const text = describeComparison(found).join(" ");
    assert.match(text, /\u221210\.0 percentage points/);
    assert.match(text, /may be chance/);
    assert.match(
      text,
      /covers the 20 images with the same name and label in both audits, image by image/,
    );
  });

  test("uses the images that both audits have when they share most of them", () => {
    const found = compareAudits(audit("a", 10, 10), audit("b", 5, 10));
    assert.deepEqual([found?.paired, found?.first.whole, found?.second.whole], [true, 15, 15]);
    // The same names with other labels count as other images.
    const other = compareAudits(audit("a", 10, 10), audit("b", 5, 10, { label: "line" }));
    assert.deepEqual([other?.paired, other?.first.whole, other?.second.whole], [false, 20, 15]);
  });

  test("needs a result in both audits", () => {
    assert.equal(compareAudits(audit("a", 10, 10), audit("b", 10, 10, { network: DIGITS })), null);
    assert.equal(compareAudits(audit("a", 0, 0), audit("b", 10, 10)), null);
    assert.doesNotMatch(describeComparison(null).join(" "), /%/);
  });
});
