// @ts-check
/** Saved audits. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseLearningCurve, parseSavedAudit } from "../../../web/src/audit/saved.js";

const NETWORK = { alphabet: "ab", maxLength: 5 };
const ITEMS = [{ path: "a.png", label: "ab", text: "ab", confidence: 0.5 }];
const saved = (/** @type {object} */ content) =>
  JSON.stringify({ name: "set", about: { images: 1 }, network: NETWORK, items: ITEMS, ...content });

const CURVE = {
  points: [{ labels: 25, heldOut: 10, exactMatches: 3 }],
  sentences: ["a"],
  svg: "<svg/>",
};

describe("learning curve", () => {
  test("is read from its file and from a saved audit that has it", () => {
    assert.deepEqual(parseLearningCurve(JSON.stringify(CURVE), "file.json"), CURVE);
    const audit = saved({ learningCurve: CURVE });
    assert.deepEqual(parseLearningCurve(audit, "file.json"), CURVE);
    assert.deepEqual(parseSavedAudit(audit, "file.json").learningCurve, CURVE);
  });

  test("is rejected when its points are impossible or parts are missing", () => {
    const [point] = CURVE.points;
    for (const changes of [
      { points: [] },
      { points: [{ ...point, exactMatches: 11 }] },
      { points: [{ ...point, exactMatches: -1 }] },
      { points: [{ ...point, heldOut: 0, exactMatches: 0 }] },
      { points: [{ ...point, labels: "25" }] },
      { points: undefined },
      { sentences: [1] },
      { svg: undefined },
    ]) {
      const curve = { ...CURVE, ...changes };
      const isRejected = { code: "bad-audit" };
      assert.throws(() => parseLearningCurve(JSON.stringify(curve), "file.json"), isRejected);
      const audit = saved({ learningCurve: curve });
      assert.throws(() => parseSavedAudit(audit, "file.json"), isRejected);
    }
    for (const text of ["[]", "null", "no JSON", saved({})]) {
      assert.throws(() => parseLearningCurve(text, "file.json"), { code: "bad-audit" }, text);
    }
  });
});

describe("saved audit", () => {
  test("is read", () => {
    assert.deepEqual(parseSavedAudit(saved({}), "file.json"), {
      name: "set",
      items: ITEMS,
      about: [["images", "1"]],
      network: NETWORK,
      ignoreCase: false,
    });
    assert.equal(parseSavedAudit(saved({ ignoreCase: true }), "file.json").ignoreCase, true);
  });

  test("has the name of its file if it has no other", () => {
    assert.equal(parseSavedAudit(saved({ name: undefined }), "file.json").name, "file.json");
  });

  test("is read when an earlier version wrote maxLetters", () => {
    const text = saved({ network: { alphabet: "ab", maxLetters: 7 } });
    assert.equal(parseSavedAudit(text, "file.json").network.maxLength, 7);
  });

  test("is rejected without a maximum length, and when it is not an audit", () => {
    for (const text of [
      saved({ network: { alphabet: "ab" } }),
      saved({ network: undefined }),
      saved({ items: [{}] }),
      "[]",
      "no JSON",
    ]) {
      assert.throws(() => parseSavedAudit(text, "file.json"), { code: "bad-audit" }, text);
    }
  });
});
