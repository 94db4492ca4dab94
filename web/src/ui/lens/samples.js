// @ts-check
/** The sample images as buttons. */

import { cloneTemplate, getById, query } from "../dom.js";

/** @import { Sample } from "../../lens/state.js" */

/**
 * @param {Sample[]} samples
 * @param {(sample: Sample) => void} onChoose
 */
export function showSamples(samples, onChoose) {
  const list = getById("samples", HTMLElement);
  list.hidden = samples.length === 0;
  list.replaceChildren(
    ...samples.map((sample, i) => {
      const item = cloneTemplate("sample-template");
      const button = query(item, "button", HTMLButtonElement);
      const picture = query(item, "img", HTMLImageElement);
      button.dataset.sample = sample.file;
      picture.src = sample.address;
      picture.alt = `Sample ${i + 1}: ${sample.text}`;
      button.addEventListener("click", () => onChoose(sample));
      return item;
    }),
  );
}

/**
 * Marks the selected sample.
 *
 * @param {string | null} file
 */
export function markSample(file) {
  for (const button of getById("samples", HTMLElement).querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.sample === file));
  }
}
