// @ts-check
/** Offers another model, which can write what the present one cannot. */

import { getById } from "./dom.js";

/** @import { Offer } from "../common/other-model.js" */

export class OtherModelView {
  #box = getById("other-model", HTMLElement);
  #words = getById("other-model-words", HTMLElement);
  #button = getById("other-model-choose", HTMLButtonElement);
  #id = "";

  /** @param {(id: string) => void} choose */
  constructor(choose) {
    this.#button.addEventListener("click", () => choose(this.#id));
  }

  /** @param {Offer | null} offer */
  show(offer) {
    // Keeps the focus near its place when the focused button disappears.
    if (!offer && document.activeElement === this.#button) getById("status", HTMLElement).focus();
    this.#box.hidden = offer === null;
    this.#words.textContent = offer?.sentence ?? "";
    this.#button.textContent = offer?.button ?? "";
    this.#id = offer?.id ?? "";
  }
}
