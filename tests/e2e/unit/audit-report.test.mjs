// @ts-check
/** What an audit's report says. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  align,
  interval,
  percent,
  summarize,
  tellingCases,
  verdict,
} from "../../../web/src/audit/statistics.js";
import { toCsv } from "../../../web/src/view/report.js";
import * as statistics from "../../../web/src/audit/statistics.js";

describe("a report's figures", () => {
  const items = [
    { path: "1", label: "thus", text: "thus", confidence: 0.9 },
    { path: "2", label: "thus", text: "thas", confidence: 0.8 },
    { path: "3", label: "line", text: "lin", confidence: 0.3 },
    { path: "4", label: "line", error: "unreadable" },
    { path: "5", label: null, text: "kerry", confidence: 0.5 },
  ];

  test("count what was read, and how", () => {
    const summary = summarize(items);
    const { images: all, read, failed, labelled, exact } = summary;
    assert.deepEqual([all, read, failed, labelled, exact], [5, 4, 1, 3, 1]);
    assert.equal(summary.rate, 1 / 3);
    assert.equal(summary.letterRate, 10 / 12);
    assert.equal(summary.unwritable, 0);
    assert.deepEqual(summary.byLength, [{ length: 4, images: 3, exact: 1 }]);
    assert.deepEqual(summary.confusions, [
      { label: "u", text: "a", count: 1 },
      { label: "e", text: "", count: 1 },
    ]);
  });

  test("set a letter beside the one it was read as, whatever was left out or added", () => {
    const aligned = (/** @type {string} */ label, /** @type {string} */ text) =>
      align([...label], [...text]).map((pair) => pair.map((one) => one || "-").join(""));
    assert.deepEqual(aligned("kerry", "kery"), ["kk", "ee", "r-", "rr", "yy"]);
    assert.deepEqual(aligned("air", "airr"), ["aa", "ii", "-r", "rr"]);
    assert.deepEqual(aligned("thus", "thas"), ["tt", "hh", "ua", "ss"]);
    assert.deepEqual(aligned("", "ab"), ["-a", "-b"]);
    assert.deepEqual(aligned("", ""), []);
  });

  test("tell of labels that the network cannot write", () => {
    const labels = ["thus", "a5b2c", "sixsix"];
    const some = labels.map((label) => ({ path: label, label, text: "thus", confidence: 1 }));
    const summary = summarize(some);
    assert.equal(summary.unwritable, 2);
    assert.match(verdict(summary)[1], /^2 of the labels cannot be read by this network/);
  });

  test("hold Wilson's intervals", () => {
    // As `captcha-lens evaluate` prints them.
    const [low, high] = interval(17253, 20000);
    assert.ok(Math.abs(low - 0.8578) < 1e-4 && Math.abs(high - 0.8674) < 1e-4);
    assert.deepEqual(interval(0, 0), [0, 1]);
    assert.equal(interval(0, 10)[0], 0);
    assert.equal(interval(10, 10)[1], 1);
  });

  test("put the surest first", () => {
    const groups = tellingCases(items, 1).map(({ title, items: [{ path }] }) => [title, path]);
    assert.deepEqual(groups, [
      ["Wrong, surest first", "2"],
      ["Right, and surest", "1"],
      ["Right, and least sure", "1"],
      ["Surest", "5"],
      ["Least sure", "5"],
    ]);
  });

  test("are said in words, whatever they are", () => {
    assert.match(verdict(summarize(items))[0], /3\.0 tries on average/);
    assert.match(verdict(summarize([]))[0], /nothing to say/);
    assert.match(verdict(summarize(items.slice(4)))[0], /Without labels/);
    const nothing = verdict(summarize(items.slice(1, 3)));
    assert.match(nothing[0], /None of 2/);
    assert.match(nothing[1], /limit on tries/);
  });

  test("say no more than so many images tell", () => {
    const of = (/** @type {number} */ right, /** @type {number} */ wrong) =>
      verdict(
        summarize(
          Array.from({ length: right + wrong }, (_, i) => ({
            path: `${i}.png`,
            label: "thus",
            text: i < right ? "thus" : "line",
            confidence: 0.5,
          })),
        ),
      ).join(" ");
    assert.match(of(0, 1), /So few images/);
    assert.doesNotMatch(of(0, 200), /So few images/);
    assert.match(of(0, 200), /Few are read/);
    assert.match(of(3, 2), /So few images/);
    assert.doesNotMatch(of(20, 0), /More can be read|So few images/);
    assert.match(of(20, 0), /can train one on your very style/);
  });

  test("claim no certainty that is not there", () => {
    assert.deepEqual([0, 0.0001, 0.5, 0.9999, 1].map(percent), [
      "0.0\u202f%",
      "<0.1\u202f%",
      "50.0\u202f%",
      ">99.9\u202f%",
      "100.0\u202f%",
    ]);
  });

  test("go into a table that no spreadsheet takes for a formula", () => {
    const csv = toCsv(
      [{ path: '=a"b,c.png', label: "thus", text: "thus", confidence: 0.91234 }],
      statistics,
    );
    assert.equal(
      csv,
      'file,label,text,confidence,right,error\r\n"\'=a""b,c.png",thus,thus,0.9123,true,',
    );
    for (const start of "=+-@\t\r\n") {
      const [, ...rows] = toCsv([{ path: `${start}1`, confidence: -1 }], statistics).split("\r\n");
      const quotes = start === "\r" || start === "\n" ? '"' : "";
      assert.deepEqual(rows, [`${quotes}'${start}1${quotes},,,-1.0000,,`]);
    }
  });
});
