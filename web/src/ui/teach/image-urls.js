// @ts-check
/** Addresses of the images on the teach page. */

/** @import { TeachImage } from "../../teach/types.js" */

export class ImageUrls {
  /** By image id. @type {Map<string, string>} */
  #urls = new Map();

  /** @param {TeachImage} image */
  of({ id, bytes }) {
    const known = this.#urls.get(id);
    if (known) return known;
    const url = URL.createObjectURL(new Blob([bytes]));
    this.#urls.set(id, url);
    return url;
  }

  /** Frees the images that are not on the page any more. @param {readonly TeachImage[]} images */
  keep(images) {
    const ids = new Set(images.map(({ id }) => id));
    for (const [id, url] of this.#urls) {
      if (ids.has(id)) continue;
      URL.revokeObjectURL(url);
      this.#urls.delete(id);
    }
  }
}
