// @ts-check
/** Images and invalid files for tests. */

import { deflateSync, crc32 } from "node:zlib";

/**
 * A white PNG.
 *
 * @param {number} width
 * @param {number} height
 */
export function blankPng(width, height) {
  const row = Buffer.alloc(1 + width * 3, 255);
  row[0] = 0; // no filter
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([pngStart(width, height), chunk("IDAT", deflateSync(rows)), chunk("IEND")]);
}

/**
 * A PNG with black and white stripes of different widths.
 *
 * @param {number} width
 * @param {number} height
 */
export function stripedPng(width, height) {
  const row = Buffer.alloc(1 + width * 3, 255);
  row[0] = 0; // no filter
  for (let x = 0; x < width; x++) if ((x * x) % 97 < 30) row.fill(0, 1 + 3 * x, 4 + 3 * x);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([pngStart(width, height), chunk("IDAT", deflateSync(rows)), chunk("IEND")]);
}

/**
 * A white PNG with one bit per pixel: many pixels in few bytes.
 *
 * @param {number} width
 * @param {number} height
 */
export function largePng(width, height) {
  const row = 1 + Math.ceil(width / 8);
  const bytes = Buffer.alloc(row * height, 255);
  for (let y = 0; y < height; y++) bytes[y * row] = 0; // no filter
  return Buffer.concat([
    pngStart(width, height, 1, 0),
    chunk("IDAT", deflateSync(bytes)),
    chunk("IEND"),
  ]);
}

/**
 * A white BMP with three bytes per pixel.
 *
 * @param {number} width a multiple of four
 * @param {number} height
 */
export function blankBmp(width, height) {
  const header = Buffer.alloc(54);
  header.write("BM", "latin1");
  header.writeUInt32LE(54 + 3 * width * height, 2);
  header.writeUInt32LE(54, 10); // offset of the pixels
  header.writeUInt32LE(40, 14); // size of the info header
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  return Buffer.concat([header, Buffer.alloc(3 * width * height, 255)]);
}

/** The header of a PNG of 30,000 x 30,000 pixels. */
export function hugePng() {
  return Buffer.concat([pngStart(30_000, 30_000), chunk("IDAT", deflateSync(Buffer.alloc(64)))]);
}

/**
 * The panels of an exported figure, as squares of brightness (0 to 255).
 *
 * @param {{ evaluate: (run: (base64: string) => unknown, base64: string) => Promise<any> }} page
 *   decodes the file
 * @param {Buffer} file
 * @returns {Promise<{ squares: number[], least: number, most: number }[]>}
 */
export function panelsOf(page, file) {
  return page.evaluate(async (base64) => {
    // The layout of figure.js, at a scale of two.
    const [PANEL, GAP, HEAD] = [2 * 280, 2 * 16, 2 * 64];
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(28, 14);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
      canvas.getContext("2d", { willReadFrequently: true })
    );
    const panels = [];
    for (let x = GAP; x + PANEL <= bitmap.width; x += PANEL + GAP) {
      const height = bitmap.height - HEAD - GAP;
      context.drawImage(bitmap, x, HEAD, PANEL, height, 0, 0, canvas.width, canvas.height);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const squares = Array.from({ length: canvas.width * canvas.height }, (_, i) =>
        Math.round((data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3),
      );
      panels.push({ squares, least: Math.min(...squares), most: Math.max(...squares) });
    }
    return panels;
  }, file.toString("base64"));
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} [bits] per channel
 * @param {number} [colour] 0 for grey, 2 for RGB
 */
function pngStart(width, height, bits = 8, colour = 2) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, colour, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header)]);
}

/**
 * @param {string} type
 * @param {Buffer} [data]
 */
function chunk(type, data = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
