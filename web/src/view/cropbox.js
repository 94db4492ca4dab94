// @ts-check
/** A box over a picture that is moved by its edges and corners, by pointer or by key. */

import { LEAST, WHOLE, drag } from "../crop.js";
import { find } from "./dom.js";

/** @import { Box, Handle } from "../crop.js" */

/** How far a key moves, as a share of the picture; the second with Shift. */
const STEPS = [0.005, 0.05];

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropBox {
  #stage = find("crop-stage", HTMLElement);
  #box = find("crop-box", HTMLElement);
  #edges = [...this.#box.querySelectorAll("[role=slider]")];
  #change;
  /** @type {Box} */
  #shown = WHOLE;

  /** @param {(box: Box) => void} change what the user made of it */
  constructor(change) {
    this.#change = change;
    this.#stage.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#box.addEventListener("keydown", (event) => this.#press(event));
  }

  focus() {
    this.#box.focus();
  }

  /**
   * @param {Box} box
   * @param {number} ratio the picture's width by its height
   */
  show(box, ratio) {
    this.#shown = box;
    const { x, y, width, height } = box;
    const { style } = this.#stage;
    style.setProperty("--ratio", String(ratio));
    for (const [name, share] of Object.entries({ x, y, width, height })) {
      style.setProperty(`--crop-${name}`, `${share * 100}%`);
    }
    /** Where each edge is, and how far it can go. @type {Record<string, number[]>} */
    const places = {
      n: [y, 0, y + height - LEAST],
      e: [x + width, x + LEAST, 1],
      s: [y + height, y + LEAST, 1],
      w: [x, 0, x + width - LEAST],
    };
    for (const edge of this.#edges) {
      const [now, min, max] = places[handleOf(edge)].map((place) =>
        String(Math.round(place * 100)),
      );
      for (const [name, value] of Object.entries({ now, min, max })) {
        edge.setAttribute(`aria-value${name}`, value);
      }
      edge.setAttribute("aria-valuetext", `${now} %`);
    }
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    const { target, pointerId } = event;
    if (!(target instanceof Element) || !this.#box.contains(target) || !event.isPrimary) return;
    event.preventDefault(); // no selection, and no focus ring for a pointer
    const { width, height } = this.#stage.getBoundingClientRect();
    const handle = handleOf(target);
    const [x, y, before] = [event.clientX, event.clientY, this.#shown];
    const move = (/** @type {PointerEvent} */ to) => {
      this.#change(drag(before, handle, (to.clientX - x) / width, (to.clientY - y) / height));
    };
    this.#stage.setPointerCapture(pointerId);
    this.#stage.addEventListener("pointermove", move);
    const drop = () => this.#stage.removeEventListener("pointermove", move);
    this.#stage.addEventListener("lostpointercapture", drop, { once: true });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof Element)) return;
    event.preventDefault(); // the page neither scrolls nor steps through letters
    const step = STEPS[event.shiftKey ? 1 : 0];
    this.#change(drag(this.#shown, handleOf(event.target), arrow[0] * step, arrow[1] * step));
  }
}

/** @param {Element} element */
function handleOf(element) {
  return /** @type {Handle} */ (element.getAttribute("data-handle"));
}
