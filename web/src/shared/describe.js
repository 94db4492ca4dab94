// @ts-check
/** How the page says things. Pure: values in, words out. */

import { megabytes, milliseconds, percent } from "./format.js";
import { shortestInterval, perplexity } from "../lib/overlay.js";

/** @import { Backend, Grid, Character, Progress, Recognition, BackendStatus } from "../lib/types.js" */

/**
 * What a character's picture shows, for those who cannot see it.
 *
 * @param {Character} character
 * @param {number} index
 * @param {number} count
 * @param {Grid} grid
 */
export function describeCharacter({ character, confidence, attention }, index, count, grid) {
  const columns = range(shortestInterval(attention, grid, "cols"), "column", grid.cols);
  const rows = range(shortestInterval(attention, grid, "rows"), "row", grid.rows);
  // What is written on the character comes first and in the same order, for those who say it aloud.
  return `Character ${index + 1} of ${count}: ${character}, ${percent(confidence)}, ${describeFocus(attention)}, ${columns}, ${rows}`;
}

/**
 * How far attention is spread: a look that rests, or one that wanders. It does not tell right from
 * wrong: of 6,637 characters in 1,500 generated images, 6 % of those read right lay within a sixth of
 * the positions and 93 % within a third, and of those read wrong 23 % and all.
 *
 * @param {ArrayLike<number>} attention
 */
export function describeFocus(attention) {
  const spread = perplexity(attention);
  const share = spread / attention.length;
  const words = share <= 1 / 6 ? "focused on" : share <= 1 / 3 ? "spread over" : "scattered over";
  return `${words} ${spread.toFixed(1)} of ${attention.length} cells`;
}

/**
 * @param {{ first: number, last: number }} extent
 * @param {string} noun
 * @param {number} count
 */
function range({ first, last }, noun, count) {
  const of = `of ${count}`;
  return first === last
    ? `${noun} ${first + 1} ${of}`
    : `${noun}s ${first + 1} to ${last + 1} ${of}`;
}

/** Below the first, a reading is unsure; below the second, it is hardly one. */
const [UNSURE, UNLIKELY] = [0.5, 0.1];

/**
 * How far a reading can be relied on; `empty` where nothing was recognised in an image that does
 * hold something, `blank` where it holds nothing.
 *
 * @typedef {"sure" | "unsure" | "unlikely" | "empty" | "blank"} Certainty
 */

/**
 * @param {Recognition} recognition
 * @returns {Certainty}
 */
export function certaintyOf({ text, confidence, blank }) {
  if (text === "") return blank ? "blank" : "empty";
  if (confidence >= UNSURE) return "sure";
  return confidence >= UNLIKELY ? "unsure" : "unlikely";
}

/**
 * How a reading is shown: `verdict` comes first where it matters more than the text, `title` stands
 * over the text, `share` beside it; `advice` is what to do. Empty where there is nothing to say.
 *
 * @param {Recognition} recognition
 */
export function describeCertainty(recognition) {
  const share = percent(recognition.confidence);
  const advice =
    "Crop the image so that it shows only the CAPTCHA, or try a CAPTCHA of another style.";
  const nothing = { verdict: "", title: "", share: "", advice: "" };
  switch (certaintyOf(recognition)) {
    case "sure":
      return { ...nothing, title: "Result", share: `${share} confidence` };
    case "unsure":
      return { ...nothing, title: "Uncertain result", share: `${share} confidence` };
    case "unlikely":
      return {
        verdict: "Probably not a text CAPTCHA that this model can read",
        title: "Best guess",
        share: `${share} confidence`,
        advice,
      };
    case "empty":
      return { ...nothing, verdict: "No text found", advice };
    case "blank":
      return { ...nothing, verdict: "The image is blank" };
  }
}

/**
 * A reading in one line, as sure as it is.
 *
 * @param {Recognition} recognition
 * @param {string} [text] the text as it is to be written
 */
export function describeReading(recognition, text = recognition.text) {
  const { verdict, title, share, advice } = describeCertainty(recognition);
  if (!text) return advice ? `${verdict}. ${advice}` : verdict;
  if (certaintyOf(recognition) === "sure") return `${text}, ${share}`;
  return `${verdict && `${verdict}. `}${title}: ${text}, ${share}`;
}

/**
 * A reading for the line of the page's state: `more` is for those who cannot see the result.
 *
 * @param {Recognition} recognition
 * @param {{ first?: boolean }} [options] whether it is the first on this backend, which takes longer
 * @returns {{ words: string, more: string }}
 */
export function describeResult(recognition, { first = false } = {}) {
  const { text, characters, milliseconds: times } = recognition;
  if (text === "") {
    const { verdict, advice } = describeCertainty(recognition);
    return { words: verdict, more: advice && `. ${advice}` };
  }
  const spelt = characters.map(({ character }) => character).join(" ");
  return {
    words: `Read in ${milliseconds(times.total)}${first ? " (first reading)" : ""}`,
    more: `: ${describeReading(recognition, `${text}, spelt ${spelt}`)}`,
  };
}

/** @param {Backend} backend */
export function describeBackend({ kind, adapter }) {
  const name = kind === "webgpu" ? "WebGPU" : "CPU";
  return adapter && adapter.toLowerCase() !== kind ? `${name} · ${adapter}` : name;
}

/**
 * Why it runs there.
 *
 * @param {BackendStatus} backend
 */
export function describeReason({ kind, reason, loadingWebGpu }) {
  if (loadingWebGpu) return "loading WebGPU";
  if (reason) return `No WebGPU: ${reason}`;
  return kind === "webgpu" ? "verified against the CPU" : "selected";
}

/** The stages of loading. */
const STAGES = /** @type {Record<string, string>} */ ({
  code: "Loading code",
  weights: "Loading weights",
  network: "Building the model",
  device: "Preparing WebGPU",
  check: "Verifying WebGPU",
});

/** @param {string} stage */
export function describeStage(stage) {
  return STAGES[stage] ?? stage.charAt(0).toUpperCase() + stage.slice(1);
}

/**
 * How far a download is; empty for a stage that downloads nothing.
 *
 * @param {Progress} progress
 */
export function describeBytes({ loaded, total }) {
  if (loaded === undefined) return "";
  return total ? `${megabytes(loaded)} of ${megabytes(total)}` : megabytes(loaded);
}
