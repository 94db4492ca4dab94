// @ts-check
/** Pictures that the engine does not take, such as SVG, AVIF or very large ones, drawn anew. */

import { fit } from "../crop.js";
import { isBearable } from "../prepare.js";

/** The longer side of what is drawn. */
const LONGEST = 2400;

/**
 * A picture as the browser shows it.
 *
 * @param {Blob} file
 * @returns {Promise<Blob | null>} a PNG file; `null` where the browser cannot show it either, or
 *   decoded it would be too large
 */
export async function redraw(file) {
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    // `load` comes before the pixels are decoded, with the size known.
    const loaded = new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
    });
    image.src = address;
    await loaded;
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    if (size.width === 0 || size.height === 0 || !isBearable(size)) return null;
    const canvas = Object.assign(document.createElement("canvas"), fit(size, LONGEST));
    const context = canvas.getContext("2d");
    if (!context) return null;
    context.fillStyle = "white"; // as the network sees what is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
}
