// @ts-check
/** The settings of the generator as a URL fragment. */

/** @import { DrawOptions } from "../../pkg/captcha_synth_wasm.js" */

/** The fewest and most characters of a text: of words, and of any other look. */
const WORD_LENGTHS = [3, 5];
const LENGTHS = [1, 16];
/** The looks whose texts are words. */
const WORD_STYLES = [undefined, "words", "waves"];
/** The maximum number of strokes, and the maximum fraction of noise pixels. */
export const MAX_STROKES = 100;
export const MAX_NOISE = 0.2;

/** The start of a fragment with settings. */
const PREFIX = "#generate?";

/**
 * The URL fragment of a drawing, to share it.
 *
 * @param {DrawOptions} options
 */
export function toFragment(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return PREFIX + new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
}

/**
 * The settings in a URL fragment.
 *
 * @param {string} fragment
 * @returns {DrawOptions | null} `null` if there are none
 */
export function fromFragment(fragment) {
  if (!fragment.startsWith(PREFIX)) return null;
  const values = new URLSearchParams(fragment.slice(PREFIX.length));
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
  const style = values.get("style") || undefined;
  const hasWords = WORD_STYLES.includes(style);
  const [shortest, longest] = hasWords ? WORD_LENGTHS : LENGTHS;
  const text = values.get("text") || undefined;
  return {
    seed: whole("seed") ?? 1,
    style,
    look: whole("look"),
    text: hasWords ? text?.toLowerCase() : text,
    length: length >= shortest && length <= longest ? length : undefined,
    random: values.get("random") === "true" || undefined,
    font: values.get("font") || values.get("face") || undefined,
    distorted: [values.get("distorted"), values.get("bent")].includes("true") || undefined,
    strokes: upTo(whole("strokes"), MAX_STROKES),
    noise: upTo(number("noise") ?? number("speckle"), MAX_NOISE),
  };
}
