// @ts-check
/** The image with its heatmap, and the characters above their positions. */

import { percent, visibleCharacter } from "../../common/format.js";
import { centerOf, lerp, maxWeight, separateLabels } from "../../lib/overlay.js";
import { certaintyOf } from "../../common/describe.js";
import { createElement, getById, prefersReducedMotion, query } from "../dom.js";
import { isDark, paintAttention, paintScale } from "./heatmap.js";

/** @import { Size } from "../../image/crop-geometry.js" */
/** @import { Recognition } from "../../lib/types.js" */
/** @import { PlaybackState } from "../../lens/player.js" */

/** Duration of the transition between two characters. */
const TRANSITION_MILLISECONDS = 280;
/** Minimum distance between the characters above the image, in percent of its width. */
const MIN_LABEL_GAP = 9;

export class PictureView {
  #area = getById("image-area", HTMLElement);
  #frame = getById("frame", HTMLElement);
  #image = getById("picture", HTMLImageElement);
  #overlay = getById("overlay", HTMLCanvasElement);
  #placeholder = getById("placeholder", HTMLElement);
  #labels = getById("character-labels", HTMLElement);
  #legend = getById("legend", HTMLElement);
  #scale = getById("legend-scale", HTMLElement);
  #scaleCanvas = query(this.#scale, "canvas", HTMLCanvasElement);
  /** @type {Recognition | undefined} */
  #recognition;
  /** The largest weight of all characters, which has the strongest colour. */
  #peak = 0;
  #smooth = true;
  /** The attention that is painted now. @type {ArrayLike<number> | undefined} */
  #attention;
  #animation = 0;

  /** The image; `null` if the browser cannot show it. */
  get image() {
    return this.#image.hidden ? null : this.#image;
  }

  /** The URL of the image; `null` if the browser cannot show it. */
  get address() {
    return this.#image.hidden ? null : this.#image.src;
  }

  /** Whether the image is dark. */
  get dark() {
    return this.#frame.classList.contains("dark");
  }

  /**
   * Shows an image, or a message if the browser cannot show it.
   *
   * @param {string} address
   * @returns {Promise<Size | null>} `null` if it is not shown
   */
  async show(address) {
    this.clear();
    this.#image.src = address;
    try {
      await this.#image.decode();
    } catch {
      if (this.#image.getAttribute("src") === address) {
        this.hide("The browser cannot show this image");
      }
      return null;
    }
    if (this.#image.getAttribute("src") !== address) return null; // another image has replaced it
    const { naturalWidth, naturalHeight } = this.#image;
    this.#setSize(naturalWidth, naturalHeight);
    const dark = isDark(this.#image);
    this.#frame.classList.toggle("dark", dark);
    this.#scale.classList.toggle("dark", dark);
    this.#placeholder.hidden = true;
    this.#image.hidden = false;
    return { width: naturalWidth, height: naturalHeight };
  }

  /**
   * Shows a message in place of the image.
   *
   * @param {string} words
   */
  hide(words) {
    this.#image.hidden = true;
    this.#image.removeAttribute("src"); // cancels an image that is still being decoded
    this.#placeholder.hidden = false;
    this.#placeholder.classList.add("plain");
    getById("placeholder-text", HTMLElement).textContent = words;
  }

  /**
   * Scrolls the whole image into view.
   *
   * @returns {boolean} `false` if it was in view already
   */
  reveal() {
    if (this.#area.checkVisibility?.() === false) return false; // the crop panel replaces it
    const { top, bottom } = this.#area.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return false;
    const behavior = prefersReducedMotion() ? "auto" : "smooth";
    this.#area.scrollIntoView({ block: "start", behavior });
    return true;
  }

  /** Removes the reading from the image. */
  clear() {
    cancelAnimationFrame(this.#animation);
    this.#recognition = undefined;
    this.#attention = undefined;
    this.#overlay.hidden = true;
    this.#legend.hidden = true;
    this.#labels.replaceChildren();
  }

  /** @param {Recognition} recognition */
  setRecognition(recognition) {
    this.clear();
    const { characters, grid, width, height } = recognition;
    if (this.#image.hidden) this.#setSize(width, height);
    if (characters.length === 0) return;
    this.#recognition = recognition;
    this.#area.dataset.certainty = certaintyOf(recognition);
    this.#peak = maxWeight(characters);
    const centers = characters.map(({ attention }) => centerOf(attention, grid, characters.length));
    const places = separateLabels(centers, MIN_LABEL_GAP);
    this.#labels.style.setProperty("--count", String(characters.length));
    this.#labels.replaceChildren(
      ...characters.map(({ character }, i) => {
        const label = createElement("span", visibleCharacter(character), "character-label");
        label.style.left = `${places[i]}%`;
        return label;
      }),
    );
  }

  /**
   * Shows the attention of a character.
   *
   * @param {PlaybackState} state
   */
  showCharacter({ shown, visibleCount }) {
    [...this.#labels.children].forEach((label, i) => {
      label.classList.toggle("pending", i >= visibleCount);
      label.classList.toggle("current", i === shown);
    });
    const character = this.#recognition?.characters[shown];
    if (!character) return;
    this.#showLegend(maxWeight([character]));
    this.#animateTo(character.attention);
  }

  /**
   * Shows the weights of a character up to its largest one, in the colours of all characters.
   *
   * @param {number} peak
   */
  #showLegend(peak) {
    this.#legend.hidden = false;
    getById("legend-peak", HTMLElement).textContent = percent(peak);
    paintScale(this.#scaleCanvas, peak / this.#peak);
  }

  /** @param {boolean} smooth */
  setSmooth(smooth) {
    this.#smooth = smooth;
    if (this.#attention) this.#paint(this.#attention);
  }

  /** @param {ArrayLike<number>} target */
  #animateTo(target) {
    cancelAnimationFrame(this.#animation);
    const from = this.#attention;
    this.#overlay.hidden = false;
    if (!from || prefersReducedMotion()) return this.#paint(target);
    const start = performance.now();
    const frame = (/** @type {number} */ now) => {
      const time = Math.min(Math.max((now - start) / TRANSITION_MILLISECONDS, 0), 1);
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
    this.#area.style.setProperty("--ratio", String(width / height));
  }
}
