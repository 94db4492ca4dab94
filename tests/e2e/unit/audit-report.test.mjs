// @ts-check
/** The content of an audit report. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { describeNetwork, labelRules } from "../../../web/src/audit/alphabet.js";
import {
  align,
  evaluateItems,
  notableCases,
  summarize,
} from "../../../web/src/audit/statistics.js";
import {
  approximateShare,
  describeScope,
  describeVerdict,
} from "../../../web/src/audit/verdict.js";
import { percent } from "../../../web/src/common/format.js";
import { toCsv } from "../../../web/src/ui/report/save.js";

/** @import { AuditItem, AuditNetwork } from "../../../web/src/audit/types.js" */

const CHARACTERS = "abcdefghijklmnopqrstuvwxyz";
const WORDS = { alphabet: CHARACTERS, maxLength: 5 };
const DIGITS = { alphabet: "0123456789", maxLength: 6 };
const BOTH = { alphabet: `${CHARACTERS}${CHARACTERS.toUpperCase()}0123456789`, maxLength: 6 };

/**
 * @param {AuditItem[]} items
 * @param {AuditNetwork} [network]
 */
const count = (items, network = WORDS) => summarize(evaluateItems(items, network));
/**
 * All sentences about the result of a report.
 *
 * @param {AuditItem[]} items
 * @param {AuditNetwork} [network]
 */
const words = (items, network = WORDS) => {
  const summary = count(items, network);
  return [...describeScope(summary, network), ...describeVerdict(summary)].join(" ");
};
/** @param {number} many @param {string} label @param {string} text */
const same = (many, label, text, confidence = 0.5) =>
  Array.from({ length: many }, (_, i) => ({ path: `${label}_${i}.png`, label, text, confidence }));

describe("labels that a model cannot write", () => {
  // The tests of the command line use the same cases.
  test("follow from the alphabet and the maximum length", async () => {
    const file = new URL("../../audit/labels.json", import.meta.url);
    const cases = JSON.parse(await readFile(file, "utf8"));
    assert.ok(cases.length > 0);
    for (const { words: described, labels, ignoreCase, ...network } of cases) {
      assert.equal(describeNetwork(network), described);
      const { fold, problems } = labelRules(network, ignoreCase);
      for (const { label, folded, problems: expected } of labels) {
        assert.equal(fold(label), folded);
        assert.deepEqual(problems(folded), expected, label);
      }
    }
  });

  test("are described without listing a large alphabet", () => {
    const many = String.fromCodePoint(...Array.from({ length: 500 }, (_, i) => 0x4e00 + 2 * i));
    assert.equal(
      describeNetwork({ alphabet: many, maxLength: 4 }),
      "500 different characters, 1 to 4 characters",
    );
  });

  test("are counted and named, and do not change the result", () => {
    const items = [...same(120, "a5b2c", "aabbc"), ...same(80, "thus", "thus")];
    const summary = count(items);
    assert.deepEqual(
      [summary.labelled, summary.supported, summary.unsupported, summary.exactMatches],
      [200, 80, 120, 80],
    );
    assert.equal(summary.exactMatchRate, 1);
    assert.deepEqual(summary.byLength, [{ length: 4, images: 80, exactMatches: 80 }]);
    assert.deepEqual(summary.confusions, []);
    assert.deepEqual(describeScope(summary, WORDS), [
      "This model reads a to z, 1 to 5 characters. 120 of 200 labels contain digits.",
      "The result below covers 80 images. It says nothing about the other 120.",
    ]);
    assert.match(
      words([...same(1, "a5b2c", "x"), ...same(59, "thus", "thus")]),
      /1 of 60 labels contains digits\. The result below covers 59 images\. It says nothing/,
    );
    // When most images are not compared, no share is shown for all of them.
    assert.match(words(items), /cannot write most of the labels/);
    assert.match(
      words([...same(2, "a5b2c", "x"), ...same(1, "sixsix", "x"), ...same(1, "thus", "thus")]),
      /3 of 4 labels do not fit: 2 contain digits, 1 is longer than 5 characters\. The result below covers 1 image\./,
    );
  });

  test("give no result when all labels are such", () => {
    for (const [label, network] of /** @type {const} */ ([
      ["049025", WORDS],
      ["longer", WORDS],
      ["thus", DIGITS],
    ])) {
      for (const many of [1, 200]) {
        const items = same(many, label, "l");
        const summary = count(items, network);
        assert.deepEqual(
          [
            summary.exactMatchRate,
            summary.interval,
            summary.characterAccuracy,
            summary.meanConfidence,
          ],
          [null, null, null, null],
        );
        assert.deepEqual(summary.thresholds, []);
        const sentences = words(items, network);
        assert.match(sentences, /There is no result, neither good nor bad/);
        assert.match(sentences, /fine-tune .+ \(captcha-lens finetune\)/);
        assert.doesNotMatch(sentences, /%|solved|interval/);
      }
    }
    assert.match(words(same(200, "0490", "l")), /All 200 labels contain digits\./);
    assert.match(
      words(same(1, "049025", "l")),
      /The only label contains digits and is longer than 5 characters\./,
    );
  });

  test("are none when the model can write them", () => {
    const items = [...same(3, "7kQ2", "7kQ2"), ...same(1, "7kQ2", "7kq2")];
    const summary = count(items, BOTH);
    assert.deepEqual([summary.supported, summary.exactMatches, summary.caseIgnored], [4, 3, 0]);
    assert.deepEqual(describeScope(summary, BOTH), []);
    // This alphabet has capital letters.
    assert.deepEqual(summary.confusions, [{ label: "Q", text: "q", count: 1 }]);
  });

  test("are compared without case when only the case differs, and the report says so", () => {
    const items = [...same(1, "THUS", "thus"), ...same(1, "line", "line")];
    assert.equal(count(items).exactMatches, 2);
    assert.match(
      words(items),
      /Capital and small letters count as the same.*\(1 of the 2 labels\)/,
    );
  });
});

describe("report figures", () => {
  const items = [
    { path: "1", label: "thus", text: "thus", confidence: 0.9 },
    { path: "2", label: "thus", text: "thas", confidence: 0.8 },
    { path: "3", label: "line", text: "lin", confidence: 0.3 },
    { path: "4", label: "line", error: "unreadable" },
    { path: "5", label: null, text: "kerry", confidence: 0.5 },
  ];

  test("count readings and exact matches", () => {
    const summary = count(items);
    const { images: all, read, failed, labelled, supported, exactMatches } = summary;
    assert.deepEqual([all, read, failed, labelled, supported, exactMatches], [5, 4, 1, 3, 3, 1]);
    assert.equal(summary.exactMatchRate, 1 / 3);
    assert.equal(summary.characterAccuracy, 10 / 12);
    assert.equal(summary.unsupported, 0);
    assert.deepEqual(summary.byLength, [{ length: 4, images: 3, exactMatches: 1 }]);
    assert.deepEqual(summary.confusions, [
      { label: "u", text: "a", count: 1 },
      { label: "e", text: "", count: 1 },
    ]);
  });

  test("align characters when some are missing or added", () => {
    const aligned = (/** @type {string} */ label, /** @type {string} */ text) =>
      align([...label], [...text]).map((pair) => pair.map((one) => one || "-").join(""));
    assert.deepEqual(aligned("kerry", "kery"), ["kk", "ee", "r-", "rr", "yy"]);
    assert.deepEqual(aligned("air", "airr"), ["aa", "ii", "-r", "rr"]);
    assert.deepEqual(aligned("thus", "thas"), ["tt", "hh", "ua", "ss"]);
    assert.deepEqual(aligned("", "ab"), ["-a", "-b"]);
    assert.deepEqual(aligned("", ""), []);
  });

  test("count answered and correct images by minimum confidence", () => {
    const { thresholds } = count([
      ...items,
      ...same(1, "thus", "thus", 1),
      ...same(3, "a5", "aa", 1),
    ]);
    assert.equal(thresholds.length, 101);
    const at = (/** @type {number} */ hundredths) => {
      const { threshold, answered, correct } = thresholds[hundredths];
      assert.equal(threshold, hundredths / 100);
      return [answered, correct];
    };
    assert.deepEqual([0, 30, 31, 80, 81, 90, 91, 100].map(at), [
      [4, 2],
      [4, 2],
      [3, 2],
      [3, 2],
      [2, 2],
      [2, 2],
      [1, 1],
      [1, 1],
    ]);
  });

  test("do not count an empty reading as an answer at any confidence", () => {
    const { thresholds, meanConfidence } = count([...items, ...same(4, "line", "", 0.999)]);
    assert.equal(thresholds[99].answered, 0);
    assert.equal(thresholds[0].answered, 7);
    assert.ok((meanConfidence ?? 1) < 0.5);
    const judged = evaluateItems(
      [...same(40, "thus", "thus", 1), ...same(1, "line", "", 1)],
      WORDS,
    );
    assert.ok(!judged.some(({ labelDoubtful }) => labelDoubtful));
  });

  test("sort cases by confidence", () => {
    const judged = evaluateItems([...items, ...same(1, "a5", "aa")], WORDS);
    const groups = notableCases(judged, 1).map(({ title, items: [{ item }] }) => [
      title,
      item.path,
    ]);
    assert.deepEqual(groups, [
      ["Wrong, highest confidence", "2"],
      ["Correct, highest confidence", "1"],
      ["Correct, lowest confidence", "1"],
      ["Without a label, highest confidence", "5"],
      ["Without a label, lowest confidence", "5"],
      ["Not compared: labels that this model cannot write", "a5_0.png"],
    ]);
  });

  test("doubt a label when confident readings are mostly correct and contradict it", () => {
    const labelDoubtful = (/** @type {AuditItem[]} */ some) =>
      evaluateItems(some, WORDS).filter((one) => one.labelDoubtful).length;
    const correct = same(40, "thus", "thus", 0.999);
    assert.equal(labelDoubtful([...correct, ...same(4, "line", "kerry", 0.999)]), 4);
    assert.equal(labelDoubtful([...correct, ...same(4, "line", "kerry", 0.98)]), 0);
    // A model that is often confident and wrong does not put labels in doubt.
    assert.equal(labelDoubtful([...correct, ...same(40, "line", "kerry", 0.999)]), 0);
    const [group] = notableCases(
      evaluateItems([...correct, ...same(9, "line", "kerry", 1)], WORDS),
      8,
    );
    assert.deepEqual([group.title, group.items.length], ["Labels that may be wrong", 8]);
  });

  test("are not rounded to 0% or 100%", () => {
    assert.deepEqual([0, 0.0001, 0.5, 0.9999, 1].map(percent), [
      "0.0%",
      "<0.1%",
      "50.0%",
      ">99.9%",
      "100.0%",
    ]);
  });
});

describe("verdict", () => {
  const of = (/** @type {number} */ correct, /** @type {number} */ wrong) =>
    words([...same(correct, "thus", "thus"), ...same(wrong, "thus", "line")]);

  test("says how many images this model solved and that another may solve more", () => {
    assert.match(of(1, 2), /solved 1 of 3 images, about 1 in 3\. Another model may solve more/);
    assert.match(
      of(0, 200),
      /solved none of 200 images\. This does not show that the CAPTCHA stops bots/,
    );
    assert.match(of(20, 0), /solved all 20 images\. .*do not stop bots/);
    assert.doesNotMatch(of(20, 0), /solve more/);
    // One image, or a few of many, do not show anything about all images of this kind.
    assert.doesNotMatch(of(1, 0), /do not stop bots/);
    assert.match(of(3, 2), /The sample is small/);
    assert.doesNotMatch(of(0, 200), /The sample is small/);
    assert.match(words([]), /no images/);
    assert.match(words([{ path: "1", error: "x" }]), /No image could be read/);
    assert.match(words([{ path: "1", text: "thus", confidence: 0.5 }]), /have no labels/);
  });

  test("promises no number of attempts and calls no share protection", () => {
    const counts = [0, 1, 2, 5, 19, 50, 99, 100, 199, 1000];
    for (const correct of counts) {
      for (const wrong of counts) {
        for (const unsupported of [0, 1, 120]) {
          const sentences = words([
            ...same(correct, "THUS", "thus"),
            ...same(wrong, "thus", "line"),
            ...same(unsupported, "a5", "a"),
          ]);
          assert.doesNotMatch(
            sentences,
            /or more on average|on average|at most|at least|\bsafe|secure|\bfew\b|seldom|needs? \d|\d (tries|attempts)|NaN|null|undefined|Infinity/i,
          );
          assert.equal(
            /%/.test(sentences),
            correct + wrong > 0 && /The sample is small/.test(sentences),
          );
        }
      }
    }
  });

  test("describes a share by a fraction close to it", () => {
    for (let correct = 1; correct < 1000; correct++) {
      const sentences = approximateShare(correct / 1000);
      const [, part, whole] = /about (\d+) in ([\d,]+)/.exec(sentences) ?? [];
      if (!part) assert.ok(sentences === "nearly all" && correct > 950);
      else {
        const share = Number(part) / Number(whole.replaceAll(",", ""));
        assert.ok(Math.abs(share - correct / 1000) < 0.1, `${sentences} for ${correct / 10}%`);
      }
    }
    assert.deepEqual([0.31, 0.48, 0.65, 0.001].map(approximateShare), [
      "about 1 in 3",
      "about 1 in 2",
      "about 2 in 3",
      "about 1 in 1,000",
    ]);
  });
});

describe("saved table", () => {
  const csv = (/** @type {AuditItem[]} */ items) => toCsv(evaluateItems(items, WORDS));

  test("contains no cell that a spreadsheet runs as a formula", () => {
    assert.equal(
      csv([{ path: '=a"b,c.png', label: "thus", text: "thus", confidence: 0.91234 }]),
      'file,label,text,confidence,correct,note,error\r\n"./=a""b,c.png",thus,thus,0.9123,true,,',
    );
    for (const start of "=+-@\t\r\n") {
      const [, row] = csv([{ path: "1", error: `${start}a`, confidence: -1 }]).split(/\r\n(?=1,)/);
      const quotes = start === "\r" || start === "\n" ? '"' : "";
      assert.equal(row, `1,,,-1.0000,,,${quotes}'${start}a${quotes}`);
    }
  });

  test("keeps paths valid and numbers unchanged", () => {
    const [, row] = csv([{ path: "-1.png", label: "-12", text: "l", confidence: 1 }]).split("\r\n");
    assert.equal(
      row,
      "./-1.png,-12,l,1.0000,,label contains other characters; label contains digits,",
    );
  });

  test("marks labelDoubtful labels", () => {
    const items = [...same(40, "thus", "thus", 1), ...same(1, "line", "kerry", 1)];
    const rows = csv(items).split("\r\n");
    assert.equal(rows[41], "line_0.png,line,kerry,1.0000,false,label may be wrong,");
  });
});
