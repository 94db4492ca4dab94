// @ts-check
/** What can be kept of a reading: its text, a figure, its numbers. */

import { linkToDrawing } from "../../lens/url-hash.js";
import { find } from "../dom.js";
import { saveFile } from "../report/save.js";
import { drawFigure, paintFigure } from "./figure.js";

/** @import { Recognition } from "../../lib/types.js" */

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

/** The files that can be saved, by their endings. @type {Record<string, (kept: Kept) => Blob | Promise<Blob>>} */
const FILES = {
  svg: (kept) => new Blob([figure(drawFigure, kept)], { type: "image/svg+xml" }),
  png: (kept) => figure(paintFigure, kept),
  json: ({ recognition }) => {
    const plain = (/** @type {string} */ _, /** @type {unknown} */ value) =>
      value instanceof Float32Array ? [...value] : value;
    return new Blob([JSON.stringify(recognition, plain, 1)], { type: "application/json" });
  },
};

export class KeepView {
  #section = find("keep", HTMLElement);
  #link = find("copy-link", HTMLElement);
  /** Says aloud what a button says for a moment. */
  #status = find("keep-status", HTMLElement);
  #figures = ["keep-svg", "keep-png"].map((id) => find(id, HTMLButtonElement));
  #now;

  /** @param {() => Kept | undefined} now what is on the page now */
  constructor(now) {
    this.#now = now;
    const notCopied = "Could not copy";
    this.#on("copy", notCopied, async ({ recognition }) => {
      await navigator.clipboard.writeText(recognition.text);
      return "Copied";
    });
    this.#on("copy-link", notCopied, async () => {
      await navigator.clipboard.writeText(linkToDrawing() ?? location.href);
      return "Copied";
    });
    for (const [ending, content] of Object.entries(FILES)) {
      this.#on(`keep-${ending}`, "Could not save", async (kept) => {
        saveFile(await content(kept), `captcha-lens-${kept.recognition.text}.${ending}`);
      });
    }
  }

  /** Shows what can be kept now. */
  update() {
    const kept = this.#now();
    const characters = kept?.recognition.characters.length ?? 0;
    this.#section.hidden = characters === 0;
    this.#link.hidden = linkToDrawing() === null;
    for (const button of this.#figures) button.disabled = !kept?.picture;
  }

  /**
   * Has a button keep what is on the page when it is clicked, whatever comes meanwhile.
   *
   * @param {string} id
   * @param {string} failure what the button says where it fails
   * @param {(kept: Kept) => Promise<string | void>} keep gives what the button says for a moment
   */
  #on(id, failure, keep) {
    const button = find(id, HTMLButtonElement);
    const label = button.textContent;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    button.addEventListener("click", async () => {
      const kept = this.#now();
      if (!kept) return;
      const words = await keep(kept).catch(() => failure);
      if (!words) return;
      button.textContent = words;
      this.#status.textContent = words;
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = label;
        this.#status.textContent = "";
      }, MOMENT);
    });
  }
}

/**
 * @template T
 * @param {(picture: HTMLImageElement, recognition: Recognition, look: Kept["look"]) => T} draw
 * @param {Kept} kept
 */
function figure(draw, { picture, recognition, look }) {
  if (!picture) throw new Error("There is no picture to draw.");
  return draw(picture, recognition, look);
}
