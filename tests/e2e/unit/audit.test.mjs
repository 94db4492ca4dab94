// @ts-check
/** The audit's parts that need no browser: labels, archives, runs, figures. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { filesOf, filesOfDrop, findImages } from "../../../web/src/audit/files.js";
import { areLikely, labelsFromFiles, labelsFromNames } from "../../../web/src/audit/labels.js";
import { AuditRun } from "../../../web/src/audit/run.js";
import {
  align,
  interval,
  percent,
  summarize,
  tellingCases,
  verdict,
} from "../../../web/src/audit/statistics.js";
import { listZip } from "../../../web/src/audit/zip.js";
import { LensError } from "../../../web/src/errors.js";
import { toCsv } from "../../../web/src/view/report.js";
import * as statistics from "../../../web/src/audit/statistics.js";

/** @import { AuditImage } from "../../../web/src/types.js" */

/**
 * A zip archive, written after APPNOTE.TXT.
 *
 * @param {{ path: string, content: string, stored?: boolean, flags?: number }[]} files
 * @param {string} [comment]
 */
function zip(files, comment = "") {
  /** @type {Buffer[]} */
  const bodies = [];
  /** @type {Buffer[]} */
  const entries = [];
  let offset = 0;
  for (const { path, content, stored = false, flags = 0 } of files) {
    const name = Buffer.from(path);
    const data = stored ? Buffer.from(content) : deflateRawSync(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28); // an extra field, which the directory does not have
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(stored ? 0 : 8, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(Buffer.byteLength(content), 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    bodies.push(local, name, Buffer.alloc(4), data);
    entries.push(entry, name);
    offset += 30 + name.length + 4 + data.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...bodies, directory, end, Buffer.from(comment)]);
}

/**
 * @param {string} name
 * @param {Parameters<typeof zip>[0]} files
 */
const zipFile = (name, files) => new File([new Uint8Array(zip(files))], name);
/** @param {Buffer} bytes */
const blob = (bytes) => new Blob([new Uint8Array(bytes)]);
/** @param {string} code */
const withCode = (code) => (/** @type {unknown} */ error) =>
  error instanceof LensError && error.code === code;

describe("labels", () => {
  test("come from names, up to the first underscore", () => {
    const labels = labelsFromNames(["Thus.png", "a/line_2.JPG", "x.y/kerry_a_b.webp"]);
    assert.deepEqual(labels, ["thus", "line", "kerry"]);
    assert.ok(areLikely(labels));
  });

  test("are not taken from names that no CAPTCHA says", () => {
    assert.ok(!areLikely(labelsFromNames(Array(20).fill("IMG_1.png"))));
    assert.ok(!areLikely(labelsFromNames(["2026-01-01.png", "0001.png", "0002.png"])));
  });

  test("come from the paper's file and from labels.csv, each for its folder", () => {
    const paths = ["a/1.png", "a/2.png", "b/1.png", "b/2, x.png", "c/1.png", "d/1.png", "1.png"];
    const labels = labelsFromFiles(paths, [
      { path: "a/spec_train_val.txt", text: "1 thus\r\n\r\n2 LINE\n" },
      { path: "b/labels.csv", text: 'file,label\n1.png, kerry\n"2, x.png","sa""id"\n' },
      { path: "c/labels.csv", text: "file;label\n1.png; zeal\n" },
      { path: "d/labels.csv", text: "1.png\tsaid\n" },
    ]);
    assert.deepEqual(labels, ["thus", "line", "kerry", 'sa"id', "zeal", "said", null]);
  });
});

describe("zip archives", () => {
  test("give their files, deflated and stored, behind a comment", async () => {
    const archive = zip(
      [
        { path: "folder/", content: "", stored: true },
        { path: "folder/thüs.png", content: "one ".repeat(1000) },
        { path: "line.png", content: "two", stored: true },
      ],
      "a comment",
    );
    const files = await listZip(blob(archive));
    assert.deepEqual(
      files.map(({ path, size }) => [path, size]),
      [
        ["folder/thüs.png", 4000],
        ["line.png", 3],
      ],
    );
    assert.equal(await (await files[0].open()).text(), "one ".repeat(1000));
    assert.equal(await (await files[1].open()).text(), "two");
  });

  test("that are cut, damaged or encrypted are errors with a code", async () => {
    const archive = zip([{ path: "a.png", content: "abc".repeat(99) }]);
    await assert.rejects(listZip(blob(archive.subarray(0, 40))), withCode("bad-archive"));
    await assert.rejects(listZip(blob(archive.subarray(20))), withCode("bad-archive"));
    await assert.rejects(listZip(blob(Buffer.alloc(0))), withCode("bad-archive"));
    const damaged = Buffer.from(archive);
    damaged.fill(0xff, 39, 43); // the deflated bytes, behind header, name and extra field
    const [file] = await listZip(blob(damaged));
    await assert.rejects(file.open(), withCode("bad-archive"));
    const [secret] = await listZip(blob(zip([{ path: "a.png", content: "abc", flags: 1 }])));
    await assert.rejects(secret.open(), withCode("bad-archive"));
  });

  test("of more files than their directory can count, and with paths of Windows, are listed", async () => {
    const archive = zip([
      { path: "set\\thus.png", content: "x" },
      { path: "set\\", content: "" },
      { path: "line.png", content: "x" },
    ]);
    archive.writeUInt16LE(0xffff, archive.length - 22 + 10);
    const files = await listZip(blob(archive));
    assert.deepEqual(
      files.map(({ path }) => path),
      ["set/thus.png", "line.png"],
    );
  });

  test("that hold more than they say, or say too much, keep no image from being read", async () => {
    const archive = zip([
      { path: "bomb.png", content: "0".repeat(1_000_000) },
      { path: "fine.png", content: "x" },
      { path: "huge.png", content: "x" },
    ]);
    const entry = (/** @type {string} */ path) => archive.lastIndexOf(path) - 46;
    archive.writeUInt32LE(1000, entry("bomb.png") + 24);
    archive.writeUInt32LE(21 * 1024 * 1024, entry("huge.png") + 24);
    const { images } = await findImages(filesOf([new File([new Uint8Array(archive)], "set.zip")]));
    const recognizeAll = async (/** @type {Blob[]} */ blobs) =>
      blobs.map(() => ({ text: "x", confidence: 1 }));
    const run = new AuditRun(images, { recognizeAll }, () => {});
    await run.finish();
    assert.match(run.items[0]?.error ?? "", /bomb\.png is damaged/);
    assert.equal(run.items[1]?.text, "x");
    assert.match(run.items[2]?.error ?? "", /larger than 20 MB/);
  });

  test("are searched for images and labels, without what systems leave behind", async () => {
    const archive = zipFile("set.zip", [
      { path: "a/10.png", content: "x" },
      { path: "a/9.png", content: "x" },
      { path: "a/labels.csv", content: "9.png,line" },
      { path: "a/readme.md", content: "x" },
      { path: "__MACOSX/a/._9.png", content: "x" },
    ]);
    const leftBehind = new File(["x"], "._set.zip");
    const found = await findImages(filesOf([archive, leftBehind, new File(["x"], "alone.gif")]));
    const paths = found.images.map(({ path }) => path);
    assert.deepEqual(paths, ["alone.gif", "set.zip/a/9.png", "set.zip/a/10.png"]);
    assert.deepEqual(labelsFromFiles(paths, found.labelFiles), [null, "line", null]);
    assert.equal(found.ignored, 1);
    assert.deepEqual(found.problems, []);
    const notes = filesOf([new File(["x"], "notes.txt")]);
    await assert.rejects(findImages(notes), withCode("no-images"));
  });

  test("keep their labels to themselves, also where they have one name", async () => {
    const set = (/** @type {string} */ label) => [
      { path: "1.png", content: "x" },
      { path: "labels.csv", content: `1.png,${label}` },
    ];
    const found = await findImages(
      filesOf([
        zipFile("a.zip", set("thus")),
        zipFile("b.zip", set("line")),
        zipFile("b.zip", set("kerry")),
        zipFile("c.zip", set("zeal").slice(0, 1)),
        new File(["x"], "1.png"),
      ]),
    );
    const paths = found.images.map(({ path }) => path);
    const labels = labelsFromFiles(paths, found.labelFiles);
    assert.deepEqual(Object.fromEntries(paths.map((path, i) => [path, labels[i]])), {
      "a.zip/1.png": "thus",
      "b.zip/1.png": "line",
      "b.zip (2)/1.png": "kerry",
      "c.zip/1.png": null,
      "1.png": null,
    });
  });

  test("that cannot be opened keep nothing else from being found, nor do label files", async () => {
    const gone = new File([], "labels.csv");
    gone.text = () => Promise.reject(new DOMException("It is gone.", "NotReadableError"));
    const secret = [
      { path: "1.png", content: "x" },
      { path: "labels.csv", content: "1.png,thus", flags: 1 },
    ];
    const broken = new File(["x"], "broken.zip");
    const given = [broken, zipFile("a.zip", secret), gone, new File(["x"], "2.png")];
    const { images, labelFiles, problems } = await findImages(filesOf(given));
    assert.deepEqual(
      images.map(({ path }) => path),
      ["2.png", "a.zip/1.png"],
    );
    assert.deepEqual(labelFiles, []);
    assert.deepEqual(
      problems.map(({ path, error: { code } }) => [path, code]),
      [
        ["broken.zip", "bad-archive"],
        ["a.zip/labels.csv", "bad-archive"],
        ["labels.csv", "unreadable-file"],
      ],
    );
    assert.match(problems[0].error.message, /^broken\.zip: .* Unpack it first\.$/);
    await assert.rejects(findImages(filesOf([broken])), withCode("bad-archive"));
  });
});

/** @typedef {{ name: string, inside?: any[], broken?: boolean }} Entry */

/**
 * A drop, as browsers give it.
 *
 * @param {Entry[]} entries
 */
function drop(entries) {
  /** @type {(entry: Entry) => any} */
  const asEntry = ({ name, inside, broken }) => {
    const left = [(inside ?? []).map(asEntry), []];
    return {
      name,
      isFile: !inside,
      file: (/** @type {Function} */ resolve, /** @type {Function} */ reject) =>
        broken ? reject(new Error("gone")) : resolve(new File(["x.png,line"], name)),
      createReader: () => ({
        readEntries: (/** @type {Function} */ resolve, /** @type {Function} */ reject) =>
          broken ? reject(new Error("gone")) : resolve(left.shift()),
      }),
    };
  };
  const items = entries.map((entry) => ({ webkitGetAsEntry: () => asEntry(entry) }));
  return /** @type {any} */ ({ items, files: [] });
}

describe("drops", () => {
  test("of folders keep their labels to themselves, also where they have one name", async () => {
    const image = { name: "x.png" };
    const given = await filesOfDrop(
      drop([
        { name: "a", inside: [{ name: "b", inside: [image] }, { name: "labels.csv" }, image] },
        { name: "a", inside: [image] },
        image,
      ]),
    );
    const { images, labelFiles } = await findImages(given);
    const paths = images.map(({ path }) => path);
    assert.deepEqual(paths.sort(), ["a (2)/x.png", "a/b/x.png", "a/x.png", "x.png"]);
    assert.deepEqual(labelsFromFiles(paths, labelFiles), [null, null, "line", null]);
  });

  test("are taken but for what cannot be opened", async () => {
    const given = await filesOfDrop(
      drop([
        { name: "a", inside: [], broken: true },
        { name: "1.png" },
        { name: "2.png", broken: true },
      ]),
    );
    const { images, problems } = await findImages(given);
    assert.deepEqual(
      images.map(({ path }) => path),
      ["1.png", "2.png"],
    );
    assert.equal(await (await images[0].open()).text(), "x.png,line");
    await assert.rejects(images[1].open(), /gone/); // which the report says of it
    assert.match(problems[0].error.message, /^a\/: gone/);
    assert.equal(problems.length, 1);
  });
});

/** @param {number} count @returns {AuditImage[]} */
const images = (count) =>
  Array.from({ length: count }, (_, i) => ({
    path: `${i}.png`,
    open: async () => new Blob([String(i)]),
  }));

describe("a run", () => {
  /** @param {Blob[]} blobs */
  const recognizeAll = (blobs) =>
    Promise.all(
      blobs.map(async (blob) => {
        const text = await blob.text();
        if (text === "3") return new LensError("unreadable-image", "no image");
        return { text, confidence: 0.5 };
      }),
    );
  const texts = (/** @type {AuditRun} */ run) => run.items.map((item) => item?.text ?? item?.error);

  test("reads every image in its place and notes what cannot be read", async () => {
    /** @type {number[]} */
    const done = [];
    const run = new AuditRun(images(10), { recognizeAll }, (progress) => done.push(progress.done));
    assert.equal(await run.finish(), true);
    assert.deepEqual(texts(run), ["0", "1", "2", "no image", "4", "5", "6", "7", "8", "9"]);
    assert.deepEqual(done, [0, 1, 3, 7, 10], "batches grow");
  });

  test("reads one by one where a batch breaks the engine down, or cannot be opened", async () => {
    const given = images(12);
    given[5].open = () => Promise.reject(new Error("gone"));
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        const all = await Promise.all(blobs.map((blob) => blob.text()));
        if (all.includes("8")) throw new LensError("engine-crashed", "panic");
        return all.map((text) => ({ text, confidence: 1 }));
      },
    };
    const run = new AuditRun(given, reader, () => {});
    assert.equal(await run.finish(), true);
    const expected = ["0", "1", "2", "3", "4", "gone", "6", "7", "panic", "9", "10", "11"];
    assert.deepEqual(texts(run), expected);
  });

  test("pauses, goes on, and does not count the pause", async () => {
    let clock = 0;
    /** @type {import("../../../web/src/audit/run.js").RunProgress[]} */
    const reports = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        clock += 300; // slow: one image a batch
        return blobs.map(() => ({ text: "x", confidence: 1 }));
      },
    };
    const run = new AuditRun(
      images(20),
      reader,
      (progress) => {
        reports.push(progress);
        if (progress.done === 5) run.pause();
      },
      () => clock,
    );
    const finished = run.finish();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(run.paused);
    assert.equal(run.items.filter(Boolean).length, 5);
    clock += 1_000_000;
    run.resume();
    assert.equal(await finished, true);
    assert.ok(reports[reports.length - 1].perSecond > 3);
    assert.equal(reports[reports.length - 1].secondsLeft, 0);
  });

  test("keeps what was read before a cancel", async () => {
    const run = new AuditRun(images(50), { recognizeAll }, ({ done }) => {
      if (done === 7) run.cancel();
    });
    assert.equal(await run.finish(), false);
    assert.equal(run.items.filter(Boolean).length, 7);
  });

  test("ends where nothing can be read at all", async () => {
    const reader = {
      recognizeAll: () => Promise.reject(new LensError("bad-weights", "These are no weights.")),
    };
    const run = new AuditRun(images(5), reader, () => {});
    await assert.rejects(run.finish(), withCode("bad-weights"));
  });
});

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
