// @ts-check
/** One image at a time, to type its label. */

import { describeLabel } from "../../teach/describe.js";
import { currentOf } from "../../teach/labelling.js";
import { getById } from "../dom.js";

/** @import { TeachImage, TeachState } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

/**
 * @typedef {object} LabellerEvents
 * @property {(text: string) => void} label
 * @property {() => void} unlabel
 * @property {(by: 1 | -1) => void} move
 * @property {() => void} hold
 * @property {(ids: string[]) => void} remove
 */

export class Labeller {
  #urls;
  #on;
  #panel = getById("labeller", HTMLElement);
  #image = getById("label-image", HTMLImageElement);
  #input = getById("label-text", HTMLInputElement);
  #error = getById("label-error", HTMLElement);
  /** @type {TeachImage | null} */
  #current = null;
  /** The text that the page has filled in. */
  #filled = "";

  /**
   * @param {ImageUrls} urls
   * @param {LabellerEvents} on
   */
  constructor(urls, on) {
    this.#urls = urls;
    this.#on = on;
    this.#input.addEventListener("focus", () => {
      on.hold();
      this.#input.select();
    });
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    getById("label-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      on.label(this.#input.value);
      this.#input.focus();
    });
    const buttons = /** @type {const} */ ([
      ["label-back", () => on.move(-1)],
      ["label-next", () => on.move(1)],
      ["label-clear", () => on.unlabel()],
      ["label-remove", () => this.#current && on.remove([this.#current.id])],
    ]);
    for (const [id, act] of buttons) {
      getById(id, HTMLButtonElement).addEventListener("click", act);
    }
  }

  /** Moves the keyboard focus to the text. */
  focus() {
    this.#input.focus();
    this.#panel.scrollIntoView({ block: "nearest" });
  }

  /** @param {TeachState} state */
  show({ images, labelling, labelProblem }) {
    const { image, place, count } = currentOf(images, labelling);
    this.#panel.hidden = image === null;
    this.#error.textContent = labelProblem;
    this.#input.setAttribute("aria-invalid", String(labelProblem !== ""));
    if (image) this.#showImage(image);
    this.#current = image;
    getById("label-place", HTMLElement).textContent = image ? `${place} of ${count}` : "";
    getById("label-back", HTMLButtonElement).disabled = place <= 1;
    getById("label-next", HTMLButtonElement).disabled = place >= count;
  }

  /** @param {TeachImage} image */
  #showImage(image) {
    const before = this.#current;
    if (image === before) return;
    const text = image.label ?? image.guess?.text ?? "";
    const isOther = image.id !== before?.id;
    if (isOther) {
      this.#image.src = this.#urls.of(image);
      this.#image.alt = `Image ${image.path}`;
    }
    // What the user has typed stays, also when the guess of this image arrives.
    if (isOther || this.#isUnedited) this.#fill(text);
    getById("label-about", HTMLElement).textContent = describeLabel(image);
    getById("label-clear", HTMLButtonElement).disabled = image.label === null;
  }

  /** @param {string} text */
  #fill(text) {
    this.#filled = text;
    this.#input.value = text;
    if (document.activeElement === this.#input) this.#input.select();
  }

  get #isUnedited() {
    return this.#input.value === this.#filled;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey)
      return;
    const { value, selectionStart, selectionEnd } = this.#input;
    // In a text that is being edited, these keys move the cursor.
    const isFree = this.#isUnedited && selectionStart === 0 && selectionEnd === value.length;
    const keys = /** @type {Record<string, 1 | -1 | undefined>} */ ({
      ArrowUp: -1,
      ArrowDown: 1,
      ArrowLeft: isFree ? -1 : undefined,
      ArrowRight: isFree ? 1 : undefined,
    });
    const by = keys[event.key];
    if (!by) return;
    event.preventDefault();
    this.#on.move(by);
  }
}
