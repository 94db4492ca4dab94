// @ts-check
/** Takes images that are chosen, dropped or pasted, and says in words what is not one. */

import { LensError } from "../../lib/errors.js";

const NOTHING_PASTED =
  "The clipboard contains no image. Copy an image or an image file, then paste it here.";

/**
 * @typedef {object} Given
 * @property {File} file
 * @property {string | null} note what the user should know, such as that others were left out
 */

/**
 * The file to read among those of a file chooser.
 *
 * @param {FileList | null} files
 * @returns {Given | null} `null` where nothing was chosen
 */
export function fromChooser(files) {
  return firstOf([...(files ?? [])]);
}

/**
 * The file to read among what was dropped.
 *
 * @param {DataTransfer} transfer
 * @returns {Given}
 * @throws {LensError} `not-a-file`
 */
export function fromDrop(transfer) {
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
 * The image to read among what was pasted: an image, or a copied image file.
 *
 * @param {DataTransfer} transfer
 * @returns {Given}
 * @throws {LensError} `not-a-file`
 */
export function fromPaste(transfer) {
  const given = firstOf([...transfer.files]);
  if (!given) {
    throw new LensError("not-a-file", NOTHING_PASTED);
  }
  return given;
}

/** Whether the browser lets a button read the clipboard; Ctrl+V works everywhere. */
export const canReadClipboard = typeof navigator.clipboard?.read === "function";

/**
 * The image on the clipboard, where a button asks for it.
 *
 * @returns {Promise<Given>}
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
 * Calls back for everything that is dropped on or pasted into `target`, and while something that
 * could be dropped is over it.
 *
 * @param {EventTarget} target
 * @param {object} on
 * @param {(given: Given) => void} on.image
 * @param {(error: unknown) => void} on.error
 * @param {(over: boolean) => void} on.over
 */
export function listen(target, on) {
  let depth = 0; // dragenter and dragleave come for every element inside, too
  const hover = (/** @type {number} */ change) => {
    depth = change === 0 ? 0 : Math.max(depth + change, 0);
    on.over(depth > 0);
  };
  /** @type {(take: () => Given) => void} */
  const give = (take) => {
    try {
      on.image(take());
    } catch (error) {
      on.error(error);
    }
  };
  /** @type {Record<string, (event: any) => void>} */
  const handlers = {
    // Words or links that are dragged about the page are left alone.
    dragenter: (event) => hasFiles(event) && hover(1),
    dragleave: (event) => hasFiles(event) && hover(-1),
    dragover: (event) => hasFiles(event) && event.preventDefault(),
    drop: (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      hover(0);
      give(() => fromDrop(event.dataTransfer));
    },
    paste: (event) => {
      if (!event.clipboardData) return;
      const { files, types } = event.clipboardData;
      // A cell of a spreadsheet comes as words and as a picture of them.
      const words = files.length === 0 || types.includes("text/plain");
      if (words && isTextField(event.target)) return;
      event.preventDefault();
      give(() => fromPaste(event.clipboardData));
    },
  };
  for (const [type, handler] of Object.entries(handlers)) target.addEventListener(type, handler);
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}

/**
 * Whether words are pasted there, not images.
 *
 * @param {EventTarget | null} target
 */
function isTextField(target) {
  return target instanceof HTMLInputElement && ["text", "number", "search"].includes(target.type);
}

/**
 * @param {File[]} files
 * @returns {Given | null}
 */
function firstOf(files) {
  if (files.length === 0) return null;
  const note = files.length > 1 ? `Reading the first of ${files.length} files.` : null;
  return { file: files[0], note };
}
