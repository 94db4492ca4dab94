// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labelsFromFiles } from "../../../web/src/audit/labels.js";
import { checkTraining, describeGiven } from "../../../web/src/teach/checks.js";
import {
  MAX_IMAGES,
  addImages,
  changeImages,
  changesForNames,
  labelProblem,
  normalizeLabel,
  removeImages,
  toLabelsCsv,
} from "../../../web/src/teach/images.js";
import { idMaker, labelsOf, openImage } from "../../../web/src/teach/intake.js";

/** @import { TeachImage } from "../../../web/src/teach/types.js" */

/**
 * @param {string} id
 * @param {string | null} label
 * @param {Partial<TeachImage>} [more]
 * @returns {TeachImage}
 */
function image(id, label, more = {}) {
  const bytes = new TextEncoder().encode(id);
  const common = { source: null, guess: null, error: null, twin: null };
  return { id, path: `${id}.png`, bytes, label, ...common, ...more };
}

/** Images with different labels of two characters. @param {number} count */
const labelledImages = (count) =>
  Array.from({ length: count }, (_, i) => image(`image-${i}`, `${i % 10}${Math.floor(i / 10)}`));
const bytes = (/** @type {number[]} */ ...values) => new Uint8Array(values);

describe("images that are added", () => {
  test("are not added twice, but give a label to the same image without one", () => {
    const [a, b, c] = [
      image("a", null, { bytes: bytes(1, 2) }),
      image("b", "thus", { bytes: bytes(1, 2) }),
      image("c", null, { bytes: bytes(1, 3) }),
    ];
    const { images, added, known } = addImages([a], [b, c]);
    assert.deepEqual(
      images.map(({ id, label }) => [id, label]),
      [
        ["a", "thus"],
        ["c", null],
      ],
    );
    assert.deepEqual([added.map(({ id }) => id), known], [["c"], 1]);
  });

  test("stay with both labels where the same image has two", () => {
    const same = { bytes: bytes(7) };
    const { images } = addImages([image("a", "thus", same)], [image("b", "line", same)]);
    assert.deepEqual(
      images.map(({ id, label, twin }) => [id, label, twin]),
      [
        ["a", "thus", null],
        ["b", "line", "a"],
      ],
    );
    // A third one is a copy of the same image.
    const { images: three } = addImages(images, [image("c", "kept", same)]);
    assert.equal(three[2].twin, "a");
    // If the first one is removed, the next one stands for it.
    assert.deepEqual(
      removeImages(three, new Set(["a"])).map(({ id, twin }) => [id, twin]),
      [
        ["b", null],
        ["c", "b"],
      ],
    );
  });

  test("get a path of their own, because a labels.csv names them by it", () => {
    const { images } = addImages(
      [image("a", null, { path: "set/1.png" })],
      [image("b", null, { path: "set/1.png" }), image("c", null, { path: "set/1.png" })],
    );
    assert.deepEqual(
      images.map(({ path }) => path),
      ["set/1.png", "set/1 (2).png", "set/1 (3).png"],
    );
  });

  test("are counted above the limit, and images that cannot be read are told apart by path", () => {
    const all = Array.from({ length: MAX_IMAGES - 1 }, (_, i) => image(`${i}`, null));
    const { images, tooMany } = addImages(all, [image("x", null), image("y", null)]);
    assert.deepEqual([images.length, tooMany], [MAX_IMAGES, 1]);
    const broken = { bytes: bytes(), error: "no image" };
    const both = addImages([image("a", null, broken)], [image("b", null, broken)]);
    assert.equal(both.images.length, 2);
    const again = addImages(both.images, [image("c", null, { ...broken, path: "b.png" })]);
    assert.deepEqual([again.images.length, again.known], [2, 1]);
  });

  test("are told with their labels and with what is not added", () => {
    const images = ["a", "b", "c"].map((id) => image(id, "thus"));
    const given = { images, named: true, known: 0, tooMany: 0 };
    assert.equal(describeGiven(given), "3 images added, all with a label, from the file names.");
    const two = [image("a", "thus"), image("b", null)];
    assert.equal(
      describeGiven({ images: two, named: false, known: 1, tooMany: 2 }),
      "2 images added, 1 with a label. 1 image was there already. 2 images not added: the page takes 1,000 images. Remove some to add others.",
    );
    assert.equal(
      describeGiven({ ...given, images: [], known: 2 }),
      "0 images added. 2 images were there already.",
    );
  });

  test("are counted and named where they cannot be read", () => {
    const broken = ["x", "y", "z", "w"].map((id) => image(id, "thus", { error: "No image." }));
    const common = { named: true, known: 0, tooMany: 0 };
    const some = [image("a", "line"), ...broken.slice(0, 2)];
    assert.equal(
      describeGiven({ ...common, images: some }),
      "1 image added, all with a label, from the file names. 2 images cannot be read: x.png, y.png.",
    );
    assert.equal(
      describeGiven({ ...common, images: broken }),
      "0 images added. 4 images cannot be read: x.png, y.png, z.png and 1 more.",
    );
  });
});

describe("labels", () => {
  test("from file names can be taken and removed, and other labels stay", () => {
    const images = [image("thus_1", null), image("line", "typed", { source: "typed" })];
    const named = changeImages(images, changesForNames(images, true));
    assert.deepEqual(
      named.map(({ label, source }) => [label, source]),
      [
        ["thus", "name"],
        ["typed", "typed"],
      ],
    );
    const back = changeImages(named, changesForNames(named, false));
    assert.deepEqual(back, images);
  });

  test("that are typed are composed and trimmed, and have 1 to 16 characters", () => {
    assert.equal(normalizeLabel("  e\u0301a "), "éa");
    assert.equal(labelProblem("a"), "");
    assert.equal(labelProblem("𝒳".repeat(16)), "");
    assert.match(labelProblem("a".repeat(17)), /has 17 characters.*shorten it/);
    assert.match(labelProblem(""), /^Type the text/);
  });

  test("as labels.csv are read again, whatever they contain", () => {
    const labels = ["plain", 'quo"te', "a,b", "semi;colon", "-1", "=1+1", "äöü", "'"];
    const images = labels.map((label, i) => image(`${i}`, label, { path: `set, 1/${i} "x".png` }));
    images.push(image("none", null));
    const text = toLabelsCsv(images);
    const paths = images.map(({ path }) => path);
    const read = labelsFromFiles(paths, [{ path: "labels.csv", text }]);
    assert.deepEqual(read, [...labels, null]);
    assert.ok(text.startsWith("file,label\r\n") && text.endsWith("\r\n"));
  });

  test("come from label files, or else from file names that look like labels", () => {
    const images = ["1.png", "2.png"].map((path) => ({ path, open: async () => new Blob() }));
    const labelFiles = [{ path: "labels.csv", text: "1.png,thus\n" }];
    assert.deepEqual(labelsOf({ images, labelFiles }), { labels: ["thus", null], source: "file" });
    assert.deepEqual(labelsOf({ images, labelFiles: [] }).labels, [null, null]);
    const named = ["thus.png", "line_2.png"].map((path) => ({ path, open: images[0].open }));
    assert.deepEqual(labelsOf({ images: named, labelFiles: [] }).labels, ["thus", "line"]);
    assert.deepEqual(labelsOf({ images: named, labelFiles: [] }, false).labels, [null, null]);
  });
});

describe("images that are opened", () => {
  const given = { id: "a", label: " thus ", source: /** @type {const} */ ("file") };
  const never = () => assert.fail("it is not converted");
  const open = (/** @type {BlobPart} */ content, convert = never) => {
    const file = { path: "a.png", open: async () => new Blob([content]) };
    return openImage(file, given, /** @type {any} */ (convert));
  };

  test("stay as they are if the engine decodes them", async () => {
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2);
    const opened = await open(png);
    assert.deepEqual([opened.bytes, opened.label, opened.error], [png, "thus", null]);
    const webp = new TextEncoder().encode("RIFFabcdWEBP");
    assert.deepEqual((await open(webp)).bytes, webp);
  });

  test("are converted from other formats", async () => {
    const { bytes: converted } = await open(
      "<svg/>",
      /** @type {any} */ (async () => new Blob(["x"])),
    );
    assert.deepEqual([...converted], [120]);
  });

  test("have the reason where they cannot be opened", async () => {
    const failing = async () => {
      throw new Error("This is no image.");
    };
    const opened = await open("text", /** @type {any} */ (failing));
    assert.deepEqual([opened.error, opened.bytes.length], ["This is no image.", 0]);
    const large = await open(new Uint8Array(20_000_001));
    assert.equal(large.error, "The file is larger than 20 MB.");
  });

  test("have ids that ascend, also over several visits", () => {
    const [first, second] = [idMaker(1e12, 0.9), idMaker(1e12 + 1, 0.1)];
    const ids = [first(), first(), second()];
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, 3);
  });
});

describe("the check before learning", () => {
  const blockerOf = (/** @type {TeachImage[]} */ images, ignoreCase = false) =>
    checkTraining(images, ignoreCase).blocker;

  test("passes with 20 labelled images", () => {
    const { usable, blocker, notes } = checkTraining(labelledImages(20), false);
    assert.deepEqual([usable.length, blocker, notes], [20, "", []]);
  });

  test("says what to do without images, without labels, and with few", () => {
    assert.match(blockerOf([]), /^There are no images yet\. Choose/);
    assert.match(blockerOf([image("a", null)]), /^The image has no label yet\. Type the labels/);
    assert.match(blockerOf([image("a", null), image("b", null)]), /^The images have no labels yet/);
    assert.match(blockerOf(labelledImages(2)), /^There are 2 images .* label 18 more\.$/);
    assert.match(blockerOf(labelledImages(1)), /^There is 1 image .* label 19 more\.$/);
  });

  test("says what to do with one label for all images", () => {
    const same = labelledImages(20).map((one, i) => ({ ...one, label: i % 2 ? "Same" : "same" }));
    assert.equal(blockerOf(same), "");
    assert.match(blockerOf(same, true), /^All images have the label “same”.*Correct the labels/);
  });

  test("says what to do with more than 512 different characters", () => {
    const many = labelledImages(600).map((one, i) => ({
      ...one,
      label: String.fromCodePoint(0x4e00 + i),
    }));
    assert.match(blockerOf(many), /^The labels have 600 different characters; .* at most 512/);
    assert.equal(blockerOf(many.slice(0, 512)), "");
  });

  test("leaves out labels that are too long, images without labels and broken images", () => {
    const images = [
      ...labelledImages(20),
      image("long", "a".repeat(17)),
      image("none", null),
      image("broken", "thus", { error: "no image" }),
    ];
    const { usable, blocker, notes } = checkTraining(images, false);
    assert.deepEqual([usable.length, blocker], [20, ""]);
    assert.match(notes[0], /^long\.png has a label longer than 16 characters and is not used/);
    assert.match(notes[1], /^1 image has no label and is not used: type/);
    assert.match(notes[2], /^1 image cannot be read and is left out; it is listed above/);
  });

  test("leaves out the same image with two labels, unless only their case differs and is ignored", () => {
    const images = [...labelledImages(20), image("a", "Thus"), image("b", "thus", { twin: "a" })];
    const { usable, notes } = checkTraining(images, false);
    assert.equal(usable.length, 20);
    assert.match(
      notes[0],
      /^The same image has different labels: a\.png “Thus”, b\.png “thus”\..*correct or remove/,
    );
    const ignoring = checkTraining(images, true);
    assert.deepEqual([ignoring.usable.length, ignoring.notes], [21, []]);
  });
});
