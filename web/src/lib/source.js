// @ts-check
/** Converts images to what a worker accepts: bytes, a file or pixels. */

import { LensError } from "./errors.js";

/** @import { ImageInput, ImageSource } from "./types.js" */

/** The limits of the engine (`crates/model/src/image/decode.rs`), checked before pixels are copied. */
export const MAX_BYTES = 20_000_000;
export const MAX_PIXELS = 40_000_000;

const KINDS =
  "a Blob or File, a Uint8Array or ArrayBuffer with a PNG, JPEG, WebP, GIF or BMP file, ImageData, an ImageBitmap, a canvas, an <img>, or a data: or blob: URL";

/**
 * The image in a form that can be sent to a worker, with as little copying as possible.
 *
 * @param {ImageInput} image
 * @returns {Promise<ImageSource>}
 * @throws {LensError} `bad-argument`, `unreadable-image`, `image-too-large`
 */
export async function toSource(image) {
  // By class names, because objects from another frame are not instances of this frame's classes.
  switch (kindOf(image)) {
    case "Blob":
    case "File":
      return /** @type {Blob} */ (image);
    case "ArrayBuffer":
      return checkBytes(/** @type {ArrayBuffer} */ (image));
    case "Uint8Array":
    case "Uint8ClampedArray":
      return withOwnBuffer(checkBytes(/** @type {Uint8Array} */ (image)));
    case "ImageData":
      checkBytes(/** @type {ImageData} */ (image).data, Infinity);
      return checkPixels(/** @type {ImageData} */ (image));
    case "HTMLCanvasElement":
    case "OffscreenCanvas":
    case "ImageBitmap":
      return pixelsOf(/** @type {ImageBitmap} */ (image));
    case "HTMLImageElement":
      return pixelsOfElement(/** @type {HTMLImageElement} */ (image));
    case "String":
    case "URL":
      return open(String(image));
    default:
      throw new LensError("bad-argument", `This kind of image is not supported. Pass ${KINDS}.`);
  }
}

/**
 * The bytes in a buffer of their own. Sending a view would send all of the buffer behind it.
 *
 * @param {Uint8Array} bytes
 */
export function withOwnBuffer(bytes) {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** @param {unknown} value */
function kindOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/**
 * @template {{ byteLength: number }} T
 * @param {T} bytes
 * @param {number} [most]
 * @returns {T}
 */
function checkBytes(bytes, most = MAX_BYTES) {
  // Also the length of a buffer that was transferred to another thread.
  if (bytes.byteLength === 0) throw empty();
  if (bytes.byteLength <= most) return bytes;
  throw tooLarge(`${(bytes.byteLength / 1e6).toFixed(1)} MB`);
}

/**
 * @template {{ width: number, height: number }} T
 * @param {T} image
 * @returns {T}
 */
function checkPixels(image) {
  const { width, height } = image;
  if (!(width > 0 && height > 0)) throw empty();
  if (width * height <= MAX_PIXELS) return image;
  throw tooLarge(`${width} x ${height} pixels`);
}

function empty() {
  return new LensError("unreadable-image", "This image is empty. Use another image.");
}

/** @param {string} size */
function tooLarge(size) {
  return new LensError(
    "image-too-large",
    `This image is too large (${size}). The limit is 20 MB and 40 megapixels. Crop or shrink the image.`,
  );
}

/** @param {HTMLImageElement} element */
async function pixelsOfElement(element) {
  try {
    if (!element.complete) await element.decode();
  } catch (cause) {
    throw new LensError("unreadable-image", "The <img> could not load its image.", { cause });
  }
  return pixelsOf(element, { width: element.naturalWidth, height: element.naturalHeight });
}

/**
 * @param {CanvasImageSource} image
 * @param {{ width: number, height: number }} [size]
 * @returns {ImageData}
 */
function pixelsOf(image, size = /** @type {ImageBitmap} */ (image)) {
  const { width, height } = checkPixels(size);
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new LensError("unreadable-image", "The browser could not create a canvas.");
  try {
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    // The browser protects the pixels of a canvas with an image from another site.
    const message =
      "The browser does not allow access to the pixels of this image. If it comes from another site, pass its file instead.";
    throw new LensError("unreadable-image", message, { cause });
  }
}

/**
 * Opens a URL that contains the image itself. Nothing is loaded from a site.
 *
 * @param {string} address
 * @returns {Promise<Blob>}
 */
async function open(address) {
  if (!/^(data|blob):/i.test(address)) {
    throw new LensError(
      "bad-argument",
      "Images are not loaded from a URL. Fetch the image and pass the file: recognize(await (await fetch(url)).blob()).",
    );
  }
  try {
    return await (await fetch(address)).blob();
  } catch (cause) {
    const message = "The URL of this image could not be opened. Pass the file instead.";
    throw new LensError("unreadable-image", message, { cause });
  }
}
