// @ts-check
/** Learning curves of the module that learns: examples of the tests in `crates/evaluation/src/learning_curve`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseLearningCurve } from "../../../web/src/audit/saved.js";
import { curveLabels } from "../../../web/src/teach/curve-run.js";
import { writtenCurve } from "../fake/learning-curve.mjs";

/** @import { CurvePoint } from "../../../web/src/audit/types.js" */

const curve = (/** @type {[labels: number, heldOut: number, exactMatches: number][]} */ points) =>
  points.map(([labels, heldOut, exactMatches]) => ({ labels, heldOut, exactMatches }));
/** Of 300 held-out images. @param {[number, number][]} points */
const of300 = (points) => curve(points.map(([labels, exact]) => [labels, 300, exact]));
const about = (/** @type {number} */ labels) => ({ about: labels });
const FACTS = { name: "set", weights: "compact", ignoreCase: false, seed: 7 };

/** @param {CurvePoint[]} points @param {boolean} [ignoreCase] */
const written = (points, ignoreCase = false) => writtenCurve({ ...FACTS, ignoreCase, points });

describe("labels needed", () => {
  test("are none without points", () => {
    assert.throws(() => written([]), /This is not a learning curve: it has no points/);
  });

  test("lie between two points on a log scale", () => {
    // Half of the way from 0.25 to 0.75: sqrt(100 * 400) - 1.
    const points = curve([
      [399, 1000, 750],
      [99, 1000, 250],
    ]);
    const [inTwo, inTen] = written(points).labelsNeeded;
    assert.deepEqual([inTwo.oneIn, inTen.oneIn], [2, 10]);
    assert.deepEqual(inTwo.labels, about(199));
    const [from, to] = inTwo.interval;
    assert.ok(from.about >= 180 && from.about < 199);
    assert.ok(to.about >= 200 && to.about < 220);
    assert.deepEqual(inTen.labels, { atMost: 99 });
  });

  test("at a measured point are its number", () => {
    const points = curve([
      [0, 10, 0],
      [24, 10, 1],
      [300, 10, 5],
    ]);
    const [inTwo, inTen] = written(points).labelsNeeded;
    assert.deepEqual(inTen.labels, about(24));
    assert.deepEqual(inTwo.labels, about(300));
  });

  test("of a falling curve are the first number that is enough", () => {
    const points = curve([
      [25, 100, 0],
      [50, 100, 60],
      [100, 100, 40],
      [200, 100, 90],
    ]);
    const { labels } = written(points).labelsNeeded[0];
    assert.ok(labels.about > 25 && labels.about < 50);
  });
});

describe("sentences of a curve", () => {
  test("give a number for each share where it rises", () => {
    const { sentences } = written(
      of300([
        [25, 0],
        [50, 12],
        [100, 60],
        [200, 200],
        [400, 270],
      ]),
    );
    assert.equal(sentences.length, 4);
    assert.match(sentences[0], /^To pass one try in two, an attacker needs about 1/);
    assert.match(sentences[0], / labelled images \(95% interval: 1/);
    assert.match(sentences[1], /^To pass one try in ten, an attacker needs about /);
    assert.match(sentences[2], /^To pass one try in a hundred, an attacker needs about /);
    // 0 of 300 does not exclude 1%.
    assert.match(sentences[2], /\(95% interval: 25 or fewer to /);
    assert.match(sentences[3], /estimates/);
  });

  test("say so outside of the measured range", () => {
    const solved = of300([
      [25, 290],
      [400, 300],
    ]);
    assert.equal(
      written(solved).sentences[0],
      "To pass one try in two, one in ten or one in a hundred, an attacker needs 25 labelled images or fewer; 25 is the smallest number measured.",
    );
    const unsolved = of300([
      [25, 0],
      [400, 40],
    ]);
    assert.equal(
      written(unsolved).sentences[0],
      "To pass one try in two, 400 labelled images were not enough; more than 400 were not measured.",
    );
    assert.match(written(of300([[1, 0]])).sentences[0], /1 labelled image was not enough/);
  });

  test("say so with case ignored", () => {
    const case_ = (/** @type {boolean} */ ignoreCase) =>
      written(of300([[25, 100]]), ignoreCase).sentences.some((/** @type {string} */ one) =>
        one.includes("Capital"),
      );
    assert.deepEqual([case_(false), case_(true)], [false, true]);
  });
});

describe("a saved curve", () => {
  const points = of300([
    [100, 200],
    [25, 3],
  ]);

  test("has what follows from the points, and is what the audit page imports", () => {
    const saved = written(points, true);
    assert.equal(saved.points[0].exactMatchRate, 0.01);
    assert.equal(saved.labelsNeeded[2].oneIn, 100);
    assert.equal(saved.labelsNeeded[2].labels.atMost, 25);
    assert.equal(
      saved.sentences[0],
      "To pass one try in two, an attacker needs about 71 labelled images (95% interval: 65 to 78).",
    );
    assert.ok(saved.svg.startsWith("<svg"));
    assert.deepEqual(Object.keys(saved).toSorted(), [
      "ignoreCase",
      "labelsNeeded",
      "name",
      "points",
      "seed",
      "sentences",
      "svg",
      "weights",
    ]);
    assert.deepEqual(parseLearningCurve(JSON.stringify(saved), "curve.json"), saved);
  });

  /** @param {string} svg */
  const circles = (svg) =>
    [...svg.matchAll(/<circle[^>]* cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => [+x, +y]);

  test("draws its points on a log scale", () => {
    const { svg } = written(
      curve([
        [99, 10, 5],
        [24, 10, 0],
        [399, 10, 10],
      ]),
    );
    const at = circles(svg);
    // 25, 100 and 400: each step is the same factor.
    assert.ok(Math.abs(at[1][0] - at[0][0] - (at[2][0] - at[1][0])) < 0.11);
    assert.deepEqual(
      at.map(([, y]) => y),
      [280, 162, 44],
    );
    for (const labels of [">24<", ">99<", ">399<"]) assert.ok(svg.includes(labels), svg);
  });

  test("stays in its figure", () => {
    for (const some of [
      curve([[0, 10, 3]]),
      curve([
        [7, 10, 1],
        [2 ** 32 - 1, 10, 2],
      ]),
    ]) {
      const { svg } = writtenCurve({ ...FACTS, name: "</svg><script>", points: some });
      assert.ok(svg.endsWith("</svg>\n") && svg.split("</svg>").length === 2);
      assert.ok(!/NaN|Infinity|<script/.test(svg));
      assert.ok(circles(svg).every(([x, y]) => x > 0 && x < 560 && y > 0 && y < 340));
    }
  });

  test("leaves out numbers that would overlap", () => {
    const { svg } = written(
      curve([
        [1000, 10, 1],
        [1001, 10, 2],
        [1002, 10, 3],
        [9000, 10, 4],
      ]),
    );
    assert.ok(!svg.includes(">1001<") && svg.includes(">1002<") && svg.includes(">9000<"));
  });

  test("has the numbers of labels that the images suffice for", () => {
    assert.deepEqual(curveLabels(24), []);
    assert.deepEqual(curveLabels(25), [25]);
    assert.deepEqual(curveLabels(833), [25, 50, 100, 200, 400, 800]);
  });
});
