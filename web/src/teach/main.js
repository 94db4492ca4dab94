// @ts-check
/** The teach page: connects its parts. */

import { filesFromDrop, filesFromList } from "../audit/files.js";
import * as models from "../common/model-store.js";
import { unreadableImage } from "../common/page-error.js";
import { parseBackend, parseWeights } from "../common/recognizer-loader.js";
import { GENERAL } from "../common/shipped-models.js";
import { registerServiceWorker } from "../common/service-worker.js";
import { runImageTask } from "../image/image-worker-client.js";
import { prepare } from "../image/prepare.js";
import { reencode } from "../image/reencode.js";
import { LensError } from "../lib/errors.js";
import { TeachView } from "../ui/teach/teach-view.js";
import { TeachController } from "./controller.js";
import { TeachStore } from "./store.js";

/** @import { LearnerClass } from "./types.js" */

const query = new URLSearchParams(location.search);
const backend = parseBackend(query.get("backend"));
// Fine-tuning starts from weights that know digits and letters.
const weightsUrl = () => parseWeights(query.get("weights")) ?? GENERAL.weights();
const view = new TeachView(backend, {
  choose: (files) => void give.receive(Promise.resolve(filesFromList(files))),
  // The browser names a pasted image, so its name is no label.
  paste: (files) => void give.receive(Promise.resolve(filesFromList(files)), { named: false }),
  drop: (transfer) => void give.receive(filesFromDrop(transfer)),
  openDrawing: () => void showLooks(),
  draw: (options) => void give.draw(options),
  cancelWork: () => give.cancel(),
  label: (text) => give.label(text),
  unlabel: () => give.unlabel(),
  move: (by) => give.move(by),
  hold: () => give.hold(),
  jump: (id) => give.jumpTo(id),
  remove: (ids) => give.remove(ids),
  names: (named) => give.useNames(named),
  removeAll: () => void controller.removeAll(),
  settings: (change) => controller.changeSettings(change),
  learn: () => void learn.start(),
  goOn: () => void learn.goOn(),
  forget: () => learn.forget(),
  pause: () => learn.togglePause(),
  stop: () => learn.stop(),
  measure: () => void curve.start(),
  stopMeasuring: () => curve.stop(),
  keepModel: (name) => void controller.keepModel(name),
  reject: (step, error) => controller.reject(step, error),
});
const controller = new TeachController({
  show: (state) => view.show(state),
  Learner: { open: openLearner },
  models,
  store: openStore(),
  tools: { convert, draw },
  shippedWeights,
  weightsUrl,
  backend,
});
const { give, learn, curve } = controller;
Object.assign(globalThis, { captchaLens: controller }); // for debugging and tests

registerServiceWorker();
void controller.open();

/**
 * Loads the learner's code with the first run.
 *
 * @type {LearnerClass["open"]}
 */
async function openLearner(options, onProgress) {
  const { Learner } = await import("./learner.js").catch((cause) => {
    const message = "The code for learning could not be loaded. Reload the page.";
    throw new LensError("missing-code", message, { cause });
  });
  return Learner.open(options, onProgress);
}

/** In some private windows, the browser has no database, or reading its name throws. */
async function openStore() {
  return TeachStore.open(indexedDB);
}

async function showLooks() {
  try {
    view.setLooks((await runImageTask("catalogue", undefined)).looks);
  } catch (error) {
    controller.reject("give", error);
  }
}

/** @param {{ seed: number, style?: string, look?: number }} options */
async function draw(options) {
  const { file, drawing } = await runImageTask("generate", options);
  return { file, text: drawing.text };
}

/** @param {Blob} file of a format that only the browser decodes */
async function convert(file) {
  const prepared = await prepare(file);
  if (prepared.file !== file) return prepared.file;
  return reencode(file).catch((cause) => {
    throw unreadableImage(cause);
  });
}

async function shippedWeights() {
  const response = await fetch(weightsUrl());
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  const message = `The weights could not be loaded: the server answers ${response.status}.`;
  throw new LensError("missing-weights", message);
}
