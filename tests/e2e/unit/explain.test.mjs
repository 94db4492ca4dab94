// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cellAt,
  describeCell,
  describeGrid,
  describePlace,
  describeStep,
  topCells,
  weightNumber,
} from "../../../web/src/lens/explain.js";

const GRID = { rows: 2, cols: 3 };
const characters = [
  {
    character: "h",
    confidence: 0.9,
    attention: Float32Array.of(0, 0.1, 0.6, 0, 0.2, 0.1),
    alternatives: [],
  },
  {
    character: "i",
    confidence: 0.8,
    attention: Float32Array.of(1, 0, 0, 0, 0, 0),
    alternatives: [],
  },
];
const READING = /** @type {import("../../../web/src/lib/types.js").Recognition} */ (
  /** @type {unknown} */ ({ characters, grid: GRID, width: 600, height: 320 })
);

/** Replaces narrow spaces by plain ones. @param {string} words */
const plain = (words) => words.replaceAll("\u202f", " ");

test("weights are rounded to significant digits and never to 100", () => {
  const cases = /** @type {const} */ ([
    [0, "·"],
    [0.00049, "·"],
    [0.0005, "0.1"],
    [0.0042, "0.4"],
    [0.0994, "9.9"],
    [0.0996, "10"],
    [0.1234, "12"],
    [0.994, "99"],
    [0.9999, ">99"],
    [1, "100"],
  ]);
  for (const [weight, words] of cases) assert.equal(weightNumber(weight), words);
});

test("top cells are sorted by weight, equal ones by position", () => {
  assert.deepEqual(topCells(characters[0].attention, 3), [2, 4, 1]);
  assert.deepEqual(topCells([0.5, 0.5], 9), [0, 1]);
});

test("a cell is described by its position and its weight for each character", () => {
  assert.equal(describePlace(5, GRID), "column 3, row 2");
  assert.equal(plain(describeCell(2, READING)), "Column 3, row 1: h 60.0%, i 0.0%");
});

test("the grid is described in image pixels", () => {
  assert.equal(
    describeGrid(READING),
    "This image has 600 × 320 pixels. The grid has 3 columns and 2 rows: 6 cells of about 200 × 160 pixels each.",
  );
});

test("a step starts from the previous characters", () => {
  assert.deepEqual(describeStep(characters, 0), {
    state: "zeros",
    before: "start",
    next: "after h",
  });
  assert.deepEqual(describeStep(characters, 1), {
    state: "after h",
    before: "h",
    next: "after hi",
  });
});

test("arrow keys move between cells and stay inside the grid", () => {
  const cases = /** @type {const} */ ([
    [0, "ArrowRight", 1],
    [2, "ArrowRight", 2],
    [3, "ArrowLeft", 3],
    [1, "ArrowDown", 4],
    [1, "ArrowUp", 1],
    [4, "Home", 3],
    [1, "End", 2],
    [1, "Tab", undefined],
  ]);
  for (const [cell, key, next] of cases) assert.equal(cellAt(cell, key, GRID), next, key);
});
