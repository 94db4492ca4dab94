// @ts-check
/** The row of letters: each with its confidence and a small picture of its own attention. */

import { peakOf } from "../overlay.js";
import { describeFocus, describeLetter, percent } from "../words.js";
import { find, stamp, within } from "./dom.js";
import { paintAttention } from "./heat.js";

/** @import { Recognition } from "../types.js" */

export class LettersView {
  #list = find("letters", HTMLElement);
  /** @type {Recognition | undefined} */
  #recognition;

  /**
   * @param {object} on
   * @param {(index: number) => void} on.select
   * @param {(index: number | null) => void} on.hover
   */
  constructor(on) {
    const select = (/** @type {Event} */ event) => {
      const index = indexOf(event);
      if (index !== null) on.select(index);
    };
    this.#list.addEventListener("click", select);
    this.#list.addEventListener("focusin", (event) => {
      const byKeyboard = event.target instanceof Element && event.target.matches(":focus-visible");
      if (byKeyboard) select(event);
    });
    this.#list.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "touch") on.hover(indexOf(event));
    });
    this.#list.addEventListener("pointerleave", () => on.hover(null));
  }

  /** Whether the keyboard is at one of the letters. */
  get focused() {
    return this.#list.contains(document.activeElement);
  }

  clear() {
    this.#recognition = undefined;
    this.#list.replaceChildren();
  }

  /**
   * @param {Recognition} recognition
   * @param {{ address: string | null, dark: boolean, smooth: boolean }} look `address` of the
   *   picture, where the browser can show it
   */
  setRecognition(recognition, { address, dark, smooth }) {
    this.#recognition = recognition;
    const { letters, grid } = recognition;
    this.#list.replaceChildren(
      ...letters.map((letter, i) => {
        const item = stamp("letter-template");
        const button = within(item, "button", HTMLButtonElement);
        button.dataset.letterIndex = String(i);
        button.setAttribute("aria-label", describeLetter(letter, i, letters.length, grid));
        within(item, ".glyph", HTMLElement).textContent = letter.letter;
        within(item, ".share", HTMLElement).textContent = percent(letter.confidence);
        within(item, ".focus", HTMLElement).textContent = describeFocus(letter.attention);
        within(item, ".bar > span", HTMLElement).style.inlineSize = `${letter.confidence * 100}%`;
        const thumb = within(item, ".thumb", HTMLElement);
        thumb.style.setProperty("--ratio", String(recognition.width / recognition.height));
        thumb.classList.toggle("dark", dark);
        const picture = within(item, "img", HTMLImageElement);
        if (address) picture.src = address;
        else picture.remove();
        return item;
      }),
    );
    this.setSmooth(smooth);
  }

  /** @param {boolean} smooth */
  setSmooth(smooth) {
    if (!this.#recognition) return;
    const { letters, grid } = this.#recognition;
    const peak = peakOf(letters);
    this.#items.forEach((item, i) => {
      const canvas = within(item, "canvas", HTMLCanvasElement);
      paintAttention(canvas, letters[i].attention, { grid, peak, smooth });
    });
  }

  /**
   * @param {number} shown
   * @param {number} revealed
   * @param {boolean} follow whether the keyboard goes to the letter that is shown
   */
  attend(shown, revealed, follow) {
    this.#items.forEach((item, i) => {
      const button = within(item, "button", HTMLButtonElement);
      item.classList.toggle("unread", i >= revealed);
      button.setAttribute("aria-pressed", String(i === shown));
      if (follow && i === shown) button.focus();
    });
  }

  get #items() {
    return [...this.#list.children];
  }
}

/**
 * The letter that an event came from.
 *
 * @param {Event} event
 * @returns {number | null} its index, or `null` between the letters
 */
function indexOf({ target }) {
  const button = target instanceof Element ? target.closest("[data-letter-index]") : null;
  return button instanceof HTMLElement ? Number(button.dataset.letterIndex) : null;
}
