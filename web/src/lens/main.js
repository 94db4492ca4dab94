// @ts-check
/** Wires the reader, the player and the view. */

import { setFragment, writeFragment } from "./url-hash.js";
import { WHOLE, isWhole } from "../image/crop-geometry.js";
import { LensError } from "../lib/errors.js";
import { fromFragment, toFragment } from "./share-link.js";
import { runImageTask } from "../image/image-worker-client.js";
import { fromChooser, fromClipboard } from "../ui/lens/input.js";
import { RecognizerLoader, weightsFrom, wishFrom } from "../shared/recognizer-loader.js";
import { keepOfflineWhenIdle } from "../shared/offline.js";
import { cut } from "../image/crop-image.js";
import { Player } from "./player.js";
import { prepare } from "../image/prepare.js";
import { CropView } from "../ui/lens/crop.js";
import { GenerateView } from "../ui/lens/generate.js";
import { View } from "../ui/lens/lens-view.js";

/** @import { DrawOptions, Drawing } from "../../pkg/captcha_synth_wasm.js" */
/** @import { Part, Size } from "../image/crop-geometry.js" */
/** @import { BackendWish } from "../lib/types.js" */
/** @import { Sample } from "../ui/lens/samples.js" */

const SAMPLES = new URL("../../samples/", import.meta.url);
/** How many of the most probable texts are asked for; the first is the reading itself. */
const ALTERNATIVES = 5;
/** Errors that are not the image's, so that trying again may help. */
const RETRYABLE = new Set([
  "missing-code",
  "missing-weights",
  "bad-weights",
  "no-webgpu",
  "device-lost",
  "engine-crashed",
  "missing-sample",
]);
/** Errors where no image was given at all: something else, or nothing. */
const NOT_GIVEN = new Set(["not-a-file", "no-clipboard"]);
/** Errors of the engine with a picture that the browser may be able to show all the same. */
const REFUSED = new Set(["image-too-large", "unreadable-image"]);

/** What is said of a part that is read. */
const FOUND = "Reading the part that looks like a CAPTCHA.";
const CHOSEN = "Reading the selected part of the image.";

/** For debugging and for tests: what was read last, as it came from the engine. */
const debug = /** @type {{ lastResult: import("../lib/types.js").Recognition | null }} */ ({
  lastResult: null,
});
Object.assign(globalThis, { captchaLens: debug });

const query = new URLSearchParams(location.search);
let wish = wishFrom(query.get("backend"));

/**
 * An image as it was given, and the fragment of the address, if that tells how to draw it.
 *
 * @typedef {object} Image
 * @property {Blob} file
 * @property {string | null} [note]
 * @property {string | null} [sample]
 * @property {string} [fragment]
 * @property {Omit<Drawing, "rgba">} [drawing] what was drawn by that
 */

/** The image to read. @type {Blob | undefined} */
let image;
/**
 * What that is, or is a part of: with its size, if the browser can show it, and words on the part.
 *
 * @type {Image & { size: Promise<Size | null>, part: Part | null, words: string } | undefined}
 */
let original;
/** Gives up what is under way. */
let reading = new AbortController();
/** Whether that is an image on its way: it is read as soon as it is there. */
let coming = false;
/** What to say of what was no image, beside the image on its way. @type {string | null} */
let remark = null;
/** Whether the reading that is shown is the image's. */
let done = false;
/** Whether the image cannot be read, and nothing would help. */
let hopeless = false;
/** What "Try again" does. @type {() => unknown} */
let again = read;
/** Whether the image is the drawing before, drawn anew: its reading is there at once. */
let redrawn = false;
/** The backends that have read, by recognizer. @type {WeakMap<object, Set<string>>} */
const warm = new WeakMap();
/** Settles when what is being drawn is there. @type {Promise<unknown>} */
let drawing = Promise.resolve();

const loader = new RecognizerLoader(() => ({
  weights: weightsFrom(query.get("weights")),
  backend: wish,
  onProgress: (progress) => view.setProgress(progress),
  onBackend: (backend) => view.setBackend(backend),
}));
const player = new Player((showing) => view.attend(showing));
const view = new View({
  image: (given) => void receive(given),
  choose: (files) => {
    const given = fromChooser(files);
    if (given) void receive(given);
  },
  paste: () => fromClipboard().then(receive, refuse),
  sample: takeSample,
  inputError: refuse,
  backend: changeBackend,
  retry: () => void again(),
  togglePlay: () => player.toggle(),
  step: (by) => player.step(by),
  speed: (speed) => player.setSpeed(speed),
  select: (index) => player.select(index),
  hover: (index) => player.hover(index),
});

const generator = new GenerateView((options) => void draw(options), writeFragment);
const cropper = new CropView((part) => void readPart(part));

view.setWish(wish);
void listSamples();
addEventListener("hashchange", drawShared);
addEventListener("pagehide", writeFragment);
// On paper every character is there, whatever the playback has come to.
addEventListener("beforeprint", () => player.step(0));
if (!drawShared()) void read();

/**
 * Takes an image from outside: where a part of it looks like a CAPTCHA, that is read.
 *
 * @param {Image} given
 */
async function receive(given) {
  const signal = startAnew();
  view.setState("reading", "Opening the image");
  let prepared;
  try {
    prepared = await prepare(given.file);
  } catch (error) {
    if (!signal.aborted) refuse(error);
    return;
  }
  if (signal.aborted) return;
  accept({ ...given, file: prepared.file, note: remark ?? prepared.note ?? given.note });
  view.setState("reading", "Looking for the CAPTCHA");
  const size = await view.pictureShown;
  // Without help, all of it is read.
  const found = await runImageTask("findPart", { file: prepared.file, size }).catch(() => null);
  if (signal.aborted) return;
  if (found) showPart(found.file, found.part, FOUND);
  void read();
}

/**
 * Takes a new image and reads all of it; the one before is given up.
 *
 * @param {Image} given
 */
function take(given) {
  accept(given);
  void read();
}

/** @param {Image} given */
function accept(given) {
  cropper.withdraw();
  show(given);
  original = { ...given, size: view.pictureShown, part: null, words: "" };
}

/**
 * Reads a part of the image that was given.
 *
 * @param {Part | null} part `null` for all of it
 */
async function readPart(part) {
  const size = await original?.size;
  if (!original || !size) return;
  const signal = startAnew();
  if (part === null || isWhole(part)) {
    original.part = null;
    show(original);
    void offerCrop();
    return read();
  }
  view.setState("reading", "Cropping");
  try {
    const file = await cut(original.file, part);
    if (signal.aborted) return;
    showPart(file, part, CHOSEN);
    void read();
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/**
 * @param {Blob} file
 * @param {Part} part what the file is of the original
 * @param {string} words
 */
function showPart(file, part, words) {
  Object.assign(original ?? {}, { part, words });
  show({ file, note: original?.note });
  void offerCrop();
}

/** Lets the picture be cropped, if the browser can show it. */
async function offerCrop() {
  const given = original;
  const size = await given?.size;
  if (given && given === original && size) cropper.offer({ ...given, size });
}

/** @param {Image} shown what to read next */
function show({ file, note = null, sample = null, fragment = "", drawing: drawn }) {
  image = file;
  redrawn = Boolean(fragment && original?.fragment);
  setFragment(fragment);
  if (drawn) generator.setDrawing(drawn);
  else generator.clearDrawing();
  if (redrawn) player.pause();
  else player.clear();
  view.setPicture(file, { note, sample, drawn: fragment !== "", redrawn });
}

/**
 * Says why something is no image. Where nothing was given at all, the image before stays, with its
 * reading or on its way to one.
 *
 * @param {unknown} error
 * @param {() => unknown} [retry] what may help
 */
function refuse(error, retry) {
  if (error instanceof LensError && NOT_GIVEN.has(error.code) && !hopeless) {
    if (coming) remark = error.message;
    if (original && !done) original.note = error.message; // for a part of it, too
    if (image || coming) return view.setRemark(error.message);
  }
  startAnew();
  image = original = undefined;
  generator.clearDrawing();
  cropper.withdraw();
  view.setPicture(null, { note: null, sample: null, drawn: false, redrawn: false });
  fail(error, retry);
}

/** Gives up what is under way, for an image that comes. */
function startAnew() {
  reading.abort();
  reading = new AbortController();
  coming = true;
  remark = null;
  done = hopeless = false;
  keepOfflineWhenIdle("reading");
  return reading.signal;
}

/** Loads what is missing, then reads the image, if there is one. */
async function read() {
  const signal = startAnew();
  coming = false;
  try {
    view.setState("loading", "Loading");
    const lens = await loader.load();
    if (signal.aborted) return;
    if (!image) {
      keepOfflineWhenIdle("ready");
      return view.setState("ready", "Ready");
    }
    view.setState("reading", "Reading");
    const options = { alternatives: ALTERNATIVES, signal };
    const recognition = await lens.recognize(image, options).catch(async (error) => {
      const drawn = REFUSED.has(error.code) ? await redraw() : null;
      if (!drawn || signal.aborted) throw error;
      image = drawn;
      return lens.recognize(drawn, options);
    });
    await view.pictureShown;
    if (signal.aborted) return;
    done = true;
    keepOfflineWhenIdle("done");
    debug.lastResult = recognition;
    view.setRecognition(recognition, { first: isFirst(lens, recognition.backend.kind) });
    void offerCrop();
    player.start(recognition.characters.length, { still: view.still || redrawn });
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/**
 * Whether this is the first reading of a backend, for which the browser still compiles code.
 *
 * @param {object} lens
 * @param {string} kind
 */
function isFirst(lens, kind) {
  const kinds = warm.get(lens) ?? new Set();
  const first = !kinds.has(kind);
  warm.set(lens, kinds.add(kind));
  return first;
}

/**
 * The image as the browser shows it, for where the engine does not take its file: one of too many
 * bytes or pixels, or of a format that only the browser knows.
 */
async function redraw() {
  const size = image === original?.file ? await original?.size : null;
  if (!image || !size) return null;
  return cut(image, { box: WHOLE, turns: 0, angle: 0 }).catch(() => null);
}

/** @param {BackendWish} chosen */
function changeBackend(chosen) {
  wish = chosen;
  view.setWish(wish);
  query.set("backend", chosen);
  history.replaceState(null, "", `?${query}${location.hash}`);
  player.step(0); // which shows all characters
  view.hold();
  void loader.dispose();
  if (!coming) void read();
}

async function listSamples() {
  /** @type {{ file: string, text: string }[]} */
  const samples = await fetch(new URL("index.json", SAMPLES))
    .then((response) => (response.ok ? response.json() : []))
    .catch(() => []); // a page in place of the list, too
  view.showSamples(
    samples.map((sample) => ({ ...sample, address: new URL(sample.file, SAMPLES).href })),
  );
}

/** @param {Sample} sample */
async function takeSample(sample) {
  const { file, address } = sample;
  const signal = startAnew();
  view.setState("reading", "Loading the sample");
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    take({ file: await response.blob(), sample: file });
  } catch (error) {
    if (signal.aborted) return;
    const problem = new LensError("missing-sample", `The sample could not be loaded (${error}).`);
    refuse(problem, () => takeSample(sample));
  }
}

/** Draws what the address says, if it says anything. */
function drawShared() {
  const options = fromFragment(location.hash);
  if (options) {
    generator.setOptions(options);
    generator.open();
    void draw(options);
  }
  return options !== null;
}

/**
 * Draws an image and reads it.
 *
 * @param {DrawOptions} options
 */
async function draw(options) {
  const signal = startAnew();
  view.setState("reading", "Generating");
  try {
    generator.setFaces(await runImageTask("faces", undefined));
    // One at a time, so that of many changes in a row only the last is waited for.
    await drawing;
    if (signal.aborted) return;
    const request = runImageTask("generate", options);
    drawing = request.catch(() => {});
    const { file, drawing: drawn } = await request;
    if (signal.aborted) return;
    take({ file, fragment: toFragment(options), drawing: drawn });
  } catch (error) {
    if (signal.aborted) return;
    const invalid = error instanceof LensError && error.code === "bad-argument";
    if (invalid) generator.setError(error.message);
    // The last drawing stays.
    if (invalid && image) void read();
    else refuse(error, () => draw(options));
  }
}

/**
 * @param {unknown} error
 * @param {() => unknown} retry
 */
function fail(error, retry = read) {
  again = retry;
  const { code, message } =
    error instanceof LensError ? error : { code: "page-error", message: String(error) };
  coming = false;
  hopeless = !RETRYABLE.has(code);
  player.clear();
  view.setError({ code, message }, { canRetry: !hopeless });
}
