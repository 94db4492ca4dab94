// @ts-check
/** Parts of picture files: where the CAPTCHA seems to be, and cutting a part out. */

import { WHOLE, fit, turnedSize } from "./crop-geometry.js";
import { rate } from "./detect-captcha.js";

/** @import { Box, Part, Size } from "./crop-geometry.js" */

/** The longer side of what is looked at for the CAPTCHA, and the longest of what is cut out. */
const GLANCE = 400;
const LONGEST = 2400;
/** A guess is clear where it leaves out at least so much of the picture. */
const CLEAR = 0.4;
/** A larger picture is looked at in tiles of this longer side, too: a CAPTCHA may be small on it. */
const TILE = 1440;
/** The sides of a tile, and how much of each the next one shares: more than a CAPTCHA takes. */
const [ASPECT, OVERLAP] = [4 / 3, 1 / 3];
/** There are no more tiles than this, roughly: each takes about 50 ms. */
const TILES = 24;
/** From this score on, all that is drawn looks like one CAPTCHA; below the next, a tile holds none. */
const [ALIKE, FAINT] = [0.4, 0.2];

/** @type {Pick<Part, "turns" | "angle">} */
const UPRIGHT = { turns: 0, angle: 0 };

/**
 * What was found: a part that looks like a CAPTCHA, that the whole picture looks like one, or
 * nothing.
 *
 * @typedef {{ box: Box, found: "part" | "whole" | "nothing" }} Guess
 */

/**
 * The part that looks like a CAPTCHA, cut out.
 *
 * @param {Blob} file
 * @param {Size | null} size `null` where the browser cannot show it
 * @returns {Promise<{ file: Blob, part: Part } | null>} `null` where it is no clear case
 */
export async function findPart(file, size) {
  if (!size) return null;
  const longer = Math.max(size.width, size.height);
  // Tiles are looked at smaller than they are, so that half of the size will do.
  const scale = longer > TILE ? 0.5 : 1;
  const limit = longer > TILE ? longer * scale : GLANCE;
  try {
    const bitmap = await load(file, size, limit);
    try {
      const { box, found } = guessOn(bitmap, UPRIGHT, scale);
      if (found !== "part") return null;
      const part = { box, ...UPRIGHT };
      return { file: await cut(file, part), part };
    } finally {
      bitmap.close();
    }
  } catch {
    return null; // then the whole is read, or the engine says why not
  }
}

/**
 * Decodes a picture, not larger than needed.
 *
 * @param {Blob} file
 * @param {Size} size of the picture
 * @param {number} limit of the longer side
 */
export function load(file, size, limit) {
  const { width, height } = fit(size, limit);
  return createImageBitmap(file, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "medium",
  });
}

/**
 * Where the CAPTCHA seems to be on a picture that is turned.
 *
 * @param {ImageBitmap} bitmap
 * @param {Pick<Part, "turns" | "angle">} turned
 * @param {number} [scale] the bitmap's size as a share of the picture's
 * @returns {Guess}
 */
export function guessOn(bitmap, turned, scale = 1) {
  const { box, whole } = look(bitmap, turned, WHOLE);
  if (box.width * box.height <= 1 - CLEAR) return { box, found: "part" };
  if (whole >= ALIKE) return { box, found: "whole" };
  let best = { box, score: FAINT };
  for (const tile of tilesOf(turnedSize(bitmap, turned.turns), TILE * scale)) {
    const seen = look(bitmap, turned, tile);
    if (seen.score > best.score && !isCut(seen.box, tile)) best = seen;
  }
  return { box: best.box, found: best.box === box ? "nothing" : "part" };
}

/**
 * Looks at a region of a picture; the box is one of the whole picture.
 *
 * @param {ImageBitmap} bitmap
 * @param {Pick<Part, "turns" | "angle">} turned
 * @param {Box} region
 */
function look(bitmap, turned, region) {
  const { width, height } = turnedSize(bitmap, turned.turns);
  const size = fit({ width: region.width * width, height: region.height * height }, GLANCE);
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = paint(bitmap, { ...turned, box: region }, canvas);
  const { box, ...scores } = rate(context.getImageData(0, 0, size.width, size.height));
  return {
    ...scores,
    box: {
      x: region.x + box.x * region.width,
      y: region.y + box.y * region.height,
      width: box.width * region.width,
      height: box.height * region.height,
    },
  };
}

/**
 * Tiles that cover a picture; none where it is hardly larger than one.
 *
 * @param {Size} size
 * @param {number} side the longer side of a tile
 * @returns {Box[]}
 */
export function tilesOf({ width, height }, side) {
  if (Math.max(width, height) <= side) return [];
  const step = 1 - OVERLAP;
  const least = (width * height * ASPECT) / (side * step) ** 2;
  const long = side * Math.max(1, Math.sqrt(least / TILES));
  const along = (/** @type {number} */ whole, /** @type {number} */ tile) => {
    const part = Math.min(tile / whole, 1);
    const count = part < 1 ? Math.ceil((1 - part) / (part * step)) + 1 : 1;
    return Array.from({ length: count }, (_, i) => ({
      start: count > 1 ? (i * (1 - part)) / (count - 1) : 0,
      part,
    }));
  };
  return along(height, long / ASPECT).flatMap(({ start: y, part: tall }) =>
    along(width, long).map(({ start: x, part: wide }) => ({ x, y, width: wide, height: tall })),
  );
}

/**
 * Whether a box touches an edge of a tile that is no edge of the picture: another tile has all of it.
 *
 * @param {Box} box
 * @param {Box} tile
 */
function isCut(box, tile) {
  const near = 0.004;
  const ends = (/** @type {number} */ start, /** @type {number} */ length) => [
    start,
    start + length,
  ];
  /** @type {(box: number[], tile: number[]) => boolean} */
  const cut = ([start, end], [first, last]) =>
    (first > near && start - first < near * (last - first)) ||
    (last < 1 - near && last - end < near * (last - first));
  return (
    cut(ends(box.x, box.width), ends(tile.x, tile.width)) ||
    cut(ends(box.y, box.height), ends(tile.y, tile.height))
  );
}

/**
 * Makes a picture that has too many pixels smaller.
 *
 * @param {Blob} file
 * @param {Size} size of the picture
 * @param {number} pixels at most
 * @returns {Promise<Blob>} a PNG file
 */
export async function shrink(file, { width, height }, pixels) {
  const longer = Math.max(width, height) * Math.sqrt(pixels / (width * height));
  const bitmap = await load(file, { width, height }, Math.floor(longer));
  return toPng(bitmap, { box: WHOLE, ...UPRIGHT }, bitmap);
}

/**
 * Cuts a part out.
 *
 * @param {Blob} file
 * @param {Part} part
 * @returns {Promise<Blob>} a PNG file
 */
export async function cut(file, part) {
  const bitmap = await createImageBitmap(file);
  const { width, height } = turnedSize(bitmap, part.turns);
  const size = { width: part.box.width * width, height: part.box.height * height };
  return toPng(bitmap, part, fit(size, LONGEST));
}

/**
 * @param {ImageBitmap} bitmap which is closed
 * @param {Part} part
 * @param {Size} size
 */
function toPng(bitmap, part, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  try {
    paint(bitmap, part, canvas);
  } finally {
    bitmap.close();
  }
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * Paints a part over all of a canvas.
 *
 * @template {HTMLCanvasElement | OffscreenCanvas} T
 * @param {ImageBitmap} bitmap
 * @param {Part} part
 * @param {T} canvas
 */
export function paint(bitmap, { box, turns, angle }, canvas) {
  const context =
    /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null} */ (
      canvas.getContext("2d")
    );
  if (!context) throw new Error("The browser could not create a canvas.");
  const { width, height } = turnedSize(bitmap, turns);
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // as the network sees what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / (box.width * width), canvas.height / (box.height * height));
  context.translate((0.5 - box.x) * width, (0.5 - box.y) * height);
  context.rotate((turns * 90 + angle) * (Math.PI / 180));
  context.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  context.resetTransform();
  return context;
}
