// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  certaintyOf,
  describeBackend,
  describeBytes,
  describeFocus,
  describeCharacter,
  describeReading,
  describeReason,
  describeResult,
  describeStage,
} from "../../../web/src/common/describe.js";
import {
  characterName,
  isolated,
  milliseconds,
  percent,
  visibleCharacter,
} from "../../../web/src/common/format.js";

/** Replaces narrow spaces by plain ones. @param {string} words */
const plain = (words) => words.replaceAll("\u202f", " ");

test("percent is not rounded to 0% or 100%", () => {
  const cases = /** @type {const} */ ([
    [1, "100.0%"],
    [0.99996, ">99.9%"],
    [0.9994, "99.9%"],
    [0.5, "50.0%"],
    [0.0004, "<0.1%"],
    [0, "0.0%"],
  ]);
  for (const [share, words] of cases) assert.equal(plain(percent(share)), words);
});

test("milliseconds are rounded to significant digits", () => {
  assert.equal(plain(milliseconds(0.42)), "0.4 ms");
  assert.equal(plain(milliseconds(13.2)), "13 ms");
  assert.equal(plain(milliseconds(2345)), "2.35 s");
});

test("a character is described for screen readers", () => {
  const character = {
    character: "h",
    confidence: 0.98,
    attention: Float32Array.of(0, 0.4, 0.4, 0.2),
    alternatives: [],
  };
  assert.equal(
    plain(describeCharacter(character, 1, 4, { rows: 1, cols: 4 })),
    "Character 2 of 4: h, 98.0%, scattered over 2.9 of 4 cells, columns 2 to 3 of 4, row 1 of 1",
  );
});

test("attention is focused, spread or scattered", () => {
  const even = (/** @type {number} */ count) =>
    Float32Array.from({ length: 72 }, (_, i) => (i < count ? 1 / count : 0));
  assert.equal(describeFocus(even(1)), "focused on 1.0 of 72 cells");
  assert.equal(describeFocus(even(20)), "spread over 20.0 of 72 cells");
  assert.equal(describeFocus(even(72)), "scattered over 72.0 of 72 cells");
});

test("certainty follows from confidence, and is empty without text", () => {
  const reading = (/** @type {any} */ fields) => ({ text: "hi", confidence: 1, ...fields });
  for (const [fields, certainty, words] of /** @type {const} */ ([
    [{ confidence: 0.5 }, "sure", "hi, 50.0% confidence"],
    [{ confidence: 0.499 }, "unsure", "Uncertain result: hi, 49.9% confidence"],
    [{ confidence: 0.1 }, "unsure", "Uncertain result: hi, 10.0% confidence"],
    [
      { confidence: 0.0999 },
      "unlikely",
      "Probably not a text CAPTCHA that this model can read. Best guess: hi, 10.0% confidence",
    ],
    [{ text: "", blank: true }, "blank", "The image is blank"],
    [
      { text: "", blank: false },
      "empty",
      "No text found. Crop the image so that it shows only the CAPTCHA, or try a CAPTCHA of another style.",
    ],
    [{ text: "" }, "empty", undefined],
  ])) {
    assert.equal(certaintyOf(reading(fields)), certainty);
    if (words) assert.equal(plain(describeReading(reading(fields))), words);
  }
});

test("a result is spelt for screen readers, except an empty one", () => {
  /** @type {any} */
  const result = {
    text: "hi",
    confidence: 0.9,
    characters: [{ character: "h" }, { character: "i" }],
    milliseconds: { total: 12 },
  };
  const { words, more } = describeResult(result);
  assert.equal(plain(words + more), "Read in 12 ms: hi, spelt h i, 90.0% confidence");
  assert.equal(describeResult(result, { first: true }).words.slice(-16), " (first reading)");
  const none = { ...result, text: "", characters: [] };
  assert.equal(describeResult(none).words, "No text found");
  assert.deepEqual(describeResult({ ...none, blank: true }), {
    words: "The image is blank",
    more: "",
  });
});

test("backends, stages and sizes are described", () => {
  assert.equal(
    describeBackend({ kind: "webgpu", adapter: "apple m2", reason: null }),
    "WebGPU · apple m2",
  );
  assert.equal(describeBackend({ kind: "webgpu", adapter: "WebGPU", reason: null }), "WebGPU");
  /** @type {import("../../../web/src/lib/types.js").BackendStatus} */
  const cpu = { kind: "cpu", adapter: "", reason: null, webGpu: "off", milliseconds: null };
  assert.equal(describeReason(cpu), "chosen by you");
  assert.equal(describeReason({ ...cpu, kind: "webgpu" }), "gives the same result as the CPU");
  assert.equal(
    describeReason({ ...cpu, webGpu: "waiting" }),
    "loads WebGPU after the first reading",
  );
  assert.equal(describeReason({ ...cpu, webGpu: "loading" }), "loading WebGPU");
  assert.equal(describeReason({ ...cpu, webGpu: "ready" }), "measuring WebGPU");
  /** @type {typeof cpu} */
  const both = { ...cpu, webGpu: "ready", milliseconds: { cpu: 21, webgpu: 8.6 } };
  assert.equal(plain(describeReason(both)), "21 ms, WebGPU 8.6 ms");
  assert.equal(plain(describeReason({ ...both, kind: "webgpu" })), "8.6 ms, CPU 21 ms");
  assert.equal(describeReason({ ...cpu, reason: "lost" }), "No WebGPU: lost");
  assert.equal(describeStage("weights"), "Loading weights");
  assert.equal(describeStage("something"), "Something");
  const stage = { stage: "code", fraction: 0.5, overall: 0.2 };
  assert.equal(plain(describeBytes({ ...stage, loaded: 1e6, total: 2e6 })), "1.0 MB of 2.0 MB");
  assert.equal(plain(describeBytes({ ...stage, loaded: 1e6, total: null })), "1.0 MB");
  assert.equal(describeBytes(stage), "");
});

test("characters without a shape of their own can be seen", () => {
  const cases = /** @type {const} */ ([
    ["a", "a"],
    ['"', '"'],
    [" ", "\u2423"],
    ["\u0301", "\u25cc\u0301"],
    ["\u00a0", "U+00A0"],
    ["\u200d", "U+200D"],
    ["\n", "U+000A"],
    ["\u5b57", "\u5b57"],
  ]);
  for (const [character, seen] of cases) assert.equal(visibleCharacter(character), seen);
  assert.equal(characterName(" "), "space");
  assert.equal(characterName("\u05d0"), "\u2068\u05d0\u2069");
  assert.equal(isolated("abc7"), "abc7");
  assert.equal(isolated("\u05d0b7"), "\u2068\u05d0b7\u2069");
});
