// @ts-check
/** Case in an audit report: what counts as the same, and what the report says of it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { foldCase } from "../../../web/src/audit/alphabet.js";
import { evaluateItems, summarize } from "../../../web/src/audit/statistics.js";
import { describeScope, describeVerdict } from "../../../web/src/audit/verdict.js";

/** @import { AuditItem, AuditNetwork } from "../../../web/src/audit/types.js" */

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const BOTH = { alphabet: `${LETTERS}${LETTERS.toUpperCase()}0123456789`, maxLength: 6 };

/**
 * @param {AuditItem[]} items
 * @param {AuditNetwork} network
 */
const count = (items, network) => summarize(evaluateItems(items, network));

describe("case", () => {
  // The tests of the command line use the same cases.
  test("is folded so that only texts that differ in case are the same", async () => {
    const file = new URL("../../audit/case.json", import.meta.url);
    /** @type {string[][]} */
    const cases = JSON.parse(await readFile(file, "utf8"));
    assert.ok(cases.length > 10);
    for (const texts of cases) {
      assert.equal(new Set(texts.map(foldCase)).size, 1, String(texts));
    }
    assert.equal(new Set(cases.map(([text]) => foldCase(text))).size, cases.length);
  });

  const items = [
    { path: "1.png", label: "aBc", text: "aBc", confidence: 1 },
    { path: "2.png", label: "aBc", text: "AbC", confidence: 1 },
    { path: "3.png", label: "aBc", text: "aBx", confidence: 1 },
  ];

  test("counts unless it is ignored, and both results are given", () => {
    const strict = summarize(evaluateItems(items, BOTH));
    const loose = summarize(evaluateItems(items, BOTH, true), true);
    assert.deepEqual([strict.exactMatches, loose.exactMatches], [1, 2]);
    for (const { matchesWithCase, matchesIgnoringCase } of [strict, loose]) {
      assert.deepEqual([matchesWithCase, matchesIgnoringCase], [1, 2]);
    }
    assert.match(describeVerdict(strict).join(" "), /With case ignored, it solved 2 of 3\./);
    assert.match(describeVerdict(loose).join(" "), /With case, it solved 1 of 3\./);
    assert.match(
      describeVerdict(strict).join(" "),
      /especially one trained on images of this style\./,
    );
    const taught = describeVerdict(strict, true).join(" ");
    assert.match(taught, /especially one that has learned from more images\./);
    assert.doesNotMatch(taught, /of this style/);
    assert.match(describeScope(loose, BOTH).join(" "), /count as the same, as chosen/);
  });

  test("is no misreading of a character where it is ignored", () => {
    const loose = summarize(evaluateItems(items, BOTH, true), true);
    assert.deepEqual(loose.confusions, [{ label: "c", text: "x", count: 1 }]);
    assert.equal(loose.characterAccuracy, 8 / 9);
    assert.equal(summarize(evaluateItems(items, BOTH)).confusions.length, 4);
  });

  test("makes labels comparable that the model writes only in the other case", () => {
    const network = { alphabet: "abcX", maxLength: 5 };
    const mixed = { alphabet: "aAbcX", maxLength: 5 };
    const capital = [{ path: "1.png", label: "BC", text: "bc", confidence: 1 }];
    assert.equal(count(capital, network).exactMatches, 1, "one case only");
    assert.equal(count(capital, mixed).unsupported, 1, "some letter has both cases");
    const ignored = summarize(evaluateItems(capital, mixed, true), true);
    assert.deepEqual([ignored.supported, ignored.exactMatches], [1, 1]);
  });
});
