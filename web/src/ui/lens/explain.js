// @ts-check
/** The explanation in four parts. Its figures follow the current character. */

import { describeGrid } from "../../lens/explain.js";
import { visibleCharacter } from "../../common/format.js";
import { maxWeight } from "../../lib/overlay.js";
import { CellsView } from "./cells.js";
import { createElement, getById } from "../dom.js";
import { StepView } from "./step.js";
import { WeightsView } from "./weights.js";

/** @import { Recognition } from "../../lib/types.js" */
/** @import { PlaybackState } from "../../lens/player.js" */
/** @import { DisplayOptions } from "./lens-view.js" */

export class ExplainView {
  #section = getById("explain", HTMLElement);
  /** Elements that are shown only after a reading. */
  #figures = this.#section.querySelectorAll("[data-figure]");
  #none = getById("explain-none", HTMLElement);
  #grid = getById("explain-grid", HTMLElement);
  #characters = getById("explain-characters", HTMLElement);
  #weights = new WeightsView();
  #step = new StepView();
  #cells = new CellsView((cell) => this.#weights.mark(cell));
  #select;
  /** @type {Recognition | undefined} */
  #recognition;
  #shown = -1;

  /** @param {(index: number) => void} select pins a character */
  constructor(select) {
    this.#select = select;
  }

  clear() {
    this.#recognition = undefined;
    this.#setShown(false);
  }

  /**
   * @param {Recognition} recognition
   * @param {DisplayOptions} options
   */
  setRecognition(recognition, options) {
    const { characters } = recognition;
    if (characters.length === 0) return this.clear();
    this.#recognition = recognition;
    this.#shown = -1;
    const peak = maxWeight(characters);
    this.#grid.textContent = describeGrid(recognition);
    this.#characters.replaceChildren(
      ...characters.map(({ character }, i) => this.#choice(character, i)),
    );
    this.#cells.setRecognition(recognition, { ...options, peak });
    this.#step.setRecognition(recognition, { ...options, peak });
    this.#weights.setRecognition(recognition, peak);
    this.#setShown(true);
  }

  /** @param {PlaybackState} state */
  showCharacter({ shown, visibleCount, pinned }) {
    if (!this.#recognition?.characters[shown]) return;
    const follow = pinned && this.#characters.contains(document.activeElement);
    this.#characters.querySelectorAll("button").forEach((button, i) => {
      button.classList.toggle("pending", i >= visibleCount);
      button.setAttribute("aria-pressed", String(i === shown));
      if (follow && i === shown) button.focus({ preventScroll: true });
    });
    this.#cells.reveal(visibleCount);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#cells.showCharacter(shown);
    this.#step.showCharacter(shown);
    this.#weights.showCharacter(shown);
  }

  /**
   * @param {string} character
   * @param {number} index
   */
  #choice(character, index) {
    const button = createElement("button", visibleCharacter(character));
    button.setAttribute("type", "button");
    button.addEventListener("click", () => this.#select(index));
    const item = createElement("li", "");
    item.append(button);
    return item;
  }

  /** @param {boolean} shown */
  #setShown(shown) {
    this.#figures.forEach((figure) => figure.toggleAttribute("hidden", !shown));
    this.#none.hidden = shown;
    this.#section.classList.toggle("no-figures", !shown);
  }
}
