// @ts-check
/** The shipped samples, as buttons. */

import { find, stamp, within } from "../dom.js";

/** @typedef {{ file: string, text: string, address: string }} Sample */

/**
 * @param {Sample[]} samples
 * @param {(sample: Sample) => void} onChoose
 */
export function showSamples(samples, onChoose) {
  const list = find("samples", HTMLElement);
  list.hidden = samples.length === 0;
  list.replaceChildren(
    ...samples.map((sample, i) => {
      const item = stamp("sample-template");
      const button = within(item, "button", HTMLButtonElement);
      const picture = within(item, "img", HTMLImageElement);
      button.dataset.sample = sample.file;
      picture.src = sample.address;
      picture.alt = `Sample ${i + 1}: ${sample.text}`;
      button.addEventListener("click", () => onChoose(sample));
      return item;
    }),
  );
}

/**
 * Marks the sample that is being read.
 *
 * @param {string | null} file
 */
export function markSample(file) {
  for (const button of find("samples", HTMLElement).querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.sample === file));
  }
}
