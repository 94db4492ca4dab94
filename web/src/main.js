// @ts-check
/** Wires the reader, the player and the view. */

import { LensError } from "./errors.js";
import { faces, fromFragment, generate, toFragment } from "./generator.js";
import { fromChooser, fromClipboard } from "./input.js";
import { Loader, wishFrom } from "./loader.js";
import { keepOffline } from "./offline.js";
import { Player } from "./player.js";
import { GenerateView } from "./view/generate.js";
import { View } from "./view/view.js";

/** @import { DrawOptions } from "../pkg/captcha_synth_wasm.js" */
/** @import { BackendWish } from "./types.js" */
/** @import { Sample } from "./view/samples.js" */

const SAMPLES = new URL("../samples/", import.meta.url);
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
]);

/** For debugging and for tests: what was read last, as it came from the engine. */
const debug = /** @type {{ lastResult: import("./types.js").Recognition | null }} */ ({
  lastResult: null,
});
Object.assign(globalThis, { captchaLens: debug });

const query = new URLSearchParams(location.search);
let wish = wishFrom(query.get("backend"));

/** The image to read. @type {Blob | undefined} */
let image;
/** Gives up the reading that is under way. */
let reading = new AbortController();

const loader = new Loader(() => ({
  weights: weightsFrom(query.get("weights")),
  backend: wish,
  onProgress: (progress) => view.setProgress(progress),
  onBackend: (backend) => view.setBackend(backend),
}));
const player = new Player((showing) => view.attend(showing));
const view = new View({
  image: take,
  choose: (files) => {
    const given = fromChooser(files);
    if (given) take(given);
  },
  paste: () => fromClipboard().then(take, refuse),
  sample: takeSample,
  inputError: refuse,
  backend: changeBackend,
  retry: () => void read(),
  togglePlay: () => player.toggle(),
  step: (by) => player.step(by),
  speed: (speed) => player.setSpeed(speed),
  select: (index) => player.select(index),
  hover: (index) => player.hover(index),
});

const generator = new GenerateView((options) => void draw(options));

view.setWish(wish);
void listSamples();
keepOffline();
addEventListener("hashchange", drawShared);
if (!drawShared()) void read();

/**
 * Takes a new image and reads it; the one before is given up.
 *
 * @param {{ file: Blob, note?: string | null, sample?: string | null }} given
 * @param {string} [fragment] of the address, if that tells how to draw the image
 */
function take({ file, note = null, sample = null }, fragment = "") {
  image = file;
  history.replaceState(null, "", location.pathname + location.search + fragment);
  player.clear();
  view.setPicture(file, { note, sample });
  void read();
}

/**
 * Says why something is no image; what was there before is given up.
 *
 * @param {unknown} error
 */
function refuse(error) {
  startAnew();
  image = undefined;
  view.setPicture(null, { note: null, sample: null });
  fail(error);
}

/** Gives up what is under way. */
function startAnew() {
  reading.abort();
  reading = new AbortController();
  return reading.signal;
}

/** Loads what is missing, then reads the image, if there is one. */
async function read() {
  const signal = startAnew();
  try {
    view.setState("loading", "Loading");
    const lens = await loader.load();
    if (signal.aborted) return;
    if (!image) return view.setState("ready", "Ready");
    view.setState("reading", "Reading");
    const recognition = await lens.recognize(image, { alternatives: ALTERNATIVES, signal });
    await view.pictureShown;
    if (signal.aborted) return;
    debug.lastResult = recognition;
    view.setRecognition(recognition);
    player.start(recognition.letters.length, { still: view.still });
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/** @param {BackendWish} chosen */
function changeBackend(chosen) {
  wish = chosen;
  query.set("backend", chosen);
  history.replaceState(null, "", `?${query}${location.hash}`);
  player.clear();
  void loader.drop();
  void read();
}

async function listSamples() {
  const response = await fetch(new URL("index.json", SAMPLES)).catch(() => undefined);
  /** @type {{ file: string, text: string }[]} */
  const samples = response?.ok ? await response.json() : [];
  view.showSamples(
    samples.map((sample) => ({ ...sample, address: new URL(sample.file, SAMPLES).href })),
  );
}

/** @param {Sample} sample */
async function takeSample({ file, address }) {
  const signal = startAnew();
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    take({ file: await response.blob(), sample: file });
  } catch (error) {
    if (signal.aborted) return;
    refuse(new LensError("missing-sample", `The sample could not be loaded (${error}).`));
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
  try {
    generator.setFaces(await faces());
    generator.setOptions(options);
    const { file, drawing } = await generate(options);
    if (signal.aborted) return;
    generator.setDrawing(drawing);
    take({ file }, toFragment(options));
  } catch (error) {
    if (!signal.aborted) refuse(error);
  }
}

/** @param {unknown} error */
function fail(error) {
  const { code, message } =
    error instanceof LensError ? error : { code: "page-error", message: String(error) };
  player.clear();
  view.setError({ code, message }, { canRetry: RETRYABLE.has(code) });
}

/**
 * Weights of the user's choosing, from this site only.
 *
 * @param {string | null} path
 */
function weightsFrom(path) {
  if (!path) return undefined;
  const address = new URL(path, location.href);
  if (address.origin !== location.origin) {
    throw new LensError("missing-weights", "Weights are loaded from this site only.");
  }
  return address;
}
