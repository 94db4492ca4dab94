// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  combinedAttention,
  describeLabel,
  describeSolved,
  describeSpeed,
} from "../../../web/src/teach/describe.js";
import { addStep, addValidation, niceCeiling, noLosses } from "../../../web/src/teach/losses.js";

/** @import { LiveRun, Losses, TeachImage } from "../../../web/src/teach/types.js" */

describe("losses", () => {
  /** @param {Losses} losses @param {number} count */
  const add = (losses, count) => {
    let all = losses;
    for (let i = 0; i < count; i++) all = addStep(all, { seconds: i, loss: i % 2 });
    return all;
  };

  test("are means of neighbouring steps, in a bounded number of points", () => {
    const few = add(noLosses(), 12);
    assert.deepEqual(few.training, [
      { seconds: 4, loss: 0.4 },
      { seconds: 9, loss: 0.6 },
    ]);
    const many = add(noLosses(), 20_000);
    assert.ok(many.training.length > 100 && many.training.length <= 400, `${many.training.length}`);
    assert.ok(many.training.every(({ loss }) => Math.abs(loss - 0.5) < 0.11));
    const times = many.training.map(({ seconds }) => seconds);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok((times.at(-1) ?? 0) > 19_000);
  });

  test("leave out a loss that is no number, and keep validations", () => {
    const step = { seconds: 1, loss: NaN };
    assert.deepEqual(addStep(noLosses(), step), noLosses());
    const validation = { step: 1, trainingLoss: 1, validationLoss: 2, exactMatches: 3, seconds: 4 };
    assert.deepEqual(addValidation(noLosses(), validation).validations, [validation]);
  });

  test("have an axis that ends at a round number", () => {
    const ends = [0.3, 1, 1.1, 3, 7, 9, 20, 0].map(niceCeiling);
    assert.deepEqual(
      ends.map((end) => Number(end.toFixed(3))),
      [0.4, 1, 2, 4, 8, 10, 20, 1],
    );
  });
});

describe("words about a run", () => {
  const options = { images: [], minutes: 5, ignoreCase: false, seed: 1, start: "", startName: "" };
  /** @type {LiveRun} */
  const run = {
    phase: "learning",
    words: "",
    options,
    plan: {
      alphabet: "a",
      maxLength: 1,
      input: [1, 1],
      training: [0, 1, 2],
      validation: [3, 4],
      available: 3,
      notes: [],
    },
    step: {
      step: 9,
      done: 0.5,
      images: 1,
      imagesPerSecond: 7.34,
      workers: 1,
      loss: 1,
      seconds: 150,
    },
    losses: noLosses(),
    watched: [],
  };

  test("tell its speed and the time that is left", () => {
    assert.equal(describeSpeed(run), "7.3 images/s, 3 min left");
    assert.equal(describeSpeed({ ...run, phase: "stopping" }), "7.3 images/s");
    assert.equal(describeSpeed({ ...run, step: null }), "");
    const step = run.step && { ...run.step, workers: 2 };
    assert.equal(describeSpeed({ ...run, step }), "7.3 images/s on 2 cores, 3 min left");
  });

  test("tell the share solved with its interval, once it is measured", () => {
    assert.equal(describeSolved(run), "Learning from 3 images; 2 are kept back.");
    const validation = { step: 1, trainingLoss: 1, validationLoss: 2, exactMatches: 1, seconds: 4 };
    const words = describeSolved({ ...run, losses: addValidation(noLosses(), validation) });
    assert.match(words, /Solved of these: 50\.0% \(1 of 2; 95% interval 9\.5% to 90\.5%\)\.$/);
    const first = addValidation(noLosses(), { ...validation, step: 0 });
    assert.match(
      describeSolved({ ...run, losses: first }),
      /Before learning, solved of these: 50\.0%/,
    );
    assert.equal(describeSolved({ ...run, plan: null }), "");
  });

  test("tell where a label comes from", () => {
    const image = /** @type {TeachImage} */ ({ label: "a", source: "typed", guess: null });
    assert.equal(describeLabel(image), "Label typed by you.");
    assert.equal(describeLabel({ ...image, label: null }), "No label yet.");
    const guess = { text: "a", confidence: 0.5 };
    assert.match(describeLabel({ ...image, label: null, guess }), /guess, with 50\.0% confidence/);
    const empty = { text: "", confidence: 0.5 };
    assert.match(describeLabel({ ...image, label: null, guess: empty }), /finds no text/);
  });
});

test("the attention of a text is the largest of its characters", () => {
  const characters = [
    { attention: Float32Array.of(0.5, 0.25, 0) },
    { attention: Float32Array.of(0, 0.5, 0) },
  ];
  assert.deepEqual([...combinedAttention(characters)], [0.5, 0.5, 0]);
});
