// @ts-check
/** What can be exported of a reading: its text, a figure, its numbers. */

import { linkToDrawing } from "../../lens/url-hash.js";
import { getById } from "../dom.js";
import { saveFile } from "../report/save.js";
import { drawFigure, paintFigure } from "./figure.js";

/** @import { Recognition } from "../../lib/types.js" */

/** Milliseconds after which a button is itself again. */
const FEEDBACK_MILLISECONDS = 1500;

/**
 * What is on the page.
 *
 * @typedef {object} ExportData
 * @property {Recognition} recognition
 * @property {HTMLImageElement | null} picture `null` where the browser cannot show it
 * @property {{ dark: boolean, smooth: boolean, opacity: number }} look
 */

/** The files that can be saved, by their endings. @type {Record<string, (data: ExportData) => Blob | Promise<Blob>>} */
const EXPORTERS = {
  svg: (data) => new Blob([figure(drawFigure, data)], { type: "image/svg+xml" }),
  png: (data) => figure(paintFigure, data),
  json: ({ recognition }) => {
    const plain = (/** @type {string} */ _, /** @type {unknown} */ value) =>
      value instanceof Float32Array ? [...value] : value;
    return new Blob([JSON.stringify(recognition, plain, 1)], { type: "application/json" });
  },
};

export class ExportView {
  #section = getById("export", HTMLElement);
  #link = getById("copy-link", HTMLElement);
  /** Says aloud what a button says for a moment. */
  #status = getById("export-status", HTMLElement);
  #figures = ["export-svg", "export-png"].map((id) => getById(id, HTMLButtonElement));
  #current;

  /** @param {() => ExportData | undefined} current what is on the page now */
  constructor(current) {
    this.#current = current;
    const notCopied = "Could not copy";
    this.#on("copy", notCopied, async ({ recognition }) => {
      await navigator.clipboard.writeText(recognition.text);
      return "Copied";
    });
    this.#on("copy-link", notCopied, async () => {
      await navigator.clipboard.writeText(linkToDrawing() ?? location.href);
      return "Copied";
    });
    for (const [extension, content] of Object.entries(EXPORTERS)) {
      this.#on(`export-${extension}`, "Could not save", async (data) => {
        saveFile(await content(data), `captcha-lens-${data.recognition.text}.${extension}`);
      });
    }
  }

  /** Shows what can be exported now. */
  update() {
    const data = this.#current();
    const characters = data?.recognition.characters.length ?? 0;
    this.#section.hidden = characters === 0;
    this.#link.hidden = linkToDrawing() === null;
    for (const button of this.#figures) button.disabled = !data?.picture;
  }

  /**
   * Has a button keep what is on the page when it is clicked, whatever comes meanwhile.
   *
   * @param {string} id
   * @param {string} failure what the button says where it fails
   * @param {(data: ExportData) => Promise<string | void>} action returns what the button says for a moment
   */
  #on(id, failure, action) {
    const button = getById(id, HTMLButtonElement);
    const label = button.textContent;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    button.addEventListener("click", async () => {
      const data = this.#current();
      if (!data) return;
      const words = await action(data).catch(() => failure);
      if (!words) return;
      button.textContent = words;
      this.#status.textContent = words;
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = label;
        this.#status.textContent = "";
      }, FEEDBACK_MILLISECONDS);
    });
  }
}

/**
 * @template T
 * @param {(picture: HTMLImageElement, recognition: Recognition, look: ExportData["look"]) => T} draw
 * @param {ExportData} data
 */
function figure(draw, { picture, recognition, look }) {
  if (!picture) throw new Error("There is no picture to draw.");
  return draw(picture, recognition, look);
}
