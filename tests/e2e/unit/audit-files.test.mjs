// @ts-check
/** The input of an audit: archives and dropped files. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { filesFromList, filesFromDrop, findImages } from "../../../web/src/audit/files.js";
import { labelsFromFiles } from "../../../web/src/audit/labels.js";
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
