// @ts-check
/** The package at work: reads the image that is chosen, and paints where each letter was seen. */

import { Recognizer } from "captcha-lens";
import { colorize } from "captcha-lens/colormap.js";
import { peakOf, smoothField } from "captcha-lens/overlay.js";

const chooser = /** @type {HTMLInputElement} */ (document.querySelector("#file"));
const said = /** @type {HTMLElement} */ (document.querySelector("#said"));
const letters = /** @type {HTMLElement} */ (document.querySelector("#letters"));

const lens = await Recognizer.load({
  onProgress: ({ stage, fraction }) => (said.textContent = `${stage} ${fraction ?? ""}`),
});
said.textContent = "Choose an image";
chooser.addEventListener("change", () => void read(chooser.files?.[0]));

/** @param {File | undefined} file */
async function read(file) {
  if (!file) return;
  letters.replaceChildren();
  try {
    const [reading, picture] = await Promise.all([lens.recognize(file), createImageBitmap(file)]);
    said.textContent = `${reading.text || "no letters"}, ${(100 * reading.confidence).toFixed(1)} %`;
    const peak = peakOf(reading.letters);
    for (const { letter, attention } of reading.letters) {
      const field = smoothField(attention, reading.grid, peak);
      const light = new ImageData(colorize(field.values), field.width, field.height);
      letters.append(await figure(letter, picture, await createImageBitmap(light)));
    }
  } catch (error) {
    said.textContent = error instanceof Error ? error.message : String(error);
  }
}

/**
 * @param {string} letter
 * @param {ImageBitmap} picture
 * @param {ImageBitmap} light
 */
async function figure(letter, picture, light) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [200, (200 * picture.height) / picture.width];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.6;
  context.drawImage(light, 0, 0, canvas.width, canvas.height);
  const made = document.createElement("figure");
  made.append(canvas, Object.assign(document.createElement("figcaption"), { textContent: letter }));
  return made;
}
