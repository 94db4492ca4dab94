// @ts-check
/** A box over a picture that is moved by its edges and corners, by pointer or by key. */

import { WHOLE, drag, minBoxSize } from "../../image/crop-geometry.js";
import { find } from "../dom.js";

/** @import { Box, Handle, Size } from "../../image/crop-geometry.js" */

/** How far a key moves, as a share of the least box; the second with Shift. */
const STEPS = [0.125, 1.25];

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropBox {
  #stage = find("crop-stage", HTMLElement);
  #box = find("crop-box", HTMLElement);
  #edges = [...this.#box.querySelectorAll("[role=slider]")];
  #change;
  /** @type {Box} */
  #shown = WHOLE;
  /** @type {Size} */
  #least = { width: 1, height: 1 };

  /** @param {(box: Box) => void} change what the user made of it */
  constructor(change) {
    this.#change = change;
    this.#stage.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#box.addEventListener("keydown", (event) => this.#press(event));
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  /** Where the box is on the page. */
  get place() {
    return this.#box.getBoundingClientRect();
  }

  /**
   * @param {Box} box
   * @param {Size} size of the picture, as it is turned
   */
  show(box, size) {
    this.#shown = box;
    const least = minBoxSize(size);
    this.#least = least;
    const { x, y, width, height } = box;
    const { style } = this.#stage;
    style.setProperty("--ratio", String(size.width / size.height));
    for (const [name, share] of Object.entries({ x, y, width, height })) {
      style.setProperty(`--crop-${name}`, `${share * 100}%`);
    }
    /** Where each edge is, and how far it can go. @type {Record<string, number[]>} */
    const places = {
      n: [y, 0, y + height - least.height],
      e: [x + width, x + least.width, 1],
      s: [y + height, y + least.height, 1],
      w: [x, 0, x + width - least.width],
    };
    for (const edge of this.#edges) {
      const [now, min, max] = places[handleOf(edge)].map((place) =>
        String(Math.round(place * 100)),
      );
      for (const [name, value] of Object.entries({ now, min, max })) {
        edge.setAttribute(`aria-value${name}`, value);
      }
      edge.setAttribute("aria-valuetext", `${now}%`);
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
      const [dx, dy] = [(to.clientX - x) / width, (to.clientY - y) / height];
      this.#change(drag(before, handle, dx, dy, this.#least));
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
    event.preventDefault(); // the page neither scrolls nor steps through characters
    const step = STEPS[event.shiftKey ? 1 : 0];
    const [dx, dy] = [arrow[0] * step * this.#least.width, arrow[1] * step * this.#least.height];
    this.#change(drag(this.#shown, handleOf(event.target), dx, dy, this.#least));
  }
}

/** @param {Element} element */
function handleOf(element) {
  return /** @type {Handle} */ (element.getAttribute("data-handle"));
}
