// @ts-check
/** The examples of the tests in `crates/evaluation/src/learning_curve`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseLearningCurve } from "../../../web/src/audit/saved.js";
import { curveFigure, learningCurveOf } from "../../../web/src/teach/curve-file.js";
import { curveLabels } from "../../../web/src/teach/curve-run.js";
import { curveSentences, labelsNeeded } from "../../../web/src/teach/labels-needed.js";

/** @import { CurvePoint } from "../../../web/src/audit/types.js" */

const curve = (/** @type {[labels: number, heldOut: number, exactMatches: number][]} */ points) =>
  points.map(([labels, heldOut, exactMatches]) => ({ labels, heldOut, exactMatches }));
/** Of 300 held-out images. @param {[number, number][]} points */
const of300 = (points) => curve(points.map(([labels, exact]) => [labels, 300, exact]));
const needed = (/** @type {CurvePoint[]} */ points, /** @type {number} */ oneIn) => {
  const found = labelsNeeded(points, oneIn);
  assert.ok(found);
  return found;
};
const about = (/** @type {number} */ labels) => ({ kind: "about", labels });

describe("labels needed", () => {
  test("are none without points", () => {
    assert.equal(labelsNeeded([], 2), null);
  });

  test("lie between two points on a log scale", () => {
    // Half of the way from 0.25 to 0.75: sqrt(100 * 400) - 1.
    const points = curve([
      [399, 1000, 750],
      [99, 1000, 250],
    ]);
    const { labels, interval } = needed(points, 2);
    assert.deepEqual(labels, about(199));
    const [from, to] = interval;
    assert.ok(from.kind === "about" && from.labels >= 180 && from.labels < 199);
    assert.ok(to.kind === "about" && to.labels >= 200 && to.labels < 220);
    assert.deepEqual(needed(points, 10).labels, { kind: "atMost", labels: 99 });
    assert.deepEqual(needed(points, 1).labels, { kind: "moreThan", labels: 399 });
  });

  test("at a measured point are its number", () => {
    const points = curve([
      [0, 10, 0],
      [24, 10, 1],
      [300, 10, 5],
    ]);
    assert.deepEqual(needed(points, 10).labels, about(24));
    assert.deepEqual(needed(points, 2).labels, about(300));
  });

  test("of a falling curve are the first number that is enough", () => {
    const points = curve([
      [25, 100, 0],
      [50, 100, 60],
      [100, 100, 40],
      [200, 100, 90],
    ]);
    const { kind, labels } = needed(points, 2).labels;
    assert.ok(kind === "about" && labels > 25 && labels < 50);
  });

  test("lie in their interval and in the measured range, in any order of the points", () => {
    let seed = 21;
    const random = (/** @type {number} */ below) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const rank = { atMost: 0, about: 1, moreThan: 2 };
    const size = (/** @type {{ kind: keyof typeof rank, labels: number }} */ { kind, labels }) =>
      rank[kind] * 1e6 + labels;
    for (let i = 0; i < 2000; i++) {
      const heldOut = 1 + random(600);
      let last = 0;
      const points = curve(
        Array.from({ length: 1 + random(6) }, () => [
          (last += 1 + random(299)),
          heldOut,
          random(heldOut + 1),
        ]),
      );
      const oneIn = 1 + random(299);
      const { labels, interval } = needed(points, oneIn);
      const words = JSON.stringify({ points, oneIn });
      assert.ok(size(interval[0]) <= size(labels) && size(labels) <= size(interval[1]), words);
      const [first, end] = [points[0].labels, last];
      for (const count of [labels, ...interval]) {
        if (count.kind === "atMost") assert.equal(count.labels, first, words);
        if (count.kind === "about") assert.ok(first < count.labels && count.labels <= end, words);
        if (count.kind === "moreThan") assert.equal(count.labels, end, words);
      }
      assert.deepEqual(labelsNeeded(points.toReversed(), oneIn), needed(points, oneIn));
    }
  });
});

describe("sentences of a curve", () => {
  test("give a number for each share where it rises", () => {
    const sentences = curveSentences(
      of300([
        [25, 0],
        [50, 12],
        [100, 60],
        [200, 200],
        [400, 270],
      ]),
      false,
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
      curveSentences(solved, false)[0],
      "To pass one try in two, one in ten or one in a hundred, an attacker needs 25 labelled images or fewer; 25 is the smallest number measured.",
    );
    const unsolved = of300([
      [25, 0],
      [400, 40],
    ]);
    assert.equal(
      curveSentences(unsolved, false)[0],
      "To pass one try in two, 400 labelled images were not enough; more than 400 were not measured.",
    );
    assert.match(curveSentences(of300([[1, 0]]), false)[0], /1 labelled image was not enough/);
    assert.deepEqual(curveSentences([], false), []);
  });

  test("say so with case ignored", () => {
    const case_ = (/** @type {boolean} */ ignoreCase) =>
      curveSentences(of300([[25, 100]]), ignoreCase).some((one) => one.includes("Capital"));
    assert.deepEqual([case_(false), case_(true)], [false, true]);
  });
});

describe("a saved curve", () => {
  const points = of300([
    [100, 200],
    [25, 3],
  ]);
  const facts = { name: "set", weights: "compact", ignoreCase: true, seed: 7 };

  test("has what follows from the points, and is what the audit page imports", () => {
    const saved = /** @type {any} */ (JSON.parse(JSON.stringify(learningCurveOf(points, facts))));
    assert.equal(saved.points[0].exactMatchRate, 0.01);
    assert.equal(saved.labelsNeeded[2].oneIn, 100);
    assert.equal(saved.labelsNeeded[2].labels.atMost, 25);
    assert.equal(saved.sentences[0], curveSentences(points, true)[0]);
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
    const svg = curveFigure(
      curve([
        [99, 10, 5],
        [24, 10, 0],
        [399, 10, 10],
      ]),
      [],
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
      curve([]),
      curve([[0, 10, 3]]),
      curve([
        [7, 10, 1],
        [2 ** 53, 10, 2],
      ]),
    ]) {
      const svg = curveFigure(some, ["</svg><script>"]);
      assert.ok(svg.endsWith("</svg>\n") && svg.split("</svg>").length === 2);
      assert.ok(!/NaN|Infinity|<script/.test(svg));
      assert.ok(circles(svg).every(([x, y]) => x > 0 && x < 560 && y > 0 && y < 340));
    }
  });

  test("leaves out numbers that would overlap", () => {
    const svg = curveFigure(
      curve([
        [1000, 10, 1],
        [1001, 10, 2],
        [1002, 10, 3],
        [9000, 10, 4],
      ]),
      [],
    );
    assert.ok(!svg.includes(">1001<") && svg.includes(">1002<") && svg.includes(">9000<"));
  });

  test("has the numbers of labels that the images suffice for", () => {
    assert.deepEqual(curveLabels(24), []);
    assert.deepEqual(curveLabels(25), [25]);
    assert.deepEqual(curveLabels(833), [25, 50, 100, 200, 400, 800]);
  });
});
