// @ts-check
/** The state of the main page, and how events change it. Pure. */

/** @import { Drawing, DrawOptions } from "../../pkg/captcha_synth_wasm.js" */
/** @import { Part } from "../image/crop-geometry.js" */
/** @import { BackendPreference, Recognition } from "../lib/types.js" */
/** @import { PageError, PageState } from "../common/types.js" */

/**
 * An image to read.
 *
 * @typedef {object} Source
 * @property {Blob} file
 * @property {string | null} [note] what the user should know
 * @property {string | null} [sample] file name, where it is a sample
 * @property {string} [fragment] URL fragment that draws it, where the generator drew it
 * @property {Omit<Drawing, "rgba">} [drawing] what the generator drew
 * @property {string} [text] the expected text of the image, where it is known
 */

/** The part of the source that is read, and what to say about it. @typedef {{ part: Part, words: string }} Crop */

/** The image on the page. `isRedraw`: a drawing that replaces another one. @typedef {Source & { isRedraw: boolean }} Picture */

/** A sample image. @typedef {{ file: string, text: string, address: string }} Sample */

/** What “Try again” does. @typedef {{ type: "recognize" } | { type: "sample", sample: Sample } | { type: "draw", options: DrawOptions }} Retry */

/**
 * What the page does now:
 *
 * - `starting`: loads the recognizer; there is no image.
 * - `idle`: the recognizer is loaded; there is no image.
 * - `acquiring`: an image is being opened, drawn or cropped. `remark` is a note for that image.
 * - `recognizing`: reads the image; with `loading`, it loads the recognizer first.
 * - `done`: the reading is on the page.
 * - `failed`: `retry` is `null` where another try cannot help.
 *
 * @typedef {{ name: "starting" }
 *   | { name: "idle" }
 *   | { name: "acquiring", status: string, remark: string | null }
 *   | { name: "recognizing", loading: boolean }
 *   | { name: "done" }
 *   | { name: "failed", error: PageError, retry: Retry | null }} Phase
 */

/**
 * @typedef {object} Reading
 * @property {Recognition} recognition
 * @property {boolean} isFirst whether it is the first one on this backend
 * @property {boolean} stale whether another one will replace it
 */

/**
 * The state of the page. `source`, `picture` and `input` are `null` together: without an image in
 * `starting` and `idle`, never in `recognizing` and `done`. There is a reading in `done`, and none in
 * `failed` and without an image.
 *
 * @typedef {object} State
 * @property {BackendPreference} backend the user's preference
 * @property {Phase} phase
 * @property {Source | null} source the image as it was given
 * @property {Crop | null} crop `null` where all of the source is read
 * @property {Picture | null} picture the image on the page: the source, or the crop of it
 * @property {Blob | null} input the file to recognize: the picture's, or another encoding of it
 * @property {Reading | null} reading the reading on the page
 * @property {{ text: string } | null} remark the last remark to show at once; a new object each time
 */

/**
 * What happens, and the phases that an event fits:
 *
 * - `acquire`: an image is expected, or being looked at. Any phase.
 * - `accept`: the image is there. `acquiring`.
 * - `crop`: a part of the source is to be read. `acquiring`, if there is a source.
 * - `uncrop`: all of the source is to be read. Any phase, if there is a source.
 * - `recognize`: the picture is to be read, or only the recognizer to be loaded. Any phase.
 * - `loaded`: the recognizer is loaded. `starting` and `recognizing`.
 * - `reencode`: another encoding of the picture is to be read. `recognizing`.
 * - `recognized`: there is a reading. `recognizing`.
 * - `reject`: an input is not an image. Any phase.
 * - `fail`: anything else failed. `starting`, `acquiring` and `recognizing`.
 * - `prefer`: the user chose a backend. Any phase.
 *
 * @typedef {{ type: "acquire", status: string }
 *   | { type: "accept", source: Source }
 *   | { type: "crop", file: Blob, part: Part, words: string }
 *   | { type: "uncrop" }
 *   | { type: "recognize" }
 *   | { type: "loaded" }
 *   | { type: "reencode", file: Blob }
 *   | { type: "recognized", recognition: Recognition, isFirst: boolean }
 *   | { type: "reject", error: PageError, retry?: Retry }
 *   | { type: "fail", error: PageError, retry?: Retry }
 *   | { type: "prefer", backend: BackendPreference }} LensEvent
 */

/** Errors that do not come from the image, so that another try may help. */
const RETRYABLE = new Set([
  "missing-code",
  "missing-weights",
  "bad-weights",
  "no-webgpu",
  "device-lost",
  "engine-crashed",
  "missing-sample",
]);
/** Errors of an input that was not an image file at all. */
const NOT_AN_IMAGE = new Set(["not-a-file", "no-clipboard"]);

/**
 * @param {BackendPreference} backend
 * @returns {State}
 */
export function initialState(backend) {
  const nothing = { source: null, crop: null, picture: null, input: null };
  return { backend, phase: { name: "starting" }, ...nothing, reading: null, remark: null };
}

/**
 * The state after an event. An event that does not fit the state changes nothing.
 *
 * @param {State} state
 * @param {LensEvent} event
 * @returns {State}
 */
export function reduce(state, event) {
  const { phase, source } = state;
  switch (event.type) {
    case "acquire":
      return withPhase(state, { name: "acquiring", status: event.status, remark: null });

    case "accept": {
      if (phase.name !== "acquiring") return state;
      const given = { ...event.source, note: phase.remark ?? event.source.note ?? null };
      return { ...show(state, given), source: given, crop: null };
    }
    case "crop": {
      if (phase.name !== "acquiring" || !source) return state;
      const shown = show(state, { file: event.file, note: source.note });
      return { ...shown, crop: { part: event.part, words: event.words } };
    }
    case "uncrop":
      return source ? recognize({ ...show(state, source), crop: null }) : state;

    case "recognize":
      return recognize(state);

    case "loaded":
      if (phase.name === "starting") return withPhase(state, { name: "idle" });
      if (phase.name !== "recognizing") return state;
      return withPhase(state, { name: "recognizing", loading: false });

    case "reencode":
      return phase.name === "recognizing" ? { ...state, input: event.file } : state;

    case "recognized": {
      if (phase.name !== "recognizing") return state;
      const { recognition, isFirst } = event;
      const reading = { recognition, isFirst, stale: false };
      return { ...withPhase(state, { name: "done" }), reading };
    }
    case "reject":
      return reject(state, event);

    case "fail":
      return isBusy(phase) ? fail(state, event) : state;

    case "prefer":
      return { ...state, backend: event.backend, reading: stale(state.reading) };
  }
}

/**
 * Reads the picture, or loads the recognizer where there is none.
 *
 * @param {State} state
 */
function recognize(state) {
  return withPhase(
    state,
    state.input ? { name: "recognizing", loading: true } : { name: "starting" },
  );
}

/** Whether the page is doing something that can fail. @param {Phase} phase */
function isBusy({ name }) {
  return name === "starting" || name === "acquiring" || name === "recognizing";
}

/** Whether “Try again” cannot help. @param {Phase} phase */
function isHopeless(phase) {
  return phase.name === "failed" && phase.retry === null;
}

/**
 * An input that is not an image leaves the image that is on the page, or on its way. Any other one
 * takes its place.
 *
 * @param {State} state
 * @param {Extract<LensEvent, { type: "reject" }>} event
 * @returns {State}
 */
function reject(state, event) {
  const { phase, source } = state;
  const text = event.error.message;
  const isLeft = state.input !== null || phase.name === "acquiring";
  if (NOT_AN_IMAGE.has(event.error.code) && isLeft && !isHopeless(phase)) {
    return {
      ...state,
      phase: phase.name === "acquiring" ? { ...phase, remark: text } : phase,
      // A crop of it shows the note, too.
      source: source && phase.name !== "done" ? { ...source, note: text } : source,
      remark: { text },
    };
  }
  return fail({ ...state, source: null, crop: null, picture: null, input: null }, event);
}

/**
 * @param {State} state
 * @param {{ error: PageError, retry?: Retry }} event
 * @returns {State}
 */
function fail(state, { error, retry = { type: "recognize" } }) {
  const canRetry = RETRYABLE.has(error.code);
  const phase = /** @type {const} */ ({ name: "failed", error, retry: canRetry ? retry : null });
  return { ...state, phase, reading: null };
}

/**
 * Shows a picture, which is read next. The reading of a drawing stays until the next drawing is read.
 *
 * @param {State} state
 * @param {Source} source
 * @returns {State}
 */
function show(state, source) {
  const isRedraw = Boolean(source.fragment && state.source?.fragment);
  const picture = { ...source, isRedraw };
  const reading = isRedraw ? stale(state.reading) : null;
  return { ...state, picture, input: source.file, reading };
}

/** @param {State["reading"]} reading */
function stale(reading) {
  return reading && { ...reading, stale: true };
}

/**
 * @param {State} state
 * @param {Phase} phase
 * @returns {State}
 */
function withPhase(state, phase) {
  return { ...state, phase };
}

/**
 * The page's `data-state` in a phase.
 *
 * @param {Phase} phase
 * @returns {PageState}
 */
export function pageState(phase) {
  switch (phase.name) {
    case "starting":
      return "loading";
    case "idle":
      return "ready";
    case "acquiring":
      return "reading";
    case "recognizing":
      return phase.loading ? "loading" : "reading";
    case "done":
      return "done";
    case "failed":
      return "error";
  }
}
