// @ts-check
/** The worker behind `helper.js`: does each task when it comes. */

import { LensError } from "../lib/errors.js";
import * as part from "./crop-image.js";

/** @import { DrawOptions, Drawing, Face } from "../../pkg/captcha_synth_wasm.js" */

const GENERATOR = new URL("../../pkg/captcha_synth_wasm.js", import.meta.url);

/** What can be asked for. */
export const TASKS = { findPart: part.findPart, shrink: part.shrink, guessOn, faces, generate };

/** @type {Promise<typeof import("../../pkg/captcha_synth_wasm.js")> | undefined} */
let loading;

self.addEventListener("message", async ({ data: { id, task, given } }) => {
  const work = /** @type {(...given: any[]) => unknown} */ (
    TASKS[/** @type {keyof typeof TASKS} */ (task)]
  );
  try {
    self.postMessage({ id, value: await work(...given) });
  } catch (thrown) {
    const { code = "page-error", message = String(thrown) } = /** @type {Partial<LensError>} */ (
      thrown
    );
    self.postMessage({ id, error: { code, message } });
  }
});

/**
 * The generator, loaded when it is first asked for.
 *
 * @throws {LensError} `missing-code`
 */
async function load() {
  loading ??= (async () => {
    /** @type {typeof import("../../pkg/captcha_synth_wasm.js")} */
    const module = await import(GENERATOR.href);
    await module.default();
    return module;
  })();
  try {
    return await loading;
  } catch (error) {
    throw new LensError("missing-code", `The generator could not be loaded (${error}).`);
  }
}

/**
 * As `guessOn` of `part.js`, with a bitmap that is this worker's own.
 *
 * @type {typeof part.guessOn}
 */
function guessOn(bitmap, ...how) {
  try {
    return part.guessOn(bitmap, ...how);
  } finally {
    bitmap.close();
  }
}

/** @returns {Promise<Face[]>} */
async function faces() {
  return (await load()).faces();
}

/**
 * @param {DrawOptions} options
 * @returns {Promise<{ file: Blob, drawing: Omit<Drawing, "rgba"> }>} the image as a PNG file, and
 *   what is known of it
 * @throws {LensError} `missing-code`, `bad-argument`
 */
async function generate(options) {
  const { draw } = await load();
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
