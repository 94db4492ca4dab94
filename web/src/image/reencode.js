// @ts-check
/** A second try for files that the engine refuses: the browser may decode more of them. */

import { LensError } from "../lib/errors.js";
import { WHOLE } from "./crop-geometry.js";
import { cut } from "./crop-image.js";

/** Too many bytes or pixels, or a format that only the browser knows. */
const REFUSALS = new Set(["image-too-large", "unreadable-image"]);

/**
 * Whether another encoding of the file may be readable.
 *
 * @param {unknown} error of the engine
 * @returns {error is LensError}
 */
export function isRefusal(error) {
  return error instanceof LensError && REFUSALS.has(error.code);
}

/**
 * The image as the browser shows it.
 *
 * @param {Blob} file
 * @returns {Promise<Blob>} a PNG file
 */
export function reencode(file) {
  return cut(file, { box: WHOLE, turns: 0, angle: 0 });
}
