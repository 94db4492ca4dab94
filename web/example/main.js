// @ts-check
/** An example of the package: reads the chosen image and shows the attention of each character. */

import { Recognizer } from "captcha-lens";
import { colorize } from "captcha-lens/colormap.js";
import { maxWeight, smoothField } from "captcha-lens/overlay.js";

const chooser = /** @type {HTMLInputElement} */ (document.querySelector("#file"));
const status = /** @type {HTMLElement} */ (document.querySelector("#status"));
const characters = /** @type {HTMLElement} */ (document.querySelector("#characters"));

/** Aborts the last reading. */
let reading = new AbortController();

try {
  const lens = await Recognizer.load({
    onProgress: ({ stage, fraction }) => (status.textContent = `${stage} ${fraction ?? ""}`),
  });
  status.textContent = "Choose an image";
  const readChosen = () => void read(lens, chooser.files?.[0]);
  chooser.addEventListener("change", readChosen);
  readChosen(); // if a file was chosen during loading
} catch (error) {
  showError(error);
}

/**
 * @param {Recognizer} lens
 * @param {File | undefined} file
 */
async function read(lens, file) {
  if (!file) return;
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  characters.replaceChildren();
  try {
    const [recognition, picture] = await Promise.all([
      lens.recognize(file, { signal }),
      createImageBitmap(file),
    ]);
    const peak = maxWeight(recognition.characters);
    const heatmaps = recognition.characters.map(({ attention }) => {
      const field = smoothField(attention, recognition.grid, peak);
      return createImageBitmap(new ImageData(colorize(field.values), field.width, field.height));
    });
    const painted = await Promise.all(heatmaps);
    if (signal.aborted) return;
    status.textContent = recognition.text
      ? `${recognition.text}, ${(100 * recognition.confidence).toFixed(1)}%`
      : "No text found";
    characters.append(
      ...recognition.characters.map(({ character }, i) => figure(character, picture, painted[i])),
    );
  } catch (error) {
    if (!signal.aborted) showError(error);
  }
}

/** @param {unknown} error */
function showError(error) {
  status.textContent = error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} character
 * @param {ImageBitmap} picture
 * @param {ImageBitmap} heatmap
 */
function figure(character, picture, heatmap) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [200, (200 * picture.height) / picture.width];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "multiply"; // the characters stay visible
  context.drawImage(heatmap, 0, 0, canvas.width, canvas.height);
  const made = document.createElement("figure");
  made.append(
    canvas,
    Object.assign(document.createElement("figcaption"), { textContent: character }),
  );
  return made;
}
