// @ts-check
/** The package at work: reads the image that is chosen, and paints where each character was seen. */

import { Recognizer } from "captcha-lens";
import { colorize } from "captcha-lens/colormap.js";
import { peakOf, smoothField } from "captcha-lens/overlay.js";

const chooser = /** @type {HTMLInputElement} */ (document.querySelector("#file"));
const said = /** @type {HTMLElement} */ (document.querySelector("#said"));
const characters = /** @type {HTMLElement} */ (document.querySelector("#characters"));

/** Gives up the reading before. */
let asked = new AbortController();

try {
  const lens = await Recognizer.load({
    onProgress: ({ stage, fraction }) => (said.textContent = `${stage} ${fraction ?? ""}`),
  });
  said.textContent = "Choose an image";
  const readChosen = () => void read(lens, chooser.files?.[0]);
  chooser.addEventListener("change", readChosen);
  readChosen(); // while it was loaded
} catch (error) {
  tell(error);
}

/**
 * @param {Recognizer} lens
 * @param {File | undefined} file
 */
async function read(lens, file) {
  if (!file) return;
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  characters.replaceChildren();
  try {
    const [reading, picture] = await Promise.all([
      lens.recognize(file, { signal }),
      createImageBitmap(file),
    ]);
    const peak = peakOf(reading.characters);
    const lights = reading.characters.map(({ attention }) => {
      const field = smoothField(attention, reading.grid, peak);
      return createImageBitmap(new ImageData(colorize(field.values), field.width, field.height));
    });
    const painted = await Promise.all(lights);
    if (signal.aborted) return;
    said.textContent = reading.text
      ? `${reading.text}, ${(100 * reading.confidence).toFixed(1)} %`
      : "No text found";
    characters.append(
      ...reading.characters.map(({ character }, i) => figure(character, picture, painted[i])),
    );
  } catch (error) {
    if (!signal.aborted) tell(error);
  }
}

/** @param {unknown} error */
function tell(error) {
  said.textContent = error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} character
 * @param {ImageBitmap} picture
 * @param {ImageBitmap} light
 */
function figure(character, picture, light) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [200, (200 * picture.height) / picture.width];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.6;
  context.drawImage(light, 0, 0, canvas.width, canvas.height);
  const made = document.createElement("figure");
  made.append(
    canvas,
    Object.assign(document.createElement("figcaption"), { textContent: character }),
  );
  return made;
}
