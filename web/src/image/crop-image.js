// @ts-check
/** Crops pictures, and finds the part of a picture that looks like a CAPTCHA. */

import { WHOLE, fit, rotatedSize } from "./crop-geometry.js";
import { detect } from "./detect-captcha.js";

/** @import { Box, Part, Size } from "./crop-geometry.js" */

/** The longer side of a region during detection, in pixels. */
const DETECTION_SIZE = 400;
/** The maximum of the longer side of a crop, in pixels. */
const MAX_CROP_SIZE = 2400;
/** A detection is clear if it removes at least this fraction of the picture. */
const MIN_CUT_AREA = 0.4;
/** A larger picture is also searched in tiles with this longer side, because a CAPTCHA may be small. */
const TILE_SIZE = 1440;
/** The aspect ratio of a tile, and the overlap of neighbours, which is larger than a CAPTCHA. */
const [TILE_ASPECT, TILE_OVERLAP] = [4 / 3, 1 / 3];
/** The approximate maximum number of tiles. Each one takes about 50 ms. */
const MAX_TILES = 24;
/** The minimum scores at which the whole content, or a region of a tile, looks like a CAPTCHA. */
const [MIN_WHOLE_SCORE, MIN_TILE_SCORE] = [0.4, 0.2];

/** @type {Pick<Part, "turns" | "angle">} */
const UPRIGHT = { turns: 0, angle: 0 };

/**
 * The result of detection: a part looks like a CAPTCHA, or the whole picture does, or nothing does.
 *
 * @typedef {{ box: Box, found: "part" | "whole" | "nothing" }} Detection
 */

/**
 * Crops the part that looks like a CAPTCHA.
 *
 * @param {Blob} file
 * @param {Size | null} size `null` if the browser cannot show the picture
 * @returns {Promise<{ file: Blob, part: Part } | null>} `null` if the detection is not clear
 */
export async function findCaptchaPart(file, size) {
  if (!size) return null;
  const longer = Math.max(size.width, size.height);
  // Tiles are scaled down for detection, so half of the size is enough.
  const scale = longer > TILE_SIZE ? 0.5 : 1;
  const limit = longer > TILE_SIZE ? longer * scale : DETECTION_SIZE;
  try {
    const bitmap = await decodeScaled(file, size, limit);
    try {
      const { box, found } = detectOnBitmap(bitmap, UPRIGHT, scale);
      if (found !== "part") return null;
      const part = { box, ...UPRIGHT };
      return { file: await cropToBlob(file, part), part };
    } finally {
      bitmap.close();
    }
  } catch {
    return null; // then the whole picture is read, or the engine reports the error
  }
}

/**
 * Decodes a picture at a reduced size.
 *
 * @param {Blob} file
 * @param {Size} size of the picture
 * @param {number} limit of the longer side
 */
export function decodeScaled(file, size, limit) {
  const { width, height } = fit(size, limit);
  return createImageBitmap(file, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "medium",
  });
}

/**
 * Finds the CAPTCHA on a rotated picture.
 *
 * @param {ImageBitmap} bitmap
 * @param {Pick<Part, "turns" | "angle">} turned
 * @param {number} [scale] the size of the bitmap relative to the picture
 * @returns {Detection}
 */
export function detectOnBitmap(bitmap, turned, scale = 1) {
  const { box, whole } = detectInRegion(bitmap, turned, WHOLE);
  if (box.width * box.height <= 1 - MIN_CUT_AREA) return { box, found: "part" };
  if (whole >= MIN_WHOLE_SCORE) return { box, found: "whole" };
  let best = { box, score: MIN_TILE_SCORE };
  for (const tile of tilesOf(rotatedSize(bitmap, turned.turns), TILE_SIZE * scale)) {
    const found = detectInRegion(bitmap, turned, tile);
    if (found.score > best.score && !isCutOff(found.box, tile)) best = found;
  }
  return { box: best.box, found: best.box === box ? "nothing" : "part" };
}

/**
 * Detects in a region of a picture. The box of the result refers to the whole picture.
 *
 * @param {ImageBitmap} bitmap
 * @param {Pick<Part, "turns" | "angle">} turned
 * @param {Box} region
 */
function detectInRegion(bitmap, turned, region) {
  const { width, height } = rotatedSize(bitmap, turned.turns);
  const size = fit({ width: region.width * width, height: region.height * height }, DETECTION_SIZE);
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = drawCrop(bitmap, { ...turned, box: region }, canvas);
  const { box, ...scores } = detect(context.getImageData(0, 0, size.width, size.height));
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
 * Tiles that cover a picture. There are none if the picture is not larger than a tile.
 *
 * @param {Size} size
 * @param {number} side the longer side of a tile
 * @returns {Box[]}
 */
export function tilesOf({ width, height }, side) {
  if (Math.max(width, height) <= side) return [];
  const step = 1 - TILE_OVERLAP;
  const least = (width * height * TILE_ASPECT) / (side * step) ** 2;
  const long = side * Math.max(1, Math.sqrt(least / MAX_TILES));
  const along = (/** @type {number} */ whole, /** @type {number} */ tile) => {
    const part = Math.min(tile / whole, 1);
    const count = part < 1 ? Math.ceil((1 - part) / (part * step)) + 1 : 1;
    return Array.from({ length: count }, (_, i) => ({
      start: count > 1 ? (i * (1 - part)) / (count - 1) : 0,
      part,
    }));
  };
  return along(height, long / TILE_ASPECT).flatMap(({ start: y, part: tall }) =>
    along(width, long).map(({ start: x, part: wide }) => ({ x, y, width: wide, height: tall })),
  );
}

/**
 * Whether a box touches an edge of a tile inside the picture. Then another tile contains all of it.
 *
 * @param {Box} box
 * @param {Box} tile
 */
function isCutOff(box, tile) {
  const near = 0.004;
  const ends = (/** @type {number} */ start, /** @type {number} */ length) => [
    start,
    start + length,
  ];
  /** @type {(box: number[], tile: number[]) => boolean} */
  const touches = ([start, end], [first, last]) =>
    (first > near && start - first < near * (last - first)) ||
    (last < 1 - near && last - end < near * (last - first));
  return (
    touches(ends(box.x, box.width), ends(tile.x, tile.width)) ||
    touches(ends(box.y, box.height), ends(tile.y, tile.height))
  );
}

/**
 * Scales a picture down to a number of pixels.
 *
 * @param {Blob} file
 * @param {Size} size of the picture
 * @param {number} pixels at most
 * @returns {Promise<Blob>} a PNG file
 */
export async function shrink(file, { width, height }, pixels) {
  const longer = Math.max(width, height) * Math.sqrt(pixels / (width * height));
  const bitmap = await decodeScaled(file, { width, height }, Math.floor(longer));
  return toPng(bitmap, { box: WHOLE, ...UPRIGHT }, bitmap);
}

/**
 * Crops a part.
 *
 * @param {Blob} file
 * @param {Part} part
 * @returns {Promise<Blob>} a PNG file
 */
export async function cropToBlob(file, part) {
  const bitmap = await createImageBitmap(file);
  const { width, height } = rotatedSize(bitmap, part.turns);
  const size = { width: part.box.width * width, height: part.box.height * height };
  return toPng(bitmap, part, fit(size, MAX_CROP_SIZE));
}

/**
 * @param {ImageBitmap} bitmap which is closed
 * @param {Part} part
 * @param {Size} size
 */
function toPng(bitmap, part, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  try {
    drawCrop(bitmap, part, canvas);
  } finally {
    bitmap.close();
  }
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * Draws a part of a picture, scaled to the whole canvas.
 *
 * @template {HTMLCanvasElement | OffscreenCanvas} T
 * @param {ImageBitmap} bitmap
 * @param {Part} part
 * @param {T} canvas
 */
export function drawCrop(bitmap, { box, turns, angle }, canvas) {
  const context =
    /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null} */ (
      canvas.getContext("2d")
    );
  if (!context) throw new Error("The browser could not create a canvas.");
  const { width, height } = rotatedSize(bitmap, turns);
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // the network sees transparent pixels as white
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / (box.width * width), canvas.height / (box.height * height));
  context.translate((0.5 - box.x) * width, (0.5 - box.y) * height);
  context.rotate((turns * 90 + angle) * (Math.PI / 180));
  context.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  context.resetTransform();
  return context;
}
