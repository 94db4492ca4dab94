// @ts-check
/** Exports of a reading: text, link, figure and JSON. */

import { linkToDrawing } from "../../lens/url-hash.js";
import { getById } from "../dom.js";
import { saveFile } from "../save-file.js";
import { drawFigure, paintFigure } from "./figure.js";

/** @import { Recognition } from "../../lib/types.js" */

/** Milliseconds for which a button shows its feedback. */
const FEEDBACK_MILLISECONDS = 1500;

/**
 * The current reading and how it is shown.
 *
 * @typedef {object} ExportData
 * @property {Recognition} recognition
 * @property {HTMLImageElement | null} picture `null` if the browser cannot show it
 * @property {{ dark: boolean, smooth: boolean, opacity: number }} style
 */

/**
 * Creates the content of a file, by extension. @type {Record<string, (data: ExportData) => Blob |
 * Promise<Blob>>}
 */
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
  /** Announces the feedback of a button. */
  #status = getById("export-status", HTMLElement);
  #figures = ["export-svg", "export-png"].map((id) => getById(id, HTMLButtonElement));
  #current;

  /** @param {() => ExportData | undefined} current returns the current reading */
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

  /** Shows the exports that are available. */
  update() {
    const data = this.#current();
    const characters = data?.recognition.characters.length ?? 0;
    this.#section.hidden = characters === 0;
    this.#link.hidden = linkToDrawing() === null;
    for (const button of this.#figures) button.disabled = !data?.picture;
  }

  /**
   * Runs an export when a button is clicked. The export uses the reading at the time of the click.
   *
   * @param {string} id
   * @param {string} failure feedback if the action fails
   * @param {(data: ExportData) => Promise<string | void>} action returns the feedback
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
 * @param {(picture: HTMLImageElement, recognition: Recognition, style: ExportData["style"]) => T} draw
 * @param {ExportData} data
 */
function figure(draw, { picture, recognition, style }) {
  if (!picture) throw new Error("There is no picture to draw.");
  return draw(picture, recognition, style);
}
