// @ts-check
/** Texts of the page that depend on values. Pure. */

import { perplexity, shortestInterval } from "../lib/overlay.js";
import { characterName, isolated, megabytes, milliseconds, percent } from "./format.js";

/** @import { Backend, Grid, Character, Progress, Recognition, BackendStatus } from "../lib/types.js" */

/**
 * The accessible name of a character: its confidence and where the network looked.
 *
 * @param {Character} character
 * @param {number} index
 * @param {number} count
 * @param {Grid} grid
 */
export function describeCharacter({ character, confidence, attention }, index, count, grid) {
  const columns = range(shortestInterval(attention, grid, "cols"), "column", grid.cols);
  const rows = range(shortestInterval(attention, grid, "rows"), "row", grid.rows);
  // The visible text comes first, so that voice control finds the character by it.
  return `Character ${index + 1} of ${count}: ${characterName(character)}, ${percent(confidence)}, ${describeFocus(attention)}, ${columns}, ${rows}`;
}

/**
 * How far attention is spread. It does not tell correct readings from wrong ones: of 6,637 characters in
 * 1,500 generated images, 6% of the correct ones were within a sixth of the cells and 93% within a
 * third; of the wrong ones, 23% and 100%.
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

/** Confidences below which a reading is unsure, and unlikely. */
const [UNSURE, UNLIKELY] = [0.5, 0.1];

/**
 * How reliable a reading is. `empty`: no text was found in the image; `blank`: the image is blank.
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
 * The texts of a reading: `verdict` before everything else, `title` above the recognized text, `share`
 * beside it, `advice` on what to do. Each one can be empty.
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
 * A reading with its certainty in one line.
 *
 * @param {Recognition} recognition
 * @param {string} [text] replaces the text of the reading
 */
export function describeReading(recognition, text = recognition.text) {
  const { verdict, title, share, advice } = describeCertainty(recognition);
  if (!text) return advice ? `${verdict}. ${advice}` : verdict;
  if (certaintyOf(recognition) === "sure") return `${isolated(text)}, ${share}`;
  return `${verdict && `${verdict}. `}${title}: ${isolated(text)}, ${share}`;
}

/**
 * A reading for the status line. `more` is only for screen readers.
 *
 * @param {Recognition} recognition
 * @param {{ first?: boolean }} [options] whether it is the first reading on this backend, which
 *   takes longer
 * @returns {{ words: string, more: string }}
 */
export function describeResult(recognition, { first = false } = {}) {
  const { text, characters, milliseconds: times } = recognition;
  if (text === "") {
    const { verdict, advice } = describeCertainty(recognition);
    return { words: verdict, more: advice && `. ${advice}` };
  }
  const spelt = characters.map(({ character }) => characterName(character)).join(" ");
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
 * Why the network runs on this backend.
 *
 * @param {BackendStatus} backend
 */
export function describeReason({ kind, reason, webGpu, milliseconds: times }) {
  if (webGpu === "waiting") return "loads WebGPU after the first reading";
  if (webGpu === "loading") return "loading WebGPU";
  if (times) {
    const [cpu, webgpu] = [milliseconds(times.cpu), milliseconds(times.webgpu)];
    return kind === "webgpu" ? `${webgpu}, CPU ${cpu}` : `${cpu}, WebGPU ${webgpu}`;
  }
  if (webGpu === "ready") return "measuring WebGPU";
  if (reason) return `No WebGPU: ${reason}`;
  return kind === "webgpu" ? "gives the same result as the CPU" : "chosen by you";
}

/** @param {number} seconds */
export function describeDuration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return `${Math.ceil(seconds / 60)} min`;
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
 * The progress of a download; empty for a stage without download.
 *
 * @param {Progress} progress
 */
export function describeBytes({ loaded, total }) {
  if (loaded === undefined) return "";
  return total ? `${megabytes(loaded)} of ${megabytes(total)}` : megabytes(loaded);
}
