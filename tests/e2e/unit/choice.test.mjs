// @ts-check
/** The choice between CPU and WebGPU. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Choice, agree, copyOf, kindOf } from "../../../web/src/lib/choice.js";

/** @import { EngineKind, Kind } from "../../../web/src/lib/choice.js" */
/** @import { Recognition } from "../../../web/src/lib/types.js" */

/** @param {Choice} choice @param {EngineKind} engine @param {number[]} times */
const addAll = (choice, engine, ...times) =>
  times.forEach((time) => choice.add("one", engine, time));

test("choice does not count the first reading, which compiles shaders", () => {
  const choice = new Choice();
  addAll(choice, "webgpu", 5000);
  assert.equal(choice.milliseconds("one", "webgpu"), null);
  addAll(choice, "webgpu", 5, 4, 900);
  assert.equal(choice.milliseconds("one", "webgpu"), 5, "the median");
});

test("choice needs a clear advantage to change", () => {
  const choice = new Choice();
  addAll(choice, "cpu", 0, 20, 20, 20);
  assert.equal(choice.engine("one"), "cpu");
  addAll(choice, "webgpu", 0, 18, 18, 18);
  assert.equal(choice.engine("one"), "cpu");
  addAll(choice, "webgpu", 10, 10, 10);
  assert.equal(choice.engine("one"), "webgpu");
  addAll(choice, "webgpu", 22, 22, 22);
  assert.equal(choice.engine("one"), "webgpu");
  addAll(choice, "webgpu", 30, 30, 30);
  assert.equal(choice.engine("one"), "cpu");
  assert.equal(choice.engine("batch"), "cpu", "another kind");
});

test("choice compares again after many images and after a pause", () => {
  let clock = 0;
  const choice = new Choice(() => clock);
  const due = (/** @type {Kind} */ kind, images = 1) => choice.due(kind, images);
  assert.ok(due("one"), "nothing is known");
  addAll(choice, "cpu", 0, 20);
  addAll(choice, "webgpu", 0, 5);
  choice.compared("one");
  for (let i = 0; i < 300; i++) assert.ok(!due("one"));
  assert.ok(due("one"), "301 images");
  choice.compared("one");
  assert.ok(!due("one"));
  clock += 6 * 60_000;
  assert.ok(due("batch"), "another kind");
  assert.ok(due("one"), "its pause counts, whatever else was read");
  choice.compared("one");
  assert.ok(!due("one"));
});

test("choice does not try for ever to learn a time", () => {
  const choice = new Choice();
  for (let i = 0; i < 8; i++) {
    assert.ok(choice.due("batch", 2));
    choice.compared("batch");
  }
  assert.ok(!choice.due("batch", 2));
});

test("choice restores times and ignores anything else", () => {
  const old = new Choice();
  addAll(old, "cpu", 0, 20);
  addAll(old, "webgpu", 0, 5);
  const choice = new Choice();
  choice.restore(JSON.parse(JSON.stringify(old)));
  assert.equal(choice.engine("one"), "webgpu");
  for (const wrong of [null, undefined, 3, [], { "one cpu": "x" }, { "one cpu": [-1, null] }]) {
    const other = new Choice();
    other.restore(wrong);
    assert.equal(other.milliseconds("one", "cpu"), null);
  }
});

test("engines agree unless a sure text or a confidence differs", () => {
  const reading = (/** @type {string} */ text, /** @type {number} */ confidence) =>
    /** @type {Recognition} */ (/** @type {unknown} */ ({ text, confidence }));
  assert.ok(agree(reading("a", 0.9), reading("a", 0.88)));
  assert.ok(!agree(reading("a", 0.9), reading("a", 0.7)));
  assert.ok(!agree(reading("a", 0.9), reading("b", 0.9)));
  assert.ok(agree(reading("a", 0.47), reading("b", 0.29)), "rounding decides between them");
  assert.ok(!agree(reading("a", 0.4), reading("a", NaN)));
  assert.ok(!agree(reading("a", NaN), reading("b", NaN)));
});

test("a call has the kind that its time depends on", () => {
  assert.equal(kindOf(1, 0), "one");
  assert.equal(kindOf(1, 5), "one with alternatives");
  assert.equal(kindOf(2, 0), "batch");
  assert.equal(kindOf(32, 5), "batch with alternatives");
});

test("a copied call keeps what was given", () => {
  const bytes = new Uint8Array([1]);
  const file = new Blob(["x"]);
  const copy = copyOf({ images: [bytes, file], alternatives: 2 });
  bytes[0] = 9;
  assert.deepEqual(copy?.images[0], new Uint8Array([1]));
  assert.equal(copy?.images[1], file);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  assert.equal(copyOf({ images: [bytes], alternatives: 0 }), undefined);
});
