// @ts-check
/** The main page: connects its parts. */

import { nameOfWeights, parseBackend, parseWeights } from "../common/recognizer-loader.js";
import { BUILT_IN, ModelChoice } from "../common/model-choice.js";
import { CropView } from "../ui/lens/crop.js";
import { GenerateView } from "../ui/lens/generate.js";
import { fromChooser, fromClipboard } from "../ui/lens/input.js";
import { LensView } from "../ui/lens/lens-view.js";
import { ModelMenu } from "../ui/model-menu.js";
import { LensController } from "./controller.js";
import { Player } from "./player.js";
import { fromFragment } from "./share-link.js";
import { writeFragment } from "./url-hash.js";

const query = new URLSearchParams(location.search);
const player = new Player((state) => view.render(state));
const view = new LensView({
  image: (input) => void controller.receive(input),
  choose(files) {
    const input = fromChooser(files);
    if (input) void controller.receive(input);
  },
  paste() {
    fromClipboard().then((input) => controller.receive(input), controller.reject);
  },
  sample: (sample) => void controller.readSample(sample),
  inputError: (error) => controller.reject(error),
  backend(backend) {
    setQuery("backend", backend);
    controller.changeBackend(backend);
  },
  model: (id) => models.choose(id),
  retry: () => void controller.retry(),
  togglePlay: () => player.toggle(),
  step: (by) => player.step(by),
  speed: (speed) => player.setSpeed(speed),
  select: (index) => player.select(index),
  hover: (index) => player.hover(index),
});
const generator = new GenerateView((options) => void controller.draw(options), writeFragment);
const cropper = new CropView((part) => void controller.readPart(part));
const menu = new ModelMenu({
  choose: (id) => models.choose(id),
  open: (file) => void models.add(file),
  remove: () => void models.remove(),
});
const models = new ModelChoice(menu, {
  id: query.get("model") ?? "",
  builtInName: nameOfWeights(query.get("weights")) ?? BUILT_IN,
  onChange(id, by) {
    setQuery("model", id);
    if (by === "user") controller.changeModel();
  },
});
const controller = new LensController(
  { view, player, generator, cropper },
  parseBackend(query.get("backend")),
  () => parseWeights(query.get("weights")),
  models,
);
Object.assign(globalThis, { captchaLens: controller }); // for debugging and tests

addEventListener("hashchange", drawShared);
addEventListener("pagehide", writeFragment);
// On paper, all characters are shown.
addEventListener("beforeprint", () => player.step(0));
void models.start();
void showSamples();
if (!drawShared()) void controller.recognize();

/**
 * @param {string} name
 * @param {string} value empty if it is the default
 */
function setQuery(name, value) {
  if (value) query.set(name, value);
  else query.delete(name);
  history.replaceState(null, "", `?${query}${location.hash}`);
}

/** Draws what the URL fragment says. @returns {boolean} whether it says anything */
function drawShared() {
  const options = fromFragment(location.hash);
  if (!options) return false;
  generator.setOptions(options);
  generator.open();
  void controller.draw(options);
  return true;
}

/** @param {string} file */
function sampleAddress(file) {
  // The build looks for exactly this expression to find the files.
  return new URL(`../../samples/${file}`, import.meta.url).href;
}

async function showSamples() {
  /** @type {{ file: string, text: string }[]} */
  const samples = await fetch(new URL("../../samples/index.json", import.meta.url))
    .then((response) => (response.ok ? response.json() : []))
    .catch(() => []); // also where the answer is not JSON
  view.showSamples(samples.map((sample) => ({ ...sample, address: sampleAddress(sample.file) })));
}
