// @ts-check
/**
 * The grid of the encoder over the image, and the weights of the current cell for each character.
 */

import { capital, cellAt, describeCell, describePlace, topCells } from "../../lens/explain.js";
import { percent, visibleCharacter } from "../../common/format.js";
import { createElement, getById } from "../dom.js";
import { paintTint } from "./heatmap.js";

/** @import { Recognition } from "../../lib/types.js" */

export class CellsView {
  #frame = getById("cells-frame", HTMLElement);
  #picture = getById("cells-picture", HTMLImageElement);
  #grid = getById("cells", HTMLElement);
  #place = getById("cell-place", HTMLElement);
  #shares = getById("cell-shares", HTMLElement);
  #onChange;
  /** @type {Recognition | undefined} */
  #recognition;
  #peak = 0;
  /** @type {HTMLElement[]} */
  #cells = [];
  /** The current cell. */
  #cell = -1;
  /** The cell under the pointer. @type {number | null} */
  #hovered = null;
  /** The focused cell. @type {number | null} */
  #focused = null;
  /**
   * The cell with the largest weight for the current character, used if no cell is hovered or
   * focused.
   */
  #strongest = 0;

  /** @param {(cell: number) => void} onChange called with the new current cell */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#grid.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "touch") this.#hover(this.#cellOf(event));
    });
    this.#grid.addEventListener("pointerleave", () => this.#hover(null));
    this.#grid.addEventListener("click", (event) => {
      if (event.target instanceof HTMLElement) event.target.focus(); // not every browser focuses on a click
    });
    this.#grid.addEventListener("focusin", (event) => this.#focus(this.#cellOf(event)));
    this.#grid.addEventListener("focusout", () => this.#focus(null));
    this.#grid.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /**
   * @param {Recognition} recognition
   * @param {{ address: string | null, dark: boolean, peak: number }} options
   */
  setRecognition(recognition, { address, dark, peak }) {
    this.#recognition = recognition;
    this.#peak = peak;
    this.#cell = -1;
    this.#hovered = null;
    this.#focused = null;
    this.#strongest = 0;
    const { characters, grid, width, height } = recognition;
    this.#frame.style.setProperty("--ratio", String(width / height));
    this.#frame.style.setProperty("--cols", String(grid.cols));
    this.#frame.classList.toggle("dark", dark);
    this.#picture.hidden = !address;
    if (address) this.#picture.src = address;
    this.#cells = Array.from({ length: grid.rows * grid.cols }, (_, i) => {
      const cell = createElement("div", "");
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", describeCell(i, recognition));
      cell.tabIndex = -1;
      return cell;
    });
    this.#shares.replaceChildren(
      ...characters.map(({ character }) => {
        const item = createElement("li", "");
        item.append(
          createElement("b", visibleCharacter(character)),
          createElement("span", "", "heat-value"),
        );
        return item;
      }),
    );
    this.#grid.replaceChildren(
      ...Array.from({ length: grid.rows }, (_, row) => {
        const line = createElement("div", "");
        line.setAttribute("role", "row");
        line.append(...this.#cells.slice(row * grid.cols, (row + 1) * grid.cols));
        return line;
      }),
    );
  }

  /** @param {number} visibleCount number of visible characters */
  reveal(visibleCount) {
    [...this.#shares.children].forEach((share, i) =>
      share.classList.toggle("pending", i >= visibleCount),
    );
  }

  /** @param {number} shown index of the character */
  showCharacter(shown) {
    const character = this.#recognition?.characters[shown];
    if (character) [this.#strongest] = topCells(character.attention, 1);
    this.#update();
  }

  #update() {
    const cell = this.#hovered ?? this.#focused ?? this.#strongest;
    if (!this.#recognition || cell === this.#cell) return;
    const { characters, grid } = this.#recognition;
    this.#cells.forEach((one, i) => {
      one.classList.toggle("chosen", i === cell);
      one.tabIndex = i === (this.#focused ?? cell) ? 0 : -1;
    });
    this.#cell = cell;
    this.#place.textContent = capital(describePlace(cell, grid));
    this.#shares.querySelectorAll("span").forEach((share, i) => {
      const weight = characters[i].attention[cell];
      share.textContent = percent(weight);
      paintTint(share, weight / this.#peak);
    });
    this.#onChange(cell);
  }

  /** @param {number | null} cell */
  #hover(cell) {
    this.#hovered = cell;
    this.#update();
  }

  /** @param {number | null} cell */
  #focus(cell) {
    this.#focused = cell;
    this.#update();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (!this.#recognition || event.ctrlKey || event.metaKey || event.altKey) return;
    const cell = cellAt(this.#focused ?? this.#cell, event.key, this.#recognition.grid);
    if (cell === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // outside the grid, arrow keys move between characters
    this.#hovered = null;
    this.#cells[cell].focus();
  }

  /**
   * @param {Event} event
   * @returns {number | null} `null` if the target is not a cell
   */
  #cellOf({ target }) {
    const cell = this.#cells.findIndex((one) => one === target);
    return cell < 0 ? null : cell;
  }
}
