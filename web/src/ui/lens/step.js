// @ts-check
/** One step of the decoder, with the values of the current character. */

import { describePlace, describeStep, topCells } from "../../lens/explain.js";
import { percent, visibleCharacter } from "../../common/format.js";
import { createElement, getById } from "../dom.js";
import { paintTint } from "./heatmap.js";

/** @import { Recognition } from "../../lib/types.js" */

/** Number of cells of the weighted sum that are shown separately. */
const SHOWN_TERMS = 3;

export class StepView {
  #caption = getById("step-caption", HTMLElement);
  #state = getById("step-state", HTMLElement);
  #previous = getById("step-previous", HTMLElement);
  #sum = getById("step-sum", HTMLElement);
  #next = getById("step-next", HTMLElement);
  #character = getById("step-character", HTMLElement);
  #confidence = getById("step-confidence", HTMLElement);
  #bar = getById("step-bar", HTMLElement);
  #other = getById("step-other", HTMLElement);
  /** @type {Recognition | undefined} */
  #recognition;
  #peak = 0;
  /** @type {string | null} */
  #address = null;

  /**
   * @param {Recognition} recognition
   * @param {{ address: string | null, peak: number }} options
   */
  setRecognition(recognition, { address, peak }) {
    this.#recognition = recognition;
    this.#address = address;
    this.#peak = peak;
    const { width, height, grid } = recognition;
    const ratio = width / grid.cols / (height / grid.rows);
    this.#sum.style.setProperty("--ratio", String(ratio));
  }

  /** @param {number} shown index of the character */
  showCharacter(shown) {
    if (!this.#recognition) return;
    const { characters } = this.#recognition;
    const { character, confidence, attention } = characters[shown];
    const { state, before, next } = describeStep(characters, shown);
    this.#caption.textContent = `Character ${shown + 1} of ${characters.length}`;
    this.#state.textContent = state;
    this.#previous.textContent = before;
    this.#next.textContent = `new state: ${next}`;
    this.#character.textContent = visibleCharacter(character);
    this.#confidence.textContent = percent(confidence);
    this.#bar.style.inlineSize = `${confidence * 100}%`;
    this.#other.textContent = `other characters ${percent(1 - confidence)}`;

    const cells = topCells(attention, SHOWN_TERMS);
    const rest = cells.reduce((left, cell) => left - attention[cell], 1);
    const others = attention.length - cells.length;
    this.#sum.replaceChildren(
      ...cells.map((cell) => this.#term(attention[cell], this.#cellImage(cell))),
      ...(others > 0
        ? [this.#term(rest, createElement("span", `${others} other cells`, "other-cells"))]
        : []),
    );
  }

  /**
   * @param {number} weight
   * @param {HTMLElement} of the weighted element
   */
  #term(weight, of) {
    const item = createElement("li", "");
    const number = createElement("span", percent(Math.max(weight, 0)), "heat-value");
    // The sum of several cells has no colour.
    if (of.className === "cell-image") paintTint(number, weight / this.#peak);
    item.append(number, of);
    return item;
  }

  /** @param {number} cell */
  #cellImage(cell) {
    if (!this.#recognition) throw new Error("There is no picture to take a part of");
    const { rows, cols } = this.#recognition.grid;
    const part = createElement("span", "", "cell-image");
    part.setAttribute("role", "img");
    part.setAttribute("aria-label", describePlace(cell, this.#recognition.grid));
    const at = (/** @type {number} */ i, /** @type {number} */ count) =>
      `${(i / Math.max(count - 1, 1)) * 100}%`;
    if (this.#address) part.style.backgroundImage = `url("${this.#address}")`;
    part.style.backgroundSize = `${cols * 100}% ${rows * 100}%`;
    part.style.backgroundPosition = `${at(cell % cols, cols)} ${at(Math.floor(cell / cols), rows)}`;
    return part;
  }
}
