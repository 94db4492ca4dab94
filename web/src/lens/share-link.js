// @ts-check
/** What an address says of the generator's settings. */

/** @import { DrawOptions } from "../../pkg/captcha_synth_wasm.js" */

/** The lengths of a text that can be chosen; the most strokes and the largest share of noise drawn. */
export const LENGTHS = [3, 4, 5];
export const MOST_STROKES = 100;
export const MOST_SPECKLE = 0.2;

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
  /** @type {(value: number | undefined, most: number) => number | undefined} */
  const upTo = (value, most) =>
    value === undefined ? undefined : Math.min(Math.max(value, 0), most);
  const length = whole("length") ?? 0;
  return {
    seed: whole("seed") ?? 1,
    style: values.get("style") || undefined,
    text: values.get("text")?.toLowerCase() || undefined,
    length: LENGTHS.includes(length) ? length : undefined,
    random: values.get("random") === "true" || undefined,
    face: values.get("face") || undefined,
    bent: values.get("bent") === "true" || undefined,
    strokes: upTo(whole("strokes"), MOST_STROKES),
    speckle: upTo(number("speckle"), MOST_SPECKLE),
  };
}
