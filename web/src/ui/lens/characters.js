// @ts-check
/** The list of characters, each with its confidence and a thumbnail of its attention. */

import { maxWeight } from "../../lib/overlay.js";
import { percent, visibleCharacter } from "../../common/format.js";
import { describeFocus, describeCharacter } from "../../common/describe.js";
import { cloneTemplate, getById, query } from "../dom.js";
import { paintAttention } from "./heatmap.js";

/** @import { Recognition } from "../../lib/types.js" */
/** @import { PlaybackState } from "../../lens/player.js" */
/** @import { DisplayOptions } from "./lens-view.js" */

export class CharactersView {
  #list = getById("characters", HTMLElement);
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

  clear() {
    this.#recognition = undefined;
    this.#list.replaceChildren();
  }

  /**
   * @param {Recognition} recognition
   * @param {DisplayOptions} options
   */
  setRecognition(recognition, { address, dark, smooth }) {
    this.#recognition = recognition;
    const { characters, grid } = recognition;
    this.#list.replaceChildren(
      ...characters.map((character, i) => {
        const item = cloneTemplate("character-template");
        const button = query(item, "button", HTMLButtonElement);
        button.dataset.characterIndex = String(i);
        button.setAttribute("aria-label", describeCharacter(character, i, characters.length, grid));
        query(item, ".glyph", HTMLElement).textContent = visibleCharacter(character.character);
        query(item, ".share", HTMLElement).textContent = percent(character.confidence);
        query(item, ".focus", HTMLElement).textContent = describeFocus(character.attention);
        query(item, ".bar > span", HTMLElement).style.inlineSize = `${character.confidence * 100}%`;
        const thumb = query(item, ".thumb", HTMLElement);
        thumb.style.setProperty("--ratio", String(recognition.width / recognition.height));
        thumb.classList.toggle("dark", dark);
        const picture = query(item, "img", HTMLImageElement);
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
    const { characters, grid } = this.#recognition;
    const peak = maxWeight(characters);
    this.#items.forEach((item, i) => {
      const canvas = query(item, "canvas", HTMLCanvasElement);
      paintAttention(canvas, characters[i].attention, { grid, peak, smooth });
    });
  }

  /** @param {PlaybackState} state */
  showCharacter({ shown, visibleCount, pinned }) {
    // The focus follows a pinned character, not one under the pointer.
    const follow = pinned && this.#list.contains(document.activeElement);
    this.#items.forEach((item, i) => {
      const button = query(item, "button", HTMLButtonElement);
      item.classList.toggle("pending", i >= visibleCount);
      button.setAttribute("aria-pressed", String(i === shown));
      if (follow && i === shown) button.focus();
    });
  }

  get #items() {
    return [...this.#list.children];
  }
}

/**
 * The character that an event belongs to.
 *
 * @param {Event} event
 * @returns {number | null} its index; `null` between characters
 */
function indexOf({ target }) {
  const button = target instanceof Element ? target.closest("[data-character-index]") : null;
  return button instanceof HTMLElement ? Number(button.dataset.characterIndex) : null;
}
