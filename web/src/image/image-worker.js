// @ts-check
/** The worker behind `image-worker-client.js`. */

import { LensError } from "../lib/errors.js";
import { Lazy } from "../lib/lazy.js";
import { serveRpc } from "../lib/rpc.js";
import { findCaptchaPart, detectOnBitmap, shrink } from "./crop-image.js";

/** @import { DrawOptions, Drawing } from "../../pkg/captcha_synth_wasm.js" */
/** @import { PageError } from "../common/types.js" */
/** @import { Part, Size } from "./crop-geometry.js" */

/** The CAPTCHA generator's module. */
const generator = new Lazy(async () => {
  const module = await import("../../pkg/captcha_synth_wasm.js");
  await module.default();
  return module;
});

/** The tasks, by name. */
export const TASKS = {
  findCaptchaPart: (/** @type {{ file: Blob, size: Size | null }} */ { file, size }) =>
    findCaptchaPart(file, size),

  shrink: (/** @type {{ file: Blob, size: Size, pixels: number }} */ { file, size, pixels }) =>
    shrink(file, size, pixels),

  /** @param {{ bitmap: ImageBitmap, part: Part, scale: number }} params */
  detectOnBitmap({ bitmap, part, scale }) {
    try {
      return detectOnBitmap(bitmap, part, scale);
    } finally {
      bitmap.close();
    }
  },

  /** What the generator can draw. */
  async catalogue() {
    const { fonts, looks } = await loadGenerator();
    return { fonts: fonts(), looks: looks() };
  },

  generate,
};

serveRpc(TASKS, { toError });

/**
 * @param {unknown} thrown
 * @returns {PageError}
 */
function toError(thrown) {
  const { code = "page-error", message = String(thrown) } = /** @type {Partial<LensError>} */ (
    thrown
  );
  return { code, message };
}

/** @throws {LensError} `missing-code` */
async function loadGenerator() {
  try {
    return await generator.get();
  } catch (error) {
    throw new LensError("missing-code", `The generator could not be loaded (${error}).`);
  }
}

/**
 * @param {DrawOptions} options
 * @returns {Promise<{ file: Blob, drawing: Omit<Drawing, "rgba"> }>} the image as a PNG file, and
 *   what is known of it
 * @throws {LensError} `missing-code`, `bad-argument`
 */
async function generate(options) {
  const { draw } = await loadGenerator();
  try {
    const { rgba, ...drawing } = draw(options);
    const canvas = new OffscreenCanvas(drawing.width, drawing.height);
    const pixels = new ImageData(rgba, drawing.width, drawing.height);
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    const file = await canvas.convertToBlob({ type: "image/png" });
    return { file, drawing };
  } catch (error) {
    throw new LensError("bad-argument", error instanceof Error ? error.message : String(error));
  }
}
