// @ts-check
/** What can be kept of a reading: its text, a figure, its numbers. */

import { find } from "./dom.js";
import { drawFigure, toPng } from "./figure.js";

/** @import { Recognition } from "../types.js" */

/** Milliseconds after which a button is itself again. */
const MOMENT = 1500;

/**
 * What is on the page.
 *
 * @typedef {object} Kept
 * @property {Recognition} recognition
 * @property {HTMLImageElement | null} picture `null` where the browser cannot show it
 * @property {{ dark: boolean, smooth: boolean, opacity: number }} look
 */

export class KeepView {
  #section = find("keep", HTMLElement);
  #figures = ["keep-svg", "keep-png"].map((id) => find(id, HTMLButtonElement));
  #copy = find("copy", HTMLButtonElement);
  #now;

  /** @param {() => Kept | undefined} now what is on the page now */
  constructor(now) {
    this.#now = now;
    this.#copy.addEventListener("click", () => void this.#copyText());
    const [svg, png] = this.#figures;
    svg.addEventListener("click", () => {
      const figure = this.#figure();
      if (figure) save(new Blob([figure.svg], { type: "image/svg+xml" }), this.#name("svg"));
    });
    png.addEventListener("click", async () => {
      const figure = this.#figure();
      if (figure) save(await toPng(figure), this.#name("png"));
    });
    find("keep-json", HTMLButtonElement).addEventListener("click", () => {
      const recognition = this.#now()?.recognition;
      if (!recognition) return;
      const plain = (/** @type {string} */ _, /** @type {unknown} */ value) =>
        value instanceof Float32Array ? [...value] : value;
      const json = JSON.stringify(recognition, plain, 1);
      save(new Blob([json], { type: "application/json" }), this.#name("json"));
    });
  }

  /** Shows what can be kept now. */
  update() {
    const kept = this.#now();
    const letters = kept?.recognition.letters.length ?? 0;
    this.#section.hidden = letters === 0;
    for (const button of this.#figures) button.disabled = !kept?.picture;
  }

  #figure() {
    const kept = this.#now();
    return kept?.picture && drawFigure(kept.picture, kept.recognition, kept.look);
  }

  /** @param {string} ending */
  #name(ending) {
    return `captcha-lens-${this.#now()?.recognition.text ?? ""}.${ending}`;
  }

  async #copyText() {
    const words = this.#copy.textContent;
    try {
      await navigator.clipboard.writeText(this.#now()?.recognition.text ?? "");
      this.#copy.textContent = "Copied";
    } catch {
      this.#copy.textContent = "The browser refused";
    }
    setTimeout(() => (this.#copy.textContent = words), MOMENT);
  }
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
