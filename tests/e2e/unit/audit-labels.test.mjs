// @ts-check
/** The labels of an audit. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  areLikelyLabels,
  conflictingPaths,
  isLabelFile,
  labelsFromFiles,
  labelsFromLaterFiles,
  labelsFromNames,
} from "../../../web/src/audit/labels.js";

describe("labels", () => {
  const WORDS = { alphabet: "abcdefghijklmnopqrstuvwxyz", maxLength: 5 };

  test("are equal in either Unicode form of an accent", () => {
    const csv = { path: "labels.csv", text: "1.png,e\u0301\n" };
    assert.deepEqual(labelsFromFiles(["1.png"], [csv]), ["é"]);
    assert.deepEqual(labelsFromNames(["e\u0301_1.png"]), ["é"]);
  });

  test("come from file names up to the first underscore, with their case", () => {
    const labels = labelsFromNames(["Thus.png", "a/line_2.JPG", "x.y/kerry_a_b.webp", "A5b_1.png"]);
    assert.deepEqual(labels, ["Thus", "line", "kerry", "A5b"]);
    assert.ok(areLikelyLabels(labels, WORDS));
  });

  test("come from names of copies without the copy suffix", () => {
    const names = ["thus (1).png", "thus-2.png", "line(3).png", "a-b.png", "2026-01-01.png"];
    const labels = ["thus", "thus", "line", "a-b", "2026-01-01"];
    assert.deepEqual(labelsFromNames(names), labels);
  });

  test("are taken from names of letters, digits and characters of the alphabet", () => {
    const likely = (/** @type {string[]} */ names, network = WORDS) =>
      areLikelyLabels(labelsFromNames(names), network);
    assert.ok(likely(["049025.png", "137721.png", "950008.png", "002114.png"]));
    assert.ok(likely(["HOUSE.png", "RIVER.png"]));
    assert.ok(likely(["7kQ2.png", "b29x.png", "ñu.png"]));
    assert.ok(!likely(["1+2=.png", "3+4=.png"]));
    assert.ok(likely(["1+2=.png", "3+4=.png"], { alphabet: "0123456789+=", maxLength: 6 }));
  });

  test("are not taken from names that cannot be CAPTCHA texts", () => {
    const likely = (/** @type {string[]} */ names) =>
      areLikelyLabels(labelsFromNames(names), WORDS);
    assert.ok(!likely(Array(20).fill("IMG_1.png")));
    assert.ok(!likely(["2026-01-01.png", "0001.png", "0002.png"]));
    const counted = (/** @type {string} */ name, digits = 1, from = 1) =>
      Array.from({ length: 20 }, (_, i) => `${name}${String(from + i).padStart(digits, "0")}.png`);
    assert.ok(!likely(counted("")));
    assert.ok(!likely(counted("", 4)));
    assert.ok(!likely(counted("", 6, 20_190)));
    assert.ok(!likely(counted("captcha", 3)));
    assert.ok(!likely(["a1", "c3d4e5f6a7b8c9d0", "d3d4e5f6a7b8c9d0"]));
    // One other name, or a number out of sequence, changes nothing.
    assert.ok(!likely(["g0.png", "g1.png", "g2.png", "thus.png"]));
    assert.ok(!likely([...counted("captcha", 3), "logo.png", "captcha900.png"]));
    assert.ok(!likely([...counted("", 4), "thus.png"]));
    assert.ok(!likely([...counted(""), "20260131.png", "a.png", "b.png"]));
  });

  test("are taken from names of digits that are not consecutive", () => {
    const likely = (/** @type {string[]} */ names) =>
      areLikelyLabels(labelsFromNames(names), WORDS);
    assert.ok(likely(["048213.png", "048291.png", "137721.png", "950008.png"]));
    assert.ok(likely(["1234.png", "1235.png", "thus.png"]));
    assert.ok(likely(["a1.png", "a2.png", "thus.png", "line.png", "kept.png"]));
    // Many short labels are close to each other, but repeat.
    const random = (/** @type {number} */ count, /** @type {number} */ most) => {
      let state = 1;
      return Array.from({ length: count }, (_, i) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return `${(state >>> 8) % most}_${i}.png`;
      });
    };
    assert.ok(likely(random(300, 1000)));
    assert.ok(likely(random(900, 1000)));
  });

  test("come from spec_train_val.txt and labels.csv, each for its folder", () => {
    const paths = ["a/1.png", "a/2.png", "b/1.png", "b/2, x.png", "c/1.png", "d/1.png", "1.png"];
    const labels = labelsFromFiles(paths, [
      { path: "a/spec_train_val.txt", text: "1 thus\r\n\r\n2 LINE\n" },
      { path: "b/labels.csv", text: 'file,label\n1.png, kerry\n"2, x.png","sa""id"\n' },
      { path: "c/labels.csv", text: "file;label\n1.png; zeal\n" },
      { path: "d/labels.csv", text: "\ufeff1.png\tsaid\n" },
    ]);
    assert.deepEqual(labels, ["thus", "LINE", "kerry", 'sa"id', "zeal", "said", null]);
  });

  for (const [what, file, csv] of /** @type {const} */ ([
    ["rows that begin with ./", "labels.csv", "./1.png,thus\n./a/2.png,line"],
    ["rows in another case", "labels.csv", "1.PNG,thus\nA/2.png,line"],
    ["paths of Windows", "labels.csv", "1.png,thus\na\\2.png,line"],
    ["a file of another case", "Labels.CSV", "1.png,thus\na/2.png,line"],
    ["a header in another order", "labels.csv", "label,file\nthus,1.png\nline,a/2.png"],
    ["other headers", "labels.csv", "Text;Id;Image\nthus;1;1.png\nline;2;a/2.png"],
  ])) {
    test(`come from ${what}`, () => {
      assert.ok(isLabelFile(`set/${file}`));
      const labels = labelsFromFiles(
        ["set/1.png", "set/a/2.png"],
        [{ path: `set/${file}`, text: csv }],
      );
      assert.deepEqual(labels, ["thus", "line"]);
    });
  }

  test("match file names in either Unicode form, and exact names first", () => {
    const labels = labelsFromFiles(
      ["u\u0308.png", "A.png", "a.png"],
      [{ path: "labels.csv", text: "ü.png,one\na.png,two\nA.png,three" }],
    );
    assert.deepEqual(labels, ["one", "three", "two"]);
  });

  test("report conflictingPaths and ignore repeated rows", () => {
    const text = "1.png,thus\n./1.png,Thus\n2.png,line\n2.png,kerry\n2.png,line";
    const files = [{ path: "set/labels.csv", text }];
    assert.deepEqual(conflictingPaths(files), ["set/2.png"]);
    assert.deepEqual(labelsFromFiles(["set/1.png", "set/2.png"], files), ["Thus", "line"]);
  });

  test("apply to the folder of the images when they are chosen later", () => {
    const files = [{ path: "labels.csv", text: "1.png,thus\n2.png,line" }];
    const later = (/** @type {string[]} */ ...paths) => labelsFromLaterFiles(paths, files);
    assert.deepEqual(later("1.png", "2.png"), ["thus", "line"]);
    assert.deepEqual(later("set.zip/set/1.png", "set.zip/set/2.png"), ["thus", "line"]);
    assert.deepEqual(later("set/1.png", "set/a/2.png"), ["thus", null]);
    assert.deepEqual(later("set/3.png", "set/4.png"), [null, null]);
  });
});
