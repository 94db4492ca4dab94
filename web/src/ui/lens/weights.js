// @ts-check
/** The attention of a character as a table, in the colours of the heatmap. */

import { characterName } from "../../common/format.js";
import { weightNumber } from "../../lens/explain.js";
import { createElement, getById } from "../dom.js";
import { paintTint } from "./heatmap.js";

/** @import { Recognition } from "../../lib/types.js" */

export class WeightsView {
  #scroll = getById("weights-scroll", HTMLElement);
  #caption = getById("weights-caption", HTMLElement);
  #head = getById("weights-head", HTMLElement);
  #body = getById("weights-body", HTMLElement);
  /** @type {Recognition | undefined} */
  #recognition;
  #peak = 0;
  /** @type {HTMLElement[]} */
  #cells = [];

  /**
   * Creates the table. Later only its numbers change.
   *
   * @param {Recognition} recognition
   * @param {number} peak the weight with the strongest colour
   */
  setRecognition(recognition, peak) {
    this.#recognition = recognition;
    this.#peak = peak;
    const { rows, cols } = recognition.grid;
    this.#scroll.style.setProperty("--cols", String(cols));
    const head = createElement("tr", "");
    head.append(
      createElement("td", ""),
      ...Array.from({ length: cols }, (_, col) => header("column", col)),
    );
    this.#head.replaceChildren(head);
    this.#cells = Array.from({ length: rows * cols }, () => createElement("td", ""));
    this.#body.replaceChildren(
      ...Array.from({ length: rows }, (_, row) => {
        const line = createElement("tr", "");
        line.append(header("row", row), ...this.#cells.slice(row * cols, (row + 1) * cols));
        return line;
      }),
    );
  }

  /** @param {number} shown index of the character */
  showCharacter(shown) {
    if (!this.#recognition) return;
    const { characters } = this.#recognition;
    const { character, attention } = characters[shown];
    this.#caption.textContent = `Weights in % for ${characterName(character)}, character ${shown + 1} of ${characters.length}`;
    this.#cells.forEach((cell, i) => {
      cell.textContent = weightNumber(attention[i]);
      paintTint(cell, attention[i] / this.#peak);
    });
  }

  /** @param {number} cell to mark */
  mark(cell) {
    this.#cells.forEach((one, i) => one.classList.toggle("chosen", i === cell));
  }
}

/**
 * @param {"column" | "row"} of
 * @param {number} index
 */
function header(of, index) {
  const made = createElement("th", String(index + 1));
  made.setAttribute("scope", of === "column" ? "col" : "row");
  made.setAttribute("aria-label", `${of} ${index + 1}`);
  return made;
}
