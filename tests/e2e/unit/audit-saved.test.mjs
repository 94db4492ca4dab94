// @ts-check
/** Saved audits. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSavedAudit } from "../../../web/src/audit/saved.js";

const NETWORK = { alphabet: "ab", maxLength: 5 };
const ITEMS = [{ path: "a.png", label: "ab", text: "ab", confidence: 0.5 }];
const saved = (/** @type {object} */ content) =>
  JSON.stringify({ name: "set", about: { images: 1 }, network: NETWORK, items: ITEMS, ...content });

describe("saved audit", () => {
  test("is read", () => {
    assert.deepEqual(parseSavedAudit(saved({}), "file.json"), {
      name: "set",
      items: ITEMS,
      about: [["images", "1"]],
      network: NETWORK,
    });
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
