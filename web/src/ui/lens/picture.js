// @ts-check
/** The picture, the attention laid over it, and above it the characters where they were seen. */

import { percent } from "../../shared/format.js";
import { centerOf, lerp, maxWeight, separateLabels } from "../../lib/overlay.js";
import { certaintyOf } from "../../shared/describe.js";
import { createElement, getById, prefersReducedMotion } from "../dom.js";
import { isDark, paintAttention, paintScale } from "./heatmap.js";

/** @import { Size } from "../../image/crop-geometry.js" */
/** @import { Recognition } from "../../lib/types.js" */
/** @import { PlaybackState } from "../../lens/player.js" */

/** Milliseconds in which attention moves from one character to the next. */
const GLIDE = 280;
/** Least distance between the characters above the picture, in percent of its width. */
const TAG_GAP = 9;

export class PictureView {
  #sheet = getById("sheet", HTMLElement);
  #frame = getById("frame", HTMLElement);
  #picture = getById("picture", HTMLImageElement);
  #overlay = getById("overlay", HTMLCanvasElement);
  #placeholder = getById("placeholder", HTMLElement);
  #tags = getById("tags", HTMLElement);
  #legend = getById("legend", HTMLElement);
  /** @type {Recognition | undefined} */
  #recognition;
  #peak = 0;
  #smooth = true;
  /** The attention on the canvas now. @type {ArrayLike<number> | undefined} */
  #attention;
  #animation = 0;

  /** The picture, or `null` where the browser cannot show it. */
  get image() {
    return this.#picture.hidden ? null : this.#picture;
  }

  /** The address of the picture, or `null` where the browser cannot show it. */
  get address() {
    return this.#picture.hidden ? null : this.#picture.src;
  }

  /** Whether the picture is dark on the whole. */
  get dark() {
    return this.#frame.classList.contains("dark");
  }

  constructor() {
    paintScale(getById("legend-scale", HTMLCanvasElement));
  }

  /**
   * Shows a picture, or words where the browser cannot.
   *
   * @param {string} address
   * @returns {Promise<Size | null>} `null` where it is not shown
   */
  async show(address) {
    this.clear();
    this.#picture.src = address;
    try {
      await this.#picture.decode();
    } catch {
      if (this.#picture.getAttribute("src") === address) {
        this.hide("The browser cannot show this image");
      }
      return null;
    }
    if (this.#picture.getAttribute("src") !== address) return null; // another one came meanwhile
    const { naturalWidth, naturalHeight } = this.#picture;
    this.#setSize(naturalWidth, naturalHeight);
    this.#frame.classList.toggle("dark", isDark(this.#picture));
    this.#placeholder.hidden = true;
    this.#picture.hidden = false;
    return { width: naturalWidth, height: naturalHeight };
  }

  /**
   * Shows words in place of a picture.
   *
   * @param {string} words
   */
  hide(words) {
    this.#picture.hidden = true;
    this.#picture.removeAttribute("src"); // so that one still being decoded does not come
    this.#placeholder.hidden = false;
    this.#placeholder.classList.add("plain");
    getById("placeholder-words", HTMLElement).textContent = words;
  }

  /**
   * Scrolls the page until all of the picture is in sight.
   *
   * @returns {boolean} `false` where it is already
   */
  reveal() {
    if (this.#sheet.checkVisibility?.() === false) return false; // the crop box takes its place
    const { top, bottom } = this.#sheet.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return false;
    const behavior = prefersReducedMotion() ? "auto" : "smooth";
    this.#sheet.scrollIntoView({ block: "start", behavior });
    return true;
  }

  /** Takes what was read off the picture. */
  clear() {
    cancelAnimationFrame(this.#animation);
    this.#recognition = undefined;
    this.#attention = undefined;
    this.#overlay.hidden = true;
    this.#legend.hidden = true;
    this.#tags.replaceChildren();
  }

  /** @param {Recognition} recognition */
  setRecognition(recognition) {
    this.clear();
    const { characters, grid, width, height } = recognition;
    if (this.#picture.hidden) this.#setSize(width, height);
    if (characters.length === 0) return;
    this.#recognition = recognition;
    this.#sheet.dataset.certainty = certaintyOf(recognition);
    this.#peak = maxWeight(characters);
    this.#legend.hidden = false;
    getById("legend-peak", HTMLElement).textContent = percent(this.#peak);
    const centers = characters.map(({ attention }) => centerOf(attention, grid));
    const places = separateLabels(centers, TAG_GAP);
    this.#tags.replaceChildren(
      ...characters.map(({ character }, i) => {
        const tag = createElement("span", character, "tag");
        tag.style.left = `${places[i]}%`;
        return tag;
      }),
    );
  }

  /**
   * Shows where the network looked for a character.
   *
   * @param {PlaybackState} state
   */
  showCharacter({ shown, visibleCount }) {
    [...this.#tags.children].forEach((tag, i) => {
      tag.classList.toggle("unread", i >= visibleCount);
      tag.classList.toggle("current", i === shown);
    });
    const character = this.#recognition?.characters[shown];
    if (character) this.#glideTo(character.attention);
  }

  /** @param {boolean} smooth */
  setSmooth(smooth) {
    this.#smooth = smooth;
    if (this.#attention) this.#paint(this.#attention);
  }

  /** @param {ArrayLike<number>} target */
  #glideTo(target) {
    cancelAnimationFrame(this.#animation);
    const from = this.#attention;
    this.#overlay.hidden = false;
    if (!from || prefersReducedMotion()) return this.#paint(target);
    const start = performance.now();
    const frame = (/** @type {number} */ now) => {
      const time = Math.min(Math.max((now - start) / GLIDE, 0), 1);
      this.#paint(lerp(from, target, time * time * (3 - 2 * time)));
      if (time < 1) this.#animation = requestAnimationFrame(frame);
    };
    this.#animation = requestAnimationFrame(frame);
  }

  /** @param {ArrayLike<number>} attention */
  #paint(attention) {
    if (!this.#recognition) return;
    this.#attention = attention;
    const { grid } = this.#recognition;
    paintAttention(this.#overlay, attention, { grid, peak: this.#peak, smooth: this.#smooth });
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #setSize(width, height) {
    this.#sheet.style.setProperty("--ratio", String(width / height));
  }
}
