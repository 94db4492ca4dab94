// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { afterEach, mock, test } from "node:test";
import { MAX_BYTES, MAX_PIXELS, toSource } from "../../../web/src/lib/source.js";

afterEach(() => mock.restoreAll());

/**
 * A browser object that Node.js does not have.
 *
 * @param {string} kind
 * @param {object} [fields]
 */
const like = (kind, fields) => /** @type {any} */ ({ [Symbol.toStringTag]: kind, ...fields });

/** A canvas that records what was drawn on it. */
class FakeCanvas {
  /** @type {FakeCanvas[]} */
  static made = [];
  static tainted = false;
  /** @type {any[]} */
  painted = [];

  /** @param {number} width @param {number} height */
  constructor(width, height) {
    Object.assign(this, { width, height });
    FakeCanvas.made.push(this);
  }

  getContext() {
    return {
      drawImage: (/** @type {any[]} */ ...args) => this.painted.push(args),
      getImageData: (/** @type {number[]} */ ...box) => {
        if (FakeCanvas.tainted) throw new DOMException("tainted", "SecurityError");
        return like("ImageData", { width: box[2], height: box[3] });
      },
    };
  }
}
Object.assign(globalThis, { OffscreenCanvas: FakeCanvas });

test("limits match those of the engine", async () => {
  const source = await readFile(
    new URL("../../../crates/model/src/image/decode.rs", import.meta.url),
    "utf8",
  );
  const value = (/** @type {string} */ name) =>
    new RegExp(`const ${name}: \\w+ = ([\\d_* ]+);`)
      .exec(source)?.[1]
      .replaceAll("_", "")
      .split("*")
      .reduce((product, factor) => product * Number(factor), 1);
  assert.deepEqual([value("MAX_BYTES"), value("MAX_PIXELS")], [MAX_BYTES, MAX_PIXELS]);
});

test("files and buffers are passed unchanged, views without the rest of their buffer", async () => {
  const { buffer } = new Uint8Array(100);
  for (const image of [new Blob(["a"]), new File(["a"], "a.png"), buffer, new Uint8Array(buffer)]) {
    assert.equal(await toSource(image), image);
  }
  for (const kind of [Uint8Array, Uint8ClampedArray]) {
    const sent = /** @type {Uint8Array} */ (await toSource(new kind(buffer, 10, 5)));
    assert.deepEqual([sent.byteLength, sent.buffer.byteLength], [5, 5]);
    assert.ok(sent instanceof Uint8Array);
  }
});

test("canvas, bitmap and image elements are converted to pixels", async () => {
  for (const [image, width, height] of [
    [like("HTMLCanvasElement", { width: 30, height: 20 }), 30, 20],
    [like("OffscreenCanvas", { width: 30, height: 20 }), 30, 20],
    [like("ImageBitmap", { width: 30, height: 20 }), 30, 20],
    // The size of the file, not the size on the page.
    [
      like("HTMLImageElement", {
        complete: true,
        width: 3,
        height: 2,
        naturalWidth: 40,
        naturalHeight: 10,
      }),
      40,
      10,
    ],
  ]) {
    const pixels = /** @type {ImageData} */ (await toSource(image));
    assert.deepEqual([pixels.width, pixels.height], [width, height]);
    assert.equal(FakeCanvas.made.at(-1)?.painted[0][0], image);
  }
});

test("<img> is awaited and fails when it has no image", async () => {
  const decode = mock.fn(async () => {});
  const image = like("HTMLImageElement", { decode, naturalWidth: 4, naturalHeight: 3 });
  await toSource(image);
  assert.equal(decode.mock.callCount(), 1);
  for (const broken of [
    { complete: true, naturalWidth: 0, naturalHeight: 0 },
    { decode: () => Promise.reject(new DOMException("broken", "EncodingError")) },
  ]) {
    await assert.rejects(toSource(like("HTMLImageElement", broken)), { code: "unreadable-image" });
  }
});

test("large images are rejected before their pixels are copied", async () => {
  const before = FakeCanvas.made.length;
  const large = { width: 10_000, height: 4_001 };
  for (const kind of ["ImageData", "HTMLCanvasElement", "OffscreenCanvas", "ImageBitmap"]) {
    const data = new Uint8ClampedArray(1);
    await assert.rejects(toSource(like(kind, { ...large, data })), { code: "image-too-large" });
    await assert.rejects(toSource(like(kind, { width: 0, height: 9, data })), {
      code: "unreadable-image",
    });
  }
  const natural = { complete: true, naturalWidth: 10_000, naturalHeight: 4_001 };
  await assert.rejects(toSource(like("HTMLImageElement", natural)), { code: "image-too-large" });
  await assert.rejects(toSource(new Uint8Array(MAX_BYTES + 1)), { code: "image-too-large" });
  await assert.rejects(toSource(new ArrayBuffer(MAX_BYTES + 1)), { code: "image-too-large" });
  assert.equal(FakeCanvas.made.length, before);
});

test("empty and detached images are rejected", async () => {
  const bytes = new Uint8Array(4);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  const pixels = like("ImageData", { width: 1, height: 1, data: bytes });
  for (const image of [bytes, bytes.buffer, new Uint8Array(), pixels]) {
    await assert.rejects(toSource(image), { name: "LensError", code: "unreadable-image" });
  }
});

test("cross-origin pixels are rejected with advice", async () => {
  FakeCanvas.tainted = true;
  try {
    await assert.rejects(toSource(like("HTMLCanvasElement", { width: 1, height: 1 })), {
      name: "LensError",
      code: "unreadable-image",
      message: /pass its file instead/,
    });
  } finally {
    FakeCanvas.tainted = false;
  }
});

test("data and blob URLs are opened, URLs of sites are rejected", async () => {
  const fetched = mock.method(globalThis, "fetch");
  for (const address of ["data:image/png;base64,aGk=", new URL("data:,hi")]) {
    const blob = /** @type {Blob} */ (await toSource(address));
    assert.equal(await blob.text(), "hi");
  }
  const url = URL.createObjectURL(new Blob(["hi"]));
  assert.equal(await /** @type {Blob} */ (await toSource(url)).text(), "hi");
  URL.revokeObjectURL(url);
  await assert.rejects(toSource(url), { name: "LensError", code: "unreadable-image" });
  await assert.rejects(toSource("data:;base64,?"), { code: "unreadable-image" });
  const before = fetched.mock.callCount();
  for (const address of ["https://elsewhere.test/a.png", "/a.png", "a.png", "", "javascript:1"]) {
    await assert.rejects(toSource(address), {
      name: "LensError",
      code: "bad-argument",
      message: /Fetch the image/,
    });
  }
  assert.equal(fetched.mock.callCount(), before);
});

test("unsupported values are rejected with the list of supported ones", async () => {
  for (const image of [
    undefined,
    null,
    7,
    {},
    [],
    new Float32Array(4),
    new DataView(new ArrayBuffer(4)),
  ]) {
    await assert.rejects(toSource(/** @type {any} */ (image)), {
      name: "LensError",
      code: "bad-argument",
      message: /Blob or File/,
    });
  }
});
