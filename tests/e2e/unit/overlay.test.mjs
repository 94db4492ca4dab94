// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  SMOOTHNESS,
  centerOf,
  shortestInterval,
  lerp,
  maxWeight,
  rawField,
  smoothField,
  separateLabels,
  perplexity,
} from "../../../web/src/lib/overlay.js";

const GRID = { rows: 2, cols: 4 };
const ATTENTION = [0, 0.1, 0.4, 0, 0, 0.1, 0.4, 0];

test("raw field has one value for each cell and a peak of 1", () => {
  const { width, height, values } = rawField(ATTENTION, GRID, 0.4);
  assert.deepEqual([width, height], [4, 2]);
  assert.deepEqual([...values], [0, 0.25, 1, 0, 0, 0.25, 1, 0].map(Math.fround));
});

test("raw field of zero attention is zero", () => {
  assert.ok(rawField([0, 0], { rows: 1, cols: 2 }, 0).values.every((value) => value === 0));
});

test("smooth field passes through every weight and does not overshoot", () => {
  const line = [0.9, 0.2, 1, 0, 0, 0.4];
  const grid = { rows: 1, cols: line.length };
  const { width, height, values } = smoothField(line, grid, 1);
  assert.deepEqual([width, height], [line.length * SMOOTHNESS, SMOOTHNESS]);
  for (let x = 0; x < width; x++) {
    const position = (x + 0.5) / SMOOTHNESS - 0.5;
    const left = line[Math.max(Math.floor(position), 0)];
    const right = line[Math.min(Math.ceil(position), line.length - 1)];
    assert.ok(values[x] >= Math.min(left, right) - 1e-6, `at ${x}`);
    assert.ok(values[x] <= Math.max(left, right) + 1e-6, `at ${x}`);
  }
  line.forEach((weight, i) => {
    // the two samples beside the middle of a cell
    const middle = i * SMOOTHNESS + SMOOTHNESS / 2;
    const near = (values[middle - 1] + values[middle]) / 2;
    assert.ok(Math.abs(near - weight) < 0.02, `${near} for ${weight}`);
  });
});

test("smooth field keeps even attention even", () => {
  const grid = { rows: 3, cols: 6 };
  const { values } = smoothField(new Array(18).fill(1 / 18), grid, 1 / 18);
  assert.ok(values.every((value) => Math.abs(value - 1) < 1e-6));
});

test("mixing interpolates between two attentions", () => {
  assert.deepEqual([...lerp([0, 1], [1, 0], 0)], [0, 1]);
  assert.deepEqual([...lerp([0, 1], [1, 0], 0.25)], [0.25, 0.75]);
  assert.deepEqual([...lerp([0, 1], [1, 0], 1)], [1, 0]);
});

test("spread of even attention is the number of its cells", () => {
  for (const count of [1, 3, 72]) {
    const even = Array.from({ length: 72 }, (_, i) => (i < count ? 1 / count : 0));
    assert.ok(Math.abs(perplexity(even) - count) < 1e-9);
  }
});

test("peak is the largest weight of all characters", () => {
  assert.equal(maxWeight([{ attention: [0.5, 0.5] }, { attention: [0.25, 0.75] }]), 0.75);
  assert.equal(maxWeight([]), 0);
});

test("center is the mean column in percent of the width", () => {
  assert.equal(centerOf([0, 0, 0, 1, 0, 0, 0, 0], GRID), 87.5);
  const between = centerOf([0, 0.5, 0.5, 0, 0, 0, 0, 0], GRID);
  assert.ok(between >= 37.5 && between <= 62.5);
  const stray = centerOf([0, 0.8, 0, 0.2, 0, 0, 0, 0], GRID);
  assert.ok(Math.abs(stray - 37.5) < 1e-9, "a stray weight does not move it");
});

test("center is the same on a fine and a coarse grid", () => {
  const fine = { rows: 1, cols: 24 };
  const attention = new Array(24).fill(0);
  [attention[9], attention[10], attention[11], attention[20]] = [0.5, 0.1, 0.2, 0.2];
  const center = (0.5 * 9.5 + 0.1 * 10.5 + 0.2 * 11.5) / 0.8;
  assert.ok(Math.abs(centerOf(attention, fine) - (center / 24) * 100) < 1e-9);
});

test("extent is the shortest range with half of the attention", () => {
  assert.deepEqual(shortestInterval(ATTENTION, GRID, "cols"), { first: 2, last: 2 });
  assert.deepEqual(shortestInterval(ATTENTION, GRID, "cols", 0.9), { first: 1, last: 2 });
  assert.deepEqual(shortestInterval(ATTENTION, GRID, "rows", 0.9), { first: 0, last: 1 });
  assert.deepEqual(shortestInterval([0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0], GRID, "cols", 1), {
    first: 0,
    last: 3,
  });
});

test("labels with enough distance stay in place", () => {
  assert.deepEqual(separateLabels([10, 50, 90], 9), [10, 50, 90]);
});

test("labels that are too close move apart, in order and inside the image", () => {
  for (const places of [
    [50, 51, 52],
    [1, 2, 3],
    [99, 98, 100],
    [70, 30, 69, 31],
    new Array(40).fill(50),
  ]) {
    const gap = Math.min(9, 100 / places.length);
    const moved = separateLabels(places, 9);
    const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
    const sorted = order.map((i) => moved[i]);
    sorted.slice(1).forEach((place, i) => assert.ok(place - sorted[i] >= gap - 1e-9));
    assert.ok(sorted[0] >= gap / 2 - 1e-9 && sorted[sorted.length - 1] <= 100 - gap / 2 + 1e-9);
  }
});
