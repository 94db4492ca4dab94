// @ts-check
/** The crop panel: selects and rotates the part of the image to read. */

import { WHOLE, rotate, rotatedSize } from "../../image/crop-geometry.js";
import { runImageTask } from "../../image/image-worker-client.js";
import { decodeScaled, drawCrop } from "../../image/crop-image.js";
import { CropBox } from "./crop-box.js";
import { getById } from "../dom.js";

/** @import { Box, Part, Size } from "../../image/crop-geometry.js" */

/**
 * Size in pixels at which the image is decoded: the longer side, and the shorter side of a narrow
 * image.
 */
const [SHOWN, SHOWN_SHORT] = [1600, 800];
/** Minimum width on the page, in pixels, of the box and of the image after zooming. */
const [BOX_WIDTH, PICTURE_WIDTH] = [160, 240];
/** Messages about the detected part. */
const MESSAGES = {
  part: "The box is around the part that looks like a CAPTCHA.",
  whole: "The whole image looks like one CAPTCHA.",
  nothing: "No part of the image looks like a CAPTCHA. Place the box yourself.",
};

/** @type {Part} */
const NO_CROP = { box: WHOLE, turns: 0, angle: 0 };

/**
 * The image to crop and its current crop.
 *
 * @typedef {object} CropSource
 * @property {Blob} file
 * @property {Size} size
 * @property {Part | null} part `null` for the whole image
 * @property {string} words about the part
 */

export class CropView {
  #bar = getById("crop-bar", HTMLElement);
  #toggle = getById("crop", HTMLButtonElement);
  #note = getById("crop-note", HTMLElement);
  #reset = getById("crop-reset", HTMLButtonElement);
  #panel = getById("cropper", HTMLElement);
  #canvas = getById("crop-picture", HTMLCanvasElement);
  #scroll = getById("crop-scroll", HTMLElement);
  #stage = getById("crop-stage", HTMLElement);
  #zoom = getById("crop-zoom", HTMLInputElement);
  #message = getById("crop-message", HTMLElement);
  #angle = getById("crop-angle", HTMLInputElement);
  #box = new CropBox((box) => this.#setBox(box));
  #read;
  /** @type {CropSource | null} */
  #source = null;
  /** The image while the panel is open. @type {ImageBitmap | null} */
  #bitmap = null;
  /** @type {Part} */
  #part = NO_CROP;

  /** @param {(part: Part | null) => void} read reads a part; `null` for the whole image */
  constructor(read) {
    this.#read = read;
    const on = (/** @type {string} */ id, /** @type {() => void} */ act) =>
      getById(id, HTMLElement).addEventListener("click", act);
    on("crop", () => (this.#panel.hidden ? void this.#open() : this.#close()));
    on("crop-reset", () => this.#apply(null));
    on("crop-left", () => this.#setCrop(rotate(this.#part, -1)));
    on("crop-right", () => this.#setCrop(rotate(this.#part, 1)));
    on("crop-detect", () => void this.#detect());
    on("crop-all", () => this.#setBox(WHOLE));
    on("crop-read", () => this.#apply(this.#part));
    on("crop-cancel", () => this.#close());
    this.#angle.addEventListener("input", () => {
      this.#setCrop({ ...this.#part, angle: Number(this.#angle.value) });
    });
    this.#zoom.addEventListener("input", () => this.#setZoom(Number(this.#zoom.value)));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#panel.hidden) this.#close();
    });
  }

  /** @param {CropSource} source */
  enable(source) {
    this.#source = source;
    const isPart = source.part !== null;
    this.#bar.hidden = false;
    this.#toggle.textContent = isPart ? "Adjust crop" : "Crop";
    this.#note.textContent = isPart ? source.words : "";
    this.#reset.hidden = !isPart;
  }

  /** Hides the panel and its button. */
  disable() {
    this.#source = null;
    this.#bar.hidden = true;
    this.#note.textContent = "";
    this.#hide();
  }

  async #open() {
    const source = this.#source;
    if (!source) return;
    const { width, height } = source.size;
    const long = (SHOWN_SHORT * Math.max(width, height)) / Math.min(width, height);
    const limit = Math.min(Math.max(SHOWN, long), 4 * SHOWN);
    const bitmap = await decodeScaled(source.file, source.size, limit).catch(() => null);
    // Opened twice, or another image arrived during decoding.
    if (this.#source?.file !== source.file || this.#bitmap) return bitmap?.close();
    if (!bitmap) {
      this.#note.textContent = "The browser could not open the image for cropping. Try again.";
      return;
    }
    this.#bitmap = bitmap;
    this.#panel.hidden = false;
    this.#toggle.setAttribute("aria-expanded", "true");
    this.#message.textContent = "";
    this.#setCrop(source.part ?? NO_CROP);
    this.#zoomToBox();
    if (!source.part) void this.#detect();
    this.#panel.scrollIntoView({ block: "nearest" });
    this.#box.focus();
  }

  #close() {
    this.#hide();
    this.#toggle.focus();
  }

  #hide() {
    this.#panel.hidden = true;
    this.#toggle.setAttribute("aria-expanded", "false");
    this.#bitmap?.close();
    this.#bitmap = null;
  }

  /** @param {Part | null} part */
  #apply(part) {
    this.#close();
    this.#read(part);
  }

  async #detect() {
    const [bitmap, part, source] = [this.#bitmap, this.#part, this.#source];
    if (!bitmap || !source) return;
    const scale = bitmap.width / source.size.width;
    const guess = await runImageTask("detectOnBitmap", { bitmap, part, scale }).catch(() => null);
    // Does not replace a crop that was changed during detection.
    if (!guess || bitmap !== this.#bitmap || part !== this.#part) return;
    this.#message.textContent = MESSAGES[guess.found];
    this.#setBox(guess.box);
    this.#zoomToBox();
  }

  /** Zooms in until the box is large enough to drag, and scrolls to it. */
  #zoomToBox() {
    this.#setZoom(1);
    const [stage, box] = [this.#stage.clientWidth, this.#box.place.width];
    const zoom = Math.max(PICTURE_WIDTH / stage, BOX_WIDTH / box, 1);
    this.#setZoom(Math.min(Math.ceil(zoom * 2) / 2, Number(this.#zoom.max)));
  }

  /** @param {number} zoom */
  #setZoom(zoom) {
    this.#zoom.value = String(zoom);
    this.#stage.style.setProperty("--zoom", String(zoom));
    const [view, box] = [this.#scroll.getBoundingClientRect(), this.#box.place];
    this.#scroll.scrollBy(
      box.x + box.width / 2 - (view.x + view.width / 2),
      box.y + box.height / 2 - (view.y + view.height / 2),
    );
  }

  /** @param {Box} box */
  #setBox(box) {
    this.#part = { ...this.#part, box };
    const size = this.#source?.size ?? this.#canvas;
    this.#box.show(box, rotatedSize(size, this.#part.turns));
  }

  /**
   * Shows a crop with its rotation.
   *
   * @param {Part} part
   */
  #setCrop(part) {
    if (!this.#bitmap) return;
    this.#part = part;
    const { width, height } = rotatedSize(this.#bitmap, part.turns);
    Object.assign(this.#canvas, { width, height });
    drawCrop(this.#bitmap, { ...part, box: WHOLE }, this.#canvas);
    this.#setBox(part.box);
    this.#angle.value = String(part.angle);
    getById("crop-degrees", HTMLOutputElement).textContent = `${part.angle}°`;
  }
}
