// @ts-check
/** The first step of the teach page: images in, labels on. */

import { imageCount } from "../../common/format.js";
import { randomLookOptions } from "../../common/random-looks.js";
import { toLabelsCsv } from "../../teach/images.js";
import { getById } from "../dom.js";
import { saveFile } from "../save-file.js";
import { Gallery } from "./gallery.js";
import { Labeller } from "./labeller.js";

/** @import { Look } from "../../../pkg/captcha_synth_wasm.js" */
/** @import { TeachState } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */
/** @import { LabellerEvents } from "./labeller.js" */

/**
 * @typedef {LabellerEvents & {
 *   choose: (files: File[]) => void,
 *   paste: (files: File[]) => void,
 *   openDrawing: () => void,
 *   draw: (options: { style: string, count: number }) => void,
 *   cancelWork: () => void,
 *   jump: (id: string) => void,
 *   names: (named: boolean) => void,
 *   removeAll: () => void,
 * }} GiveEvents
 */

/** The look that is listed before the others are known. */
const WORDS = "words";

export class GiveView {
  #labeller;
  #gallery;
  #style = getById("draw-style", HTMLSelectElement);
  #names = getById("use-names", HTMLInputElement);
  #removeAll = getById("remove-all", HTMLButtonElement);
  #sure = getById("remove-sure", HTMLElement);
  /** @type {TeachState["images"]} */
  #images = [];

  /**
   * @param {ImageUrls} urls
   * @param {GiveEvents} on
   */
  constructor(urls, on) {
    this.#labeller = new Labeller(urls, on);
    const jump = (/** @type {string} */ id) => {
      on.jump(id);
      this.#labeller.focus();
    };
    this.#gallery = new Gallery(urls, { jump, remove: on.remove });
    for (const id of ["files-input", "folder-input"]) {
      const input = getById(id, HTMLInputElement);
      input.addEventListener("change", () => {
        const files = [...(input.files ?? [])];
        input.value = ""; // so that the same files can be chosen again
        if (files.length > 0) on.choose(files);
      });
    }
    document.addEventListener("paste", ({ clipboardData }) => {
      const files = [...(clipboardData?.files ?? [])];
      if (files.length > 0) on.paste(files);
    });
    getById("work-cancel", HTMLButtonElement).addEventListener("click", () => on.cancelWork());
    getById("labels-save", HTMLButtonElement).addEventListener("click", () => {
      saveFile(new Blob([toLabelsCsv(this.#images)], { type: "text/csv" }), "labels.csv");
    });
    this.#names.addEventListener("change", () => on.names(this.#names.checked));
    this.#connectDrawing(on);
    this.#connectRemoval(on);
  }

  /** @param {Look[]} looks that the generator can draw */
  setLooks(looks) {
    if (this.#style.length > 1) return;
    const others = looks.filter(({ name }) => name !== WORDS);
    this.#style.append(
      ...others.map(({ name, title }) => {
        const option = new Option(name, name);
        option.title = title;
        return option;
      }),
      ...randomLookOptions(),
    );
  }

  /** @param {TeachState} state */
  show(state) {
    const { images, work, note } = state;
    this.#images = images;
    this.#labeller.show(state);
    this.#gallery.show(images);
    getById("give-empty", HTMLElement).hidden = images.length > 0 || work !== null;
    getById("work", HTMLElement).hidden = work === null;
    if (work) {
      getById("work-words", HTMLElement).textContent = work.words;
      getById("work-bar", HTMLProgressElement).value = work.fraction;
    }
    const words = getById("give-note", HTMLElement);
    if (words.textContent !== note) words.textContent = note;
    this.#names.checked = images.some(({ source }) => source === "name");
    const isBusy = state.run !== null || state.curveRun !== null;
    this.#removeAll.disabled = isBusy;
    getById("remove-yes", HTMLButtonElement).disabled = isBusy;
    if (images.length === 0) this.#ask(false);
  }

  /** @param {GiveEvents} on */
  #connectDrawing(on) {
    const open = getById("draw-open", HTMLButtonElement);
    const form = getById("draw", HTMLFormElement);
    open.addEventListener("click", () => {
      form.hidden = !form.hidden;
      open.setAttribute("aria-expanded", String(!form.hidden));
      if (!form.hidden) on.openDrawing();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const count = getById("draw-count", HTMLInputElement).valueAsNumber;
      on.draw({ style: this.#style.value, count });
    });
  }

  /** @param {GiveEvents} on */
  #connectRemoval(on) {
    this.#removeAll.addEventListener("click", () => {
      this.#ask(true);
      getById("remove-words", HTMLElement).textContent =
        `Remove ${imageCount(this.#images.length)}, the labels and what was learned?`;
      getById("remove-no", HTMLButtonElement).focus();
    });
    getById("remove-no", HTMLButtonElement).addEventListener("click", () => {
      this.#ask(false);
      this.#removeAll.focus();
    });
    getById("remove-yes", HTMLButtonElement).addEventListener("click", () => {
      this.#ask(false);
      on.removeAll();
    });
  }

  /** @param {boolean} asks whether the question is shown instead of the button */
  #ask(asks) {
    this.#sure.hidden = !asks;
    this.#removeAll.hidden = asks;
  }
}
