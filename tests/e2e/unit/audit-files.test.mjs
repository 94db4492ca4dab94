// @ts-check
/** The input of an audit: labels, archives and dropped files. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { filesFromList, filesFromDrop, findImages } from "../../../web/src/audit/files.js";
import {
  areLikelyLabels,
  conflictingPaths,
  isLabelFile,
  labelsFromFiles,
  labelsFromLaterFiles,
  labelsFromNames,
} from "../../../web/src/audit/labels.js";
import { AuditRun } from "../../../web/src/audit/run.js";
import { listZip } from "../../../web/src/audit/zip.js";
import { LensError } from "../../../web/src/lib/errors.js";

/**
 * Builds a zip archive according to APPNOTE.TXT.
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
    local.writeUInt16LE(4, 28); // an extra field that the central directory does not have
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
 * Builds the same archive with all numbers in zip64 records (sections 4.3.14, 4.3.15 and 4.5.3).
 *
 * @param {{ path: string, content: string }[]} files
 */
function zip64(files) {
  const plain = zip(files);
  const end = plain.length - 22;
  const start = plain.readUInt32LE(end + 16);
  /** @type {Buffer[]} */
  const entries = [];
  for (let at = start; at < end;) {
    const name = plain.readUInt16LE(at + 28);
    const entry = Buffer.from(plain.subarray(at, at + 46 + name));
    const field = Buffer.alloc(28);
    field.writeUInt16LE(1, 0);
    field.writeUInt16LE(24, 2);
    [24, 20, 42].forEach((offset, i) => {
      field.writeBigUInt64LE(BigInt(entry.readUInt32LE(offset)), 4 + 8 * i);
      entry.writeUInt32LE(0xffffffff, offset);
    });
    const other = Buffer.from([0x99, 0x99, 1, 0, 0]); // another extra field before it
    entry.writeUInt16LE(other.length + field.length, 30);
    entries.push(entry, other, field);
    at += 46 + name;
  }
  const directory = Buffer.concat(entries);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(BigInt(files.length), 32);
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8);
  const last = Buffer.alloc(22, 0xff);
  last.writeUInt32LE(0x06054b50, 0);
  last.writeUInt16LE(0, 20);
  return Buffer.concat([plain.subarray(0, start), directory, record, locator, last]);
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

describe("zip archives", () => {
  test("list deflated and stored files before a comment", async () => {
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

  test("fail with a code when they are truncated, damaged or encrypted", async () => {
    const archive = zip([{ path: "a.png", content: "abc".repeat(99) }]);
    await assert.rejects(listZip(blob(archive.subarray(0, 40))), withCode("bad-archive"));
    await assert.rejects(listZip(blob(archive.subarray(20))), withCode("bad-archive"));
    await assert.rejects(listZip(blob(Buffer.alloc(0))), withCode("bad-archive"));
    const damaged = Buffer.from(archive);
    damaged.fill(0xff, 39, 43); // the deflated bytes after header, name and extra field
    const [file] = await listZip(blob(damaged));
    await assert.rejects(file.open(), withCode("bad-archive"));
    const [secret] = await listZip(blob(zip([{ path: "a.png", content: "abc", flags: 1 }])));
    await assert.rejects(secret.open(), withCode("bad-archive"));
  });

  test("list more files than 16 bits can count, and Windows paths", async () => {
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

  test("with zip64 records are listNames with their true sizes", async () => {
    const archive = zip64([
      { path: "1.png", content: "one ".repeat(100) },
      { path: "2.png", content: "two" },
    ]);
    const files = await listZip(blob(archive));
    assert.deepEqual(
      files.map(({ path, size }) => [path, size]),
      [
        ["1.png", 400],
        ["2.png", 3],
      ],
    );
    assert.equal(await (await files[0].open()).text(), "one ".repeat(100));
    assert.equal(await (await files[1].open()).text(), "two");
    const damaged = Buffer.from(archive);
    damaged.writeUInt32LE(0, damaged.length - 22 - 20 - 56); // the signature of the record
    await assert.rejects(listZip(blob(damaged)), withCode("bad-archive"));
  });

  test("do not stop the other images when a size is wrong or too large", async () => {
    const archive = zip([
      { path: "bomb.png", content: "0".repeat(1_000_000) },
      { path: "fine.png", content: "x" },
      { path: "huge.png", content: "x" },
    ]);
    const entry = (/** @type {string} */ path) => archive.lastIndexOf(path) - 46;
    archive.writeUInt32LE(1000, entry("bomb.png") + 24);
    archive.writeUInt32LE(21 * 1024 * 1024, entry("huge.png") + 24);
    const { images } = await findImages(
      filesFromList([new File([new Uint8Array(archive)], "set.zip")]),
    );
    const recognizeAll = async (/** @type {Blob[]} */ blobs) =>
      blobs.map(() => ({ text: "x", confidence: 1 }));
    const run = new AuditRun(images, { recognizeAll }, () => {});
    await run.finish();
    assert.match(run.items[0]?.error ?? "", /bomb\.png is damaged/);
    assert.equal(run.items[1]?.text, "x");
    assert.match(run.items[2]?.error ?? "", /larger than 20 MB/);
  });

  test("are searched for images and labels, without system files", async () => {
    const archive = zipFile("set.zip", [
      { path: "a/10.png", content: "x" },
      { path: "a/9.png", content: "x" },
      { path: "a/labels.csv", content: "9.png,line" },
      { path: "a/readme.md", content: "x" },
      { path: "__MACOSX/a/._9.png", content: "x" },
    ]);
    const leftBehind = new File(["x"], "._set.zip");
    const found = await findImages(
      filesFromList([archive, leftBehind, new File(["x"], "alone.gif")]),
    );
    const paths = found.images.map(({ path }) => path);
    assert.deepEqual(paths, ["alone.gif", "set.zip/a/9.png", "set.zip/a/10.png"]);
    assert.deepEqual(labelsFromFiles(paths, found.labelFiles), [null, "line", null]);
    assert.deepEqual(found.ignored, ["set.zip/a/readme.md"]);
    assert.deepEqual(found.problems, []);
    const notes = filesFromList([new File(["x"], "notes.txt")]);
    await assert.rejects(findImages(notes), withCode("no-images"));
    await assert.rejects(findImages(notes), /\(notes\.txt\)/);
  });

  test("are read when their paths begin with ./", async () => {
    const archive = zipFile("set.zip", [
      { path: "./", content: "" },
      { path: "./1.png", content: "x" },
      { path: "./a/../.hidden.png", content: "x" },
      { path: "./labels.csv", content: "./1.png,thus" },
    ]);
    const found = await findImages(filesFromList([archive]));
    const paths = found.images.map(({ path }) => path);
    assert.deepEqual(paths, ["set.zip/1.png"]);
    assert.deepEqual(labelsFromFiles(paths, found.labelFiles), ["thus"]);
  });

  test("contain images of other formats and without an extension", async () => {
    const png = String.fromCharCode(0x89) + "PNG";
    const archive = zipFile("set.zip", [
      { path: "1.svg", content: "<svg/>" },
      { path: "2.AVIF", content: "x" },
      { path: "3", content: "GIF89a" },
      { path: "readme", content: "x" },
      { path: "4.dat", content: "x" },
    ]);
    const bytes = new Uint8Array([...png].map((one) => one.charCodeAt(0)));
    const files = [
      archive,
      new File([bytes], "captcha"),
      new File(["x"], "photo", { type: "image/jpeg" }),
    ];
    const { images, ignored } = await findImages(filesFromList(files));
    assert.deepEqual(
      images.map(({ path }) => path),
      ["captcha", "photo", "set.zip/1.svg", "set.zip/2.AVIF", "set.zip/3"],
    );
    assert.deepEqual(ignored, ["set.zip/readme", "set.zip/4.dat"]);
    // A browser shows SVG only with its media type.
    assert.equal((await images[2].open()).type, "image/svg+xml");
  });

  test("may contain only label files", async () => {
    const found = await findImages(filesFromList([new File(["1.png,thus"], "labels.csv")]));
    assert.deepEqual([found.images.length, found.labelFiles.length], [0, 1]);
  });

  test("keep their labels apart when they have the same name", async () => {
    const set = (/** @type {string} */ label) => [
      { path: "1.png", content: "x" },
      { path: "labels.csv", content: `1.png,${label}` },
    ];
    const found = await findImages(
      filesFromList([
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

  test("do not stop the search when they or label files cannot be opened", async () => {
    const gone = new File([], "labels.csv");
    gone.text = () => Promise.reject(new DOMException("It is gone.", "NotReadableError"));
    const secret = [
      { path: "1.png", content: "x" },
      { path: "labels.csv", content: "1.png,thus", flags: 1 },
    ];
    const broken = new File(["x"], "broken.zip");
    const files = [broken, zipFile("a.zip", secret), gone, new File(["x"], "2.png")];
    const { images, labelFiles, problems } = await findImages(filesFromList(files));
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
    await assert.rejects(findImages(filesFromList([broken])), withCode("bad-archive"));
  });
});

/** @typedef {{ name: string, inside?: any[], broken?: boolean }} Entry */

/**
 * The `DataTransfer` of a drop.
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

describe("dropped files", () => {
  test("keep the labels of folders apart when they have the same name", async () => {
    const image = { name: "x.png" };
    const files = await filesFromDrop(
      drop([
        { name: "a", inside: [{ name: "b", inside: [image] }, { name: "labels.csv" }, image] },
        { name: "a", inside: [image] },
        image,
      ]),
    );
    const { images, labelFiles } = await findImages(files);
    const paths = images.map(({ path }) => path);
    assert.deepEqual(paths.sort(), ["a (2)/x.png", "a/b/x.png", "a/x.png", "x.png"]);
    assert.deepEqual(labelsFromFiles(paths, labelFiles), [null, null, "line", null]);
  });

  test("may be more files than a call takes arguments", async () => {
    const inside = Array.from({ length: 140_000 }, (_, i) => ({ name: `${i}.png` }));
    const files = await filesFromDrop(drop([{ name: "a", inside: [{ name: "b", inside }] }]));
    assert.equal(files.length, inside.length);
  });

  test("are read except for those that cannot be opened", async () => {
    const files = await filesFromDrop(
      drop([
        { name: "a", inside: [], broken: true },
        { name: "1.png" },
        { name: "2.png", broken: true },
      ]),
    );
    const { images, problems } = await findImages(files);
    assert.deepEqual(
      images.map(({ path }) => path),
      ["1.png", "2.png"],
    );
    assert.equal(await (await images[0].open()).text(), "x.png,line");
    await assert.rejects(images[1].open(), /gone/); // the report shows this message
    assert.match(problems[0].error.message, /^a\/: gone/);
    assert.equal(problems.length, 1);
  });
});
