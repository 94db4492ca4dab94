// @ts-check
/** Images that the user chooses, drops or pastes, and errors for other input. */

import { LensError } from "../../lib/errors.js";
import { dropZone } from "../drop-zone.js";

const NOTHING_PASTED =
  "The clipboard contains no image. Copy an image or an image file, then paste it here.";

/**
 * @typedef {object} InputImage
 * @property {File} file
 * @property {string | null} note for the user, for example about ignored files
 */

/**
 * The image from a file input.
 *
 * @param {FileList | null} files
 * @returns {InputImage | null} `null` if no file was chosen
 */
export function fromChooser(files) {
  return firstOf([...(files ?? [])]);
}

/**
 * The image from a drop.
 *
 * @param {DataTransfer} transfer
 * @returns {InputImage}
 * @throws {LensError} `not-a-file`
 */
function fromDrop(transfer) {
  const folder = [...transfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (folder) {
    throw new LensError("not-a-file", "This is a folder. Drop one image file from it.");
  }
  const given = firstOf([...transfer.files]);
  if (!given) {
    throw new LensError(
      "not-a-file",
      "This is not a file. Save the image first, then drop the file, or copy the image and paste it.",
    );
  }
  return given;
}

/**
 * The image from a paste: an image or a copied image file.
 *
 * @param {DataTransfer} transfer
 * @returns {InputImage}
 * @throws {LensError} `not-a-file`
 */
function fromPaste(transfer) {
  const given = firstOf([...transfer.files]);
  if (!given) {
    throw new LensError("not-a-file", NOTHING_PASTED);
  }
  return given;
}

/** Whether a button can read the clipboard. Ctrl+V works in every browser. */
export const canReadClipboard = typeof navigator.clipboard?.read === "function";

/**
 * Reads the image on the clipboard after a click.
 *
 * @returns {Promise<InputImage>}
 * @throws {LensError} `not-a-file`, `no-clipboard`
 */
export async function fromClipboard() {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith("image/"));
      if (!type) continue;
      return { file: new File([await item.getType(type)], "pasted", { type }), note: null };
    }
  } catch {
    throw new LensError(
      "no-clipboard",
      "The browser does not allow this page to read the clipboard. Allow it, or press Ctrl+V.",
    );
  }
  throw new LensError("not-a-file", NOTHING_PASTED);
}

/**
 * Calls back for each image that is dropped on or pasted into an element.
 *
 * @param {EventTarget} element
 * @param {object} on
 * @param {(input: InputImage) => void} on.image
 * @param {(error: unknown) => void} on.error the input is not an image file
 * @param {(isOver: boolean) => void} on.over called when files enter or leave the element
 */
export function listen(element, on) {
  /** @type {(take: () => InputImage) => void} */
  const receive = (take) => {
    try {
      on.image(take());
    } catch (error) {
      on.error(error);
    }
  };
  dropZone(element, {
    over: on.over,
    drop: (transfer) => receive(() => fromDrop(transfer)),
  });
  element.addEventListener("paste", (event) => {
    const { clipboardData, target } = /** @type {ClipboardEvent} */ (event);
    if (!clipboardData) return;
    // A spreadsheet copies a cell as text and as an image of the text.
    const isText = clipboardData.files.length === 0 || clipboardData.types.includes("text/plain");
    if (isText && isTextField(target)) return;
    event.preventDefault();
    receive(() => fromPaste(clipboardData));
  });
}

/**
 * Whether the user pastes text there, not images.
 *
 * @param {EventTarget | null} target
 */
function isTextField(target) {
  return target instanceof HTMLInputElement && ["text", "number", "search"].includes(target.type);
}

/**
 * @param {File[]} files
 * @returns {InputImage | null}
 */
function firstOf(files) {
  if (files.length === 0) return null;
  const note = files.length > 1 ? `Reading the first of ${files.length} files.` : null;
  return { file: files[0], note };
}
