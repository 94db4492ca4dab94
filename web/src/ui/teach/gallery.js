// @ts-check
/** The images that were given, with their labels. */

import { number } from "../../common/format.js";
import { getById } from "../dom.js";
import { make } from "../report/elements.js";

/** @import { TeachImage } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

/** Images that are shown at a time. */
const SHOWN = 24;

const FILTERS = /** @type {Record<string, (image: TeachImage) => boolean>} */ ({
  all: () => true,
  unlabelled: ({ label, error }) => error === null && label === null,
  labelled: ({ label, error }) => error === null && label !== null,
  broken: ({ error }) => error !== null,
});

export class Gallery {
  #urls;
  #on;
  #list = getById("gallery-list", HTMLElement);
  #more = getById("gallery-more", HTMLButtonElement);
  #filter = getById("gallery-filter", HTMLSelectElement);
  #shown = SHOWN;
  /** @type {readonly TeachImage[]} */
  #images = [];
  /** The entries on the page, by image. @type {Map<TeachImage, HTMLElement>} */
  #entries = new Map();

  /**
   * @param {ImageUrls} urls
   * @param {{ jump: (id: string) => void, remove: (ids: string[]) => void }} on
   */
  constructor(urls, on) {
    this.#urls = urls;
    this.#on = on;
    this.#filter.addEventListener("change", () => {
      this.#shown = SHOWN;
      this.#update();
    });
    this.#more.addEventListener("click", () => {
      this.#shown += SHOWN;
      this.#update();
    });
  }

  /** @param {readonly TeachImage[]} images */
  show(images) {
    if (images === this.#images) return;
    this.#images = images;
    getById("gallery", HTMLElement).hidden = images.length === 0;
    this.#update();
  }

  #update() {
    const chosen = this.#images.filter(FILTERS[this.#filter.value]);
    const shown = chosen.slice(0, this.#shown);
    const before = this.#entries;
    this.#entries = new Map(shown.map((image) => [image, before.get(image) ?? this.#entry(image)]));
    const entries = [...this.#entries.values()];
    const isSame = entries.every((entry, i) => this.#list.children[i] === entry);
    if (!isSame || this.#list.children.length !== entries.length) {
      this.#list.replaceChildren(...entries);
    }
    this.#more.hidden = chosen.length <= shown.length;
    const count =
      chosen.length === 0
        ? "No such images"
        : `${number(shown.length)} of ${number(chosen.length)}`;
    const words = getById("gallery-count", HTMLElement);
    if (words.textContent !== count) words.textContent = count;
  }

  /** @param {TeachImage} image */
  #entry(image) {
    const { id, path, label, error } = image;
    if (error !== null) {
      const remove = make("button", { type: "button", className: "button" }, ["Remove"]);
      remove.setAttribute("aria-label", `Remove ${path}`);
      remove.addEventListener("click", () => this.#on.remove([id]));
      const words = make("p", {}, [make("b", { translate: "no" }, [path]), ` ${error}`]);
      return make("li", { className: "broken" }, [words, remove]);
    }
    const picture = make("img", { alt: "", loading: "lazy", draggable: false });
    if (picture instanceof HTMLImageElement) picture.src = this.#urls.of(image);
    const caption = make("span", { translate: "no", dir: "auto" }, [label ?? "no label"]);
    caption.classList.toggle("missing", label === null);
    const button = make("button", { type: "button", title: path }, [picture, caption]);
    button.setAttribute("aria-label", `${label ?? "no label"}, ${path}: show it to label it`);
    button.addEventListener("click", () => this.#on.jump(id));
    return make("li", {}, [button]);
  }
}
