// @ts-check
/** The generator: loaded when it is first asked for, and what an address says of its settings. */

import { LensError } from "./errors.js";

/** @import { DrawOptions, Drawing, Face } from "../pkg/captcha_synth_wasm.js" */

const MODULE = new URL("../pkg/captcha_synth_wasm.js", import.meta.url);
/** Introduces settings in an address's fragment. */
const FRAGMENT = "#generate?";

/** @type {Promise<typeof import("../pkg/captcha_synth_wasm.js")> | undefined} */
let loading;

/** @throws {LensError} `missing-code` */
async function load() {
  loading ??= (async () => {
    /** @type {typeof import("../pkg/captcha_synth_wasm.js")} */
    const module = await import(MODULE.href);
    await module.default();
    return module;
  })();
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw new LensError("missing-code", `The generator could not be loaded (${error}).`);
  }
}

/**
 * @param {DrawOptions} options
 * @returns {Promise<{ file: Blob, drawing: Drawing }>} the image as a PNG file, and what is known of it
 * @throws {LensError} `missing-code`, `bad-argument`
 */
export async function generate(options) {
  const { draw } = await load();
  try {
    const drawing = draw(options);
    const { width, height, rgba } = drawing;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
    return { file: await canvas.convertToBlob({ type: "image/png" }), drawing };
  } catch (error) {
    throw new LensError("bad-argument", error instanceof Error ? error.message : String(error));
  }
}

/** @returns {Promise<Face[]>} */
export async function faces() {
  return (await load()).faces();
}

/**
 * Settings as an address's fragment, so that a case can be passed on.
 *
 * @param {DrawOptions} options
 */
export function toFragment(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return FRAGMENT + new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
}

/**
 * Settings out of an address's fragment.
 *
 * @param {string} fragment
 * @returns {DrawOptions | null} `null` where it holds none
 */
export function fromFragment(fragment) {
  if (!fragment.startsWith(FRAGMENT)) return null;
  const values = new URLSearchParams(fragment.slice(FRAGMENT.length));
  const number = (/** @type {string} */ key) => {
    const value = values.get(key);
    return value === null || value === "" || !Number.isFinite(Number(value))
      ? undefined
      : Number(value);
  };
  const whole = (/** @type {string} */ key) => {
    const value = Math.abs(Math.trunc(number(key) ?? NaN));
    return Number.isSafeInteger(value) ? value : undefined;
  };
  return {
    seed: whole("seed") ?? 1,
    style: values.get("style") || undefined,
    text: values.get("text")?.toLowerCase() || undefined,
    length: whole("length"),
    random: values.get("random") === "true" || undefined,
    face: values.get("face") || undefined,
    bent: values.get("bent") === "true" || undefined,
    strokes: whole("strokes"),
    speckle: number("speckle"),
  };
}
