// @ts-check
/**
 * A box over an image. The user moves it, or its edges and corners, with the pointer or the
 * keyboard.
 */

import { WHOLE, drag, minBoxSize } from "../../image/crop-geometry.js";
import { getById } from "../dom.js";

/** @import { Box, Handle, Size } from "../../image/crop-geometry.js" */

/** Step of an arrow key as a fraction of the smallest box, without and with Shift. */
const STEPS = [0.125, 1.25];

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropBox {
  #stage = getById("crop-stage", HTMLElement);
  #box = getById("crop-box", HTMLElement);
  #edges = [...this.#box.querySelectorAll("[role=slider]")];
  #onChange;
  /** @type {Box} */
  #current = WHOLE;
  /** @type {Size} */
  #minSize = { width: 1, height: 1 };

  /** @param {(box: Box) => void} onChange called with the new box */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#stage.addEventListener("pointerdown", (event) => this.#startDrag(event));
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  /** The rectangle of the box on the page. */
  get place() {
    return this.#box.getBoundingClientRect();
  }

  /**
   * @param {Box} box
   * @param {Size} size of the rotated image
   */
  show(box, size) {
    this.#current = box;
    const minSize = minBoxSize(size);
    this.#minSize = minSize;
    const { x, y, width, height } = box;
    const { style } = this.#stage;
    style.setProperty("--ratio", String(size.width / size.height));
    for (const [name, share] of Object.entries({ x, y, width, height })) {
      style.setProperty(`--crop-${name}`, `${share * 100}%`);
    }
    /** Position, minimum and maximum of each edge. @type {Record<string, number[]>} */
    const positions = {
      n: [y, 0, y + height - minSize.height],
      e: [x + width, x + minSize.width, 1],
      s: [y + height, y + minSize.height, 1],
      w: [x, 0, x + width - minSize.width],
    };
    for (const edge of this.#edges) {
      const [now, min, max] = positions[handleOf(edge)].map((place) =>
        String(Math.round(place * 100)),
      );
      for (const [name, value] of Object.entries({ now, min, max })) {
        edge.setAttribute(`aria-value${name}`, value);
      }
      edge.setAttribute("aria-valuetext", `${now}%`);
    }
  }

  /** @param {PointerEvent} event */
  #startDrag(event) {
    const { target, pointerId } = event;
    if (!(target instanceof Element) || !this.#box.contains(target) || !event.isPrimary) return;
    event.preventDefault(); // prevents a text selection and a focus ring
    const { width, height } = this.#stage.getBoundingClientRect();
    const handle = handleOf(target);
    const [x, y, before] = [event.clientX, event.clientY, this.#current];
    const move = (/** @type {PointerEvent} */ to) => {
      const [dx, dy] = [(to.clientX - x) / width, (to.clientY - y) / height];
      this.#onChange(drag(before, handle, dx, dy, this.#minSize));
    };
    this.#stage.setPointerCapture(pointerId);
    this.#stage.addEventListener("pointermove", move);
    const drop = () => this.#stage.removeEventListener("pointermove", move);
    this.#stage.addEventListener("lostpointercapture", drop, { once: true });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof Element)) return;
    event.preventDefault(); // prevents scrolling and stepping through characters
    const step = STEPS[event.shiftKey ? 1 : 0];
    const [dx, dy] = [
      arrow[0] * step * this.#minSize.width,
      arrow[1] * step * this.#minSize.height,
    ];
    this.#onChange(drag(this.#current, handleOf(event.target), dx, dy, this.#minSize));
  }
}

/** @param {Element} element */
function handleOf(element) {
  return /** @type {Handle} */ (element.getAttribute("data-handle"));
}
