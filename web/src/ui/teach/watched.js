// @ts-check
/** Some images that are read anew while the model learns, with its attention over them. */

import { isolated, percent } from "../../common/format.js";
import { combinedAttention } from "../../teach/describe.js";
import { getById } from "../dom.js";
import { isDark, paintAttention } from "../lens/heatmap.js";
import { make } from "../report/elements.js";

/** @import { LiveRun, TeachImage } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

export class Watched {
  #urls;
  #list = getById("watched", HTMLElement);
  /** The ids of the images on the page. */
  #shown = "";
  /** @type {{ canvas: HTMLCanvasElement, words: HTMLElement }[]} */
  #figures = [];
  /** @type {LiveRun["watched"]} */
  #watched = [];

  /** @param {ImageUrls} urls */
  constructor(urls) {
    this.#urls = urls;
  }

  /** Removes the images of an earlier run. */
  clear() {
    this.#list.replaceChildren();
    this.#shown = "";
  }

  /**
   * @param {LiveRun} run
   * @param {readonly TeachImage[]} images
   */
  show({ watched, options }, images) {
    if (watched === this.#watched) return;
    this.#watched = watched;
    const ids = watched.map(({ id }) => id).join();
    if (ids !== this.#shown) {
      this.#shown = ids;
      const byId = new Map(images.map((image) => [image.id, image]));
      this.#list.replaceChildren(...watched.map(({ id }) => this.#figure(byId.get(id))));
      this.#figures = [...this.#list.children].map((one) => ({
        canvas: /** @type {HTMLCanvasElement} */ (one.querySelector("canvas")),
        words: /** @type {HTMLElement} */ (one.querySelector("figcaption")),
      }));
    }
    const labels = new Map(options.images.map(({ id, label }) => [id, label]));
    for (const [i, { id, recognition }] of watched.entries()) {
      const { canvas, words } = this.#figures[i];
      if (!recognition) continue;
      words.replaceChildren(...caption(recognition, labels.get(id) ?? "", options.ignoreCase));
      const { characters, grid } = recognition;
      canvas.hidden = characters.length === 0;
      if (canvas.hidden) continue;
      const attention = combinedAttention(characters);
      const peak = Math.max(...attention);
      paintAttention(canvas, attention, { grid, peak, smooth: true });
    }
  }

  /** @param {TeachImage | undefined} image */
  #figure(image) {
    const picture = make("img", { alt: image ? `Image ${image.path}` : "", draggable: false });
    const frame = make("div", { className: "watch-frame" }, [
      picture,
      make("canvas", { hidden: true, "aria-hidden": "true" }),
    ]);
    if (image && picture instanceof HTMLImageElement) {
      picture.addEventListener("load", () => frame.classList.toggle("dark", isDark(picture)));
      picture.src = this.#urls.of(image);
    }
    return make("li", {}, [make("figure", {}, [frame, make("figcaption", {}, ["not read yet"])])]);
  }
}

/**
 * @param {{ text: string, confidence: number }} recognition
 * @param {string} label
 * @param {boolean} ignoreCase
 */
function caption({ text, confidence }, label, ignoreCase) {
  const form = (/** @type {string} */ words) => (ignoreCase ? words.toLowerCase() : words);
  const isCorrect = form(text) === form(label);
  const read = make("b", { translate: "no", dir: "auto" }, [text || "no text found"]);
  const words = isCorrect ? " correct" : ` label ${isolated(label)}`;
  return [
    read,
    make("span", { className: isCorrect ? "right" : "wrong" }, [words]),
    ` ${percent(confidence)}`,
  ];
}
