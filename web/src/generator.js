// @ts-check
/** What an address says of the generator's settings. */

/** @import { DrawOptions } from "../pkg/captcha_synth_wasm.js" */

/** Introduces settings in an address's fragment. */
const FRAGMENT = "#generate?";

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
